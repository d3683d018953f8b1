// A plugin to copy: one check. docs/plugin-author/tutorial.md builds one that has codes, options and a test
// (installed: share/doc/p2pdiag/docs/plugin-author/tutorial.md).
#include <p2pdiag/plugin.hpp>

namespace {

p2pdiag_status greet(p2pdiag::Run& run) {
    run.data(R"({"greeted": "network"})");
    run.summary("Hello, network");
    return P2PDIAG_PASS;
}

constexpr p2pdiag_check greeting =
    p2pdiag::check<greet>({.id = "hello.greeting", .title = "Say hello"});
constexpr const p2pdiag_check* checks[] = {&greeting};

}  // namespace

P2PDIAG_PLUGIN(.id = "hello", .version = "0.1.0", .summary = "Says hello", .checks = checks);
