/* What the broken tables of changes start from: a correct change, and a verb whose command names one. */
#include "base.h"

#ifndef NAMED_CHANGE
#define NAMED_CHANGE "broken.change"
#endif
#ifndef COMMAND_OPTIONS
#define COMMAND_OPTIONS "[]"
#endif

static int32_t nothing(const p2pdiag_host* host, p2pdiag_str input) {
    (void)host;
    (void)input;
    return P2PDIAG_SKIP;
}

static const p2pdiag_change change = {
    sizeof(p2pdiag_change), 0, STR("broken.change"), STR("A change"), nothing, nothing, nothing, nothing, 0};

static const p2pdiag_verb verb = {
    sizeof(p2pdiag_verb), 0, STR("broken"), STR("A verb"),
    STR("{\"commands\":[{\"name\":\"add\",\"summary\":\"x\",\"options\":" COMMAND_OPTIONS
        ",\"change\":\"" NAMED_CHANGE "\"}]}"), nothing};
static const p2pdiag_verb* const verbs[] = {&verb};

#define PLUGIN_WITH(changes, count)                                                                           \
    EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {sizeof(p2pdiag_plugin), 1, 1, STR("broken"), STR("1.0"), \
        STR("x"), STR("[]"), checks, verbs, 1, 1, changes, count}
