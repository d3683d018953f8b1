/* Hangs past its deadline, which leaves a busy machine the time to start it. */
#include <unistd.h>
#define CHECK_BODY for (;;) pause();
#define CHECK_DEADLINE_MS 5000
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
