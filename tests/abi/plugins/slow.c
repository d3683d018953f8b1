/* Nothing is wrong with it but that it takes longer than it was given, and does not look up meanwhile. */
#include <unistd.h>
#define CHECK_BODY sleep(2); return P2PDIAG_PASS;
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
