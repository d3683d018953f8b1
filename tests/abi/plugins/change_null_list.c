/* Claims to have changes where nothing is. */
#include "change_base.h"
PLUGIN_WITH(0, 3);
