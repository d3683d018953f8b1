/* Its verb names a change that it does not have. */
#define NAMED_CHANGE "broken.other"
#include "change_base.h"
static const p2pdiag_change* const changes[] = {&change};
PLUGIN_WITH(changes, 1);
