#include "topology.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "check.hpp"

using namespace p2pdiag::lab;

namespace {

Options behind(Nat nat) {
    Options options;
    options.nat = nat;
    return options;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

const Host& at(const Topology& topology, std::string_view name) {
    const Host* host = topology.find(name);
    REQUIRE(host != nullptr);
    return *host;
}

bool runs(const Host& host, std::string_view program) {
    return std::any_of(host.daemons.begin(), host.daemons.end(),
                       [&](const Daemon& daemon) { return daemon.program == program; });
}

// Whatever the options: every cable ends at two hosts, every interface that has an address exists
// by a cable or as a bridge, and no address is there twice.
void check_sound(const Topology& topology) {
    std::set<std::pair<std::string, std::string>> ends;
    for (const Cable& cable : topology.cables) {
        for (const CableEnd& end : {cable.a, cable.b}) {
            CAPTURE(end.host, end.interface);
            CHECK(topology.find(end.host) != nullptr);
            CHECK(ends.emplace(end.host, end.interface).second);
        }
    }
    std::set<std::string> addresses;
    for (const Host& host : topology.hosts) {
        for (const Interface& interface : host.interfaces) {
            CAPTURE(host.name, interface.name);
            CHECK((interface.is_bridge || ends.contains({host.name, interface.name})));
            for (const std::string& address : interface.addresses) {
                CHECK(addresses.insert(address).second);
            }
        }
    }
}

}  // namespace

TEST_CASE("every combination of kinds is sound") {
    for (const auto& [nat, name] : nat_names) {
        for (const auto& [peer, peer_name] : nat_names) {
            for (const bool carrier : {false, true}) {
                Options options = behind(nat);
                options.peer_nat = peer;
                if (carrier) options.cgnat = Nat::symmetric;
                options.ipv6 = true;
                check_sound(build_topology(options));
            }
        }
    }
}

TEST_CASE("no two ends of cables share an interface index") {
    Options options = behind(Nat::symmetric);
    options.peer_nat = Nat::symmetric;
    options.cgnat = Nat::symmetric;
    const std::string batch = cables_batch(build_topology(options));
    std::set<std::string> seen;
    std::size_t count = 0;
    const std::string word = " index ";
    for (std::size_t at = batch.find(word); at != batch.npos; at = batch.find(word, at + 1)) {
        seen.insert(batch.substr(at + word.size(),
                                 batch.find_first_of(" \n", at + word.size()) - at - word.size()));
        ++count;
    }
    CHECK(count >= 10);
    CHECK(seen.size() == count);
}

TEST_CASE("open has no router, and a public address") {
    const Topology topology = build_topology(behind(Nat::open));
    CHECK(topology.find("router") == nullptr);
    CHECK(has(host_batch(at(topology, "client")), "addr add 11.22.33.7/24 dev eth0"));
    CHECK(has(cables_batch(topology), "peer name eth0 netns /run/netns/client"));
}

TEST_CASE("a home behind a router, and behind a carrier") {
    Options options = behind(Nat::full_cone);
    const Topology home = build_topology(options);
    CHECK(has(host_batch(at(home, "client")), "route replace default via 192.168.7.1 dev eth0"));
    CHECK(has(host_batch(at(home, "router")), "addr add 11.22.33.7/24 dev wan0"));
    options.cgnat = Nat::symmetric;
    const Topology carried = build_topology(options);
    CHECK(has(host_batch(at(carried, "router")), "addr add 100.64.7.2/24 dev wan0"));
    CHECK(has(host_batch(at(carried, "carrier")), "addr add 11.22.33.77/24 dev wan0"));
    CHECK(has(host_batch(at(carried, "carrier")), "addr add 100.64.7.1/24 dev lan0"));
}

TEST_CASE("no way out of the lab") {
    // Defaults lead to the lab's own internet, which forwards nothing.
    const Topology topology = build_topology(behind(Nat::full_cone));
    const Host& internet = at(topology, "internet");
    CHECK(has(host_batch(internet), "addr add 11.22.33.1/24 dev br0"));
    CHECK_FALSE(has(host_batch(internet), "default"));
    for (const auto& [path, value] : internet.sysctls) CHECK_FALSE(has(path, "forward"));
}

TEST_CASE("without a default route the client alone has none") {
    Options options = behind(Nat::full_cone);
    options.default_route = false;
    const Topology topology = build_topology(options);
    CHECK_FALSE(has(host_batch(at(topology, "client")), "default"));
    CHECK(has(host_batch(at(topology, "router")), "default"));
}

TEST_CASE("a narrow uplink is one both ways") {
    Options options = behind(Nat::full_cone);
    options.mtu = 1400;
    const std::string router = host_batch(at(build_topology(options), "router"));
    CHECK(has(router, "route replace 11.22.33.0/24 dev wan0 mtu 1400"));
    CHECK(has(router, "route replace 192.168.7.0/24 dev lan0 mtu 1400"));
    CHECK(has(router, "route replace default via 11.22.33.1 dev wan0 mtu 1400"));
}

TEST_CASE("a lifetime reaches every NAT on the way") {
    Options options = behind(Nat::full_cone);
    options.cgnat = Nat::full_cone;
    options.peer_nat = Nat::full_cone;
    options.mapping_lifetime = 17;
    const Topology topology = build_topology(options);
    for (const std::string_view name : {"router", "carrier", "peer-router"}) {
        const Host& host = at(topology, name);
        for (const auto& [path, value] : host.conntrack) CHECK(value == "17");
        CHECK(host.conntrack.size() == 2);
        CHECK(has(host.rulesets.front().text, "timeout 17s"));
    }
}

TEST_CASE("daemons only where they are wanted") {
    Options options = behind(Nat::full_cone);
    const Topology usual = build_topology(options);
    CHECK(runs(at(usual, "server"), "turnserver"));
    CHECK(runs(at(usual, "internet"), "dnsmasq"));
    CHECK_FALSE(runs(at(usual, "router"), "miniupnpd"));

    options.dns = Dns::broken;
    options.igd.pcp = true;
    const Topology other = build_topology(options);
    CHECK_FALSE(runs(at(other, "internet"), "dnsmasq"));
    CHECK(runs(at(other, "router"), "miniupnpd"));

    options = behind(Nat::full_cone);
    options.servers = false;
    const Topology bare = build_topology(options);
    for (const Host& host : bare.hosts) CHECK(host.daemons.empty());
    CHECK(bare.find("server") != nullptr);
}

TEST_CASE("a login page and a black hole are the first home's router's") {
    Options options = behind(Nat::full_cone);
    options.peer_nat = Nat::full_cone;
    options.captive_portal = true;
    options.mtu = 1400;
    options.mtu_silent = true;
    const Topology topology = build_topology(options);
    const auto has_ruleset = [&](std::string_view host, std::string_view title) {
        const auto& rulesets = at(topology, host).rulesets;
        return std::any_of(rulesets.begin(), rulesets.end(),
                           [&](const Ruleset& ruleset) { return ruleset.title == title; });
    };
    for (const char* title : {"--captive-portal", "--mtu-black-hole"}) {
        CHECK(has_ruleset("router", title));
        CHECK_FALSE(has_ruleset("peer-router", title));
    }
    CHECK(runs(at(topology, "router"), "/usr/bin/python3"));
    CHECK_FALSE(runs(at(topology, "peer-router"), "/usr/bin/python3"));
    CHECK(runs(at(topology, "server"), "/usr/bin/python3"));
}

TEST_CASE("one table of the router filters IPv6: the daemon's, where there is one") {
    Options options = behind(Nat::full_cone);
    options.ipv6 = true;
    const auto filters = [&](std::string_view title, std::string_view rule) {
        const Topology topology = build_topology(options);
        for (const Ruleset& ruleset : at(topology, "router").rulesets) {
            if (ruleset.title == title && ruleset.text.find(rule) != std::string::npos) return true;
        }
        return false;
    };
    CHECK_FALSE(filters("router's filter", "meta nfproto ipv6 accept"));
    options.igd.upnp = true;
    CHECK(filters("router's filter", "meta nfproto ipv6 accept"));
    CHECK(filters("--igd", "meta nfproto ipv6 jump inbound"));
}

TEST_CASE("the name server makes up IPv6 addresses only as one beside a NAT64") {
    const auto config = [](Dns dns) {
        Options options = behind(Nat::open);
        options.dns = dns;
        const Topology topology = build_topology(options);
        return at(topology, "internet").daemons.front().config;
    };
    CHECK(has(config(Dns::ok), "ipv4only.arpa,192.0.0.170"));
    CHECK_FALSE(has(config(Dns::ok), "64:ff9b"));
    CHECK(has(config(Dns::nat64), "ipv4only.arpa,64:ff9b::c000:aa"));
}

TEST_CASE("a block of one port is on the line where there is no router") {
    Options options = behind(Nat::open);
    options.block.udp_3478 = true;
    const Topology topology = build_topology(options);
    REQUIRE(at(topology, "internet").rulesets.size() == 1);
    CHECK(has(at(topology, "internet").rulesets.front().text, "udp dport 3478 drop"));
}

TEST_CASE("a program that is not installed is named with its package") {
    Topology topology;
    Host host;
    host.name = "server";
    Daemon daemon;
    daemon.program = "no-such-daemon-anywhere";
    host.daemons.push_back(daemon);
    topology.hosts.push_back(host);
    const std::optional<std::string> missing = missing_programs(topology);
    REQUIRE(missing);
    CHECK(has(*missing, "no-such-daemon-anywhere"));
}
