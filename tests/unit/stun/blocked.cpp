// Is UDP blocked, is nobody there, or is it just loss?
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
