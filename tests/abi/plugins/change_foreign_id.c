/* Its change has the name of another plugin. */
#include "change_base.h"
static const p2pdiag_change foreign = {
    sizeof(p2pdiag_change), 0, STR("steady.change"), STR("A change"), nothing, nothing, nothing, nothing, 0};
static const p2pdiag_change* const changes[] = {&foreign};
PLUGIN_WITH(changes, 1);
