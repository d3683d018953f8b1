// What made-up answers of the internet mean.
#include "internet.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace p2pdiag;
using namespace p2pdiag::network_plugin;
using net::TcpOutcome;
using namespace std::chrono_literals;

namespace {

Landmark landmark(const char* server, std::optional<TcpOutcome> outcome) {
    Landmark made{*Endpoint::parse(server), std::nullopt};
    if (!outcome) return made;
    net::TcpResult result;
    result.server = made.server;
    result.outcome = *outcome;
    if (*outcome == TcpOutcome::connected) result.took = 12ms;
    made.result = result;
    return made;
}

// Two servers of each family that end alike.
InternetReport report(std::optional<TcpOutcome> v4, std::optional<TcpOutcome> v6) {
    InternetReport made;
    made.landmarks = {landmark("192.0.2.1:443", v4), landmark("192.0.2.2:53", v4),
                      landmark("[2001:db8::1]:443", v6), landmark("[2001:db8::2]:53", v6)};
    made.route_v4 = made.route_v6 = made.public_v6 = true;
    made.portal.portal = Portal::absent;
    made.portal.host = "check.example";
    return made;
}

using Codes = std::vector<std::string>;

Codes codes(const Judgement& judgement) {
    Codes all;
    for (const Finding& finding : judgement.findings) all.push_back(finding.code);
    return all;
}

}  // namespace

TEST_CASE("both families work, no portal") {
    const Judgement judgement = judge(report(TcpOutcome::connected, TcpOutcome::connected));
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.findings.empty());
    CHECK(judgement.summary == "IPv4 works (12 ms); IPv6 works (12 ms); no login page");
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/ipv4/works") == true);
    CHECK(data.at_pointer("/ipv4/servers/0/rtt_ms") == 12);
    CHECK(data.at_pointer("/portal/present") == false);
    CHECK(data.at_pointer("/clock").is_null());
}

TEST_CASE("IPv6 is broken only when it was tried to the end and nothing came back") {
    CHECK(codes(judge(report(TcpOutcome::connected, TcpOutcome::no_answer))) ==
          Codes{"net.ipv6-broken"});
    CHECK(judge(report(TcpOutcome::connected, TcpOutcome::no_answer)).status == P2PDIAG_WARN);
    // Not waited for: IPv4 was quicker.
    CHECK(codes(judge(report(TcpOutcome::connected, std::nullopt))).empty());
    CHECK(codes(judge(report(TcpOutcome::connected, TcpOutcome::refused))).empty());
    auto no_route = report(TcpOutcome::connected, TcpOutcome::no_route);
    no_route.route_v6 = false;
    CHECK(codes(judge(no_route)).empty());
    auto local_only = report(TcpOutcome::connected, TcpOutcome::no_answer);
    local_only.public_v6 = false;
    CHECK(codes(judge(local_only)).empty());
    auto single = report(TcpOutcome::connected, TcpOutcome::no_answer);
    single.landmarks.pop_back();
    CHECK(codes(judge(single)).empty());
}

TEST_CASE("silence everywhere is no internet, too little is unknown") {
    auto silent = report(TcpOutcome::no_answer, TcpOutcome::no_answer);
    silent.portal.portal = Portal::no_answer;
    Judgement judgement = judge(silent);
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(codes(judgement) == Codes{"net.no-internet"});
    CHECK(judgement.findings[0].evidence.at("reason") == "nothing-came-back");

    silent.interrupted = true;
    CHECK(judge(silent).status == P2PDIAG_UNKNOWN);
    silent.interrupted = false;
    silent.landmarks.resize(1);
    CHECK(judge(silent).status == P2PDIAG_UNKNOWN);
    silent.landmarks.clear();
    CHECK(judge(silent).status == P2PDIAG_UNKNOWN);
    // This machine's own doing says nothing of the network.
    auto forbidden = report(TcpOutcome::not_permitted, TcpOutcome::no_route);
    forbidden.portal.portal = Portal::no_answer;
    CHECK(judge(forbidden).status == P2PDIAG_UNKNOWN);
    CHECK(judge(forbidden).findings.empty());

    auto refused = report(TcpOutcome::refused, TcpOutcome::refused);
    refused.portal.portal = Portal::no_answer;
    CHECK(judge(refused).findings.at(0).evidence.at("reason") == "refused");

    auto no_route = report(TcpOutcome::no_route, TcpOutcome::no_route);
    no_route.route_v4 = no_route.route_v6 = false;
    no_route.portal.portal = Portal::no_name;
    CHECK(judge(no_route).findings.at(0).evidence.at("reason") == "no-route");
}

TEST_CASE("a page that came from the internet proves it, a login page disproves it") {
    const Judgement page = judge(report(TcpOutcome::no_answer, TcpOutcome::no_answer));
    CHECK(page.status == P2PDIAG_WARN);
    CHECK(page.findings.empty());

    for (const TcpOutcome tcp : {TcpOutcome::no_answer, TcpOutcome::connected}) {
        auto portal = report(tcp, TcpOutcome::no_answer);
        portal.portal.portal = Portal::present;
        portal.portal.status = 302;
        portal.portal.location = "http://login.example/";
        const Judgement judgement = judge(portal);
        CHECK(judgement.status == P2PDIAG_FAIL);
        CHECK(codes(judgement) == Codes{"net.captive-portal"});
        CHECK(judgement.findings[0].evidence.at("location") == "http://login.example/");
    }
}

TEST_CASE("who accepts every connection and says nothing on it is no internet that works") {
    auto made = report(TcpOutcome::connected, TcpOutcome::no_answer);
    made.portal.portal = Portal::no_answer;
    made.portal.server = Endpoint::parse("192.0.2.9:80").value();
    CHECK(codes(judge(made)) == Codes{"net.ipv6-broken"});
    CHECK(json::value(judge(made).data).at_pointer("/ipv4/works") == true);
    made.portal.mute = true;
    const Judgement judgement = judge(made);
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(codes(judgement).empty());  // which says that IPv4 works
    CHECK(judgement.summary.find("IPv4: connections are accepted, but nothing answers on them") ==
          0);
    CHECK(judgement.summary.find("works") == std::string::npos);
    CHECK(json::value(judgement.data).at_pointer("/ipv4/works").is_null());
    CHECK(json::value(judgement.data).at_pointer("/portal/mute") == true);
    // Of IPv6 it tells nothing.
    made = report(TcpOutcome::connected, TcpOutcome::connected);
    made.portal.portal = Portal::no_answer;
    made.portal.server = Endpoint::parse("192.0.2.9:80").value();
    made.portal.mute = true;
    CHECK(judge(made).summary.find("IPv6 works (12 ms)") != std::string::npos);
    CHECK(judge(made).status == P2PDIAG_WARN);
    // No connection came about but that one: it is that server's own affair.
    made = report(TcpOutcome::no_answer, TcpOutcome::connected);
    made.portal.portal = Portal::no_answer;
    made.portal.server = Endpoint::parse("192.0.2.9:80").value();
    made.portal.mute = true;
    CHECK(judge(made).status == P2PDIAG_PASS);
}

TEST_CASE("the clock is wrong beyond a minute, the uncertainty deducted") {
    const auto with_skew = [](std::chrono::milliseconds ahead, std::chrono::milliseconds by) {
        auto made = report(TcpOutcome::connected, TcpOutcome::connected);
        made.portal.skew = ClockSkew{ahead, by};
        return judge(made);
    };
    CHECK(codes(with_skew(-2h, 520ms)) == Codes{"net.clock-skew"});
    CHECK(with_skew(-2h, 520ms).findings[0].message ==
          "This machine's clock is 120 min behind that of check.example");
    CHECK(codes(with_skew(61s, 500ms)) == Codes{"net.clock-skew"});
    CHECK(codes(with_skew(61s, 1500ms)).empty());
    CHECK(codes(with_skew(-59s, 0ms)).empty());
}

TEST_CASE("what an answer over HTTP means") {
    PortalQuestion empty{"http://check.example/", ""};
    PortalQuestion text{"http://check.example/", "success"};
    const auto read = [](const PortalQuestion& question, unsigned status, const char* body) {
        net::HttpResponse response;
        response.status = status;
        response.body = body;
        return read_answer(response, question);
    };
    CHECK(read(empty, 204, "") == Portal::absent);
    CHECK(read(empty, 200, "<html>") == Portal::present);
    CHECK(read(empty, 302, "") == Portal::present);
    CHECK(read(empty, 511, "") == Portal::present);
    CHECK(read(empty, 304, "") == Portal::unexpected);
    CHECK(read(empty, 503, "") == Portal::unexpected);
    CHECK(read(text, 200, " success\n") == Portal::absent);
    CHECK(read(text, 200, "log in") == Portal::present);
    CHECK(read(text, 204, "") == Portal::unexpected);
}

TEST_CASE("the clock of an answer") {
    using std::chrono::system_clock;
    net::HttpResponse response;
    // 784111777 s
    response.date = "Sun, 06 Nov 1994 08:49:37 GMT";
    const system_clock::time_point exact{784111777s + 500ms};
    const auto skew = read_clock(response, exact - 100ms, exact + 100ms);
    REQUIRE(skew.has_value());
    CHECK(skew->ahead == 0ms);
    CHECK(skew->uncertainty == 600ms);
    CHECK(read_clock(response, exact + 70s, exact + 70s)->ahead == 70s);
    response.age = "70";
    CHECK(read_clock(response, exact + 70s, exact + 70s)->ahead == 0s);
    response.age = "garbage";
    CHECK(read_clock(response, exact, exact)->ahead == 0s);
    response.date = "yesterday";
    CHECK_FALSE(read_clock(response, exact, exact).has_value());
}

TEST_CASE("a router that is not there is named beside what follows from it") {
    InternetReport made = report(TcpOutcome::no_answer, TcpOutcome::no_answer);
    made.portal.portal = Portal::no_answer;
    CHECK(codes(judge(made)) == Codes{"net.no-internet"});
    made.silent_gateway = IpAddress::parse("192.0.2.254").value();
    made.silent_on = "eth0";
    const Judgement judgement = judge(made);
    REQUIRE(codes(judgement) == Codes{"net.no-internet", "net.gateway-silent"});
    CHECK(judgement.findings[1].evidence.at("gateway") == "192.0.2.254");
    CHECK(judgement.findings[1].evidence.at("others_connect") == false);
    CHECK(judgement.findings[1].message.find("on eth0") != std::string::npos);
    made = report(TcpOutcome::unreachable, TcpOutcome::unreachable);
    made.portal.portal = Portal::no_answer;
    made.no_neighbour = IpAddress::parse("198.51.100.1").value();
    made.silent_on = "eth0";
    const Judgement on_link = judge(made);
    REQUIRE(codes(on_link) == Codes{"net.no-internet"});
    CHECK(on_link.findings[0].evidence.at("no_neighbour") == "198.51.100.1");
    CHECK(on_link.findings[0].message.find("looks for 198.51.100.1 on eth0") != std::string::npos);
    // One that was set by hand is never asked for.
    made = report(TcpOutcome::no_answer, TcpOutcome::no_answer);
    made.portal.portal = Portal::no_answer;
    made.gateway_by_hand = IpAddress::parse("192.0.2.254").value();
    made.by_hand_on = "eth0";
    const Judgement by_hand = judge(made);
    REQUIRE(codes(by_hand) == Codes{"net.no-internet", "net.gateway-by-hand"});
    CHECK(by_hand.findings[1].evidence.at("gateway") == "192.0.2.254");
    // Of two routers one may be dead. What answers is not asked about.
    made = report(TcpOutcome::connected, TcpOutcome::connected);
    made.silent_gateway = IpAddress::parse("192.0.2.254").value();
    made.gateway_by_hand = made.silent_gateway;
    const Judgement working = judge(made);
    REQUIRE(codes(working) == Codes{"net.gateway-silent"});
    CHECK(working.status == P2PDIAG_WARN);
    CHECK(working.findings[0].evidence.at("others_connect") == true);
}
