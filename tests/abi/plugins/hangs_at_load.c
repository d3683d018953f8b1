#include <unistd.h>
#include "base.h"
__attribute__((constructor)) static void at_load(void) {
    for (;;) pause();
}
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
