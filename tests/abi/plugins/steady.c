/* Nothing is wrong with this one: it must report whatever its neighbours do. */
#define PLUGIN_ID "steady"
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("steady"), STR("1.0"), STR("Works"), STR("[]"), checks, 0, 1, 0};
