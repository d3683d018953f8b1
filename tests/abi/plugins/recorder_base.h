/* What the broken tables of recorders start from. */
#include "base.h"

static int32_t nothing(const p2pdiag_host* host, p2pdiag_str input) {
    (void)host;
    (void)input;
    return P2PDIAG_SKIP;
}

#define PLUGIN_WITH(recorders, count)                                                                         \
    EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {sizeof(p2pdiag_plugin), 1, 2, STR("broken"), STR("1.0"), \
        STR("x"), STR("[]"), checks, 0, 1, 0, 0, 0, count, recorders}
