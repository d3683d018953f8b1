#include "report/path.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;
using report::Finding;
using report::PathState;
using report::Severity;
using report::Status;

namespace {

using States = std::array<PathState, 4>;

constexpr PathState grey = PathState::unknown;
constexpr PathState green = PathState::works;
constexpr PathState amber = PathState::limited;
constexpr PathState red = PathState::broken;

Finding path_finding(std::string code, Severity severity, json::object evidence = {}) {
    Finding finding = report::finding(std::move(code), severity, "", "message");
    finding.evidence = std::move(evidence);
    return finding;
}

// A check with these findings.
report::CheckResult path_check(std::string id, Status status, std::vector<Finding> findings = {}) {
    report::CheckResult check = report::check(std::move(id), status, "summary");
    check.findings = std::move(findings);
    return check;
}

States states_of(std::vector<report::CheckResult> checks) {
    report::Report report = report::empty_report();
    report.checks = std::move(checks);
    States states;
    std::ranges::transform(report::path_of(report), states.begin(), &report::PathLeg::state);
    return states;
}

// TCP got through by this family.
report::CheckResult connected(const char* family) {
    report::CheckResult check = path_check("network.internet", Status::pass);
    check.data = json::object{{family, json::object{{"works", true}}}};
    return check;
}

report::CheckResult cone_nat(json::object evidence = {{"family", "ipv4"}}) {
    return path_check(
        "stun.nat", Status::pass,
        {path_finding("nat.port-restricted-cone", Severity::info, std::move(evidence))});
}

}  // namespace

TEST_CASE("what no check measured is unknown, and never good") {
    CHECK(states_of({}) == States{grey, grey, grey, grey});
    // Each of these says nothing of the way, or could not tell.
    CHECK(states_of({path_check("network.ports", Status::pass),
                     path_check("network.interfaces", Status::pass),
                     path_check("stun.nat", Status::unknown),
                     path_check("firewall.inbound", Status::unknown,
                                {path_finding("firewall.undecided", Severity::info)})}) ==
          States{grey, grey, grey, grey});
    for (const Status status : {Status::skip, Status::error, Status::crashed, Status::timed_out,
                                Status::cancelled, Status::unknown}) {
        CHECK(states_of({path_check("firewall.inbound", status),
                         path_check("network.internet", status),
                         path_check("network.path", status)}) == States{grey, grey, grey, grey});
    }
}

TEST_CASE("a healthy network") {
    CHECK(states_of({path_check("firewall.inbound", Status::pass), cone_nat()}) ==
          States{green, green, green, green});
}

TEST_CASE("an answer from the internet says nothing of the NAT") {
    CHECK(states_of({connected("ipv4")}) == States{grey, grey, green, green});

    report::CheckResult path = path_check("network.path", Status::pass);
    json::object target = {{"answered", 16}};
    path.data = json::object{{"ipv4", json::object{{"targets", json::array{target}}}}};
    CHECK(states_of({path}) == States{grey, grey, green, green});
    target["answered"] = 0;
    path.data = json::object{{"ipv4", json::object{{"targets", json::array{target}}}}};
    CHECK(states_of({path}) == States{grey, grey, grey, grey});

    report::CheckResult servers = path_check("stun.servers", Status::pass);
    const json::object udp = {{"reachable", true}};
    servers.data =
        json::object{{"servers", json::array{json::object{{"ipv4", json::object{{"udp", udp}}}}}}};
    CHECK(states_of({servers}) == States{grey, grey, green, green});
}

TEST_CASE("that IPv6 works does not make IPv4 good") {
    CHECK(states_of({connected("ipv6")}) == States{grey, grey, grey, grey});
    report::CheckResult passes = path_check("network.internet", Status::pass);
    CHECK(states_of({passes}) == States{grey, grey, grey, grey});
}

TEST_CASE("each fault is on the leg that it breaks") {
    const auto with = [](Finding finding) {
        return states_of({path_check("x.y", Status::fail, {std::move(finding)})});
    };
    CHECK(with(path_finding("firewall.inbound-blocked", Severity::error)) ==
          States{red, grey, grey, grey});
    CHECK(with(path_finding("firewall.inbound-reply-only", Severity::warning)) ==
          States{amber, grey, grey, grey});
    CHECK(with(path_finding("net.no-link", Severity::error)) == States{grey, red, grey, grey});
    CHECK(with(path_finding("nat.double-nat", Severity::warning)) ==
          States{grey, grey, amber, grey});
    CHECK(with(path_finding("nat.double-nat", Severity::info)) == States{grey, grey, grey, grey});
    CHECK(with(path_finding("net.no-internet", Severity::error)) == States{grey, grey, grey, red});
    // The clock is on no leg.
    CHECK(with(path_finding("net.clock-skew", Severity::warning)) ==
          States{grey, grey, grey, grey});
}

TEST_CASE("a symmetric NAT limits the router and proves what lies beyond") {
    CHECK(states_of(
              {path_check("stun.nat", Status::warn,
                          {path_finding("nat.symmetric", Severity::warning, {{"family", "ipv4"}}),
                           path_finding("nat.cgnat", Severity::warning, {{"family", "ipv4"}})})}) ==
          States{grey, amber, amber, green});
}

TEST_CASE("where UDP is lost is not known, whatever TCP does") {
    CHECK(states_of({connected("ipv4"), path_check("stun.nat", Status::fail,
                                                   {path_finding("nat.udp-blocked", Severity::error,
                                                                 {{"family", "ipv4"}})})}) ==
          States{grey, grey, grey, red});
}

TEST_CASE("this machine's own filter is on its own leg") {
    report::CheckResult nat =
        path_check("stun.nat", Status::fail,
                   {path_finding("nat.udp-blocked", Severity::error, {{"family", "ipv4"}})});
    nat.data = json::object{{"ipv4", json::object{{"filtered_by", "host"}}}};
    CHECK(states_of({nat}) == States{red, grey, grey, grey});
    nat.data = json::object{{"ipv4", json::object{{"filtered_by", "router"}}}};
    CHECK(states_of({nat}) == States{grey, grey, grey, red});
}

TEST_CASE("what follows from another finding breaks nothing") {
    CHECK(states_of({path_check("network.interfaces", Status::fail,
                                {path_finding("net.no-default-route", Severity::error)}),
                     path_check("network.internet", Status::fail,
                                {path_finding("net.no-internet", Severity::warning,
                                              {{"follows_from", "net.no-default-route"}})})}) ==
          States{grey, red, grey, grey});
}

TEST_CASE("nobody nags about port forwarding where peers get in anyway") {
    const auto none = path_check("upnp.gateways", Status::warn,
                                 {path_finding("portmap.none", Severity::warning)});
    CHECK(states_of({cone_nat(), none}) == States{grey, green, green, green});
    CHECK(states_of({none}) == States{grey, amber, grey, grey});
    // A forward that is there and does not work is another thing.
    CHECK(states_of({cone_nat(), path_check("upnp.mapping", Status::fail,
                                            {path_finding("portmap.mapped-but-unreachable",
                                                          Severity::warning)})}) ==
          States{grey, amber, green, green});
}

TEST_CASE("IPv4 leads where there is any") {
    const auto v6_blocked = path_check(
        "firewall.inbound", Status::fail,
        {path_finding("firewall.inbound-blocked", Severity::error, {{"family", "ipv6"}})});
    CHECK(states_of({v6_blocked})[0] == amber);
    // A NAT of IPv6 does not make up for one of IPv4 that is not known.
    CHECK(states_of({cone_nat({{"family", "ipv6"}})}) == States{grey, grey, grey, grey});
    CHECK(
        states_of({cone_nat(), path_check("x.y", Status::warn,
                                          {path_finding("nat.symmetric-firewall", Severity::warning,
                                                        {{"family", "ipv6"}})})}) ==
        States{grey, green, green, green});

    auto interfaces = path_check("network.interfaces", Status::pass);
    interfaces.data =
        json::object{{"ipv4", nullptr}, {"ipv4_reason", "no-route"}, {"ipv6", json::object()}};
    CHECK(states_of({interfaces, v6_blocked})[0] == red);
    CHECK(states_of({interfaces, cone_nat({{"family", "ipv6"}})}) ==
          States{grey, green, green, green});
}

TEST_CASE("dead name servers limit, and leave the way as it is") {
    CHECK(states_of({cone_nat(), path_check("network.dns", Status::fail,
                                            {path_finding("net.dns-failed", Severity::error)})}) ==
          States{grey, green, green, amber});
}

TEST_CASE("one silent server of several limits nothing") {
    CHECK(states_of({cone_nat(),
                     path_check("stun.servers", Status::pass,
                                {path_finding("nat.stun-unreachable", Severity::warning)})}) ==
          States{grey, green, green, green});
    // One check that gets nothing breaks no way on which another one was answered.
    const auto none = path_check("stun.servers", Status::fail,
                                 {path_finding("nat.stun-unreachable", Severity::error)});
    CHECK(states_of({path_check("stun.nat", Status::unknown,
                                {path_finding("nat.kind-unknown", Severity::info)}),
                     none}) == States{grey, grey, green, amber});
    CHECK(states_of({none})[3] == red);
}

TEST_CASE("a leg says which finding decided, and the others why nothing is known") {
    report::Report report = report::empty_report();
    report.checks = {
        path_check("network.path", Status::warn,
                   {path_finding("net.loss-high", Severity::warning)}),
        path_check("network.internet", Status::fail,
                   {path_finding("net.no-internet", Severity::error)}),
        report::check("firewall.inbound", Status::unknown, "The rules cannot be read.")};
    const auto legs = report::path_of(report);
    CHECK(legs[3].code == "net.no-internet");
    CHECK(legs[3].check == "network.internet");
    CHECK(legs[3].why == "message");
    CHECK(legs[0].why == "The rules cannot be read.");
    CHECK_THAT(legs[1].why, Contains("could not be told"));
    CHECK(legs[1].code.empty());

    report.checks = {path_check("network.interfaces", Status::fail,
                                {path_finding("net.no-link", Severity::error)})};
    CHECK_THAT(report::path_of(report)[3].why, Contains("beyond the break"));
    CHECK(report::path_of(report)[0].why == "No check measured it in this run.");
}

TEST_CASE("data of another shape than expected does no harm") {
    report::CheckResult nat = cone_nat();
    for (const json::value& data :
         {json::value(nullptr), json::value(7), json::value(json::array()),
          json::value(json::object{{"ipv4", "text"}, {"ipv4_reason", 3}})}) {
        nat.data = data;
        CHECK(states_of({nat}) == States{grey, green, green, green});
    }
    (void)report::path_of(report::hostile());
}
