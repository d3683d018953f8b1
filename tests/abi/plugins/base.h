/* What every plugin of this folder starts from: a correct plugin in C, of which each file breaks one thing. */
#include <p2pdiag/abi.h>
#include <string.h>

#define STR(text) {text, sizeof(text) - 1}

/* Overridden by the file that includes this, before including it. */
#ifndef PLUGIN_ID
#define PLUGIN_ID "broken"
#endif
#ifndef CHECK_BODY
#define CHECK_BODY return P2PDIAG_PASS;
#endif
/* No check may run into it on a busy machine but the one that is meant to. */
#ifndef CHECK_DEADLINE_MS
#define CHECK_DEADLINE_MS 120000
#endif

static void say(const p2pdiag_host* host, const char* json) {
    p2pdiag_str text;
    text.data = json;
    text.size = strlen(json);
    host->emit(host, text);
}

static int32_t run(const p2pdiag_host* host, p2pdiag_str input) {
    (void)input;
    say(host, "{\"type\":\"finding\",\"code\":\"net.port-in-use\",\"severity\":\"info\","
              "\"message\":\"said before anything went wrong\"}");
    CHECK_BODY
}

static const p2pdiag_check check = {
    sizeof(p2pdiag_check), 0, STR(PLUGIN_ID ".check"), STR("A check"), 0, 0, 0, CHECK_DEADLINE_MS, 0, run};
static const p2pdiag_check* const checks[] = {&check, &check};

#define EXPORT __attribute__((visibility("default")))
