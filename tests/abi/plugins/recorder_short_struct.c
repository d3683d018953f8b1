#include "recorder_base.h"
static const p2pdiag_recorder short_one = {8, 0, STR("broken.recorder"), STR("A recorder"), nothing};
static const p2pdiag_recorder* const recorders[] = {&short_one};
PLUGIN_WITH(recorders, 1);
