// The checks and the change as the host runs them, on a machine without any network.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fake_host.hpp>

#include "base/json.hpp"
#include "checks.hpp"
#include "fake/sandbox.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using namespace p2pdiag::upnp_plugin;

namespace {

constexpr p2pdiag_check gateways =
    p2pdiag::check<check_gateways>({.id = "upnp.gateways", .title = "t"});
constexpr p2pdiag_check mapping_check =
    p2pdiag::check<check_mapping>({.id = "upnp.mapping", .title = "t"});
constexpr p2pdiag_change forward =
    change<plan_forward, apply_forward, verify_forward, revert_forward, keep_forward>(
        {.id = "upnp.forward", .title = "t"});

bool emitted(const FakeHost& host, std::string_view text) {
    const auto lines = host.emitted();
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return json::parse(line).has_value() && line.find(text) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("a machine without any network") {
    const auto result = in_sandbox({}, [] {
        FakeHost host;
        if (host.run(gateways) != P2PDIAG_SKIP) return "wrong status of upnp.gateways";
        if (!emitted(host, R"("gateways":[])")) return "no data";
        FakeHost second;
        if (second.run(mapping_check) != P2PDIAG_SKIP) return "wrong status of upnp.mapping";
        FakeHost third;
        const auto status = third.run(forward.plan, R"({"arguments":{"port":8000},"open":[]})");
        if (status != P2PDIAG_FAIL) return "wrong status of the plan";
        return emitted(third, "no IPv4 default gateway") ? "as expected" : "no advice";
    });
    if (result) {
        CHECK(*result == "as expected");
    } else {
        WARN("no namespaces here: not tested");
    }
}

TEST_CASE("a host that hands over nonsense is told so") {
    for (auto* function :
         {forward.plan, forward.apply, forward.verify, forward.revert, forward.keep}) {
        for (const char* input : {"", "{", "[]", "{}", R"({"id":"x","step":{}})"}) {
            FakeHost host;
            CHECK(host.run(function, input) == P2PDIAG_ERROR);
        }
    }
}
