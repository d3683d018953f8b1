// How often the verdict is right on lossy paths. P2PDIAG_LONG_TESTS=N multiplies the number of runs
// by N.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "simulation.hpp"

using namespace p2pdiag;
using namespace p2pdiag::nat;
using namespace p2pdiag::nat::testing;

namespace {

unsigned factor() {
    const char* text = std::getenv("P2PDIAG_LONG_TESTS");
    const int number = text != nullptr ? std::atoi(text) : 1;
    return number > 0 ? static_cast<unsigned>(number) : 1;
}

std::vector<World> truths() {
    std::vector<World> worlds;
    for (const Dependence filtering :
         {Dependence::endpoint_independent, Dependence::address_dependent,
          Dependence::address_and_port_dependent}) {
        World cone;
        cone.filtering = filtering;
        worlds.push_back(cone);
        cone.direct = true;
        worlds.push_back(cone);
    }
    World dependent;
    dependent.mapping = Dependence::address_dependent;
    worlds.push_back(dependent);
    World symmetric;
    symmetric.mapping = Dependence::address_and_port_dependent;
    worlds.push_back(symmetric);
    symmetric.ports = Ports::sequential;
    worlds.push_back(symmetric);
    World blocked;
    blocked.servers.push_back(server_number(1));
    blocked.udp_blocked = true;
    worlds.push_back(blocked);
    return worlds;
}

struct Score {
    unsigned runs = 0;
    unsigned complete = 0;
};

Score play(World world, const Loss& loss, unsigned runs) {
    Score score;
    world.loss = loss;
    for (unsigned seed = 1; seed <= runs; ++seed) {
        const Outcome outcome = discover(world, seed * 7919);
        INFO(describe(world) << " seed " << seed * 7919 << " -> " << describe(outcome.verdict));
        REQUIRE(wrong_claims(world, outcome.verdict).empty());
        ++score.runs;
        if (is_complete(world, outcome.verdict)) ++score.complete;
    }
    return score;
}

}  // namespace

TEST_CASE("10 % loss each way: at least 99 % right, none wrong", "[stun][statistics]") {
    Loss loss;
    loss.each_way = 0.1;
    for (const World& world : truths()) {
        const Score score = play(world, loss, 200 * factor());
        INFO(describe(world) << ": " << score.complete << " of " << score.runs);
        CHECK(score.complete * 100 >= score.runs * 99);
    }
}

TEST_CASE("20 % loss each way: none wrong, few undecided", "[stun][statistics]") {
    Loss loss;
    loss.each_way = 0.2;
    for (const World& world : truths()) {
        const Score score = play(world, loss, 300 * factor());
        INFO(describe(world) << ": " << score.complete << " of " << score.runs);
        CHECK(score.complete * 100 >= score.runs * 95);
    }
}

TEST_CASE("more loss than any verdict can stand: null, but none wrong", "[stun][statistics]") {
    Loss half;
    half.each_way = 0.5;
    Loss most;
    most.each_way = 0.7;
    Loss outages;
    outages.each_way = 0.05;
    outages.bursts_per_second = 1;
    outages.burst = Milliseconds(800);
    for (const World& world : truths()) {
        for (const Loss& loss : {half, most, outages}) {
            const Score score = play(world, loss, 10 * factor());
            CHECK(score.runs == 10 * factor());
        }
    }
}

// What is lost by its flow, or beyond a server's limit, is lost again and again, so that no number
// of silent sends makes it unlikely.
TEST_CASE("loss that depends on the flow: none wrong", "[stun][statistics]") {
    for (World world : truths()) {
        for (const double dead : {0.1, 0.25, 0.5}) {
            world.dead_flows = dead;
            const Score score = play(world, {}, 25 * factor());
            INFO(describe(world) << ": " << score.complete << " of " << score.runs);
            // A socket whose answers get lost is no control of its own, so much stays undecided.
            if (dead < 0.2) CHECK(3 * score.complete > score.runs);
        }
    }
}

TEST_CASE("a server that limits what it answers from elsewhere: none wrong", "[stun][statistics]") {
    for (World world : truths()) {
        for (const double per_second : {5.0, 10.0, 20.0, 24.0, 28.0, 40.0, 60.0, 100.0}) {
            for (const double at_once : {1.0, 10.0, 30.0}) {
                world.change_limit = ChangeLimit{per_second, at_once};
                const Score score = play(world, {}, 5 * factor());
                INFO(describe(world) << ": " << score.complete << " of " << score.runs);
                // As much as is ever asked.
                if (per_second * at_once >= 3000) CHECK(score.complete == score.runs);
            }
        }
    }
}
