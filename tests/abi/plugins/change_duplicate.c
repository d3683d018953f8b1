#include "change_base.h"
static const p2pdiag_change* const changes[] = {&change, &change};
PLUGIN_WITH(changes, 2);
