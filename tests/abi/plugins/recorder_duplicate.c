#include "recorder_base.h"
static const p2pdiag_recorder one = {
    sizeof(p2pdiag_recorder), 0, STR("broken.recorder"), STR("A recorder"), nothing};
static const p2pdiag_recorder* const recorders[] = {&one, &one};
PLUGIN_WITH(recorders, 2);
