// firewall.inbound on machines that were made up, and on this one.
#include "inbound.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fake_host.hpp>

#include "checks.hpp"
#include "connected.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;
using namespace p2pdiag::testing;

namespace {

bool has(const Judgement& judgement, std::string_view code) {
    return std::any_of(judgement.findings.begin(), judgement.findings.end(),
                       [&](const Finding& finding) { return finding.code == code; });
}

Judgement judged(const World& world, std::uint16_t port) {
    return judge_inbound(world, ask_inbound(world, find_entrances(world), {.port = port}), {});
}

constexpr p2pdiag_check inbound_check =
    p2pdiag::check<check_inbound>({.id = "firewall.inbound", .title = "t"});

}  // namespace

TEST_CASE("the way to the internet is the entrance, by both families") {
    const auto entrances = find_entrances(connected());
    REQUIRE(entrances.size() == 2);
    CHECK(entrances[0].interface == "vb");
    CHECK(entrances[0].address == ip("10.9.0.2"));
    CHECK(entrances[1].address == ip("fd09::2"));
    // Without a default route each link is one.
    CHECK(find_entrances(machine()).size() == 4);
    World down = connected();
    down.interfaces[1].carrier = false;
    CHECK(find_entrances(down).empty());
    CHECK(judged(down, 8000).status == P2PDIAG_SKIP);
}

TEST_CASE("open, answers only, blocked") {
    const Judgement open = judged(connected(), 8000);
    CHECK(open.status == P2PDIAG_PASS);
    CHECK(open.findings.size() == 4);
    CHECK(has(open, "firewall.inbound-open"));
    CHECK(open.data.at("verdicts").as_array().size() == 4);

    const Judgement answers = judged(connected("14-established"), 8000);
    CHECK(answers.status == P2PDIAG_WARN);
    CHECK(has(answers, "firewall.inbound-reply-only"));

    const Judgement blocked = judged(connected("03-early-drop-late-accept"), 8000);
    CHECK(blocked.status == P2PDIAG_FAIL);
    CHECK(has(blocked, "firewall.inbound-blocked"));
    const json::object& first = blocked.data.at("verdicts").as_array()[0].as_object();
    CHECK(json::find_string(first, "verdict") == "drop");
    const json::object* rule = json::find_object(first, "deciding_rule");
    REQUIRE(rule != nullptr);
    CHECK(json::find_string(*rule, "table") == "inet a");
    CHECK(json::find_string(*rule, "text") == "drop");
    CHECK(json::find_string(*rule, "owner") == "nft");
    CHECK(json::find_array(first, "trace")->size() == 1);
}

TEST_CASE("families that differ, and what is not known") {
    const Judgement differs = judged(connected("07-ipv4-only"), 8000);
    CHECK(differs.status == P2PDIAG_FAIL);
    CHECK(has(differs, "firewall.ipv6-differs"));
    const Judgement limited = judged(connected("16-limit"), 4000);
    CHECK(limited.status == P2PDIAG_UNKNOWN);
    CHECK(has(limited, "firewall.undecided"));
    World unseen = connected();
    unseen.unseen = {{"the nftables rules", "only root may read it"}};
    const Judgement hidden = judged(unseen, 8000);
    CHECK(hidden.status == P2PDIAG_UNKNOWN);
    CHECK(hidden.findings.size() == 1);
    CHECK(has(hidden, "firewall.not-visible"));
    CHECK(hidden.summary.find("sudo p2pdiag run firewall.inbound") != std::string::npos);
}

TEST_CASE("where it depends on who sends, a stranger is taken") {
    World world = connected("sets");
    const Judgement some = judged(world, 8000);
    CHECK(some.status == P2PDIAG_PASS);
    CHECK(some.findings[0].message.find("Some senders") != std::string::npos);
    CHECK(judged(world, 4000).status == P2PDIAG_FAIL);
    // The usual loose filter lets everybody in whom a default route reaches.
    World loose = connected();
    loose.sysctls.rp_filter_all = 2;
    CHECK(judged(loose, 8000).findings[0].message.find("Some senders") == std::string::npos);
    loose.sysctls.rp_filter_all = 1;
    CHECK(judged(loose, 8000).findings[0].message.find("Some senders") != std::string::npos);
    CHECK(judged(loose, 8000).status == P2PDIAG_PASS);
}

TEST_CASE("this machine, whatever it has: complete, and in valid JSON") {
    FakeHost host;
    const p2pdiag_status status = host.run(inbound_check);
    CHECK((status == P2PDIAG_PASS || status == P2PDIAG_WARN || status == P2PDIAG_FAIL ||
           status == P2PDIAG_UNKNOWN || status == P2PDIAG_SKIP));
    bool summed_up = false;
    for (const std::string& line : host.emitted()) {
        CHECK(json::parse(line).has_value());
        summed_up = summed_up || line.find(R"("type":"summary")") != std::string::npos;
    }
    CHECK(summed_up);
}
