/* Its command would be taken for an option. */
#include "base.h"
static const p2pdiag_verb verb = {sizeof(p2pdiag_verb), 0, STR("-x"), STR("A verb"), STR("{}"), run};
static const p2pdiag_verb* const verbs[] = {&verb};
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, verbs, 1, 1};
