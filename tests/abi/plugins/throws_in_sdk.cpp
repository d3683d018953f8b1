// Throws inside a body that the SDK guards.
#include <p2pdiag/plugin.hpp>
#include <stdexcept>

namespace {
p2pdiag_status body(p2pdiag::Run&) { throw std::runtime_error("over the edge"); }
constexpr p2pdiag_check check = p2pdiag::check<body>({.id = "broken.check", .title = "A check"});
constexpr const p2pdiag_check* checks[] = {&check};
}  // namespace

P2PDIAG_PLUGIN(.id = "broken", .version = "1.0", .summary = "x", .checks = checks);
