/* Built when the table ended before changes: what lies behind it is somebody else's, and never looked at. */
#define PLUGIN_ID "old"
#include "base.h"
#include <stddef.h>
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    offsetof(p2pdiag_plugin, changes), 1, 0, STR("old"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0,
    (const p2pdiag_change* const*)16, 7};
