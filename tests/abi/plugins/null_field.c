#include "base.h"
static const p2pdiag_check without_run = {
    sizeof(p2pdiag_check), 0, STR("broken.check"), STR("A check"), 0, 0, 0, 0, 0, 0};
static const p2pdiag_check* const incomplete[] = {&without_run};
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), incomplete, 0, 1, 0};
