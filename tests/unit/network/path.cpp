// What made-up measurements of a path mean.
#include "path.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using namespace p2pdiag::network_plugin;
using namespace std::chrono_literals;

namespace {

Series series(unsigned sent, unsigned answered, std::chrono::microseconds rtt = 20ms) {
    return {sent, std::vector<std::chrono::microseconds>(answered, rtt)};
}

SizeTally size(unsigned bytes, unsigned sent, unsigned answered, bool fragments = false) {
    return {bytes, fragments, sent, answered};
}

MtuTrial trial(std::vector<SizeTally> sizes, unsigned small_sent = 16,
               unsigned small_answered = 16) {
    MtuTrial made;
    made.link_mtu = 1500;
    made.sizes = std::move(sizes);
    made.small_sent = small_sent;
    made.small_answered = small_answered;
    return made;
}

PathTarget target(const char* server, Series measured) {
    PathTarget made;
    made.server = *Endpoint::parse(server);
    made.series = std::move(measured);
    made.mtu = trial({size(1500, 1, 1)});
    return made;
}

PathReport report(std::vector<PathTarget> targets) {
    PathReport made;
    made.ipv4.route = true;
    made.ipv4.gateway = PingedHost{*IpAddress::parse("192.168.1.1"), series(16, 16, 1ms), {}};
    made.ipv4.targets = std::move(targets);
    made.ipv6.family = Family::ipv6;
    made.ipv6.route = false;
    made.ipv4.finished = made.ipv6.finished = true;
    return made;
}

using Codes = std::vector<std::string>;

Codes codes(const Judgement& judgement) {
    Codes all;
    for (const Finding& finding : judgement.findings) all.push_back(finding.code);
    return all;
}

}  // namespace

TEST_CASE("sums of a series") {
    Series made{4, {10ms, 14ms, 11ms}};
    CHECK(*made.fastest() == 10ms);
    CHECK(*made.median() == 11ms);
    CHECK(*made.jitter() == 3500us);
    CHECK(made.lost() == 1);
    CHECK_FALSE(made.lossy());
    CHECK(made.describe().at("loss_percent") == 25);
    CHECK(series(16, 0).describe().at("loss_percent").is_null());
    CHECK_FALSE(series(16, 0).lossy());
    CHECK(series(16, 13).lossy());
    CHECK_FALSE(series(16, 14).lossy());
}

TEST_CASE("private routers before the others are counted") {
    const auto counted = [](std::vector<std::pair<int, const char*>> hops) {
        PathReport made = report({target("192.0.2.1:3478", series(16, 16))});
        for (const auto& [ttl, router] : hops) {
            net::Hop hop;
            hop.ttl = ttl;
            if (router != nullptr) hop.router = IpAddress::parse(router);
            made.ipv4.hops.push_back({hop, std::nullopt});
        }
        return judge(made).data.at("ipv4").at("private_hops");
    };
    CHECK(counted({{1, "192.168.1.1"}, {2, "198.51.100.1"}}) == 1);
    CHECK(counted({{1, "192.168.1.1"}, {2, "192.168.0.1"}, {3, "198.51.100.1"}}) == 2);
    // A silent one may be anything, and one behind others is no matter.
    CHECK(counted({{1, "192.168.1.1"}, {2, nullptr}, {3, "10.0.0.1"}}) == 1);
    CHECK(counted({{1, "192.168.1.1"}, {2, "100.64.0.1"}, {3, "10.0.0.1"}}) == 1);
    CHECK(counted({{1, nullptr}, {2, "10.0.0.1"}}).is_null());
    CHECK(counted({}).is_null());
}

TEST_CASE("a good path") {
    const Judgement judgement = judge(report({target("192.0.2.1:3478", series(16, 16))}));
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.findings.empty());
    CHECK(judgement.summary ==
          "IPv4 router 1 ms, internet 20 ms, 0 % lost, MTU 1500; IPv6 has no route");
    CHECK(judgement.data.at("ipv4").at_pointer("/targets/0/mtu/black_hole") == false);
}

TEST_CASE("loss counts when no server is free of it") {
    const auto lossy = target("192.0.2.1:3478", series(16, 10));
    const auto good = target("192.0.2.2:3478", series(16, 16));
    const auto silent = target("192.0.2.3:3478", series(16, 0));
    CHECK(codes(judge(report({lossy}))) == Codes{"net.loss-high"});
    CHECK(codes(judge(report({lossy, silent}))) == Codes{"net.loss-high"});
    CHECK(codes(judge(report({lossy, good}))).empty());
    // The loss that is shown is the one that was judged.
    CHECK(judge(report({lossy, good})).summary.find(" 0 % lost") != std::string::npos);
    CHECK(codes(judge(report({silent}))).empty());
    // One that answered, and then did not any more, tells of itself.
    auto stopped = target("192.0.2.4:3478", series(16, 1));
    CHECK(codes(judge(report({stopped}))) == Codes{"net.loss-high"});
    stopped.series.last_answered = 1;
    const auto unknown = judge(report({stopped}));
    CHECK(codes(unknown).empty());
    CHECK(unknown.summary.find("loss not known") != std::string::npos);
    CHECK(unknown.data.at("ipv4").at_pointer("/targets/0/loss_percent").is_null());
    CHECK(codes(judge(report({stopped, lossy}))) == Codes{"net.loss-high"});
    stopped.series = series(16, 6);
    stopped.series.last_answered = 12;
    CHECK(codes(judge(report({stopped}))) == Codes{"net.loss-high"});
    // A router that answers few pings forwards none the fewer.
    auto busy_router = report({good});
    busy_router.ipv4.gateway->series = series(16, 4);
    CHECK(judge(busy_router).status == P2PDIAG_PASS);
}

TEST_CASE("delay is judged by the fastest answer of the nearest server") {
    auto far = target("192.0.2.1:3478", series(16, 16, 700ms));
    CHECK(codes(judge(report({far}))) == Codes{"net.latency-high"});
    CHECK(codes(judge(report({far, target("192.0.2.2:3478", series(16, 16))}))).empty());
    far.series.round_trips[7] = 40ms;
    CHECK(codes(judge(report({far}))).empty());
}

TEST_CASE("nothing measured is unknown, no route is skipped") {
    auto nothing = report({target("192.0.2.1:3478", series(16, 0))});
    nothing.ipv4.targets[0].mtu = trial({size(1500, 6, 0)}, 16, 0);
    nothing.ipv4.gateway->series = series(16, 0);
    CHECK(judge(nothing).status == P2PDIAG_UNKNOWN);
    CHECK(judge(nothing).findings.empty());
    nothing.ipv4.route = false;
    CHECK(judge(nothing).status == P2PDIAG_SKIP);
}

TEST_CASE("a router that answers is no path to the internet") {
    auto blocked = report({target("192.0.2.1:3478", series(16, 0))});
    blocked.ipv4.targets[0].mtu = trial({size(1500, 6, 0)}, 16, 0);
    const Judgement judgement = judge(blocked);
    CHECK(judgement.status == P2PDIAG_UNKNOWN);
    CHECK(judgement.findings.empty());
    CHECK(judgement.summary ==
          "No STUN server answers, so delay, loss and packet size to the internet are not known; "
          "IPv4 router 1 ms; IPv6 has no route");
    CHECK(judge(report({})).status == P2PDIAG_UNKNOWN);
    CHECK(judge(report({})).summary.find("No STUN server's address is known") == 0);
}

TEST_CASE("what was on its way when it was interrupted is no loss") {
    auto cut = report({target("192.0.2.1:3478", series(8, 4))});
    // Large ones that may be cut were sent last, and may yet come.
    cut.ipv4.targets.push_back(target("192.0.2.2:3478", series(16, 16)));
    for (PathTarget& each : cut.ipv4.targets) {
        each.mtu = trial({size(1500, 6, 0), size(1500, 1, 0, true), size(1400, 1, 1)});
    }
    cut.ipv4.finished = false;
    const Judgement judgement = judge(cut);
    CHECK(judgement.findings.empty());
    CHECK(judgement.status == P2PDIAG_UNKNOWN);
    CHECK(judgement.summary.find("% lost") == std::string::npos);
    CHECK(judgement.data.at("ipv4").at_pointer("/targets/0/loss_percent").is_null());
    CHECK(judgement.data.at("ipv4").at_pointer("/targets/0/mtu/reason") == "unfinished");
    // What came has come.
    auto slow = report({target("192.0.2.1:3478", series(8, 4, 700ms))});
    slow.ipv4.finished = false;
    CHECK(codes(judge(slow)) == Codes{"net.latency-high"});
}

TEST_CASE("who may not ping is told how to") {
    auto denied = report({target("192.0.2.1:3478", series(16, 16))});
    CHECK(judge(denied).summary.find("sudo") == std::string::npos);
    denied.ipv4.gateway->series = series(0, 0);
    denied.ipv4.gateway->why_not = "not-permitted";
    CHECK(judge(denied).status == P2PDIAG_PASS);
    CHECK(judge(denied).summary.find("sudo p2pdiag run network.path") != std::string::npos);
}

TEST_CASE("the size of packets") {
    CHECK(judge_mtu(trial({size(1500, 2, 1)})).path_mtu == 1500);

    auto told = trial({size(1500, 6, 0), size(1500, 4, 4, true), size(1400, 4, 4)});
    told.told_mtu = 1400;
    CHECK(judge_mtu(told).path_mtu == 1400);
    CHECK_FALSE(judge_mtu(told).black_hole);

    const auto hole = judge_mtu(
        trial({size(1500, 6, 0), size(1500, 4, 3, true), size(1492, 4, 0), size(1400, 4, 4)}));
    CHECK(hole.black_hole);
    CHECK(hole.passes == 1400);

    // The server may not like requests of that size.
    const auto shy = judge_mtu(trial({size(1500, 6, 0), size(1500, 4, 0, true), size(1280, 4, 4)}));
    CHECK_FALSE(shy.black_hole);
    CHECK(shy.suspected);
    CHECK(shy.reason == MtuReason::no_large_answer);
    CHECK_FALSE(judge_mtu(trial({size(1500, 6, 0), size(576, 4, 0)})).suspected);
}

TEST_CASE("loss is no black hole") {
    // Half of everything is lost: six of six have a chance of 1.6 %.
    const auto lossy = judge_mtu(trial({size(1500, 6, 0), size(1500, 4, 2, true)}, 16, 8));
    CHECK_FALSE(lossy.black_hole);
    CHECK(lossy.reason == MtuReason::loss);
    CHECK(judge_mtu(trial({size(1500, 6, 0), size(1500, 4, 2, true)}, 16, 15)).black_hole);
    // Too few were sent.
    CHECK_FALSE(judge_mtu(trial({size(1500, 3, 0), size(1500, 4, 2, true)})).black_hole);
    CHECK(judge_mtu(trial({size(1500, 6, 0)}, 16, 0)).reason == MtuReason::not_answered);
}

TEST_CASE("a black hole is proven at one server or seen at two") {
    const auto proven = trial({size(1500, 6, 0), size(1500, 4, 4, true), size(1400, 4, 4)});
    const auto suspected = trial({size(1500, 6, 0), size(1500, 4, 0, true), size(1400, 4, 4)});
    auto one = target("192.0.2.1:3478", series(16, 16));
    auto two = target("192.0.2.2:3478", series(16, 16));
    one.mtu = suspected;
    CHECK(codes(judge(report({one, two}))).empty());
    CHECK(codes(judge(report({one}))).empty());
    two.mtu = suspected;
    CHECK(codes(judge(report({one, two}))) == Codes{"net.mtu-blackhole"});
    one.mtu = proven;
    const Judgement judgement = judge(report({one}));
    CHECK(codes(judgement) == Codes{"net.mtu-blackhole"});
    CHECK(judgement.findings[0].evidence.at("pass") == 1400);
    CHECK(judgement.findings[0].evidence.at("in_pieces") == true);
    CHECK(judgement.status == P2PDIAG_WARN);
}

TEST_CASE("servers of one network may drop large packets themselves") {
    const auto suspected = trial({size(1500, 6, 0), size(1500, 4, 0, true), size(1400, 4, 4)});
    auto one = target("192.0.2.1:3478", series(16, 16));
    auto two = target("192.0.2.200:3478", series(16, 16));
    one.mtu = two.mtu = suspected;
    const Judgement near = judge(report({one, two}));
    REQUIRE(codes(near) == Codes{"net.mtu-blackhole"});
    CHECK(near.findings[0].evidence.at("by") == "path-or-server");
    CHECK(near.findings[0].evidence.at("in_pieces") == false);
    CHECK(near.summary.find("or the server does") != std::string::npos);
    two.server = *Endpoint::parse("198.51.100.1:3478");
    const Judgement far = judge(report({one, two}));
    REQUIRE(codes(far) == Codes{"net.mtu-blackhole"});
    CHECK(far.findings[0].evidence.at("by") == "path");
    CHECK(far.summary.find("or the server") == std::string::npos);
    // What passes to one is no matter of the path to all.
    two.mtu = trial({size(1500, 1, 1)});
    CHECK(codes(judge(report({one, two}))).empty());
    // One server alone, by proof.
    one.mtu = trial({size(1500, 6, 0), size(1500, 4, 4, true), size(1400, 4, 4)});
    CHECK(judge(report({one})).findings.at(0).evidence.at("by") == "path-or-server");
}
