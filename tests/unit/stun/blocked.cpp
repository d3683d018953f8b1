// Is UDP blocked, is nobody there, or is it just loss?
#include <algorithm>
#include <catch2/catch.hpp>

#include "reach.hpp"
#include "simulation.hpp"

using namespace p2pdiag;
using namespace p2pdiag::nat;
using namespace p2pdiag::nat::testing;

namespace {

World blocked() {
    World world;
    world.servers.push_back(server_number(1));
    world.udp_blocked = true;
    return world;
}

}  // namespace

TEST_CASE("UDP blocked while TCP passes is known within a second", "[stun][blocked]") {
    const World world = blocked();
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.nat_type.value == NatType::udp_blocked);
    CHECK(outcome.verdict.mapping.reason == Reason::udp_blocked);
    CHECK(outcome.verdict.filtering.reason == Reason::udp_blocked);
    CHECK(outcome.elapsed <= Milliseconds(1000));
    CHECK(judge_blocker(outcome.seen) == FilteredBy::unknown);
}

TEST_CASE("one server that is silent on UDP alone may be at fault itself", "[stun][blocked]") {
    World world;
    REQUIRE(world.servers.size() == 1);
    world.udp_blocked = true;
    const Outcome outcome = discover(world, 1);
    CHECK_FALSE(outcome.verdict.nat_type.value);
    CHECK(outcome.verdict.nat_type.reason == Reason::one_destination);
    CHECK(outcome.elapsed <= Milliseconds(2500));
}

TEST_CASE("two addresses of one name are no two witnesses", "[stun][blocked]") {
    World world = blocked();
    world.one_name = true;
    const Outcome outcome = discover(world, 1);
    CHECK_FALSE(outcome.verdict.nat_type.value);
    CHECK(outcome.verdict.nat_type.reason == Reason::one_destination);
    CHECK(outcome.elapsed <= Milliseconds(2500));
}

TEST_CASE("a server that shows no life at all is no witness", "[stun][blocked]") {
    World world = blocked();
    world.servers[1].fault = Fault::silent;
    const Outcome dead = discover(world, 1);
    CHECK_FALSE(dead.verdict.nat_type.value);
    CHECK(dead.verdict.nat_type.reason == Reason::one_destination);
    // A reset is a sign of life.
    world.tcp_refused = {1};
    CHECK(discover(world, 1).verdict.nat_type.value == NatType::udp_blocked);
}

TEST_CASE("nothing by UDP and nothing by TCP is no proof of anything", "[stun][blocked]") {
    World world;
    world.udp_blocked = true;
    world.tcp_passes = false;
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.nat_type.reason == Reason::no_server_answered);
    CHECK(outcome.elapsed <= Milliseconds(2500));
}

TEST_CASE("a firewall on this machine says so itself", "[stun][blocked]") {
    World world;
    world.udp_blocked = true;
    world.not_permitted = true;
    world.tcp_passes = false;
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.nat_type.value == NatType::udp_blocked);
    CHECK(judge_blocker(outcome.seen) == FilteredBy::host);

    Asked asked;
    asked.find_hops = true;
    const Outcome with_hops = discover(world, 1, asked);
    CHECK(with_hops.verdict.nat_type.value == NatType::udp_blocked);
    CHECK(judge_blocker(with_hops.seen) == FilteredBy::host);
    CHECK(with_hops.seen.not_permitted == with_hops.seen.sent);
}

TEST_CASE("what a socket that could not be opened was to send counts as not sent",
          "[stun][blocked]") {
    DiscoveryConfig config;
    config.servers = {{server_number(0).primary, IpAddress::v4(0xC0A80702)}};
    config.given_port = 8000;
    config.find_hops = true;
    std::uint8_t count = 0;
    const auto transactions = [&count] {
        stun::TransactionId id{};
        id[0] = ++count;
        return id;
    };
    Discovery discovery(config, transactions, TimePoint(std::chrono::hours(1)));
    CHECK(discovery.observations().sent == 6);  // mapping, given port, four with a small TTL
    discovery.on_open_failed(1);                // the given port
    CHECK(discovery.observations().sent == 5);
    discovery.on_open_failed(1);
    discovery.on_open_failed(2);  // one for a TTL
    CHECK(discovery.observations().sent == 4);
}

TEST_CASE("a router that refuses by ICMP is believed when TCP passes", "[stun][blocked]") {
    World world = blocked();
    world.prohibits_by_icmp = true;
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.nat_type.value == NatType::udp_blocked);
    CHECK(judge_blocker(outcome.seen) == FilteredBy::router);
    world.tcp_passes = false;
    CHECK(discover(world, 1).verdict.nat_type.reason == Reason::no_server_answered);
}

TEST_CASE("one address that is refused by ICMP may be refused for itself", "[stun][blocked]") {
    World world;
    world.udp_blocked = true;
    world.prohibits_by_icmp = true;
    const Outcome outcome = discover(world, 1);
    CHECK_FALSE(outcome.verdict.nat_type.value);
    CHECK(judge_blocker(outcome.seen) == FilteredBy::unknown);
}

TEST_CASE("a server's own firewall is no router's, and its word shows that UDP passes",
          "[stun][blocked]") {
    World world = blocked();
    world.prohibits_by_icmp = true;
    world.servers_prohibit = true;
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.nat_type.reason == Reason::no_valid_answer);
    CHECK(outcome.seen.prohibited == 0);
    CHECK(outcome.seen.refused > 0);
    CHECK(judge_blocker(outcome.seen) == FilteredBy::unknown);
}

TEST_CASE("a network that drops STUN by its cookie does not block UDP", "[stun][blocked]") {
    World world = blocked();
    world.udp_blocked = false;
    world.cookie_dropped = true;
    const Outcome outcome = discover(world, 1);
    CHECK_FALSE(outcome.verdict.nat_type.value);
    CHECK(outcome.verdict.nat_type.reason == Reason::stun_filtered);
    CHECK(judge_content(outcome.seen));
    CHECK(outcome.elapsed <= Milliseconds(1500));
    // Nothing that was read from such an answer counts.
    CHECK(outcome.verdict.public_addresses.empty());

    world.servers.resize(1);
    CHECK(discover(world, 1).verdict.nat_type.reason == Reason::stun_filtered);

    // A closed port that refuses shows less than an answer does.
    world.closed_ports_refuse = true;
    CHECK(discover(world, 1).verdict.nat_type.reason == Reason::stun_filtered);

    world.loss.each_way = 0.1;
    unsigned told = 0;
    for (unsigned seed = 1; seed <= 100; ++seed) {
        const Outcome lossy = discover(world, seed);
        INFO("seed " << seed << " -> " << describe(lossy.verdict));
        REQUIRE_FALSE(lossy.verdict.nat_type.value);
        if (lossy.verdict.nat_type.reason == Reason::stun_filtered) ++told;
    }
    CHECK(told >= 90);
}

TEST_CASE("a path that lets through next to nothing does not drop STUN by its content",
          "[stun][blocked]") {
    World world = blocked();
    world.udp_blocked = false;
    world.loss.each_way = 0.75;
    for (unsigned seed = 1; seed <= 200; ++seed) {
        const Outcome outcome = discover(world, seed);
        INFO("seed " << seed << " -> " << describe(outcome.verdict));
        REQUIRE(outcome.verdict.nat_type.reason != Reason::stun_filtered);
    }
}

TEST_CASE("where only a socket of no use for comparing was answered, a server did answer",
          "[stun][blocked]") {
    DiscoveryConfig config;
    config.servers = {{server_number(0).primary, IpAddress::v4(0xC0A80702)}};
    std::uint8_t count = 0;
    const auto transactions = [&count] {
        stun::TransactionId id{};
        id[0] = ++count;
        return id;
    };
    const TimePoint start(std::chrono::hours(1));
    Discovery discovery(config, transactions, start);
    discovery.on_open_failed(0);  // the one for mappings
    discovery.on_time(start + Milliseconds(100));
    for (const Action& action : discovery.take_actions()) {
        const auto* send = std::get_if<SendDatagram>(&action);
        if (send == nullptr || send->to != server_number(0).primary) continue;
        stun::Message answer = stun::parse(send->datagram).value();
        answer.message_class = stun::Class::success;
        answer.xor_mapped_address = Endpoint::parse("11.22.33.7:40000");
        discovery.on_datagram(send->socket, send->to, stun::encode(answer),
                              start + Milliseconds(110));
    }
    REQUIRE(discovery.observations().anything_answered());
    const Verdict verdict = classify(discovery.observations());
    CHECK(verdict.public_addresses.size() == 1);
    CHECK(verdict.public_endpoint.reason == Reason::loss);
    CHECK(verdict.behind_nat.reason == Reason::loss);
    CHECK(verdict.nat_type.reason == Reason::loss);
}

TEST_CASE("a path that loses everything for a while is not blocked", "[stun][blocked]") {
    World world;
    Loss loss;
    loss.bursts_per_second = 3;
    loss.burst = Milliseconds(1500);
    world.loss = loss;
    for (unsigned seed = 1; seed <= 400; ++seed) {
        const Outcome outcome = discover(world, seed);
        INFO("seed " << seed << " -> " << describe(outcome.verdict));
        REQUIRE(outcome.verdict.nat_type.value != NatType::udp_blocked);
        REQUIRE(wrong_claims(world, outcome.verdict).empty());
    }
}

TEST_CASE("unsolicited packets are ignored, and there may be many", "[stun][blocked]") {
    World world;
    world.flood = 100000;
    const Outcome outcome = discover(world, 1);
    CHECK(is_complete(world, outcome.verdict));
    CHECK(outcome.seen.ignored + outcome.seen.malformed >= 100000);
    // They do show that UDP gets in.
    world.udp_blocked = true;
    CHECK(discover(world, 1).verdict.nat_type.reason == Reason::no_valid_answer);
}

TEST_CASE("no server, no discovery", "[stun][blocked]") {
    World world;
    world.servers.clear();
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.nat_type.reason == Reason::no_server);
    CHECK(outcome.elapsed == Duration::zero());
}

namespace {

World port_blocked() {
    World world;
    world.servers.push_back(server_number(1));
    world.blocked_ports = {3478};
    return world;
}

std::size_t tried_ports(const Outcome& outcome) {
    const auto& probes = outcome.seen.probes;
    return static_cast<std::size_t>(std::count_if(
        probes.begin(), probes.end(),
        [](const Probe& probe) { return probe.role == Role::other_port && !probe.sends.empty(); }));
}

}  // namespace

TEST_CASE("one blocked port is not blocked UDP: another port of the servers is measured with",
          "[stun][blocked]") {
    World world = port_blocked();
    const Outcome outcome = discover(world, 1);
    INFO(describe(outcome.verdict));
    CHECK(wrong_claims(world, outcome.verdict).empty());
    CHECK(outcome.verdict.mapping.value == Dependence::endpoint_independent);
    CHECK(outcome.verdict.public_endpoint.value);
    const auto ports = judge_other_ports(outcome.seen);
    REQUIRE(ports);
    CHECK(ports->silent == std::set<std::uint16_t>{3478});
    CHECK(ports->answered);
    CHECK(ports->passing == Endpoint{server_number(0).primary.address, 3479});
    REQUIRE(outcome.seen.servers.size() == 4);
    CHECK(outcome.seen.servers[2].instead_of == 0U);
    CHECK(outcome.seen.servers[3].instead_of == 1U);

    world.mapping = Dependence::address_and_port_dependent;
    CHECK(discover(world, 1).verdict.nat_type.value == NatType::symmetric);
    // The one server's other address will do for a second destination.
    world.servers.pop_back();
    CHECK(discover(world, 1).verdict.nat_type.value == NatType::symmetric);
}

TEST_CASE("a port that is refused by the server itself shows that UDP gets there",
          "[stun][blocked]") {
    World world = port_blocked();
    world.blocked_ports.insert(3479);
    world.closed_ports_refuse = true;
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.nat_type.reason == Reason::only_other_ports);
    const auto ports = judge_other_ports(outcome.seen);
    REQUIRE(ports);
    CHECK_FALSE(ports->answered);
    CHECK(ports->passing.port == 443);
    // A router that lets few new flows out would have let one to their own port out by now.
    CHECK(outcome.elapsed <= Milliseconds(1750));
    // So does garbage.
    world = port_blocked();
    for (SimServer& server : world.servers) server.fault = Fault::garbage;
    world.filtering = Dependence::endpoint_independent;
    CHECK(discover(world, 1).verdict.nat_type.reason == Reason::only_other_ports);
}

TEST_CASE("a firewall on this machine that forbids one port does not block UDP",
          "[stun][blocked]") {
    // So many servers that the first round of refusals would do to believe.
    World world = port_blocked();
    for (unsigned number = 2; number < 7; ++number) world.servers.push_back(server_number(number));
    world.not_permitted = true;
    const Outcome outcome = discover(world, 1);
    CHECK(outcome.verdict.mapping.value == Dependence::endpoint_independent);
    CHECK(judge_blocker(outcome.seen) == FilteredBy::unknown);
}

TEST_CASE("other ports are tried only after silence, and before UDP is called blocked",
          "[stun][blocked]") {
    CHECK(tried_ports(discover(World(), 1)) == 0);
    World slow;
    slow.one_way = Milliseconds(80);
    const Outcome outcome = discover(slow, 1);
    CHECK(tried_ports(outcome) > 0);
    CHECK(outcome.seen.servers.size() == 1);
    CHECK_FALSE(judge_other_ports(outcome.seen));
    CHECK(is_complete(slow, outcome.verdict));

    const Outcome none = discover(blocked(), 1);
    // Each of two servers at 443, 3479 and 19302.
    CHECK(tried_ports(none) == 6);
    CHECK_FALSE(judge_other_ports(none.seen));
    // A server that is named at two of its ports is not asked there twice.
    World twice = blocked();
    twice.servers[1].primary = {twice.servers[0].primary.address, 443};
    CHECK(tried_ports(discover(twice, 1)) == 2);
}

TEST_CASE("a blocked port is never called blocked UDP, whatever gets lost", "[stun][blocked]") {
    unsigned seed = 0;
    for (const double each_way : {0.0, 0.1, 0.2, 0.4}) {
        for (const bool refuse : {false, true}) {
            for (const Dependence kind :
                 {Dependence::endpoint_independent, Dependence::address_and_port_dependent}) {
                World world = port_blocked();
                world.loss.each_way = each_way;
                world.closed_ports_refuse = refuse;
                world.mapping = kind;
                for (int run = 0; run < 40; ++run) {
                    const Outcome outcome = discover(world, ++seed);
                    INFO(describe(world)
                         << " seed " << seed << " -> " << describe(outcome.verdict));
                    REQUIRE(wrong_claims(world, outcome.verdict).empty());
                }
            }
        }
    }
}
