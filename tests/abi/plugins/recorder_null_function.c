#include "recorder_base.h"
static const p2pdiag_recorder without_run = {
    sizeof(p2pdiag_recorder), 0, STR("broken.recorder"), STR("A recorder"), 0};
static const p2pdiag_recorder* const recorders[] = {&without_run};
PLUGIN_WITH(recorders, 1);
