// The pure functions one by one.
#include <catch2/catch.hpp>

#include "loss.hpp"
#include "mapping.hpp"
#include "ports.hpp"

using namespace p2pdiag;
using namespace p2pdiag::nat;

namespace {

Destination seen(const char* address, const char* mapped) {
    return {*Endpoint::parse(address), *Endpoint::parse(mapped)};
}

std::vector<std::optional<std::uint16_t>> ports(std::initializer_list<int> list) {
    std::vector<std::optional<std::uint16_t>> result;
    for (const int port : list) {
        if (port < 0) {
            result.emplace_back();
        } else {
            result.emplace_back(static_cast<std::uint16_t>(port));
        }
    }
    return result;
}

}  // namespace

TEST_CASE("mapping from what the destinations saw", "[stun]") {
    SECTION("equal everywhere") {
        const auto verdict =
            classify_mapping({seen("1.0.0.1:1", "9.9.9.9:50"), seen("1.0.0.2:1", "9.9.9.9:50"),
                              seen("1.0.0.2:2", "9.9.9.9:50")});
        CHECK(verdict.mapping.value == Dependence::endpoint_independent);
        CHECK_FALSE(verdict.varies);
    }
    SECTION("one for each address") {
        const auto verdict =
            classify_mapping({seen("1.0.0.1:1", "9.9.9.9:50"), seen("1.0.0.1:2", "9.9.9.9:50"),
                              seen("1.0.0.2:1", "9.9.9.9:51"), seen("1.0.0.2:2", "9.9.9.9:51")});
        CHECK(verdict.mapping.value == Dependence::address_dependent);
        CHECK(verdict.varies);
    }
    SECTION("one for each address and port") {
        const auto verdict =
            classify_mapping({seen("1.0.0.1:1", "9.9.9.9:50"), seen("1.0.0.1:2", "9.9.9.9:51"),
                              seen("1.0.0.2:1", "9.9.9.9:52")});
        CHECK(verdict.mapping.value == Dependence::address_and_port_dependent);
        CHECK(verdict.varies);
    }
    SECTION("different addresses of the NAT count as different") {
        const auto verdict =
            classify_mapping({seen("1.0.0.1:1", "9.9.9.8:50"), seen("1.0.0.2:1", "9.9.9.9:50")});
        CHECK(verdict.mapping.reason == Reason::not_told_apart);
        CHECK(verdict.varies);
    }
    SECTION("one destination says nothing") {
        CHECK(classify_mapping({}).mapping.reason == Reason::one_destination);
        const auto verdict = classify_mapping({seen("1.0.0.1:1", "9.9.9.9:50")});
        CHECK(verdict.mapping.reason == Reason::one_destination);
        CHECK_FALSE(verdict.varies);
    }
    SECTION("equal on two ports of one address leaves two possibilities") {
        const auto verdict =
            classify_mapping({seen("1.0.0.1:1", "9.9.9.9:50"), seen("1.0.0.1:2", "9.9.9.9:50")});
        CHECK(verdict.mapping.reason == Reason::not_told_apart);
        CHECK_FALSE(verdict.varies);
    }
    SECTION("some equal, some not, in no pattern") {
        const auto verdict =
            classify_mapping({seen("1.0.0.1:1", "9.9.9.9:50"), seen("1.0.0.2:1", "9.9.9.9:50"),
                              seen("1.0.0.3:1", "9.9.9.9:51")});
        CHECK(verdict.mapping.reason == Reason::inconsistent);
        CHECK_FALSE(verdict.varies);
        const auto mixed =
            classify_mapping({seen("1.0.0.1:1", "9.9.9.9:50"), seen("1.0.0.1:2", "9.9.9.9:50"),
                              seen("1.0.0.2:1", "9.9.9.9:51"), seen("1.0.0.2:2", "9.9.9.9:52")});
        CHECK(mixed.mapping.reason == Reason::inconsistent);
    }
}

TEST_CASE("the step of sequential ports", "[stun]") {
    CHECK(constant_step(ports({10, 11, 12, 13, 14, 15})).value == 1);
    CHECK(constant_step(ports({20, 18, 16, 14, 12, 10})).value == -2);
    // Around the end of the range, with a stray allocation, with lost answers, and at the end of a
    // pool.
    CHECK(constant_step(ports({65533, 65534, 65535, 0, 1, 2})).value == 1);
    CHECK(constant_step(ports({10, 11, 12, 14, 15, 16, 17})).value == 1);
    CHECK(constant_step(ports({10, 11, -1, 13, 14, -1, 16, 17, 18})).value == 1);
    CHECK(constant_step(ports({62, 63, 64, 1, 2, 3, 4, 5})).value == 1);
    // No step.
    CHECK(constant_step(ports({5000, 61234, 2211, 40000, 13, 30000})).reason == Reason::irregular);
    CHECK(constant_step(ports({10, 10, 10, 10, 10, 10})).reason == Reason::irregular);
    CHECK(constant_step(ports({0, 1000, 2000, 3000, 4000, 5000})).reason == Reason::irregular);
    CHECK(constant_step(ports({10, 11, 14, 15, 19, 20, 27})).reason == Reason::irregular);
    // Too few neighbours.
    CHECK(constant_step(ports({})).reason == Reason::loss);
    CHECK(constant_step(ports({10, 11, 12, 13})).reason == Reason::loss);
    CHECK(constant_step(ports({10, -1, 12, -1, 14, -1, 16})).reason == Reason::loss);
}

TEST_CASE("what loss can explain", "[stun]") {
    // No control at all, or none answered: everything is possible.
    CHECK(loss_likelihood({0, 0}, 100) == 1);
    CHECK(loss_likelihood({20, 20}, 100) == 1);
    // Nothing silent says nothing.
    CHECK(loss_likelihood({10, 0}, 0) == Approx(1));
    // 0.5^20: ten silent against ten answered.
    CHECK(loss_likelihood({10, 0}, 10) == Approx(9.5367e-7).epsilon(0.001));
    // A path that loses a third needs more than ten.
    CHECK(loss_likelihood({15, 5}, 10) > 1e-5);
    CHECK(loss_likelihood({40, 13}, 40) < 1e-5);
    // More silence never makes loss more likely.
    double before = 2;
    for (unsigned silent = 0; silent < 50; ++silent) {
        const double now = loss_likelihood({30, 8}, silent);
        CHECK(now <= before);
        before = now;
    }
}

TEST_CASE("only silence beside an answered control counts", "[stun]") {
    Observations observations;
    const TimePoint start(std::chrono::hours(1));
    observations.now = start + std::chrono::seconds(10);
    observations.longest_rtt = Milliseconds(1);
    const auto probe = [&](std::initializer_list<std::pair<int, bool>> sends) {
        Probe result;
        for (const auto& [at, answered] : sends) {
            Send send;
            send.at = start + Milliseconds(at);
            if (answered) send.rtt = Milliseconds(1);
            result.sends.push_back(send);
        }
        return result;
    };
    const Probe silent = probe({{0, false}, {100, false}, {200, false}, {300, false}});
    const Probe control = probe({{10, true}, {110, false}, {240, true}, {400, true}});
    CHECK(telling_silence(observations, {&silent}, {&control}) == 2);
    const Tally counted = tally(observations, {&control});
    CHECK(counted.sent == 4);
    CHECK(counted.unanswered == 1);
    // What was sent a moment ago is not silent yet.
    observations.now = start + Milliseconds(400);
    CHECK(telling_silence(observations, {&silent}, {&control}) == 1);
}

TEST_CASE("the wait for an answer grows with the round trip", "[stun]") {
    Observations observations;
    // Nothing shows yet how slow the path is.
    CHECK(observations.tail() == Milliseconds(1500));
    observations.longest_rtt = Milliseconds(1);
    CHECK(observations.tail() == Milliseconds(350));
    observations.longest_rtt = Milliseconds(600);
    CHECK(observations.tail() == Milliseconds(1800));
    observations.longest_rtt = Milliseconds(60000);
    CHECK(observations.tail() == Milliseconds(2500));
}
