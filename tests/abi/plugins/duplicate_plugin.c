/* Claims the id of a plugin that is there already. */
#define PLUGIN_ID "steady"
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("steady"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
