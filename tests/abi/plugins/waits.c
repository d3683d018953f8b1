/* Its check comes after the one of another plugin. */
#define PLUGIN_ID "waiting"
#include "base.h"
static const p2pdiag_str needs[] = {STR("broken.check")};
static const p2pdiag_check after = {
    sizeof(p2pdiag_check), 0, STR("waiting.check"), STR("A check"), needs, 1, 0, CHECK_DEADLINE_MS, 0, run};
static const p2pdiag_check* const last[] = {&after};
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("waiting"), STR("1.0"), STR("Waits"), STR("[]"), last, 0, 1, 0};
