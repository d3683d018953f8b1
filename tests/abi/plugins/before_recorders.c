/* Built when the table ended before recorders: what lies behind it is somebody else's, and never looked at. */
#define PLUGIN_ID "old"
#include "base.h"
#include <stddef.h>
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    offsetof(p2pdiag_plugin, recorders), 1, 1, STR("old"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0,
    0, 0, 7, (const p2pdiag_recorder* const*)16};
