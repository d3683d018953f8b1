// Single rules of those that p2pdiag comes with: what a cause gives way to, and which remedies are
// left.
#include "shipped.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;
using report::Severity;
using report::Status;

TEST_CASE("a healthy network has no cause, likely or not") {
    const auto outbound = check("firewall.outbound", Status::pass);
    const auto ports = check("network.ports", Status::pass, {finding("net.no-listener", I)});
    for (const std::string kind :
         {"nat.none", "nat.full-cone", "nat.restricted-cone", "nat.port-restricted-cone"}) {
        CAPTURE(kind);
        CHECK(
            diagnosed({stun_nat(kind), router(), ports, open_firewall(), outbound}).causes.empty());
        // Without rights to see the firewall.
        CHECK(diagnosed({stun_nat(kind), router(), ports,
                         check("firewall.inbound", Status::unknown,
                               {finding("firewall.not-visible", I)})})
                  .causes.empty());
        // A router that need not be asked.
        CHECK(diagnosed({stun_nat(kind), router({finding("portmap.none", W)}, Status::warn), ports})
                  .causes.empty());
    }
    CHECK(diagnosed({stun_nat("nat.none"), program_listens(),
                     router({finding("portmap.none", I)}, Status::skip)})
              .causes.empty());
    CHECK(diagnosed({}).causes.empty());
}

// The program may be one that punches holes, which needs nothing of this.
TEST_CASE("what keeps callers out is possible where a program listens, and no more") {
    const auto reply_only = inbound("firewall.inbound-reply-only", W, Status::warn);
    const auto none = router({finding("portmap.none", W)}, Status::warn);
    const auto cone = stun_nat("nat.port-restricted-cone");
    auto report = diagnosed({cone, program_listens(), none, open_firewall()});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.no-port-mapping"});
    CHECK(likely_codes(report).empty());
    report = diagnosed({cone, program_listens(), router(), reply_only});
    CHECK(codes(report.causes) ==
          std::vector<std::string>{"cause.host-firewall", "cause.port-not-forwarded"});
    CHECK(likely_codes(report).empty());
    CHECK(report.verdict.status == "direct");
    CHECK(diagnosed({cone, router(), reply_only}).causes.empty());
}

TEST_CASE("a router without an address may have reasons that it does not know") {
    const auto nameless =
        router({finding("portmap.refused", W, {{"no_outside_address", true}})}, Status::warn);
    const auto report =
        diagnosed({stun_nat("nat.port-restricted-cone"), nameless,
                   check("network.path", Status::pass, {},
                         json::object{{"ipv4", json::object{{"private_hops", 1}}}})});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.router-refuses"});
    CHECK(likely_codes(report).empty());
}

TEST_CASE("a firewall that lets in the port of the program and no other is none on the way") {
    CHECK(diagnosed({open_firewall(), filtered_by("host")}).causes.empty());
    const auto unknown = stun_nat("nat.symmetric-firewall", W, Status::warn);
    const auto report = diagnosed({open_firewall(), unknown});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.firewall-on-the-way"});
    CHECK(likely_codes(report).empty());
}

TEST_CASE("IPv6 that nobody has needs no firewall") {
    const auto differs = check("firewall.inbound", Status::warn,
                               {finding("firewall.inbound-open", I, {{"protocol", "udp"}}),
                                finding("firewall.ipv6-differs", W)});
    const auto interfaces = [](json::value ipv6) {
        return check("network.interfaces", Status::pass, {}, json::object{{"ipv6", ipv6}});
    };
    const auto nothing = interfaces(nullptr);
    const auto available = interfaces(json::object{{"interface", "eth0"}});
    CHECK(diagnosed({stun_nat("nat.none"), differs, nothing}).causes.empty());
    CHECK(likely_codes(diagnosed({stun_nat("nat.none"), differs, available})) ==
          std::vector<std::string>{"cause.firewall-ipv6"});
    const auto unknown = diagnosed({stun_nat("nat.none"), differs});
    CHECK(codes(unknown.causes) == std::vector<std::string>{"cause.firewall-ipv6"});
    CHECK(likely_codes(unknown).empty());
}

TEST_CASE("a port that is blocked is not laid to the servers, whatever else could not be told") {
    const auto report =
        diagnosed({check("stun.servers", Status::fail, {finding("nat.stun-unreachable", E)}),
                   check("stun.nat", Status::unknown,
                         {finding("nat.stun-unreachable", W,
                                  {{"passing", "11.22.33.10:3479"},
                                   {"silent_udp_ports", json::array{3478}}})})});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.stun-port"});
    CHECK(likely_codes(report).empty());
}

TEST_CASE("names that are wrong are told from name servers that are dead") {
    const auto typo = check("network.dns", Status::warn, {finding("net.dns-failed", W)});
    const auto server = check("stun.servers", Status::fail, {finding("net.dns-failed", E)});
    CHECK(codes(diagnosed({typo, server}).causes) == std::vector<std::string>{"cause.dns-partly"});
    CHECK(codes(diagnosed({server}).causes) == std::vector<std::string>{"cause.dns"});
    CHECK(likely_codes(diagnosed({server})).empty());
    const auto peer = check("network.connect", Status::fail, {finding("net.dns-failed", E)});
    CHECK(codes(diagnosed({peer, check("network.dns", Status::pass)}).causes) ==
          std::vector<std::string>{"cause.peer"});
}

TEST_CASE("a port that is forwarded already is not called not forwarded") {
    Checks checks = {stun_nat("nat.port-restricted-cone"), program_listens(), router()};
    CHECK(codes(diagnosed(checks).causes) == std::vector<std::string>{"cause.port-not-forwarded"});
    const json::object mapping{{"external_port", 8000}};
    checks[2].data =
        json::object{{"devices", json::array{json::object{{"mappings", json::array{mapping}}}}}};
    CHECK(diagnosed(checks).causes.empty());
}

TEST_CASE("a proven forward of the port makes a symmetric NAT a note") {
    const auto nat = stun_nat("nat.symmetric", W, Status::warn);
    const auto proven = router_with("portmap.forwarded", I,
                                    {{"verified", "packet"}, {"external", "203.0.113.7:8000"}});
    auto report = diagnosed({nat, proven});
    CHECK(report.verdict.status == "direct");
    REQUIRE(find(report, "cause.symmetric-nat") != nullptr);
    CHECK(find(report, "cause.symmetric-nat")->impact == report::Impact::note);
    CHECK(commands(find(report, "cause.symmetric-nat")).empty());
    // What the router says of itself is no proof, and asking once more makes it none.
    report = diagnosed({nat, router_with("portmap.forwarded", I, {{"verified", "read-back"}})});
    CHECK(report.verdict.status == "relay-only");
    CHECK(commands(find(report, "cause.symmetric-nat")).empty());
    report = diagnosed({nat, router_with("portmap.forwarded", I, {{"port", 8001}})});
    CHECK(report.verdict.status == "direct-after-fix");
    // A cone NAT with a program that is called: nothing is missing.
    CHECK(diagnosed({stun_nat("nat.port-restricted-cone"), program_listens(), proven})
              .causes.empty());
}

TEST_CASE("what came in from outside outweighs two NATs and the provider's") {
    const auto two_nats = [](const char* outside) {
        return router({finding("portmap.upnp", I),
                       finding("portmap.external-private", W, {{"outside", outside}}),
                       finding("nat.double-nat", W, {{"outside", outside}}),
                       finding("nat.cgnat", W, {{"outside", outside}})},
                      Status::warn);
    };
    const auto works = check("upnp.mapping", Status::pass,
                             {finding("portmap.forward-works", I,
                                      {{"protocol", "udp"}, {"family", "ipv4"}, {"port", 8000}})});
    const auto reached = forwarded_by_hand();
    const Commands forward{"p2pdiag forward add --port 8000 --protocol udp"};
    for (const char* outside : {"private", "carrier-grade"}) {
        CAPTURE(outside);
        const auto cone = stun_nat("nat.port-restricted-cone");
        CHECK_FALSE(likely_codes(diagnosed({cone, two_nats(outside)})).empty());
        auto report = diagnosed({cone, program_listens(), two_nats(outside), works});
        CHECK(likely_codes(report).empty());
        CHECK(commands(find(report, "cause.port-not-forwarded")) == forward);
        const auto symmetric = stun_nat("nat.symmetric", W, Status::warn);
        report = diagnosed({symmetric, two_nats(outside), works});
        CHECK(likely_codes(report) == Commands{"cause.symmetric-nat"});
        CHECK(commands(find(report, "cause.symmetric-nat")) == forward);
        CHECK(report.verdict.status == "direct-after-fix");
        // Without the trial a forward promises nothing.
        report = diagnosed({symmetric, two_nats(outside)});
        CHECK(commands(find(report, "cause.symmetric-nat")).empty());
        report = diagnosed({symmetric, two_nats(outside), reached});
        CHECK(codes(report.causes) == Commands{"cause.symmetric-nat"});
        CHECK(report.verdict.status == "direct");
    }
}

TEST_CASE("a port that was forwarded by hand needs no router that takes requests") {
    const auto none = router({finding("portmap.none", W)}, Status::warn);
    const auto symmetric = stun_nat("nat.symmetric", W, Status::warn);
    const auto by_hand = forwarded_by_hand();
    CHECK(find(diagnosed({symmetric, none}), "cause.no-port-mapping") != nullptr);
    const auto report = diagnosed({symmetric, none, by_hand});
    CHECK(codes(report.causes) == Commands{"cause.symmetric-nat"});
    CHECK(report.causes[0].impact == report::Impact::note);
    CHECK(report.verdict.status == "direct");
}

TEST_CASE("a port that strangers reach makes no firewall on the way a cause") {
    const auto nat = stun_nat("nat.symmetric-firewall");
    const auto reached = check("upnp.target", Status::pass,
                               {finding("nat.port-reached", I,
                                        {{"protocol", "udp"},
                                         {"family", "ipv4"},
                                         {"port", 8000},
                                         {"external", "203.0.113.7:8000"},
                                         {"verified", "packet"},
                                         {"seen_by_program", true}})});
    CHECK(find(diagnosed({nat, open_firewall()}), "cause.firewall-on-the-way") != nullptr);
    const auto report = diagnosed({nat, open_firewall(), reached});
    CHECK(report.causes.empty());
    CHECK(report.verdict.status == "open");
}

TEST_CASE("a forward that the router has lost is asked for again") {
    const auto nat = stun_nat("nat.port-restricted-cone");
    auto report = diagnosed(
        {nat, program_listens(), router_with("portmap.forward-lost", W, {{"reason", "gone"}})});
    CHECK(codes(report.causes) == Commands{"cause.forward-lost"});
    CHECK(likely_codes(report) == Commands{"cause.forward-lost"});
    CHECK(commands(find(report, "cause.forward-lost")) ==
          Commands{"p2pdiag forward add --port 8000 --protocol udp"});
    // Its time was to end.
    report = diagnosed({nat, router_with("portmap.forward-lost", W, {{"reason", "lease-over"}})});
    CHECK(likely_codes(report).empty());
    // Of another port, by its own port and protocol.
    report =
        diagnosed({nat, router_with("portmap.forward-lost", W,
                                    {{"reason", "gone"}, {"port", 9000}, {"protocol", "tcp"}})});
    CHECK(likely_codes(report).empty());
    CHECK(commands(find(report, "cause.forward-lost")) ==
          Commands{"p2pdiag forward add --port 9000 --protocol tcp"});
    // Not from whoever has the port now.
    report = diagnosed({nat, router_with("portmap.forward-lost", W, {{"reason", "taken"}})});
    CHECK(commands(find(report, "cause.forward-lost")) == Commands{"p2pdiag forward list"});
}

TEST_CASE("a stale forward is removed, and nothing beside it") {
    const auto nat = stun_nat("nat.symmetric", W, Status::warn);
    const auto stale = [&](bool shared, bool removable) {
        return diagnosed({nat, router_with("portmap.forward-stale", W,
                                           {{"shared", shared}, {"removable", removable}})});
    };
    auto report = stale(false, true);
    CHECK(commands(find(report, "cause.forward-stale")) ==
          Commands{"p2pdiag forward remove --port 8000 --protocol udp"});
    // Else both would be done, and the second would take back the first.
    CHECK(commands(find(report, "cause.symmetric-nat")).empty());
    report = stale(true, true);
    CHECK(commands(find(report, "cause.forward-stale")) == Commands{"p2pdiag undo 0123abcd"});
    CHECK(commands(find(stale(false, false), "cause.forward-stale")).empty());
}

TEST_CASE("a port that something else holds is moved by a command") {
    const auto report = diagnosed(
        {stun_nat("nat.none"),
         check("network.ports", Status::warn,
               {finding("net.port-in-use", W, {{"protocol", "udp"}, {"use", "silent"}})})});
    const report::Cause* cause = find(report, "cause.port-in-use");
    REQUIRE(cause != nullptr);
    CHECK(commands(cause).front() == "p2pdiag port move");
    CHECK(cause->remedies.front().automatic);
    CHECK(cause->remedies.front().verb == "port move");
}

TEST_CASE("what is overcome by a forward nags nobody") {
    const auto forwarded = [](const char* verified) {
        return router({finding("portmap.upnp", I), finding("portmap.forwarded", I,
                                                           {{"protocol", "udp"},
                                                            {"family", "ipv4"},
                                                            {"port", 8000},
                                                            {"external", "11.22.33.7:8000"},
                                                            {"verified", verified}})});
    };
    const auto symmetric = stun_nat("nat.symmetric", W, Status::warn);
    const auto proven = diagnosed({open_firewall(), symmetric, forwarded("packet")});
    REQUIRE(codes(proven.causes) == std::vector<std::string>{"cause.symmetric-nat"});
    CHECK(proven.causes[0].remedies.empty());
    CHECK(proven.verdict.status == "direct");
    const auto listed = diagnosed({open_firewall(), symmetric, forwarded("read-back")});
    REQUIRE(codes(listed.causes) == std::vector<std::string>{"cause.symmetric-nat"});
    CHECK_FALSE(listed.causes[0].remedies.empty());
}

TEST_CASE("no verdict rests on a remedy that was in vain") {
    report::Report report =
        report_of({open_firewall(), stun_nat("nat.symmetric", W, Status::warn), router()});
    diagnose(report, shipped().rules);
    CHECK(report.verdict.status == "direct-after-fix");
    const json::object other{{"port", 9000}, {"protocol", "udp"}};
    diagnose(report, shipped().rules, {{"forward add", other}, {"firewall allow", {}}});
    CHECK(report.verdict.status == "direct-after-fix");
    diagnose(report, shipped().rules, {{"forward add", {{"port", 8000}, {"protocol", "udp"}}}});
    CHECK(report.verdict.status == "relay-only");
    REQUIRE(codes(report.causes) == std::vector<std::string>{"cause.symmetric-nat"});
    for (const report::Remedy& remedy : report.causes[0].remedies) CHECK_FALSE(remedy.automatic);
    CHECK(report.causes[0].remedies.size() == 2);
}

TEST_CASE("UDP that was not seen to get out to any port is said of a verdict that rests on it") {
    const auto headline = [](json::value unlisted) {
        json::object evidence{{"family", "ipv4"}};
        if (unlisted != "not said") evidence["unlisted_ports"] = std::move(unlisted);
        const auto report =
            diagnosed({check("stun.nat", Status::pass, {finding("nat.full-cone", I, evidence)})});
        CHECK(report.verdict.status == "direct");
        return report.verdict.headline;
    };
    CHECK_THAT(headline(nullptr), Catch::Contains("gets out to any port was not seen"));
    CHECK_THAT(headline(true), !Catch::Contains("not seen"));
    CHECK_THAT(headline("not said"), !Catch::Contains("not seen"));
}

TEST_CASE("a network that may let out chosen ports alone is possible, and never likely") {
    const json::object v4{{"family", "ipv4"}};
    const auto report = diagnosed(
        {check("stun.nat", Status::warn,
               {finding("nat.restricted-cone", I, v4), finding("nat.udp-ports-limited", W, v4)})});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.udp-ports"});
    CHECK(report.causes[0].confidence <= likely);
}
