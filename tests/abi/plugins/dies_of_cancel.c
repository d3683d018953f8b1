/* Crashes when it is asked to stop. */
#include <poll.h>
#include <stdlib.h>
#define PLUGIN_ID "dying"
#define CHECK_BODY                                                            \
    say(host, "{\"type\":\"log\",\"level\":\"info\",\"text\":\"it waits now\"}"); \
    struct pollfd stop = {host->cancel_fd, POLLIN, 0};                        \
    poll(&stop, 1, -1);                                                       \
    abort();
#include "base.h"
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("dying"), STR("1.0"), STR("Dies"), STR("[]"), checks, 0, 1, 0};
