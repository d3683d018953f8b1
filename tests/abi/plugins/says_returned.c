/* Says what only the host says, and then does not end. */
#define CHECK_BODY                                                    \
    say(host, "{\"type\":\"returned\",\"status\":1}");                \
    for (;;) pause();
#define CHECK_DEADLINE_MS 1000
#include <unistd.h>
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
