#include "change_base.h"
static const p2pdiag_change short_one = {
    24, 0, STR("broken.change"), STR("A change"), nothing, nothing, nothing, nothing, 0};
static const p2pdiag_change* const changes[] = {&short_one};
PLUGIN_WITH(changes, 1);
