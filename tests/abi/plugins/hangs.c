/* Says when it hangs, for those who want to see what the host does about it. */
#include <unistd.h>
#define CHECK_BODY say(host, "{\"type\":\"log\",\"level\":\"info\",\"text\":\"it hangs now\"}"); for (;;) pause();
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
