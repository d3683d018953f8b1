// firewall.outbound and firewall.punching on machines that were made up.
#include "outbound.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fake_host.hpp>

#include "checks.hpp"
#include "connected.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;
using namespace p2pdiag::testing;

namespace {

constexpr p2pdiag_check outbound_check =
    p2pdiag::check<check_outbound>({.id = "firewall.outbound", .title = "t"});
constexpr p2pdiag_check punching_check =
    p2pdiag::check<check_punching>({.id = "firewall.punching", .title = "t"});

// A base chain at output with these rules, each a list of statements as JSON.
Ruleset output_chain(const std::vector<std::string>& rules, const std::string& policy) {
    std::string text =
        R"({"nftables":[{"table":{"family":"inet","name":"t","handle":1}},)"
        R"({"chain":{"family":"inet","table":"t","name":"output","handle":1,"type":"filter",)"
        R"("hook":"output","prio":0,"policy":")" +
        policy + "\"}}";
    int handle = 10;
    for (const std::string& rule : rules) {
        text += R"(,{"rule":{"family":"inet","table":"t","chain":"output","handle":)" +
                std::to_string(handle++) + R"(,"expr":[)" + rule + "]}}";
    }
    return parsed(text + "]}");
}

std::string to_port(const char* protocol, int port, const char* verdict) {
    return std::string(R"({"match":{"op":"==","left":{"payload":{"protocol":")") + protocol +
           R"(","field":"dport"}},"right":)" + std::to_string(port) + "}},{\"" + verdict +
           "\":null}";
}

Input usual() {
    Input input;
    input.port = 8000;
    input.stun = {{"stun.example.org", 19302}, {"11.22.33.1", std::nullopt}};
    input.turn = HostPort{"turn.example.org", 3478};
    return input;
}

const Finding* find(const Judgement& judgement, std::string_view code, std::string_view part) {
    for (const Finding& finding : judgement.findings) {
        if (finding.code == code && finding.message.find(part) != std::string::npos)
            return &finding;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("what has to be sent") {
    const auto list = errands(usual(), {ip("10.9.0.1"), ip("fd09::1")});
    const auto count = [&](const char* purpose) {
        return std::count_if(list.begin(), list.end(),
                             [&](const Errand& errand) { return errand.purpose == purpose; });
    };
    CHECK(count("dns") == 2);
    CHECK(count("stun") == 2);
    CHECK(count("turn") == 2);
    CHECK(count("https") == 1);
    CHECK(count("peers") == 1);
    // A name is not resolved: it may be anywhere.
    CHECK_FALSE(list[2].to.has_value());
    CHECK(list[2].port == 19302);
    CHECK(list[3].to == ip("11.22.33.1"));
    CHECK(list[3].port == 3478);
}

TEST_CASE("a stub on this machine, and those that it asks in turn") {
    net::ResolverSetup setup;
    setup.configured = net::parse_resolv_conf("nameserver 127.0.0.53");
    CHECK(resolvers_of(setup) == std::vector<IpAddress>{ip("127.0.0.53")});
    setup.behind_stub = {{ip("10.9.0.1"), ""}, {ip("127.0.0.53"), ""}};
    CHECK(resolvers_of(setup) == std::vector<IpAddress>{ip("127.0.0.53"), ip("10.9.0.1")});
}

TEST_CASE("nothing stands in the way out") {
    const Judgement judgement = judge_outbound(connected(), errands(usual(), {ip("10.9.0.1")}));
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.findings.empty());
    // DNS by one family, as the resolver has it; the named servers by both.
    CHECK(judgement.data.at("verdicts").as_array().size() == 1 + 2 + 1 + 4 + 2 + 2);
}

TEST_CASE("a way out that is closed is named") {
    World world = connected();
    world.rulesets = {output_chain({to_port("udp", 19302, "drop")}, "accept")};
    const Judgement judgement = judge_outbound(world, errands(usual(), {}));
    CHECK(judgement.findings.size() == 1);
    const Finding* finding = find(judgement, "firewall.outbound-blocked",
                                  "STUN (UDP port 19302) by IPv4 and IPv6 on vb are blocked");
    REQUIRE(finding != nullptr);
    // The other server is reached.
    CHECK(finding->severity == Severity::warning);
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(json::find_string(finding->evidence, "purpose") == "stun");
    CHECK(json::find_string(finding->evidence, "stopped") == "packet");
    REQUIRE(json::find_object(finding->evidence, "deciding_rule") != nullptr);
    CHECK(json::find_integer(*json::find_object(finding->evidence, "deciding_rule"), "handle") ==
          10);
}

TEST_CASE("only the web is let out") {
    World world = connected();
    world.rulesets = {output_chain({to_port("tcp", 443, "accept")}, "drop")};
    const Judgement judgement = judge_outbound(world, errands(usual(), {ip("10.9.0.1")}));
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(find(judgement, "firewall.outbound-blocked", "HTTPS") == nullptr);
    // One rule, one finding, with all that it stops.
    REQUIRE(judgement.findings.size() == 1);
    const Finding& finding = judgement.findings[0];
    CHECK(finding.severity == Severity::error);
    for (const char* part : {"DNS (UDP port 53)", "STUN (UDP port 3478)", "TURN (TCP port 3478)",
                             "UDP from port 8000 to peers"})
        CHECK(find(judgement, "firewall.outbound-blocked", part) != nullptr);
    const json::array* packets = json::find_array(finding.evidence, "packets");
    REQUIRE(packets != nullptr);
    CHECK(packets->size() == 1 + 2 + 1 + 4 + 2);
    CHECK(packets->at(0) == json::value{{"family", "ipv4"},
                                        {"protocol", "udp"},
                                        {"port", 53},
                                        {"interface", "vb"},
                                        {"purpose", "dns"},
                                        {"to", "10.9.0.1:53"}});
}

TEST_CASE("an answer that is dropped blocks as well") {
    World world = connected();
    world.rulesets = {input_chain({}, "drop")};
    const Judgement judgement = judge_outbound(world, errands(usual(), {}));
    CHECK(judgement.status == P2PDIAG_FAIL);
    REQUIRE(find(judgement, "firewall.outbound-blocked", "STUN") != nullptr);
    const Finding* finding = find(judgement, "firewall.outbound-blocked", "STUN");
    CHECK(finding->message.find("of the answer") != std::string::npos);
    CHECK(json::find_string(finding->evidence, "stopped") == "answer");
}

TEST_CASE("a resolver on this machine is asked by loopback") {
    World world = connected();
    world.rulesets = {output_chain({R"({"match":{"op":"==","left":{"meta":{"key":"oif"}},)"
                                    R"("right":"lo"}},{"accept":null})"},
                                   "drop")};
    const Judgement judgement =
        judge_outbound(world, {{"dns", protocol_udp, 53, 0, ip("127.0.0.53")}});
    CHECK(judgement.status == P2PDIAG_PASS);
    const auto& verdicts = judgement.data.at("verdicts").as_array();
    REQUIRE(verdicts.size() == 1);
    CHECK(json::find_string(verdicts[0].as_object(), "interface") == "lo");
}

TEST_CASE("punching works where answers come in") {
    CHECK(judge_punching(connected(), 8000).status == P2PDIAG_PASS);
    CHECK(judge_punching(connected("14-established"), 8000).status == P2PDIAG_PASS);
    const Judgement blocked = judge_punching(connected("03-early-drop-late-accept"), 8000);
    CHECK(blocked.status == P2PDIAG_FAIL);
    CHECK(blocked.findings.size() == 1);
    CHECK(find(blocked, "firewall.punching-blocked", "by IPv4 and IPv6 on vb") != nullptr);
    // IPv6 alone is open.
    const Judgement half = judge_punching(connected("07-ipv4-only"), 8000);
    CHECK(half.status == P2PDIAG_WARN);
    REQUIRE(half.findings.size() == 1);
    CHECK(half.findings[0].severity == Severity::warning);
}

TEST_CASE("what cannot be known is never a pass") {
    CHECK(judge_punching(connected("16-limit"), 4000).status == P2PDIAG_UNKNOWN);
    World unseen = connected();
    unseen.unseen = {{"the nftables rules", "only root may read it", {}, Unseen::Cause::rights}};
    const Judgement out = judge_outbound(unseen, errands(usual(), {}));
    CHECK(out.status == P2PDIAG_UNKNOWN);
    CHECK(out.summary.find("sudo p2pdiag run firewall.outbound") != std::string::npos);
    CHECK(judge_punching(unseen, 8000).status == P2PDIAG_UNKNOWN);
    World down = connected();
    for (net::Interface& interface : down.interfaces) interface.up = false;
    CHECK(judge_punching(down, 8000).status == P2PDIAG_SKIP);
    CHECK(judge_outbound(down, errands(usual(), {})).status == P2PDIAG_SKIP);
}

TEST_CASE("both checks on this machine, whatever it has") {
    for (const p2pdiag_check* check : {&outbound_check, &punching_check}) {
        FakeHost host;
        const p2pdiag_status status = host.run(*check);
        CHECK((status >= P2PDIAG_PASS && status <= P2PDIAG_UNKNOWN));
        for (const std::string& line : host.emitted()) CHECK(json::parse(line).has_value());
    }
}

TEST_CASE("routes that refuse are told, and not as a firewall") {
    const World world = refusing();
    const Judgement judgement = judge_outbound(world, errands(usual(), {ip("10.9.0.1")}));
    const Finding* finding = find(judgement, "firewall.outbound-blocked", "machine's routing. ");
    REQUIRE(finding != nullptr);
    CHECK(finding->message.find("table 51820") != std::string::npos);
    CHECK(json::find_string(finding->evidence, "by") == "routes");
    CHECK(json::find_string(finding->evidence, "stopped") == "packet");
    // Servers and peers are reached by IPv6; what is on the link itself goes by the same rule.
    CHECK(finding->severity == Severity::error);

    const Judgement punching = judge_punching(world, 8000);
    CHECK(punching.status == P2PDIAG_WARN);
    CHECK(find(punching, "firewall.punching-blocked", "routing") != nullptr);
}

TEST_CASE("that a family leads nowhere is no rule against it") {
    World world = connected();
    for (Route& route : *world.routes) {
        if (route.prefix == 0 && !route.destination.is_v4()) route.type = Route::Type::unreachable;
    }
    const Judgement judgement = judge_outbound(world, errands(usual(), {}));
    CHECK(judgement.findings.empty());
    // Nor is it open by it.
    for (const json::value& verdict : judgement.data.at("verdicts").as_array())
        CHECK(verdict.at("family") == "ipv4");
}
