#define CHECK_BODY for (;;) say(host, "{\"type\":\"log\",\"level\":\"info\",\"text\":\"0123456789012345678901234567890123456789\"}");
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
