// What a plugin says without much thought, and the host understands all the same: how much of
// nothing is done, and data as it was pasted from elsewhere.
#include <p2pdiag/plugin.hpp>

#include <limits>

namespace {

p2pdiag_status body(p2pdiag::Run& run) {
    run.finding("net.port-in-use", p2pdiag::Severity::info, "two\nlines");
    run.progress(std::numeric_limits<double>::quiet_NaN(), "0 of 0");
    run.progress(7, "too much");
    run.data("{\n  \"answer\": 42\r\n}\n");
    return P2PDIAG_PASS;
}
constexpr p2pdiag_check check = p2pdiag::check<body>({.id = "broken.check", .title = "A check"});
constexpr const p2pdiag_check* checks[] = {&check};

}  // namespace

P2PDIAG_PLUGIN(.id = "broken", .version = "1.0", .summary = "x", .checks = checks);
