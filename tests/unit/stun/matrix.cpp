// Every NAT crossed with every fault and loss pattern: never a false claim, and a null only where
// the fault or the loss explains it.
#include <catch2/catch.hpp>

#include "simulation.hpp"

using namespace p2pdiag;
using namespace p2pdiag::nat;
using namespace p2pdiag::nat::testing;

namespace {

constexpr Dependence kinds[] = {Dependence::endpoint_independent, Dependence::address_dependent,
                                Dependence::address_and_port_dependent};

// {direct, 3 mappings} x {3 filterings}, and a sequential one.
std::vector<World> all_worlds() {
    std::vector<World> worlds;
    for (const Dependence filtering : kinds) {
        World direct;
        direct.direct = true;
        direct.filtering = filtering;
        worlds.push_back(direct);
        for (const Dependence mapping : kinds) {
            World world;
            world.mapping = mapping;
            world.filtering = filtering;
            const bool cone = mapping == Dependence::endpoint_independent;
            if (cone) world.ports = Ports::preserved;
            worlds.push_back(world);
            if (cone) {
                world.ports = Ports::random;
                worlds.push_back(world);
            }
        }
    }
    World sequential;
    sequential.mapping = Dependence::address_and_port_dependent;
    sequential.ports = Ports::sequential;
    sequential.step = 2;
    worlds.push_back(sequential);
    return worlds;
}

// Faults that take away nothing that a discovery needs.
bool is_harmless(Fault fault) {
    return fault == Fault::none || fault == Fault::rewritten || fault == Fault::late ||
           fault == Fault::duplicates;
}

// Faults that leave no answer that counts.
bool is_mute(Fault fault) {
    return fault == Fault::silent || fault == Fault::wrong_transaction ||
           fault == Fault::wrong_source || fault == Fault::garbage || fault == Fault::error_500;
}

std::vector<Loss> loss_patterns() {
    std::vector<Loss> patterns(1);
    for (const double each_way : {0.1, 0.2, 0.4}) {
        Loss loss;
        loss.each_way = each_way;
        patterns.push_back(loss);
    }
    Loss bursts;
    bursts.bursts_per_second = 2;
    bursts.burst = Milliseconds(200);
    patterns.push_back(bursts);
    Loss all;
    all.each_way = 1;
    patterns.push_back(all);
    return patterns;
}

}  // namespace

TEST_CASE("no fault and no loss: everything is known and right", "[stun][matrix]") {
    for (const World& world : all_worlds()) {
        const Outcome outcome = discover(world, 1);
        INFO(describe(world) << " -> " << describe(outcome.verdict));
        CHECK(wrong_claims(world, outcome.verdict).empty());
        CHECK(is_complete(world, outcome.verdict));
        CHECK(outcome.verdict.nat_type.value == true_type(world));
        CHECK(outcome.verdict.mapping.value == true_mapping(world));
    }
}

TEST_CASE("every fault under every loss: never a false claim", "[stun][matrix]") {
    const auto worlds = all_worlds();
    const auto patterns = loss_patterns();
    unsigned seed = 0;
    for (int number = 0; number <= static_cast<int>(last_fault); ++number) {
        for (World world : worlds) {
            world.servers.front().fault = static_cast<Fault>(number);
            for (const Loss& loss : patterns) {
                world.loss = loss;
                const Outcome outcome = discover(world, ++seed);
                INFO(describe(world) << " seed " << seed << " -> " << describe(outcome.verdict));
                REQUIRE(wrong_claims(world, outcome.verdict).empty());
            }
        }
    }
}

TEST_CASE("without loss a null comes from the fault alone", "[stun][matrix]") {
    for (int number = 0; number <= static_cast<int>(last_fault); ++number) {
        const auto fault = static_cast<Fault>(number);
        for (World world : all_worlds()) {
            world.servers.front().fault = fault;
            const Verdict verdict = discover(world, 7).verdict;
            INFO(describe(world) << " -> " << describe(verdict));
            if (is_harmless(fault)) {
                CHECK(is_complete(world, verdict));
            } else if (is_mute(fault)) {
                CHECK_FALSE(verdict.mapping.value);
                CHECK_FALSE(verdict.nat_type.value);
                // A filter stops answers from another port, but for a socket that asked there, too.
                const bool filtered = fault == Fault::wrong_source &&
                                      world.filtering == Dependence::address_and_port_dependent;
                const bool silent = fault == Fault::silent || filtered;
                const Reason expected =
                    silent ? Reason::no_server_answered : Reason::no_valid_answer;
                const bool either = filtered && verdict.nat_type.reason == Reason::no_valid_answer;
                CHECK((either || verdict.nat_type.reason == expected));
            } else {
                const bool by_chance = fault == Fault::mute_other || fault == Fault::dead_other ||
                                       fault == Fault::two_backends;
                if (!by_chance) CHECK_FALSE(verdict.filtering.value);
                if (!verdict.filtering.value) {
                    const bool explained = verdict.filtering.reason == Reason::server_unsupported ||
                                           verdict.filtering.reason == Reason::flow_loss ||
                                           verdict.filtering.reason == Reason::mapping_varies;
                    CHECK(explained);
                }
            }
        }
    }
}

TEST_CASE("a second server makes good for the first one's fault", "[stun][matrix]") {
    for (int number = 0; number <= static_cast<int>(last_fault); ++number) {
        for (World world : all_worlds()) {
            world.servers = {server_number(0, static_cast<Fault>(number)), server_number(1)};
            const Outcome outcome = discover(world, 11);
            INFO(describe(world) << " -> " << describe(outcome.verdict));
            CHECK(wrong_claims(world, outcome.verdict).empty());
            // A server that stays silent to CHANGE-REQUEST and a mapping that varies look the same.
            const bool excused = outcome.verdict.filtering.reason == Reason::mapping_varies;
            CHECK((excused || is_complete(world, outcome.verdict)));
            CHECK(outcome.verdict.nat_type.value == true_type(world));
        }
    }
}

TEST_CASE("any single packet may get lost", "[stun][matrix]") {
    for (World world : all_worlds()) {
        const auto packets = discover(world, 3).packets;
        REQUIRE(packets > 4);
        for (unsigned lost = 0; lost < packets; ++lost) {
            world.loss.only = lost;
            const Outcome outcome = discover(world, 3);
            INFO(describe(world) << " -> " << describe(outcome.verdict));
            REQUIRE(wrong_claims(world, outcome.verdict).empty());
            REQUIRE(is_complete(world, outcome.verdict));
        }
    }
}

TEST_CASE("slow, jittery and very slow paths", "[stun][matrix]") {
    struct Path {
        Duration one_way;
        Duration jitter;
    };
    const Path paths[] = {{Milliseconds(0), Milliseconds(0)},
                          {Milliseconds(40), Milliseconds(30)},
                          {Milliseconds(150), Milliseconds(20)},
                          {Milliseconds(350), Milliseconds(10)}};
    for (const Path& path : paths) {
        for (World world : all_worlds()) {
            world.one_way = path.one_way;
            world.jitter = path.jitter;
            // Packets that overtake each other take their ports in another order.
            if (world.ports == Ports::sequential) continue;
            const Outcome outcome = discover(world, 5);
            INFO(describe(world) << " one way "
                                 << std::chrono::duration<double>(path.one_way).count() << " -> "
                                 << describe(outcome.verdict));
            CHECK(wrong_claims(world, outcome.verdict).empty());
            CHECK(is_complete(world, outcome.verdict));
        }
    }
}

TEST_CASE("a verdict that needs no silence comes after a few round trips", "[stun][matrix]") {
    // On the virtual clock, so nothing here depends on the machine.
    World world;
    world.filtering = Dependence::endpoint_independent;
    world.one_way = Milliseconds(10);
    CHECK(discover(world, 1).elapsed <= Milliseconds(100));
    world.direct = true;
    CHECK(discover(world, 1).elapsed <= Milliseconds(100));
    world.direct = false;
    world.filtering = Dependence::address_and_port_dependent;
    world.one_way = Milliseconds(0);
    CHECK(discover(world, 1).elapsed <= Milliseconds(760));
    world.filtering = Dependence::address_dependent;
    CHECK(discover(world, 1).elapsed <= Milliseconds(760));
    world.mapping = Dependence::address_and_port_dependent;
    CHECK(discover(world, 1).elapsed <= Milliseconds(780));
}
