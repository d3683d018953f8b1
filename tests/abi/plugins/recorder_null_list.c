/* Claims to have recorders where nothing is. */
#include "recorder_base.h"
PLUGIN_WITH(0, 3);
