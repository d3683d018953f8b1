#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 999, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
