// network.interfaces on this machine, and on one without any network.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fake_host.hpp>

#include "base/json.hpp"
#include "checks.hpp"
#include "fake/sandbox.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

constexpr p2pdiag_check interfaces_check =
    p2pdiag::check<network_plugin::check_interfaces>({.id = "network.interfaces", .title = "t"});

bool emitted(const FakeHost& host, std::string_view text) {
    const auto lines = host.emitted();
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("this machine, whatever it has: complete, and in valid JSON") {
    FakeHost host;
    const p2pdiag_status status = host.run(interfaces_check);
    CHECK((status == P2PDIAG_PASS || status == P2PDIAG_WARN || status == P2PDIAG_FAIL));
    for (const std::string& line : host.emitted()) CHECK(json::parse(line).has_value());
    CHECK(emitted(host, R"("name":"lo")"));
    CHECK(emitted(host, R"("type":"summary")"));
    CHECK((status == P2PDIAG_FAIL) == emitted(host, R"("severity":"error")"));
}

TEST_CASE("a machine without any network") {
    SandboxOptions options;
    options.loopback_up = false;
    const auto result = in_sandbox(options, [] {
        FakeHost host;
        if (host.run(interfaces_check) != P2PDIAG_FAIL) return "wrong status";
        return emitted(host, R"("code":"net.no-link")") ? "as expected" : "no finding";
    });
    if (result) {
        CHECK(*result == "as expected");
    } else {
        WARN("no namespaces here: not tested");
    }
}
