// The words of stun.nat for what was seen.
#include "nat_report.hpp"

#include <catch2/catch.hpp>
#include <fake_host.hpp>
#include <map>

#include "net/resolve.hpp"
#include "simulation.hpp"

using namespace p2pdiag;
using namespace p2pdiag::nat;
using namespace p2pdiag::nat::testing;

namespace {

// A check's function takes nothing but the run.
FamilyResult shown;
Nat64Result shown_nat64;

p2pdiag_status show(Run& run) {
    FamilyResult other;
    const bool v4 = shown.family == Family::ipv4;
    other.family = v4 ? Family::ipv6 : Family::ipv4;
    other.why_not = Reason::no_server;
    return v4 ? report(run, shown, other, shown_nat64) : report(run, other, shown, shown_nat64);
}

struct Report {
    p2pdiag_status status = P2PDIAG_STATUS_INVALID;
    std::string summary;
    json::object data;
    json::object family;
    std::map<std::string, std::string> findings;
};

Report report_on(const World& world, const Nat64Result& nat64 = {}) {
    shown_nat64 = nat64;
    const Outcome outcome = discover(world, 1);
    shown = FamilyResult{};
    shown.family = world.local.family();
    shown.tried = true;
    shown.seen = outcome.seen;
    shown.verdict = outcome.verdict;
    static constexpr p2pdiag_check check = p2pdiag::check<show>({.id = "stun.nat", .title = "t"});
    p2pdiag::testing::FakeHost host;
    Report result;
    result.status = host.run(check, "{}");
    for (const std::string& line : host.emitted()) {
        const json::object message = json::parse(line).value().as_object();
        const std::string_view type = message.at("type").as_string();
        if (type == "summary") result.summary = message.at("text").as_string();
        if (type == "data") result.data = message.at("data").as_object();
        if (type != "finding") continue;
        result.findings.emplace(message.at("code").as_string(), message.at("message").as_string());
    }
    result.family = result.data.at(to_string(shown.family)).as_object();
    return result;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

World two_servers() {
    World world;
    world.servers.push_back(server_number(1));
    return world;
}

}  // namespace

TEST_CASE("blocked UDP is told with the interface, and a VPN's tunnel is named", "[stun][report]") {
    World world = two_servers();
    world.udp_blocked = true;
    const Report plain = report_on(world);
    CHECK(plain.status == P2PDIAG_FAIL);
    CHECK(has(plain.summary, "packets leave by the interface eth0"));
    CHECK_FALSE(has(plain.summary, "VPN"));
    CHECK(plain.family.at("egress").at("kind") == "ethernet");
    world.local_by_tunnel = true;
    const Report tunnel = report_on(world);
    CHECK(has(tunnel.summary, "a tunnel like those of VPNs"));
    CHECK(has(tunnel.findings.at("nat.udp-blocked"), "the interface eth0, a tunnel"));
    CHECK(tunnel.family.at("egress").at("kind") == "tunnel");
}

TEST_CASE("a blocked port is told, and what was measured through another", "[stun][report]") {
    World world = two_servers();
    world.blocked_ports = {3478};
    const std::string first = world.servers[0].primary.address.to_string();
    const Report result = report_on(world);
    INFO(result.summary);
    CHECK(result.findings.size() == 2);
    CHECK(result.findings.contains("nat.kind-unknown"));
    const std::string& message = result.findings.at("nat.stun-unreachable");
    CHECK(
        has(message, "UDP to port 3478 gets no answer, while port 3479 of " + first + " answers"));
    CHECK(has(message, "that port was used to measure"));
    CHECK(has(result.summary, "UDP to port 3478 gets no answer"));
    CHECK(result.family.at("mapping") == "endpoint-independent");
    const json::object& stand_in = result.family.at("servers").as_array()[2].as_object();
    CHECK(stand_in.at("address") == json::value(first + ":3479"));
    CHECK(stand_in.at("instead_of") == json::value(first + ":3478"));

    world.mapping = Dependence::address_and_port_dependent;
    const Report symmetric = report_on(world);
    CHECK(symmetric.findings.contains("nat.symmetric"));
    CHECK(symmetric.findings.contains("nat.stun-unreachable"));
    CHECK(has(symmetric.summary, "; UDP to port 3478 gets no answer"));
}

TEST_CASE("where no server can test the filter, what is known is said all the same",
          "[stun][report]") {
    World world;
    world.servers = {server_number(0, Fault::no_other), server_number(1, Fault::no_other)};
    const Report cone = report_on(world);
    REQUIRE(cone.findings.contains("nat.cone"));
    CHECK(has(cone.findings.at("nat.cone"), "no STUN server can test from a second address"));
    world.direct = true;
    CHECK(report_on(world).findings.contains("nat.public-address"));
    world.direct = false;
    world.mapping = Dependence::address_and_port_dependent;
    CHECK_FALSE(report_on(world).findings.contains("nat.cone"));
    // A second address that stays silent may be kept out on the way, as peers would be.
    world.mapping = Dependence::endpoint_independent;
    world.servers = {server_number(0, Fault::dead_other), server_number(1, Fault::no_other)};
    CHECK_FALSE(report_on(world).findings.contains("nat.cone"));
    // One destination shows no mapping; that UDP passes is no little thing all the same.
    world.servers = {server_number(0, Fault::no_other)};
    const Report one = report_on(world);
    CHECK(one.findings.size() == 1);
    CHECK(has(one.findings.at("nat.kind-unknown"), "UDP gets out and answers come in"));
    world.udp_blocked = true;
    CHECK_FALSE(report_on(world).findings.contains("nat.kind-unknown"));
}

TEST_CASE("two lines at one port each are told as addresses and not as ports", "[stun][report]") {
    World world;
    world.own_mapping = [](std::uint16_t local_port, const Endpoint& to) {
        return Endpoint{
            IpAddress::v4(to.address == server_number(0).primary.address ? 0x0B161701 : 0x0B161801),
            local_port};
    };
    const Report report = report_on(world);
    REQUIRE(report.findings.contains("nat.symmetric"));
    CHECK(has(report.summary, "at several public addresses, though at the same port"));
}

TEST_CASE("nothing but a refusal from another port", "[stun][report]") {
    World world = two_servers();
    world.blocked_ports = {3478, 3479};
    world.closed_ports_refuse = true;
    const std::string first = world.servers[0].primary.address.to_string();
    const Report result = report_on(world);
    INFO(result.summary);
    // Two servers are silent at the same port.
    CHECK(result.status == P2PDIAG_FAIL);
    CHECK(has(result.findings.at("nat.stun-unreachable"),
              "port 443 of " + first + " sends something back, so UDP is not blocked as such"));
    CHECK(result.family.at("nat_type_reason") == "only-other-ports");
    const json::array& tried = result.family.at("udp_ports_tried").as_array();
    REQUIRE(tried.size() == 6);
    CHECK(tried[0].at("server") == json::value(first + ":3478"));
    CHECK(tried[0].at("port") == 443);
    CHECK(tried[0].at("outcome") == "refused");
    CHECK(tried[1].at("outcome") == "no-answer");
    // One alone may have a firewall of its own.
    world.servers.resize(1);
    CHECK(report_on(world).status == P2PDIAG_UNKNOWN);
}

TEST_CASE("what this machine forbids and what a router refuses is no silence", "[stun][report]") {
    World world = two_servers();
    world.udp_blocked = true;
    world.not_permitted = true;
    const auto first = [&] {
        return report_on(world).family.at("udp_ports_tried").as_array().front();
    };
    CHECK(first().at("outcome") == "not-permitted");
    world.not_permitted = false;
    world.prohibits_by_icmp = true;
    CHECK(first().at("outcome") == "prohibited");
}

TEST_CASE("a filter of this machine's own is told from one on the way", "[stun][report]") {
    World world;
    world.ports = Ports::preserved;
    world.tap = true;
    CHECK(report_on(world).family.at("filtered_by") == "router");
    world.filtering = Dependence::endpoint_independent;
    CHECK(report_on(world).family.at("filtered_by").is_null());
    world.host_filtering = Dependence::address_and_port_dependent;
    const Report by_host = report_on(world);
    CHECK(by_host.family.at("filtered_by") == "host");
    CHECK(has(by_host.findings.at("nat.port-restricted-cone"), "this machine's own firewall"));
    world.tap = false;
    CHECK(report_on(world).family.at("filtered_by") == "unknown");
}

TEST_CASE("interfaces that differ make no common one", "[stun][report]") {
    Observations seen;
    CHECK_FALSE(common_egress(seen));
    seen.servers.resize(2);
    seen.servers[0].egress = Egress{"eth0", net::LinkKind::ethernet};
    CHECK_FALSE(common_egress(seen));
    seen.servers[1].egress = seen.servers[0].egress;
    CHECK(common_egress(seen)->interface == "eth0");
    seen.servers[1].egress->interface = "tun0";
    CHECK_FALSE(common_egress(seen));
}

TEST_CASE("what is known of a NAT64", "[stun][report]") {
    Nat64Result nat64;
    const auto reason = [&] { return report_on(World(), nat64).data.at("nat64_reason"); };
    CHECK(reason() == "not-asked");
    nat64.asked = true;
    CHECK(reason() == "not-awaited");
    nat64.found = ErrorCode(net::ResolveError::timed_out);
    CHECK(reason() == "name-lookup");
    nat64.found = std::optional<net::Nat64Prefix>();
    CHECK(reason() == "not-announced");
    CHECK(report_on(World(), nat64).data.at("nat64").is_null());
    CHECK_FALSE(report_on(World(), nat64).findings.contains("nat.nat64"));

    nat64.found = std::optional(net::Nat64Prefix{*IpAddress::parse("64:ff9b::"), 96});
    const Report beside = report_on(World(), nat64);
    CHECK(beside.data.at("nat64").at("prefix") == "64:ff9b::/96");
    CHECK_FALSE(beside.data.contains("nat64_reason"));
    CHECK(has(beside.findings.at("nat.nat64"), "hosts with IPv6 alone"));
}

TEST_CASE("IPv6 servers that see an IPv4 address are behind a NAT64", "[stun][report]") {
    World world;
    world.local = *IpAddress::parse("2001:db8:7::2");
    world.servers = {{*Endpoint::parse("[64:ff9b::b16:2101]:3478"),
                      *Endpoint::parse("[64:ff9b::b16:2102]:3479")}};
    const Report result = report_on(world);
    INFO(result.summary);
    CHECK(result.family.at("nat_type_reason") == "no-valid-answer");
    CHECK(has(result.findings.at("nat.stun-unreachable"), "see this machine as 11.22.23.1:"));
    CHECK(has(result.summary, "an address translator (NAT64) is on the way"));
    CHECK_FALSE(has(result.summary, "no valid STUN"));
}

TEST_CASE("behind a 464XLAT translator the NAT is the provider's", "[stun][report]") {
    World world;
    world.local = IpAddress::v4(0xC0000004);
    Nat64Result nat64;
    nat64.asked = true;
    nat64.found = std::optional(net::Nat64Prefix{*IpAddress::parse("64:ff9b::"), 96});
    const Report known = report_on(world, nat64);
    CHECK(has(known.findings.at("nat.nat64"), "by a NAT64 with the prefix 64:ff9b::/96 of the"));
    CHECK_FALSE(known.findings.contains("nat.cgnat"));
    CHECK(has(known.summary, "(464XLAT)"));
    // The address alone tells it, too.
    CHECK(has(report_on(world).findings.at("nat.nat64"), "(464XLAT)"));
}

TEST_CASE("a second address that stays silent is not called the server's fault alone",
          "[stun][report]") {
    World world;
    world.servers.push_back(server_number(1));
    world.blocked_ports = {3479};
    const Report silent = report_on(world);
    CHECK(silent.family.at("filtering_reason") == "server-unsupported");
    CHECK(silent.summary.find("either it is dead, or something on the way drops that") !=
          std::string::npos);

    // Here the servers themselves say that they cannot.
    world.blocked_ports = {};
    world.servers = {server_number(0, Fault::rejects_change), server_number(1, Fault::no_other)};
    const Report refused = report_on(world);
    CHECK(refused.family.at("filtering_reason") == "server-unsupported");
    CHECK(refused.summary.find("no STUN server can test from a second address") !=
          std::string::npos);
    // … and here its second address is there, and does not answer for the first.
    world.servers.front().fault = Fault::drops_change;
    CHECK(report_on(world).summary.find("no STUN server can test") != std::string::npos);
}

TEST_CASE("a network that drops STUN by its content is told from one that drops UDP",
          "[stun][report]") {
    World world;
    world.servers.push_back(server_number(1));
    world.cookie_dropped = true;
    const Report report = report_on(world);
    CHECK(report.status == P2PDIAG_FAIL);
    CHECK(report.family.at("nat_type_reason") == "stun-filtered");
    CHECK(has(json::to_text(report.family.at("answers_without_cookie")), ":3478"));
    CHECK(report.findings.at("nat.stun-unreachable").find("drops STUN by its content") !=
          std::string::npos);
    CHECK_FALSE(report.findings.contains("nat.udp-blocked"));
}

TEST_CASE("where nothing answers it is said by what was asked", "[stun][report]") {
    World world;
    world.udp_blocked = true;
    world.tcp_passes = false;
    CHECK(report_on(world).summary.find("(stun.servers asks over TLS as well)") !=
          std::string::npos);
}
