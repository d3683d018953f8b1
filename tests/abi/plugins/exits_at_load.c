/* Gives up while it is loaded, with a word of its own and one that would recolour the terminal. */
#include <stdio.h>
#include <stdlib.h>
#include "base.h"
__attribute__((constructor)) static void at_load(void) {
    for (int line = 0; line < 1000; ++line) fprintf(stderr, "line %d of a long story\n", line);
    fputs("\x1b[31mno licence\xff\n in /etc/licence\n\n", stderr);
    exit(1);
}
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
