/* A library that is no plugin. */
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_of_another_kind = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
