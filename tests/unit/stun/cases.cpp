// The ways in which NAT tests are known to go wrong, A1 to A20 as docs/checks/stun.nat.md lists
// them.
#include <catch2/catch.hpp>
#include <map>

#include "filtering.hpp"
#include "loss.hpp"
#include "mapping.hpp"
#include "peer_ports.hpp"
#include "reach.hpp"
#include "simulation.hpp"

using namespace p2pdiag;
using namespace p2pdiag::nat;
using namespace p2pdiag::nat::testing;

namespace {

World cone(Dependence filtering) {
    World world;
    world.filtering = filtering;
    world.ports = Ports::preserved;
    return world;
}

constexpr auto anyone = Dependence::endpoint_independent;
constexpr auto by_address = Dependence::address_dependent;
constexpr auto by_port = Dependence::address_and_port_dependent;

}  // namespace

TEST_CASE("A1: a server that ignores CHANGE-REQUEST makes no full cone", "[stun][cases]") {
    World world = cone(by_port);
    world.servers = {server_number(0, Fault::ignores_change)};
    const Verdict verdict = discover(world, 1).verdict;
    CHECK(verdict.filtering.reason == Reason::server_unsupported);
    CHECK(verdict.mapping.value == anyone);
    CHECK(verdict.nat_type.reason == Reason::filtering_unknown);
}

TEST_CASE("A2: an OTHER-ADDRESS that is no other address is not used", "[stun][cases]") {
    for (const Fault fault : {Fault::same_ip_other, Fault::same_port_other, Fault::private_other}) {
        World world;
        world.mapping = by_port;
        world.servers = {server_number(0, fault)};
        const Outcome outcome = discover(world, 1);
        CHECK(outcome.seen.tested.empty());
        CHECK(outcome.seen.servers.front().other_useless);
        CHECK(outcome.verdict.mapping.reason == Reason::one_destination);
        CHECK(outcome.verdict.filtering.reason == Reason::server_unsupported);
        for (const Probe& probe : outcome.seen.probes) {
            if (probe.role == Role::unlisted_port) continue;
            CHECK(probe.to == world.servers.front().primary);
        }
    }
}

TEST_CASE("A3: 420 and a missing OTHER-ADDRESS lead to the next server", "[stun][cases]") {
    for (const Fault fault : {Fault::rejects_change, Fault::no_other}) {
        World world = cone(by_address);
        world.servers = {server_number(0, fault)};
        const Verdict alone = discover(world, 1).verdict;
        CHECK(alone.filtering.reason == Reason::server_unsupported);
        CHECK(alone.nat_type.value != NatType::udp_blocked);
        world.servers.push_back(server_number(1));
        CHECK(discover(world, 1).verdict.nat_type.value == NatType::restricted_cone);
    }
}

TEST_CASE("A4: a dead other address makes no port-restricted cone", "[stun][cases]") {
    for (const Fault fault : {Fault::dead_other, Fault::mute_other, Fault::drops_change}) {
        World world = cone(anyone);
        world.servers = {server_number(0, fault)};
        const Verdict verdict = discover(world, 1).verdict;
        INFO(describe(verdict));
        CHECK(verdict.filtering.reason == Reason::server_unsupported);
        CHECK_FALSE(verdict.nat_type.value);
        world.servers.push_back(server_number(1));
        CHECK(discover(world, 1).verdict.nat_type.value == NatType::full_cone);
    }
}

TEST_CASE("A5: filters are tested on local ports that nothing else used", "[stun][cases]") {
    const Outcome outcome = discover(cone(by_address), 1);
    CHECK(outcome.verdict.nat_type.value == NatType::restricted_cone);
    TimePoint first_contact = TimePoint::max();
    std::map<SocketId, std::set<Endpoint>> destinations;
    for (const Probe& probe : outcome.seen.probes) {
        // Long after the test.
        if (probe.role == Role::own_open) continue;
        destinations[probe.socket].insert(probe.to);
        // One to another port of the same address, on a socket of its own, opens nothing more
        // there.
        const bool to_other =
            probe.role != Role::unlisted_port && probe.to != outcome.seen.servers.front().address;
        if (to_other) first_contact = std::min(first_contact, probe.sends.front().at);
    }
    unsigned tests = 0;
    for (const Probe& probe : outcome.seen.probes) {
        const bool test = probe.role == Role::filter_address || probe.role == Role::filter_port;
        if (!test) continue;
        ++tests;
        const std::set<Endpoint> primary{outcome.seen.servers.front().address};
        CHECK(destinations[probe.socket] == primary);
        // Before any packet at all went to the other address.
        CHECK(probe.sends.front().at < first_contact);
    }
    CHECK(tests == 4);
}

TEST_CASE("A5: one local port that an earlier use left open deceives nobody", "[stun][cases]") {
    // Sockets get ports from 40000 on, in the order in which they are opened.
    for (std::uint16_t port = 40000; port < 40016; ++port) {
        for (const Dependence filtering : {by_address, by_port}) {
            World world = cone(filtering);
            world.stale_ports = {port};
            const Outcome outcome = discover(world, 1);
            INFO("port " << port << " -> " << describe(outcome.verdict));
            CHECK(wrong_claims(world, outcome.verdict).empty());
        }
    }
}

TEST_CASE("A6: all mapping probes share one socket", "[stun][cases]") {
    World world = cone(by_port);
    world.servers.push_back(server_number(1));
    const Outcome outcome = discover(world, 1);
    std::set<SocketId> sockets;
    for (const Probe& probe : outcome.seen.probes) {
        if (probe.role == Role::mapping) sockets.insert(probe.socket);
    }
    CHECK(sockets.size() == 1);
    CHECK(outcome.verdict.mapping.value == anyone);
}

TEST_CASE("A7: lost replies do not make a worse NAT", "[stun][cases]") {
    World world = cone(anyone);
    world.loss.each_way = 0.3;
    for (unsigned seed = 1; seed <= 200; ++seed) {
        const Verdict verdict = discover(world, seed).verdict;
        INFO("seed " << seed << " -> " << describe(verdict));
        REQUIRE(wrong_claims(world, verdict).empty());
    }
}

TEST_CASE("A8: three destinations at least, each shown, and no verdict on a mixture",
          "[stun][cases]") {
    World world = cone(by_port);
    CHECK(discover(world, 1).verdict.destinations.size() >= 3);
    // One destination of four is mapped elsewhere.
    const Endpoint odd{server_number(0).other.address, 3478};
    world.own_mapping = [odd](std::uint16_t local_port, const Endpoint& to) {
        const auto port = static_cast<std::uint16_t>(to == odd ? local_port + 1000 : local_port);
        return Endpoint{IpAddress::v4(0x0B161701), port};
    };
    const Verdict mixed = discover(world, 1).verdict;
    CHECK(mixed.mapping.reason == Reason::inconsistent);
    CHECK_FALSE(mixed.nat_type.value);
    CHECK(mixed.destinations.size() == 4);
}

TEST_CASE("A9: a rule for one local port shows beside an ephemeral one", "[stun][cases]") {
    World world;
    world.mapping = by_port;
    world.static_port = 8000;
    Asked asked;
    asked.given_port = 8000;
    const Outcome outcome = discover(world, 1, asked);
    CHECK(outcome.verdict.mapping.value == by_port);
    const auto given = destinations_of(outcome.seen, Role::given_port);
    CHECK(classify_mapping(given).mapping.value == anyone);
    CHECK(given.front().mapped.port == 8000);
}

TEST_CASE("A10: no NAT is not open by itself", "[stun][cases]") {
    World world;
    world.direct = true;
    for (const Dependence filtering : {by_address, by_port}) {
        world.filtering = filtering;
        const Verdict verdict = discover(world, 1).verdict;
        CHECK(verdict.behind_nat.value == false);
        CHECK(verdict.nat_type.value == NatType::symmetric_firewall);
    }
    world.filtering = anyone;
    CHECK(discover(world, 1).verdict.nat_type.value == NatType::open);
    world.servers = {server_number(0, Fault::no_other), server_number(1, Fault::no_other)};
    const Verdict unknown = discover(world, 1).verdict;
    CHECK(unknown.behind_nat.value == false);
    CHECK(unknown.nat_type.reason == Reason::filtering_unknown);
}

TEST_CASE("A11: who filters is told by what comes in at the interface", "[stun][cases]") {
    for (const Dependence filtering : {by_address, by_port}) {
        World host = cone(anyone);
        host.host_filtering = filtering;
        World router = cone(filtering);
        for (const double loss : {0.0, 0.1}) {
            for (unsigned seed = 1; seed <= 20; ++seed) {
                host.loss.each_way = router.loss.each_way = loss;
                host.tap = router.tap = false;
                CHECK(judge_filterer(discover(host, seed).seen) == FilteredBy::unknown);
                CHECK(judge_filterer(discover(router, seed).seen) == FilteredBy::unknown);
                host.tap = router.tap = true;
                const Outcome by_host = discover(host, seed);
                if (by_host.verdict.filtering.value) {
                    CHECK(by_host.verdict.filtering.value == filtering);
                    CHECK(judge_filterer(by_host.seen) == FilteredBy::host);
                }
                const Outcome by_router = discover(router, seed);
                if (by_router.verdict.filtering.value) {
                    CHECK(judge_filterer(by_router.seen) == FilteredBy::router);
                }
            }
        }
    }
}

TEST_CASE("A11: where both filter, what never came in was stopped on the way", "[stun][cases]") {
    World both = cone(by_port);
    both.host_filtering = by_port;
    both.tap = true;
    CHECK(judge_filterer(discover(both, 1).seen) == FilteredBy::router);
}

TEST_CASE("A11: answers at the interface alone are blocked by this machine", "[stun][cases]") {
    World deaf = cone(by_port);
    deaf.servers.push_back(server_number(1));
    deaf.host_deaf = true;
    const Outcome unseen = discover(deaf, 1);
    CHECK(unseen.verdict.nat_type.value == NatType::udp_blocked);
    CHECK(judge_blocker(unseen.seen) == FilteredBy::unknown);
    deaf.tap = true;
    deaf.closed_ports_refuse = true;  // an ICMP error gets in where no datagram does
    const Outcome seen = discover(deaf, 1);
    CHECK(seen.verdict.nat_type.value == NatType::udp_blocked);
    CHECK(judge_blocker(seen.seen) == FilteredBy::host);
}

TEST_CASE("A12: one server's silence is not blocked UDP", "[stun][cases]") {
    World world = cone(by_port);
    world.servers = {server_number(0, Fault::silent), server_number(1)};
    CHECK(discover(world, 1).verdict.nat_type.value == NatType::port_restricted_cone);
}

TEST_CASE("A13: an address of the other family is no answer", "[stun][cases]") {
    DiscoveryConfig config;
    config.servers = {{server_number(0).primary, IpAddress::v4(0xC0A80702)}};
    stun::TransactionId last{};
    const auto transactions = [&last] {
        ++last[0];
        return last;
    };
    const TimePoint start(std::chrono::hours(1));
    Discovery discovery(config, transactions, start);
    discovery.on_opened(0, 40000);
    stun::Message answer;
    answer.message_class = stun::Class::success;
    answer.transaction = last;
    answer.xor_mapped_address = Endpoint::parse("[2001:db8::1]:5");
    discovery.on_datagram(0, server_number(0).primary, stun::encode(answer),
                          start + Milliseconds(1));
    CHECK_FALSE(discovery.observations().anything_answered());
    CHECK(discovery.observations().malformed == 1);
    CHECK(discovery.observations().translated == answer.xor_mapped_address);
    // IPv4 in the clothes of IPv6 is IPv4.
    answer.xor_mapped_address = Endpoint::parse("[::ffff:11.22.23.1]:5");
    const Endpoint server = server_number(0).primary;
    const Endpoint dressed{*IpAddress::parse("::ffff:" + server.address.to_string()), server.port};
    discovery.on_datagram(0, dressed, stun::encode(answer), start + Milliseconds(2));
    REQUIRE(discovery.observations().anything_answered());
    CHECK(discovery.observations().probes.front().mapped.front() ==
          Endpoint::parse("11.22.23.1:5"));
}

TEST_CASE("A14: a server inside the carrier sees no public address", "[stun][cases]") {
    World world = cone(by_port);
    world.pool = {IpAddress::v4(0x64400005)};
    const Verdict verdict = discover(world, 1).verdict;
    CHECK(verdict.public_addresses.empty());
    CHECK(verdict.public_endpoint.reason == Reason::server_inside);
    CHECK(verdict.nat_type.reason == Reason::server_inside);
    CHECK(verdict.behind_nat.value == true);

    // Beside servers outside, what it sees is left out: it is no sign of a mapping that varies.
    World both = cone(by_port);
    both.servers = {server_number(0), server_number(1)};
    both.own_mapping = [](std::uint16_t local_port, const Endpoint& to) {
        const bool inside = to.address >= server_number(1).primary.address;
        return Endpoint{IpAddress::v4(inside ? 0x64400005U : 0x0B161701U), local_port};
    };
    const Verdict outside = discover(both, 1).verdict;
    CHECK(outside.nat_type.value == NatType::port_restricted_cone);
    CHECK(outside.public_endpoint.value->address.is_public());
}

TEST_CASE("A15: rewritten addresses are noticed, and the XORed one is believed", "[stun][cases]") {
    World world = cone(by_port);
    world.servers = {server_number(0, Fault::rewritten)};
    const Outcome outcome = discover(world, 1);
    REQUIRE(outcome.seen.rewritten);
    CHECK(outcome.seen.rewritten->mapped != outcome.seen.rewritten->xor_mapped);
    CHECK(outcome.verdict.nat_type.value == NatType::port_restricted_cone);
    CHECK(outcome.verdict.port_preservation.value == true);
    CHECK_FALSE(discover(cone(by_port), 1).seen.rewritten);
}

TEST_CASE("A15: a plain address that equals the local one is no sign of no NAT", "[stun][cases]") {
    for (const Dependence mapping : {anyone, by_port}) {
        World world = cone(by_port);
        world.mapping = mapping;
        world.ports = Ports::random;
        // Whatever looks like a public address of this machine's own.
        world.local = IpAddress::v4(0x0B163701);
        world.plain_restored = true;
        const Verdict verdict = discover(world, 1).verdict;
        INFO(describe(verdict));
        CHECK(wrong_claims(world, verdict).empty());
        CHECK(verdict.behind_nat.reason == Reason::plain_address);
        CHECK(verdict.nat_type.reason == Reason::plain_address);
        CHECK(verdict.mapping.reason == Reason::plain_address);
        CHECK_FALSE(verdict.public_endpoint.value);
        CHECK(verdict.public_addresses.empty());
    }
}

TEST_CASE("A16: wrong transactions, wrong sources, duplicates and late answers", "[stun][cases]") {
    for (const Fault fault : {Fault::wrong_transaction, Fault::wrong_source}) {
        World world = cone(by_port);
        world.servers = {server_number(0, fault)};
        CHECK(discover(world, 1).verdict.nat_type.reason == Reason::no_valid_answer);
        world.filtering = anyone;
        const Outcome outcome = discover(world, 1);
        CHECK(outcome.seen.ignored + outcome.seen.wrong_source > 0);
        CHECK(outcome.verdict.nat_type.reason == Reason::no_valid_answer);
    }
    World world = cone(by_port);
    world.servers = {server_number(0, Fault::duplicates)};
    const Outcome twice = discover(world, 1);
    CHECK(twice.seen.duplicates > 0);
    CHECK(twice.verdict.nat_type.value == NatType::port_restricted_cone);
    world.servers = {server_number(0, Fault::late)};
    CHECK(discover(world, 1).verdict.nat_type.value == NatType::port_restricted_cone);
}

TEST_CASE("A17: hairpinning is tried only when asked", "[stun][cases]") {
    World world = cone(by_port);
    world.hairpin = true;
    const Outcome quiet = discover(world, 1);
    CHECK(quiet.verdict.hairpinning.reason == Reason::not_asked);
    for (const Probe& probe : quiet.seen.probes) CHECK(probe.role != Role::hairpin);

    Asked asked;
    asked.hairpin = true;
    CHECK(discover(world, 1, asked).verdict.hairpinning.value == true);
    world.hairpin = false;
    CHECK(discover(world, 1, asked).verdict.hairpinning.value == false);
    world.mapping = by_port;
    world.ports = Ports::random;
    CHECK(discover(world, 1, asked).verdict.hairpinning.reason == Reason::mapping_varies);
    world.direct = true;
    CHECK(discover(world, 1, asked).verdict.hairpinning.reason == Reason::not_behind_nat);

    World lossy = cone(by_port);
    lossy.hairpin = true;
    lossy.loss.each_way = 0.2;
    for (unsigned seed = 1; seed <= 100; ++seed) {
        CHECK(discover(lossy, seed, asked).verdict.hairpinning.value != false);
    }
}

TEST_CASE("A18: controls contact the other address before it could contact them", "[stun][cases]") {
    const Outcome outcome = discover(cone(by_port), 1);
    std::map<SocketId, TimePoint> opened;
    for (const Probe& probe : outcome.seen.probes) {
        const bool opener = probe.role == Role::open_address || probe.role == Role::open_port;
        if (opener) opened[probe.socket] = probe.sends.front().at + *probe.sends.front().rtt;
    }
    REQUIRE(opened.size() == 4);
    unsigned controls = 0;
    for (const Probe& probe : outcome.seen.probes) {
        const bool control =
            probe.role == Role::control_address || probe.role == Role::control_port;
        if (!control) continue;
        ++controls;
        CHECK(probe.sends.front().at >= opened.at(probe.socket));
    }
    CHECK(controls == 4);
}

TEST_CASE("A19: what is known is not held back for stragglers", "[stun][cases]") {
    World world = cone(anyone);
    world.one_way = Milliseconds(10);
    world.servers = {server_number(0), server_number(1, Fault::silent)};
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.nat_type.value == NatType::full_cone);
    // A round trip takes 30 ms. The second server is asked when the first one's filter test is
    // over, and has two round trips.
    CHECK(outcome.elapsed <= Milliseconds(140));
    // Two servers without a second address: known as soon as both have answered, one after the
    // other.
    world.servers = {server_number(0, Fault::no_other), server_number(1, Fault::no_other)};
    const Outcome plain = discover(world, 1);
    CHECK(plain.verdict.mapping.value == anyone);
    CHECK(plain.elapsed <= Milliseconds(60));
}

TEST_CASE("A20: a 464XLAT translator is not a second NAT", "[stun][cases]") {
    World world = cone(by_port);
    world.local = IpAddress::v4(0xC0000004);
    // A router of the provider with an address of RFC 6598 is none either.
    world.carrier_hop = true;
    Asked asked;
    asked.find_hops = true;
    const Outcome outcome = discover(world, 1, asked);
    REQUIRE(outcome.seen.hops.size() == 1);
    CHECK(outcome.verdict.translated_from_ipv6);
    CHECK_FALSE(outcome.verdict.carrier_hop);
    CHECK_FALSE(outcome.verdict.carrier_local);
    CHECK(outcome.verdict.nat_type.value == NatType::port_restricted_cone);
    CHECK_FALSE(discover(cone(by_port), 1).verdict.translated_from_ipv6);
}

TEST_CASE("a carrier's hop is a hint only behind a NAT", "[stun][cases]") {
    World world = cone(by_port);
    world.carrier_hop = true;
    Asked asked;
    asked.find_hops = true;
    CHECK(discover(world, 1, asked).verdict.carrier_hop == IpAddress::v4(0x64400001));
    world.direct = true;
    CHECK_FALSE(discover(world, 1, asked).verdict.carrier_hop);
}

TEST_CASE("an address of the carrier's range on this machine is not a hop", "[stun][cases]") {
    World world = cone(by_port);
    world.local = IpAddress::v4(0x64400002);
    const Verdict verdict = discover(world, 1).verdict;
    CHECK(verdict.carrier_local == IpAddress::v4(0x64400002));
    CHECK_FALSE(verdict.carrier_hop);
    // VPNs have such addresses, too.
    world.local_by_tunnel = true;
    CHECK_FALSE(discover(world, 1).verdict.carrier_local);
    CHECK_FALSE(discover(cone(by_port), 1).verdict.carrier_local);
}

TEST_CASE("several servers without RFC 5780 tell a symmetric NAT, but not by what it varies",
          "[stun][cases]") {
    World world;
    world.mapping = by_address;
    world.servers = {server_number(0, Fault::no_other), server_number(1, Fault::no_other)};
    const Verdict verdict = discover(world, 1).verdict;
    CHECK(verdict.mapping.reason == Reason::not_told_apart);
    CHECK(verdict.nat_type.value == NatType::symmetric);
    CHECK(verdict.filtering.reason == Reason::server_unsupported);
}

TEST_CASE("a NAT with several public addresses", "[stun][cases]") {
    World world = cone(by_port);
    world.ports = Ports::random;
    world.pool = {IpAddress::v4(0x0B161701), IpAddress::v4(0x0B161702), IpAddress::v4(0x0B161703)};
    const Verdict verdict = discover(world, 3).verdict;
    CHECK(verdict.public_addresses.size() > 1);
    CHECK(verdict.pooling_paired.value == false);
    CHECK(verdict.nat_type.value == NatType::port_restricted_cone);
    CHECK(discover(cone(by_port), 3).verdict.pooling_paired.value == true);
}

TEST_CASE("the step of a sequential NAT, up and down", "[stun][cases]") {
    for (const int step : {1, 2, -1, 7}) {
        World world;
        world.mapping = by_port;
        world.ports = Ports::sequential;
        world.step = step;
        const Verdict verdict = discover(world, 1).verdict;
        CHECK(verdict.port_step.value == step);
        CHECK(verdict.port_preservation.value == false);
    }
    World random;
    random.mapping = by_port;
    CHECK(discover(random, 1).verdict.port_step.reason == Reason::irregular);
    CHECK(discover(cone(by_port), 1).verdict.port_step.reason == Reason::not_varying);
}

TEST_CASE("an IPv6 firewall without NAT", "[stun][cases]") {
    World world;
    world.direct = true;
    world.local = *IpAddress::parse("2001:db8:7::2");
    world.servers = {
        {*Endpoint::parse("[2001:db8:1::1]:3478"), *Endpoint::parse("[2001:db8:1::2]:3479")}};
    CHECK(discover(world, 1).verdict.nat_type.value == NatType::symmetric_firewall);
    world.filtering = anyone;
    CHECK(discover(world, 1).verdict.nat_type.value == NatType::open);
}

TEST_CASE("cut short: what is missing was cancelled, not lost", "[stun][cases]") {
    DiscoveryConfig config;
    config.servers = {{server_number(0).primary, IpAddress::v4(0xC0A80702)}};
    const auto transactions = [] { return stun::TransactionId{}; };
    const TimePoint start(std::chrono::hours(1));
    const Discovery discovery(config, transactions, start);
    const Verdict verdict = classify(discovery.observations());
    CHECK(verdict.nat_type.reason == Reason::cancelled);
}

TEST_CASE("UDP to chosen ports alone is suspected where a server answers from a port in vain",
          "[stun][cases]") {
    for (const Dependence filtering : {anyone, by_address}) {
        for (const double loss : {0.0, 0.2}) {
            World world = cone(filtering);
            world.loss.each_way = loss;
            world.closed_ports_refuse = true;
            world.permitted_ports = {53, 3478};
            int suspected = 0;
            for (unsigned seed = 1; seed <= 20; ++seed) {
                const Outcome outcome = discover(world, seed);
                CHECK_FALSE(outcome.verdict.unlisted_ports.value);
                if (outcome.verdict.unlisted_ports.reason != Reason::served_and_silent) continue;
                ++suspected;
                for (const Endpoint& endpoint : judge_served_ports(outcome.seen).endpoints) {
                    CHECK(endpoint.port == world.servers.front().other.port);
                }
            }
            CHECK(suspected >= (loss > 0 ? 10 : 20));
        }
    }
}

TEST_CASE("what gets out to any port is seen by a refusal, and never suspected of the contrary",
          "[stun][cases]") {
    for (const Dependence filtering : {anyone, by_address, by_port}) {
        for (const bool refuse : {true, false}) {
            for (const double loss : {0.0, 0.2}) {
                World world = cone(filtering);
                world.closed_ports_refuse = refuse;
                world.loss.each_way = loss;
                for (unsigned seed = 1; seed <= 20; ++seed) {
                    const Verdict verdict = discover(world, seed).verdict;
                    CHECK(verdict.unlisted_ports.reason != Reason::served_and_silent);
                    if (!refuse) CHECK(verdict.unlisted_ports.reason == Reason::not_shown);
                    if (refuse && loss == 0) CHECK(verdict.unlisted_ports.value == true);
                }
            }
        }
    }
}

TEST_CASE("a router that says that it forbids a port by chance is heard", "[stun][cases]") {
    for (const Dependence filtering : {anyone, by_address, by_port}) {
        World world = cone(filtering);
        world.permitted_ports = {53, 3478, 3479};
        world.prohibits_by_icmp = true;
        const Verdict verdict = discover(world, 1).verdict;
        CHECK_FALSE(verdict.unlisted_ports.value);
        CHECK(verdict.unlisted_ports.reason == Reason::prohibited);
    }
}

TEST_CASE("silence at ports from which nothing came either tells nothing of the ports",
          "[stun][cases]") {
    World world = cone(by_port);
    world.permitted_ports = {53, 3478};
    CHECK(discover(world, 1).verdict.unlisted_ports.reason == Reason::not_shown);
    world = cone(anyone);
    world.servers = {server_number(0, Fault::dead_other)};
    CHECK(discover(world, 1).verdict.unlisted_ports.reason == Reason::not_shown);
}
