// Networks and servers that would make a confident fool of a NAT test: what they do together, or to
// each socket apart.
#include <catch2/catch.hpp>

#include "simulation.hpp"

using namespace p2pdiag;
using namespace p2pdiag::nat;
using namespace p2pdiag::nat::testing;

namespace {

constexpr auto anyone = Dependence::endpoint_independent;
constexpr auto by_address = Dependence::address_dependent;
constexpr auto by_port = Dependence::address_and_port_dependent;
constexpr Dependence kinds[] = {anyone, by_address, by_port};

const IpAddress wan = IpAddress::v4(0x0B161701);
const IpAddress second_wan = IpAddress::v4(0x0B161801);

World cone(Dependence filtering) {
    World world;
    world.filtering = filtering;
    world.ports = Ports::preserved;
    return world;
}

// Two servers of different names without a second address, as most public ones are.
World two_plain_servers(Fault second = Fault::no_other) {
    World world = cone(by_port);
    world.servers = {server_number(0, Fault::no_other), server_number(1, second)};
    return world;
}

bool concerns(const Endpoint& to, const SimServer& server) {
    return to.address == server.primary.address || to.address == server.other.address;
}

}  // namespace

TEST_CASE("a server that tells another port for each of its addresses makes no symmetric NAT",
          "[stun][deceit]") {
    // Its second address comes in by the mapping that the first one sees.
    for (const Dependence filtering : {by_address, by_port}) {
        World world = cone(filtering);
        world.servers = {server_number(0, Fault::other_port_for_each)};
        const Verdict verdict = discover(world, 1).verdict;
        INFO(describe(verdict));
        CHECK(verdict.mapping.reason == Reason::inconsistent);
        CHECK_FALSE(verdict.mapping_varies);
        CHECK(verdict.nat_type.reason == Reason::mapping_unknown);
    }
}

TEST_CASE("A5: a filter that a contact opens for the whole machine is no open one",
          "[stun][deceit]") {
    for (const bool direct : {false, true}) {
        for (const bool second : {false, true}) {
            World world = cone(by_address);
            world.direct = direct;
            world.filter_of_host = true;
            // Named with both its addresses, as the lab's profile does.
            if (second) {
                SimServer other = server_number(0);
                std::swap(other.primary, other.other);
                world.servers.push_back(other);
            }
            for (unsigned seed = 1; seed <= 20; ++seed) {
                const Verdict verdict = discover(world, seed).verdict;
                INFO(describe(verdict));
                CHECK(wrong_claims(world, verdict).empty());
            }
        }
    }
}

TEST_CASE("a router that lets in few new flows has no filter by that", "[stun][deceit]") {
    for (const double per_second : {0.5, 1.0, 2.0, 5.0, 20.0}) {
        World world = cone(anyone);
        world.new_inbound = NewFlows{1, per_second};
        for (unsigned seed = 1; seed <= 20; ++seed) {
            const Verdict verdict = discover(world, seed).verdict;
            INFO(per_second << " a second: " << describe(verdict));
            CHECK(wrong_claims(world, verdict).empty());
        }
    }
}

TEST_CASE("two ways out of this machine are no symmetric NAT", "[stun][deceit]") {
    // The second server is reached through a tunnel with an address of its own.
    World world = two_plain_servers();
    world.servers.back().local = IpAddress::v4(0x0A090002);
    world.own_mapping = [](std::uint16_t local_port, const Endpoint& to) {
        return Endpoint{concerns(to, server_number(1)) ? second_wan : wan, local_port};
    };
    const Verdict verdict = discover(world, 1).verdict;
    INFO(describe(verdict));
    CHECK(verdict.mapping.reason == Reason::servers_disagree);
    CHECK(verdict.nat_type.reason == Reason::mapping_unknown);
    CHECK(verdict.behind_nat.value == true);
    CHECK_FALSE(verdict.pooling_paired.value);

    // One of them alone can tell, so its way is judged.
    world.servers.front() = server_number(0);
    world.servers.front().local = world.local;
    const Verdict told = discover(world, 1).verdict;
    INFO(describe(told));
    CHECK(told.mapping.value == anyone);
    CHECK(told.behind_nat.value == true);
}

TEST_CASE("a router with two uplinks is no symmetric NAT", "[stun][deceit]") {
    World world = two_plain_servers();
    world.own_mapping = [](std::uint16_t local_port, const Endpoint& to) {
        return Endpoint{concerns(to, server_number(1)) ? second_wan : wan, local_port};
    };
    const Verdict verdict = discover(world, 1).verdict;
    INFO(describe(verdict));
    CHECK(verdict.mapping.reason == Reason::servers_disagree);
    CHECK_FALSE(verdict.nat_type.value);
    CHECK_FALSE(verdict.pooling_paired.value);
}

TEST_CASE("a server behind a NAT of its own is outvoted, or nothing is said", "[stun][deceit]") {
    for (const bool direct : {false, true}) {
        for (const Fault first : {Fault::no_other, Fault::none}) {
            for (const Fault second : {Fault::masked, Fault::no_other}) {
                for (const Dependence filtering : kinds) {
                    World world = cone(filtering);
                    world.direct = direct;
                    world.servers = {server_number(0, first), server_number(1, second)};
                    const Verdict verdict = discover(world, 1).verdict;
                    INFO(describe(world) << " -> " << describe(verdict));
                    CHECK(wrong_claims(world, verdict).empty());
                    if (second != Fault::masked) continue;
                    CHECK(verdict.mapping.reason == Reason::servers_disagree);
                    if (direct) CHECK(verdict.behind_nat.reason == Reason::servers_disagree);
                    // Whom it lets in has been measured with one server alone.
                    if (first == Fault::none) CHECK(verdict.filtering.value == filtering);
                }
            }
        }
    }
}

TEST_CASE("what one server shows by itself is not taken back for another's view",
          "[stun][deceit]") {
    // Several public addresses, another one for each mapping.
    World world;
    world.mapping = by_port;
    world.pool = {wan, second_wan, IpAddress::v4(0x0B161901)};
    world.servers = {server_number(0), server_number(1, Fault::no_other)};
    for (unsigned seed = 1; seed <= 50; ++seed) {
        const Verdict verdict = discover(world, seed).verdict;
        INFO("seed " << seed << " -> " << describe(verdict));
        CHECK(wrong_claims(world, verdict).empty());
        CHECK(verdict.nat_type.value == NatType::symmetric);
    }
}

TEST_CASE("one socket's port that collides at one of two servers makes no symmetric NAT",
          "[stun][deceit]") {
    World world = two_plain_servers();
    // The mapping socket is the first, on port 40000; another program at home uses that port to
    // the second server.
    world.own_mapping = [](std::uint16_t local_port, const Endpoint& to) {
        const bool taken = local_port == 40000 && concerns(to, server_number(1));
        return Endpoint{wan, static_cast<std::uint16_t>(taken ? 61234 : local_port)};
    };
    const Verdict verdict = discover(world, 1).verdict;
    INFO(describe(verdict));
    CHECK(verdict.mapping.reason == Reason::inconsistent);
    CHECK_FALSE(verdict.nat_type.value);
    // Where it really varies, it does on every socket.
    World symmetric = two_plain_servers();
    symmetric.mapping = by_port;
    symmetric.ports = Ports::random;
    CHECK(discover(symmetric, 1).verdict.nat_type.value == NatType::symmetric);
}

TEST_CASE("a load balancer with two RFC 5780 servers behind one address", "[stun][deceit]") {
    for (const Dependence filtering : kinds) {
        World world = cone(filtering);
        world.ports = Ports::random;
        world.servers = {server_number(0, Fault::two_backends)};
        for (const bool direct : {false, true}) {
            world.direct = direct;
            for (unsigned seed = 1; seed <= 60; ++seed) {
                const Verdict verdict = discover(world, seed).verdict;
                INFO(describe(world) << " seed " << seed << " -> " << describe(verdict));
                REQUIRE(wrong_claims(world, verdict).empty());
            }
        }
    }
}

TEST_CASE("a router that lets few new flows out has no filter by that", "[stun][deceit]") {
    // The sockets of the filter tests come first, and may get nothing out while later ones do.
    for (const Dependence filtering : kinds) {
        for (const double at_once : {1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24}) {
            for (const double per_second : {0.0, 5.0, 10.0, 20.0}) {
                World world = cone(filtering);
                world.new_flows = NewFlows{at_once, per_second};
                for (unsigned seed = 1; seed <= 2; ++seed) {
                    const Verdict verdict = discover(world, seed).verdict;
                    INFO(describe(world) << ", " << at_once << " flows and " << per_second
                                         << "/s, seed " << seed << " -> " << describe(verdict));
                    REQUIRE(wrong_claims(world, verdict).empty());
                }
            }
        }
    }
}

TEST_CASE("a router that lets out one new flow a second does not block UDP", "[stun][deceit]") {
    for (const double left : {0.06, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0}) {
        for (const double per_second : {1.0, 2.0, 5.0}) {
            World world;
            world.servers.push_back(server_number(1));
            world.new_flows = NewFlows{left, per_second};
            for (unsigned seed = 1; seed <= 10; ++seed) {
                Asked asked;
                asked.find_hops = seed % 2 == 0;
                const Verdict verdict = discover(world, seed, asked).verdict;
                INFO(left << " flows and " << per_second << "/s, seed " << seed << " -> "
                          << describe(verdict));
                CHECK(wrong_claims(world, verdict).empty());
            }
        }
    }
}

TEST_CASE("a machine that stands still now and then takes nothing for silence", "[stun][deceit]") {
    unsigned seed = 0;
    for (const Dependence filtering : kinds) {
        for (const int length : {300, 400, 700, 1500}) {
            for (int begin = 0; begin <= 900; begin += 60) {
                World world = cone(filtering);
                world.one_way = Milliseconds(25);
                world.loss.each_way = seed % 2 == 0 ? 0 : 0.1;
                for (int at = begin; at < 8000; at += length + 150) {
                    world.stalls.push_back({Milliseconds(at), Milliseconds(length)});
                }
                const Verdict verdict = discover(world, ++seed).verdict;
                INFO(describe(world) << ", stalls of " << length << " from " << begin << ", seed "
                                     << seed << " -> " << describe(verdict));
                REQUIRE(wrong_claims(world, verdict).empty());
            }
        }
    }
}

TEST_CASE("faults that come together: loss, a dead other address, an ignored CHANGE-REQUEST",
          "[stun][deceit]") {
    unsigned seed = 0;
    for (int first = 0; first <= static_cast<int>(last_fault); ++first) {
        for (int second = 0; second <= static_cast<int>(last_fault); ++second) {
            for (const bool direct : {false, true}) {
                World world = cone(kinds[seed % 3]);
                world.direct = direct;
                world.hairpin = (seed / 2) % 2 == 0 && !direct;
                world.servers = {server_number(0, static_cast<Fault>(first)),
                                 server_number(1, static_cast<Fault>(second))};
                world.loss.each_way = (seed / 2) % 3 == 0 ? 0 : 0.2;
                Asked asked;
                asked.hairpin = true;
                const Verdict verdict = discover(world, ++seed, asked).verdict;
                INFO(describe(world) << " seed " << seed << " -> " << describe(verdict));
                REQUIRE(wrong_claims(world, verdict).empty());
            }
        }
    }
}
