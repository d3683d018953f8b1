/* Its command claims an option that the host adds. */
#define COMMAND_OPTIONS "[{\"name\":\"dry-run\",\"type\":\"boolean\"}]"
#include "change_base.h"
static const p2pdiag_change* const changes[] = {&change};
PLUGIN_WITH(changes, 1);
