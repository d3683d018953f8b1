// Throws across the C boundary, without the SDK's guard.
#include <stdexcept>
#define CHECK_BODY throw std::runtime_error("over the edge");
#include "base.h"
extern "C" EXPORT const p2pdiag_plugin p2pdiag_plugin_v1;
const p2pdiag_plugin p2pdiag_plugin_v1 = {
    sizeof(p2pdiag_plugin), 1, 0, STR("broken"), STR("1.0"), STR("x"), STR("[]"), checks, 0, 1, 0};
