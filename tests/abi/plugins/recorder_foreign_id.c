/* Its recorder has the name of another plugin. */
#include "recorder_base.h"
static const p2pdiag_recorder foreign = {
    sizeof(p2pdiag_recorder), 0, STR("steady.recorder"), STR("A recorder"), nothing};
static const p2pdiag_recorder* const recorders[] = {&foreign};
PLUGIN_WITH(recorders, 1);
