// What made-up answers of servers mean.
#include <catch2/catch.hpp>

#include <algorithm>

#include "icmp_heard.hpp"
#include "servers.hpp"

using namespace p2pdiag;
using namespace p2pdiag::stun_plugin;
using net::Outcome;

namespace {

TransportReport transport(Outcome outcome) {
    TransportReport report;
    report.asked = true;
    net::BindingResult result;
    result.outcome = outcome;
    result.server = *Endpoint::parse("192.0.2.1:3478");
    if (outcome == Outcome::ok) {
        result.response.emplace();
        result.response->xor_mapped_address = Endpoint::parse("198.51.100.1:5");
        result.rtt = net::Microseconds(12'700);
    }
    if (outcome == Outcome::error_response) {
        result.response.emplace();
        result.response->error = stun::ErrorCodeAttribute{401, "no"};
    }
    report.result = result;
    return report;
}

FamilyReport family(const char* address, Outcome udp, Outcome tcp) {
    FamilyReport report;
    report.addresses = {*IpAddress::parse(address)};
    report.udp = transport(udp);
    report.tcp = transport(tcp);
    return report;
}

FamilyReport lookup(net::ResolveError error) {
    FamilyReport report;
    report.lookup_error = error;
    return report;
}

FamilyReport no_route(const char* address) {
    FamilyReport report;
    report.addresses = {*IpAddress::parse(address)};
    report.no_route = true;
    return report;
}

// An IPv4 server by name; IPv6 is not there.
ServerReport server(const std::string& name, Outcome udp, Outcome tcp,
                    const char* address = "192.0.2.1") {
    ServerReport report;
    report.name = parse_server(name);
    report.ipv4 = family(address, udp, tcp);
    report.ipv6 = lookup(net::ResolveError::no_address);
    return report;
}

ServersReport report_of(std::vector<ServerReport> servers) {
    ServersReport report;
    report.servers = std::move(servers);
    report.internet_v4 = true;
    return report;
}

std::vector<std::string> codes(const Judgement& verdict) {
    std::vector<std::string> all;
    for (const Finding& finding : verdict.findings) {
        all.push_back(finding.code + " " + std::string(to_string(finding.severity)));
    }
    return all;
}

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("all servers answer") {
    const auto verdict = judge(report_of(
        {server("a:1", Outcome::ok, Outcome::ok), server("b:1", Outcome::ok, Outcome::refused)}));
    CHECK(verdict.status == P2PDIAG_PASS);
    CHECK(verdict.findings.empty());
    CHECK(verdict.summary == "2 of 2 STUN servers answer over UDP, 1 over TCP or TLS");
}

TEST_CASE("one server is silent while another answers: a warning that names it") {
    const auto verdict = judge(report_of({server("a:1", Outcome::ok, Outcome::ok),
                                          server("b:1", Outcome::no_answer, Outcome::no_answer)}));
    CHECK(verdict.status == P2PDIAG_PASS);
    CHECK(codes(verdict) == Codes{"nat.stun-unreachable warning"});
    CHECK(verdict.findings[0].message.find("b:1") != std::string::npos);
    CHECK(verdict.findings[0].evidence.at("reason") == "no-answer");
}

TEST_CASE("no UDP, but TCP: the internet is there") {
    const auto verdict = judge(report_of({server("a:1", Outcome::no_answer, Outcome::ok),
                                          server("b:1", Outcome::no_answer, Outcome::no_answer)}));
    CHECK(verdict.status == P2PDIAG_FAIL);
    CHECK(codes(verdict) == Codes{"nat.stun-unreachable error"});
}

TEST_CASE("garbage, answers from elsewhere and silence are told apart in words") {
    ServerReport elsewhere = server("b:1", Outcome::wrong_source, Outcome::no_answer);
    elsewhere.ipv4.udp.result->answered_from = Endpoint::parse("192.0.2.77:9");
    const auto garbage = server("a:1", Outcome::malformed, Outcome::no_answer);
    const auto silent = server("c:1", Outcome::no_answer, Outcome::no_answer);
    const auto verdict = judge(report_of({garbage, elsewhere, silent}));
    CHECK(verdict.status == P2PDIAG_FAIL);
    CHECK(codes(verdict) == Codes{"nat.stun-unreachable error"});
    const std::string all =
        " can be used over UDP (a:1: an answer that is no valid STUN; b:1: an answer from "
        "192.0.2.77:9 and not from 192.0.2.1:3478, which was asked; c:1: no answer)";
    CHECK(verdict.findings[0].message == "None of the STUN servers" + all);
    CHECK(verdict.summary.starts_with("No STUN server" + all));

    const auto one =
        judge(report_of({garbage, elsewhere, server("d:1", Outcome::ok, Outcome::ok)}));
    CHECK(codes(one) == Codes{"nat.stun-unreachable warning", "nat.stun-unreachable warning"});
    CHECK(one.findings[0].message.ends_with(": an answer that is no valid STUN"));
    CHECK(one.findings[1].message.find("192.0.2.77:9") != std::string::npos);
    CHECK(one.findings[1].evidence.at("answered_from") == "192.0.2.77:9");

    // What came back over one family tells more than the silence of the other.
    ServerReport both = silent;
    both.ipv6 = family("2001:db8::1", Outcome::malformed, Outcome::no_answer);
    CHECK(judge(report_of({both})).summary.find("no valid STUN") != std::string::npos);
}

TEST_CASE("of many servers in trouble only some are described") {
    std::vector<ServerReport> many;
    for (int i = 1; i <= 7; ++i) {
        many.push_back(server("a:" + std::to_string(i), Outcome::no_answer, Outcome::ok));
    }
    const std::string summary = judge(report_of(many)).summary;
    CHECK(summary.find("a:4: no answer; 3 more)") != std::string::npos);
}

TEST_CASE("whatever comes back shows that there is an internet") {
    for (const Outcome back : {Outcome::refused, Outcome::malformed, Outcome::wrong_source,
                               Outcome::wrong_transaction, Outcome::closed}) {
        const auto verdict = judge(report_of({server("a:1", Outcome::no_answer, back)}));
        CHECK(verdict.status == P2PDIAG_FAIL);
        CHECK(codes(verdict) == Codes{"nat.stun-unreachable error"});
    }
    // A connection that was accepted, and then silent.
    ServerReport accepted = server("a:1", Outcome::no_answer, Outcome::no_answer);
    accepted.ipv4.tcp.result->local = Endpoint::parse("192.0.2.9:1");
    CHECK(codes(judge(report_of({accepted}))) == Codes{"nat.stun-unreachable error"});
}

TEST_CASE("nothing comes back at all") {
    for (const Outcome nothing : {Outcome::no_answer, Outcome::unreachable}) {
        const auto verdict = judge(report_of(
            {server("a:1", nothing, nothing), server("b:1", nothing, nothing, "192.0.2.2")}));
        CHECK(verdict.status == P2PDIAG_FAIL);
        // Whether there is an internet is not for servers of STUN to say.
        CHECK(codes(verdict) == Codes{"nat.stun-unreachable error"});
        CHECK(verdict.findings[0].evidence.at("nothing_came_back") == true);
        CHECK(verdict.findings[0].evidence.at("silent_over_udp") == true);
        CHECK(verdict.summary.starts_with("Nothing came back from any STUN server"));
    }
    // Over one transport alone.
    const auto tcp =
        judge(report_of({server("a:1", Outcome::no_answer, Outcome::ok),
                         server("b:1", Outcome::no_answer, Outcome::ok, "192.0.2.2")}));
    CHECK(tcp.findings[0].evidence.at("nothing_came_back") == false);
    CHECK(tcp.findings[0].evidence.at("silent_over_udp") == true);
    CHECK(tcp.findings[0].evidence.at("servers_over_tcp_or_tls") == 2);
    const auto refused =
        judge(report_of({server("a:1", Outcome::no_answer, Outcome::ok),
                         server("b:1", Outcome::refused, Outcome::ok, "192.0.2.2")}));
    CHECK(refused.findings[0].evidence.at("silent_over_udp") == false);
}

TEST_CASE("nothing comes back, but that may be the fault of what was asked") {
    constexpr Outcome nothing = Outcome::no_answer;
    const auto check_unknown = [](std::vector<ServerReport> servers) {
        const auto verdict = judge(report_of(std::move(servers)));
        CHECK(verdict.status == P2PDIAG_UNKNOWN);
        CHECK(codes(verdict) == Codes{"nat.stun-unreachable error"});
        CHECK(verdict.findings[0].evidence.at("nothing_came_back") == false);
        CHECK(verdict.findings[0].evidence.at("silent_over_udp") == false);
    };
    check_unknown({server("a:1", nothing, nothing)});
    // One machine by two names, and one with addresses of both families.
    check_unknown({server("a:1", nothing, nothing), server("b:1", nothing, nothing)});
    ServerReport both = server("a:1", nothing, nothing);
    both.ipv6 = family("2001:db8::1", nothing, nothing);
    check_unknown({both});
    // Servers within the own network tell nothing about the internet.
    check_unknown({server("10.0.0.1:1", nothing, nothing, "10.0.0.1"),
                   server("10.0.0.2:1", nothing, nothing, "10.0.0.2")});
}

TEST_CASE("a firewall on this machine is no missing internet") {
    const auto refused = server("a:1", Outcome::not_permitted, Outcome::not_permitted);
    const auto silent = server("b:1", Outcome::no_answer, Outcome::no_answer, "192.0.2.2");
    const auto other = server("c:1", Outcome::not_permitted, Outcome::no_answer, "192.0.2.3");
    for (const auto& servers : {std::vector{refused, silent}, std::vector{refused, silent, other},
                                std::vector{silent, other}}) {
        const auto verdict = judge(report_of(servers));
        CHECK(verdict.status == P2PDIAG_UNKNOWN);
        CHECK(codes(verdict) == Codes{"net.send-forbidden warning", "nat.stun-unreachable error"});
    }
    CHECK(codes(judge(report_of({refused, other}))) ==
          Codes{"net.send-forbidden error", "nat.stun-unreachable error"});
}

TEST_CASE("a kernel that does not tell its routes has not said that there are none") {
    ServerReport named;
    named.name = parse_server("stun.example.org:3478");
    named.ipv4 = named.ipv6 = lookup(net::ResolveError::temporary_failure);
    ServersReport report = report_of({named});
    report.internet_v4 = report.internet_v6 = std::nullopt;
    CHECK(codes(judge(report)) == Codes{"net.dns-failed error"});
    const json::value data = to_json(report);
    CHECK(data.at_pointer("/internet_route/ipv4").is_null());
    CHECK(data.at_pointer("/internet_route/ipv6").is_null());
    report.internet_v4 = false;
    CHECK(codes(judge(report)) == Codes{"net.dns-failed error"});
    report.internet_v6 = false;
    CHECK(codes(judge(report)) == Codes{"net.no-internet error"});
}

TEST_CASE("no route: that is said, and not the DNS failure that follows from it") {
    ServerReport named;
    named.name = parse_server("stun.example.org:3478");
    named.ipv4 = lookup(net::ResolveError::temporary_failure);
    named.ipv6 = lookup(net::ResolveError::temporary_failure);
    ServerReport literal;
    literal.name = parse_server("192.0.2.1:3478");
    literal.ipv4 = no_route("192.0.2.1");
    literal.ipv6 = lookup(net::ResolveError::no_address);
    ServersReport report = report_of({named, literal});
    report.internet_v4 = false;
    const auto verdict = judge(report);
    CHECK(verdict.status == P2PDIAG_FAIL);
    CHECK(codes(verdict) == Codes{"net.no-internet error"});
}

TEST_CASE("names that cannot be looked up") {
    ServerReport named;
    named.name = parse_server("stun.example.org:3478");
    named.ipv4 = lookup(net::ResolveError::timed_out);
    named.ipv6 = lookup(net::ResolveError::timed_out);
    const auto alone = judge(report_of({named}));
    CHECK(alone.status == P2PDIAG_FAIL);
    CHECK(codes(alone) == Codes{"net.dns-failed error"});

    const auto beside = judge(report_of({named, server("a:1", Outcome::ok, Outcome::ok)}));
    CHECK(beside.status == P2PDIAG_PASS);
    CHECK(codes(beside) == Codes{"net.dns-failed warning"});

    named.ipv4 = named.ipv6 = lookup(net::ResolveError::not_found);
    CHECK(judge(report_of({named})).findings[0].message.find("does not exist") !=
          std::string::npos);

    // Only one family has no address: nothing is wrong with that.
    CHECK(judge(report_of({server("a:1", Outcome::ok, Outcome::ok)})).findings.empty());
}

TEST_CASE("what could not be told is unknown, never fail") {
    ServersReport interrupted = report_of({server("a:1", Outcome::ok, Outcome::ok)});
    interrupted.servers[0].ipv4.udp.result.reset();
    interrupted.servers[0].ipv4.tcp.result.reset();
    interrupted.interrupted = true;
    auto verdict = judge(interrupted);
    CHECK(verdict.status == P2PDIAG_UNKNOWN);
    CHECK(verdict.findings.empty());

    verdict = judge(report_of({server("a:1", Outcome::local_error, Outcome::ok)}));
    CHECK(verdict.status == P2PDIAG_UNKNOWN);
    CHECK(verdict.findings.empty());

    ServerReport tls_only;
    tls_only.name = parse_server("stuns:a");
    tls_only.ipv4.addresses = {*IpAddress::parse("192.0.2.1")};
    tls_only.ipv4.tls = transport(Outcome::ok);
    verdict = judge(report_of({tls_only}));
    CHECK(verdict.status == P2PDIAG_UNKNOWN);
    CHECK(verdict.findings.empty());

    ServerReport invalid;
    invalid.name = parse_server("a b");
    CHECK(judge(report_of({invalid})).status == P2PDIAG_UNKNOWN);
}

TEST_CASE("a server that answers with errors lets UDP through, and is of no use") {
    const auto verdict =
        judge(report_of({server("a:1", Outcome::error_response, Outcome::no_answer)}));
    CHECK(verdict.status == P2PDIAG_WARN);
    CHECK(verdict.findings.empty());
}

TEST_CASE("IPv6 is called broken only when several servers say nothing over it") {
    const auto with_v6 = [](const std::string& name, Outcome v6) {
        ServerReport report = server(name, Outcome::ok, Outcome::ok);
        report.ipv6 = family("2001:db8::1", v6, Outcome::no_answer);
        return report;
    };
    CHECK(judge(report_of({with_v6("a:1", Outcome::no_answer)})).findings.empty());
    CHECK(codes(judge(report_of(
              {with_v6("a:1", Outcome::no_answer), with_v6("b:1", Outcome::no_answer)}))) ==
          Codes{"net.ipv6-broken warning"});
    CHECK(judge(report_of({with_v6("a:1", Outcome::no_answer), with_v6("b:1", Outcome::refused)}))
              .findings.empty());
}

TEST_CASE("the data: what was not measured is null, and says why") {
    ServerReport silent = server("b:3478", Outcome::no_answer, Outcome::ok);
    silent.ipv4.tls.asked = true;  // and not waited for
    ServerReport unrouted = server("192.0.2.1:1", Outcome::ok, Outcome::ok);
    unrouted.ipv4 = no_route("192.0.2.1");
    const json::object data =
        to_json(report_of({server("a:1", Outcome::ok, Outcome::error_response), silent, unrouted}));
    const auto at = [&](const char* pointer) { return json::value(data).at_pointer(pointer); };
    CHECK(at("/servers/0/ipv4/udp/reachable") == true);
    CHECK(at("/servers/0/ipv4/udp/rtt_ms") == 12);
    CHECK(at("/servers/0/ipv4/udp/mapped") == "198.51.100.1:5");
    CHECK(at("/servers/0/ipv4/udp/reason").is_null());
    CHECK(at("/servers/0/ipv4/tcp/reachable") == true);
    CHECK(at("/servers/0/ipv4/tcp/reason") == "error-401");
    CHECK(at("/servers/0/ipv4/tls").is_null());
    CHECK(at("/servers/0/ipv6/reason") == "dns-no-address");
    CHECK(at("/servers/1/ipv4/udp/reachable") == false);
    CHECK(at("/servers/1/ipv4/udp/rtt_ms").is_null());
    CHECK(at("/servers/1/ipv4/tls/reachable").is_null());
    CHECK(at("/servers/1/ipv4/tls/reason") == "not-awaited");
    CHECK(at("/servers/2/ipv4/reason") == "no-route");
    CHECK(at("/servers/2/ipv4/udp").is_null());
    CHECK(at("/servers/2/ipv6/reason") == "other-family");
    CHECK(at("/internet_route/ipv4") == true);
}

TEST_CASE("who refuses is told: the server, this machine, or somebody on the way") {
    const auto words = [](Outcome outcome, const char* by, icmp::Meaning meaning) {
        net::BindingResult result;
        result.outcome = outcome;
        result.server = *Endpoint::parse("192.0.2.1:3478");
        result.said = icmp::Said{*IpAddress::parse(by), meaning};
        return words_of_udp(result);
    };
    using icmp::Meaning;
    CHECK(words(Outcome::refused, "192.0.2.1", Meaning::port_unreachable) ==
          "a refusal by the server itself, as nothing listens on that port");
    CHECK(words(Outcome::refused, "192.0.2.1", Meaning::prohibited) ==
          "a refusal by the server itself, whose firewall does not let it in");
    CHECK(words(Outcome::unreachable, "10.0.0.1", Meaning::prohibited) ==
          "a refusal by 10.0.0.1 and not by the server (ICMP prohibited)");
    CHECK(words(Outcome::unreachable, "10.0.0.1", Meaning::host_unreachable) ==
          "unreachable, says 10.0.0.1 (ICMP host-unreachable)");
    CHECK(words(Outcome::not_permitted, "10.0.0.9", Meaning::port_unreachable) ==
          "nothing sent, as this machine's own firewall forbids it");

    ServerReport refused = server("a:1", Outcome::unreachable, Outcome::ok);
    refused.ipv4.udp.result->said = icmp::Said{*IpAddress::parse("10.0.0.1"), Meaning::prohibited};
    const auto verdict =
        judge(report_of({refused, server("b:1", Outcome::no_answer, Outcome::ok, "192.0.2.2")}));
    CHECK(verdict.summary.find("b:1: no answer; routers say so about once a second only") !=
          std::string::npos);
    const json::value data(verdict.data);
    CHECK(data.at_pointer("/servers/0/ipv4/udp/icmp/by") == "10.0.0.1");
    CHECK(data.at_pointer("/servers/0/ipv4/udp/icmp/meaning") == "prohibited");
    CHECK(data.at_pointer("/servers/1/ipv4/udp/icmp").is_null());
}

TEST_CASE("what was heard by ICMP explains silence, and nothing else") {
    const Endpoint to = *Endpoint::parse("192.0.2.1:3478");
    const icmp::Said router{*IpAddress::parse("10.0.0.1"), icmp::Meaning::prohibited};
    const Heard heard{{{std::uint8_t{17}, to}, router}, {{std::uint8_t{6}, to}, router}};
    const auto explained = [&](Outcome udp, Outcome tcp, bool connected = false) {
        ServersReport report = report_of({server("a:1", udp, tcp)});
        if (connected) report.servers[0].ipv4.tcp.result->local = Endpoint::parse("192.0.2.9:1");
        explain_silence(report, heard);
        return report.servers[0].ipv4;
    };
    const FamilyReport both = explained(Outcome::no_answer, Outcome::no_answer);
    CHECK(both.udp.result->outcome == Outcome::unreachable);
    CHECK(both.udp.result->said->by == router.by);
    CHECK(both.tcp.result->outcome == Outcome::unreachable);
    const FamilyReport answered = explained(Outcome::ok, Outcome::refused);
    CHECK(answered.udp.result->outcome == Outcome::ok);
    CHECK(answered.tcp.result->outcome == Outcome::refused);
    const FamilyReport silent = explained(Outcome::no_answer, Outcome::no_answer, true);
    CHECK(silent.tcp.result->outcome == Outcome::no_answer);
}

TEST_CASE("routes of this machine that refuse UDP to the servers are named") {
    const auto refused = [](const std::string& name, const char* address) {
        ServerReport report = server(name, Outcome::no_route, Outcome::ok, address);
        report.ipv4.refused_by_routes = true;
        return report;
    };
    const auto both = judge(report_of({refused("a:1", "9.9.9.9"), refused("b:1", "9.9.9.8")}));
    CHECK(both.status == P2PDIAG_FAIL);
    CHECK(codes(both) == Codes{"firewall.outbound-blocked error"});
    CHECK(both.findings[0].evidence.at("by") == "routes");
    CHECK(
        both.summary.starts_with("This machine's own routing refuses to send by UDP to a:1, b:1"));
    const auto one = judge(
        report_of({refused("a:1", "9.9.9.9"), server("b:1", Outcome::ok, Outcome::ok, "9.9.9.8")}));
    CHECK(one.status == P2PDIAG_PASS);
    CHECK(codes(one) == Codes{"firewall.outbound-blocked warning"});

    // Where nothing leads to the internet at all, other checks say so.
    ServersReport none = report_of({refused("a:1", "9.9.9.9")});
    none.servers[0].ipv4.udp = none.servers[0].ipv4.tcp = {};
    none.servers[0].ipv4.no_route = true;
    none.internet_v4 = false;
    none.internet_v6 = false;
    CHECK(codes(judge(none)) == Codes{"net.no-internet error"});
}
