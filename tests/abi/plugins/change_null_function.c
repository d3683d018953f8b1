#include "change_base.h"
static const p2pdiag_change without_revert = {
    sizeof(p2pdiag_change), 0, STR("broken.change"), STR("A change"), nothing, nothing, nothing, 0, 0};
static const p2pdiag_change* const changes[] = {&without_revert};
PLUGIN_WITH(changes, 1);
