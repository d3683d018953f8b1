/* Speaks in the host's name. */
#define CHECK_BODY                                                                                 \
    say(host, "{\"type\":\"finding\",\"code\":\"host.plugin-crashed\",\"severity\":\"error\","      \
              "\"message\":\"plugin steady: it was not me\"}");                                    \
    return P2PDIAG_PASS;
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
