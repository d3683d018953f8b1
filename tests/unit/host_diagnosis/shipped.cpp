// The rules that p2pdiag comes with: right in themselves, complete, and what they make of networks.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "diagnosis/facts.hpp"
#include "diagnosis/rules_folder.hpp"
#include "fixture.hpp"

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;
using report::Severity;
using report::Status;

namespace {

namespace fs = std::filesystem;
constexpr auto I = Severity::info;
constexpr auto W = Severity::warning;
constexpr auto E = Severity::error;

// The headings of docs/codes.
std::vector<std::string> pages() {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(fs::path(DOCS_DIR) / "codes")) {
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("## ")) out.push_back(line.substr(3));
        }
    }
    return out;
}

std::vector<std::string> check_pages() {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(fs::path(DOCS_DIR) / "checks")) {
        out.push_back(entry.path().stem().string());
    }
    return out;
}

struct Shipped {
    Rules rules;
    Problems problems;
    Known known;

    Shipped() {
        read_folders({RULES_DIR}, rules, problems);
        known.codes = pages();
        std::erase_if(known.codes,
                      [](const std::string& code) { return code.starts_with("cause."); });
        known.checks = check_pages();
        known.verbs = {{"forward add", {"port", "external", "protocol", "lease", "via"}},
                       {"forward remove", {"port", "protocol"}},
                       {"port move", {"to"}},
                       {"firewall allow", {"port", "protocol", "source", "persistent"}}};
        for (auto& problem : check_rules(rules, known)) problems.push_back(problem);
    }
};

const Shipped& shipped() {
    static const Shipped one;
    return one;
}

using Checks = std::vector<report::CheckResult>;

report::Report diagnosed(Checks checks) {
    report::Report report = report_of(std::move(checks));
    diagnose(report, shipped().rules);
    return report;
}

std::vector<std::string> likely_codes(const report::Report& report) {
    std::vector<std::string> out;
    for (const report::Cause& cause : report.causes) {
        if (cause.confidence > likely) out.push_back(cause.code);
    }
    return out;
}

report::CheckResult stun_nat(const std::string& code, Severity severity = I,
                             Status status = Status::pass, json::object data = {}) {
    return check("stun.nat", status, {finding(code, severity, {{"family", "ipv4"}})}, data);
}

report::CheckResult router(std::vector<report::Finding> findings = {finding("portmap.upnp", I)},
                           Status status = Status::pass) {
    return check("upnp.gateways", status, std::move(findings),
                 json::object{{"outside", "same-as-stun"}});
}

report::CheckResult inbound(const std::string& code, Severity severity, Status status) {
    return check("firewall.inbound", status,
                 {finding(code, severity, {{"protocol", "udp"}, {"family", "ipv4"}})});
}

report::CheckResult open_firewall() { return inbound("firewall.inbound-open", I, Status::pass); }

// As run with the right to look at the interface.
report::CheckResult filtered_by(const std::string& whom) {
    return stun_nat("nat.symmetric-firewall", W, Status::warn,
                    json::object{{"ipv4", json::object{{"filtered_by", whom}}}});
}

report::CheckResult forwarded_by_hand() {
    return check("upnp.target", Status::pass,
                 {finding("portmap.forwarded", I,
                          {{"protocol", "udp"},
                           {"family", "ipv4"},
                           {"port", 8000},
                           {"external", "203.0.113.7:8000"},
                           {"verified", "packet"}})});
}

report::CheckResult program_listens() {
    return check("network.ports", Status::pass,
                 {finding("net.port-in-use", I, {{"protocol", "udp"}, {"use", "reachable"}})});
}

json::object web_works() { return {{"ipv4", json::object{{"works", true}}}}; }

// Over every transport.
report::CheckResult silent_servers() {
    return check("stun.servers", Status::fail,
                 {finding("nat.stun-unreachable", E,
                          {{"silent_over_udp", true},
                           {"nothing_came_back", true},
                           {"servers_over_tcp_or_tls", 0}})});
}

report::CheckResult ipv6_stopped_here() {
    return check("firewall.outbound", Status::warn,
                 {finding("firewall.outbound-blocked", W,
                          {{"family", "ipv6"},
                           {"purpose", "stun"},
                           {"packets", json::array{json::object{{"purpose", "stun"}},
                                                   json::object{{"purpose", "https"}}}}})});
}

struct Network {
    std::string name;
    Checks checks;
    std::vector<std::string> likely;  // in this order
    std::string verdict;
};

std::vector<Network> networks() {
    const json::object v4{{"family", "ipv4"}};
    const json::object udp4{{"protocol", "udp"}, {"family", "ipv4"}};
    return {
        {"no link",
         {check("network.interfaces", Status::fail, {finding("net.no-link", E)}),
          check("network.internet", Status::fail, {finding("net.no-internet", E)}),
          check("stun.servers", Status::fail, {finding("net.no-internet", E)})},
         {"cause.no-link"},
         "offline"},
        {"no route",
         {check("network.interfaces", Status::fail, {finding("net.no-default-route", E)}),
          check("network.internet", Status::fail, {finding("net.no-internet", E)}),
          check("stun.nat", Status::unknown)},
         {"cause.no-default-route"},
         "offline"},
        {"kill switch of a VPN",
         {check("network.interfaces", Status::fail, {finding("net.route-refused", E)}),
          check("network.internet", Status::fail, {finding("net.no-internet", E)}),
          check("firewall.outbound", Status::fail,
                {finding("firewall.outbound-blocked", E,
                         {{"purpose", "peers"}, {"stopped", "packet"}, {"by", "routes"}})})},
         {"cause.route-refused"},
         "offline"},
        {"router gone",
         {check("network.interfaces", Status::warn, {finding("net.gateway-silent", W)}),
          check("network.internet", Status::fail, {finding("net.no-internet", E)}),
          check("stun.nat", Status::unknown, {finding("nat.stun-unreachable", E, v4)})},
         {"cause.router-silent"},
         "offline"},
        {"login page",
         {check("network.internet", Status::fail, {finding("net.captive-portal", E)}),
          check("network.dns", Status::warn, {finding("net.dns-rewritten", W)}),
          stun_nat("nat.udp-blocked", E, Status::fail)},
         {"cause.captive-portal"},
         "offline"},
        {"names dead",
         {check("network.dns", Status::fail, {finding("net.dns-failed", E)}),
          check("stun.servers", Status::fail, {finding("net.dns-failed", E)}),
          check("stun.nat", Status::unknown)},
         {"cause.dns"},
         "unknown"},
        {"names dead, and so are the STUN servers, which have addresses",
         {check("network.dns", Status::fail, {finding("net.dns-failed", E)}),
          check("stun.servers", Status::fail, {finding("nat.stun-unreachable", E)})},
         {"cause.dns", "cause.stun-server"},
         "unknown"},
        {"UDP blocked, and with it the name server out there",
         {check("network.dns", Status::fail,
                {finding("net.dns-failed", E, {{"lost_outside", true}})}),
          stun_nat("nat.udp-blocked", E, Status::fail),
          check("stun.servers", Status::fail, {finding("nat.stun-unreachable", E)})},
         {"cause.udp-blocked"},
         "relay-only"},
        {"UDP blocked, and the name server in the network here dead",
         {check("network.dns", Status::fail,
                {finding("net.dns-failed", E, {{"lost_outside", false}})}),
          stun_nat("nat.udp-blocked", E, Status::fail)},
         {"cause.dns", "cause.udp-blocked"},
         "relay-only"},
        {"no STUN server's address is known, and the name server answers over TCP alone",
         {check("network.dns", Status::fail,
                {finding("net.dns-failed", E,
                         {{"lost_outside", true}, {"over_tcp_alone", "11.22.33.53"}})}),
          check("stun.servers", Status::fail, {finding("net.dns-failed", E)}),
          check("stun.nat", Status::unknown)},
         {"cause.udp-blocked"},
         "unknown"},
        {"the same, where STUN servers were asked by their address: it is the name server's UDP",
         {check("network.dns", Status::fail,
                {finding("net.dns-failed", E,
                         {{"lost_outside", true}, {"over_tcp_alone", "11.22.33.53"}})}),
          stun_nat("nat.full-cone")},
         {"cause.dns"},
         "relay-only"},
        {"names lie",
         {check("network.dns", Status::warn, {finding("net.dns-rewritten", W)}),
          stun_nat("nat.full-cone")},
         {"cause.dns-lies"},
         "direct"},
        {"UDP blocked",
         {stun_nat("nat.udp-blocked", E, Status::fail),
          check("stun.servers", Status::fail, {finding("nat.stun-unreachable", E)})},
         {"cause.udp-blocked"},
         "relay-only"},
        {"the web alone",
         {check("network.internet", Status::pass, {}, web_works()), silent_servers(),
          check("stun.nat", Status::unknown, {finding("nat.stun-unreachable", E, v4)})},
         {"cause.udp-blocked"},
         "unknown"},
        {"UDP blocked, and STUN over TLS gets out, of which stun.nat knows nothing",
         {check("stun.servers", Status::fail,
                {finding("nat.stun-unreachable", E,
                         {{"silent_over_udp", true},
                          {"nothing_came_back", false},
                          {"servers_over_tcp_or_tls", 2}})}),
          check("stun.nat", Status::unknown, {finding("nat.stun-unreachable", E, v4)})},
         {"cause.udp-blocked"},
         "unknown"},
        {"silence of every STUN server, and nobody looked at the web",
         {silent_servers(),
          check("stun.nat", Status::unknown, {finding("nat.stun-unreachable", E, v4)})},
         {},
         "unknown"},
        {"UDP blocked by this machine",
         {stun_nat("nat.udp-blocked", E, Status::fail),
          check("firewall.outbound", Status::fail,
                {finding("firewall.outbound-blocked", E,
                         {{"family", "ipv4"},
                          {"purpose", "stun"},
                          {"packets", json::array{json::object{{"purpose", "stun"}},
                                                  json::object{{"purpose", "peers"}}}}})})},
         {"cause.host-firewall-outgoing"},
         "relay-only"},
        {"UDP to chosen ports alone, it seems",
         {check("stun.nat", Status::warn,
                {finding("nat.full-cone", I, v4), finding("nat.udp-ports-limited", W, v4)})},
         {},
         "unknown"},
        {"the same, where nothing helps anyhow",
         {check("stun.nat", Status::warn,
                {finding("nat.symmetric", W, v4), finding("nat.udp-ports-limited", W, v4)})},
         {"cause.symmetric-nat"},
         "relay-only"},
        {"one port of STUN blocked",
         {check("stun.nat", Status::pass,
                {finding("nat.stun-unreachable", W,
                         {{"family", "ipv4"},
                          {"passing", "11.22.33.10:443"},
                          {"silent_udp_ports", json::array{3478}}}),
                 finding("nat.full-cone", I, v4)}),
          check("stun.servers", Status::fail, {finding("nat.stun-unreachable", E)})},
         {"cause.stun-port"},
         "direct"},
        {"STUN dropped by its content",
         {check("stun.nat", Status::fail,
                {finding("nat.stun-unreachable", E,
                         {{"family", "ipv4"}, {"answers_without_cookie", "11.22.33.10:3478"}})}),
          check("stun.servers", Status::fail,
                {finding("nat.stun-unreachable", E,
                         {{"silent_over_udp", true}, {"servers_over_tcp_or_tls", 2}})})},
         {"cause.stun-filtered"},
         "unknown"},
        {"routes refuse UDP to the STUN servers alone",
         {check("stun.servers", Status::fail,
                {finding("firewall.outbound-blocked", E, {{"by", "routes"}, {"purpose", "stun"}})}),
          check("stun.nat", Status::unknown)},
         {"cause.route-refused"},
         "unknown"},
        {"STUN servers dead",
         {check("stun.servers", Status::fail, {finding("nat.stun-unreachable", E)}),
          check("stun.nat", Status::unknown, {finding("nat.stun-unreachable", E, v4)})},
         {"cause.stun-server"},
         "unknown"},
        {"firewall drops",
         {inbound("firewall.inbound-blocked", E, Status::fail),
          stun_nat("nat.port-restricted-cone"), router()},
         {"cause.host-firewall"},
         "direct-after-fix"},
        {"firewall drops the port, so that peers' answers do not come in either",
         {inbound("firewall.inbound-blocked", E, Status::fail), stun_nat("nat.none"),
          check("firewall.outbound", Status::fail,
                {finding("firewall.outbound-blocked", E,
                         {{"family", "ipv4"},
                          {"purpose", "peers"},
                          {"stopped", "answer"},
                          {"packets", json::array{json::object{{"purpose", "peers"}}}}})})},
         {"cause.host-firewall"},
         "direct-after-fix"},
        {"firewall lets nothing out from the port",
         {open_firewall(), stun_nat("nat.none"),
          check("firewall.outbound", Status::fail,
                {finding("firewall.outbound-blocked", E,
                         {{"family", "ipv4"},
                          {"purpose", "peers"},
                          {"stopped", "packet"},
                          {"packets", json::array{json::object{{"purpose", "peers"}}}}})})},
         {"cause.host-firewall-outgoing"},
         "relay-only"},
        {"symmetric, and a firewall that lets in answers alone",
         {inbound("firewall.inbound-reply-only", W, Status::warn),
          stun_nat("nat.symmetric", W, Status::warn), router()},
         {"cause.symmetric-nat", "cause.host-firewall"},
         "direct-after-fix"},
        {"symmetric by the carrier's NAT: a forward leads nowhere, whatever the firewall does",
         {inbound("firewall.inbound-reply-only", W, Status::warn),
          stun_nat("nat.symmetric", W, Status::warn),
          router({finding("nat.cgnat", W, {{"outside", "carrier-grade"}})}, Status::warn)},
         {"cause.symmetric-nat", "cause.cgnat"},
         "relay-only"},
        {"firewall lets in answers alone, behind nothing else",
         {inbound("firewall.inbound-reply-only", W, Status::warn),
          stun_nat("nat.symmetric-firewall", W, Status::warn)},
         {"cause.host-firewall"},
         "direct"},
        {"firewall on the way",
         {open_firewall(), filtered_by("router")},
         {"cause.firewall-on-the-way"},
         "direct"},
        {"symmetric",
         {open_firewall(), stun_nat("nat.symmetric", W, Status::warn), router()},
         {"cause.symmetric-nat"},
         "direct-after-fix"},
        {"symmetric, and no router to ask",
         {open_firewall(), stun_nat("nat.symmetric", W, Status::warn),
          router({finding("portmap.none", W)}, Status::warn)},
         {"cause.symmetric-nat", "cause.no-port-mapping"},
         "relay-only"},
        {"symmetric, and the router's forwards were tried and let nothing in",
         {open_firewall(), stun_nat("nat.symmetric", W, Status::warn), router(),
          check("upnp.mapping", Status::fail,
                {finding("portmap.mapped-but-unreachable", E, {{"cause", "router"}})})},
         {"cause.symmetric-nat", "cause.mapping-not-forwarding"},
         "relay-only"},
        {"symmetric, and the forward that fix made let nothing in",
         {open_firewall(), stun_nat("nat.symmetric", W, Status::warn), router(),
          check("upnp.forward", Status::fail,
                {finding("portmap.mapped-but-unreachable", E, {{"cause", "router"}})})},
         {"cause.symmetric-nat", "cause.mapping-not-forwarding"},
         "relay-only"},
        {"symmetric, and whether the router or this machine dropped what came by a forward is not "
         "known",
         {stun_nat("nat.symmetric", W, Status::warn), router(),
          check("upnp.forward", Status::fail,
                {finding("portmap.mapped-but-unreachable", E,
                         {{"cause", "router-or-host-firewall"}})})},
         {"cause.symmetric-nat"},
         "direct-after-fix"},
        {"symmetric in steps",
         {stun_nat("nat.symmetric-predictable", W, Status::warn)},
         {"cause.symmetric-nat"},
         "relay-only"},
        {"carrier's NAT",
         {stun_nat("nat.port-restricted-cone"),
          router({finding("portmap.external-private", W, {{"outside", "carrier-grade"}}),
                  finding("nat.double-nat", W, {{"outside", "carrier-grade"}}),
                  finding("nat.cgnat", W, {{"outside", "carrier-grade"}})},
                 Status::warn)},
         {"cause.cgnat"},
         "direct"},
        {"carrier's NAT, of which the trace alone knows",
         {stun_nat("nat.port-restricted-cone"),
          check("network.path", Status::pass, {},
                json::object{
                    {"ipv4",
                     json::object{{"hops", json::array{json::object{{"scope", "private"}},
                                                       json::object{{"scope", "carrier-grade"}}}},
                                  {"private_hops", 1}}}}),
          router({finding("portmap.refused", W, {{"no_outside_address", true}})}, Status::warn)},
         {"cause.cgnat"},
         "direct"},
        {"two NATs",
         {stun_nat("nat.port-restricted-cone"),
          router({finding("portmap.external-private", W, {{"outside", "private"}}),
                  finding("nat.double-nat", W, {{"outside", "private"}}),
                  finding("portmap.refused", W)},
                 Status::warn)},
         {"cause.double-nat"},
         "direct"},
        {"a router that names no address, and another one behind it",
         {stun_nat("nat.port-restricted-cone"),
          check("network.path", Status::pass, {},
                json::object{{"ipv4", json::object{{"private_hops", 2}}}}),
          router({finding("portmap.refused", W, {{"no_outside_address", true}})}, Status::warn)},
         {"cause.double-nat"},
         "direct"},
        {"router refuses",
         {stun_nat("nat.port-restricted-cone"),
          router({finding("portmap.refused", W)}, Status::warn)},
         {"cause.router-refuses"},
         "direct"},
        {"router names 0.0.0.0",
         {stun_nat("nat.port-restricted-cone"),
          router({finding("portmap.external-private", W, {{"outside", "unusable"}})},
                 Status::warn)},
         {"cause.router-address-wrong"},
         "direct"},
        {"conflict",
         {stun_nat("nat.port-restricted-cone"), router(),
          check("upnp.mapping", Status::fail, {finding("portmap.conflict", W)})},
         {"cause.mapping-conflict"},
         "direct"},
        {"listed and not forwarding",
         {stun_nat("nat.port-restricted-cone"), router(),
          check("upnp.mapping", Status::fail, {finding("portmap.mapped-but-unreachable", E)})},
         {"cause.mapping-not-forwarding"},
         "direct"},
        {"forwarded, and dropped here",
         {stun_nat("nat.port-restricted-cone"), router(),
          check("upnp.mapping", Status::fail,
                {finding("portmap.mapped-but-unreachable", E, {{"cause", "host-firewall"}})})},
         {"cause.host-firewall"},
         "direct"},
        {"short lifetime",
         {stun_nat("nat.full-cone"),
          check("stun.lifetime", Status::warn, {finding("nat.mapping-lifetime-short", W)})},
         {"cause.short-mapping-lifetime"},
         "direct"},
        {"program listens on loopback",
         {stun_nat("nat.none"),
          check("network.ports", Status::fail,
                {finding("net.listener-loopback-only", E, {{"protocol", "udp"}})})},
         {"cause.loopback-listener"},
         "direct"},
        {"port taken",
         {stun_nat("nat.none"),
          check("network.ports", Status::warn,
                {finding("net.port-in-use", W, {{"protocol", "udp"}, {"use", "silent"}})})},
         {"cause.port-in-use"},
         "direct-after-fix"},
        {"black hole",
         {stun_nat("nat.full-cone"),
          check("network.path", Status::warn, {finding("net.mtu-blackhole", W, v4)})},
         {"cause.mtu"},
         "direct"},
        {"black hole, or servers of one network",
         {stun_nat("nat.full-cone"),
          check(
              "network.path", Status::warn,
              {finding("net.mtu-blackhole", W, {{"by", "path-or-server"}, {"in_pieces", true}})})},
         {"cause.mtu"},
         "direct"},
        {"servers of one network that answer nothing large",
         {stun_nat("nat.full-cone"),
          check(
              "network.path", Status::warn,
              {finding("net.mtu-blackhole", W, {{"by", "path-or-server"}, {"in_pieces", false}})})},
         {},
         "direct"},
        {"an address that another machine has",
         {stun_nat("nat.full-cone"),
          check("network.interfaces", Status::warn, {finding("net.address-duplicate", W)})},
         {"cause.address-duplicate"},
         "direct"},
        {"loss",
         {stun_nat("nat.full-cone"),
          check("network.path", Status::warn, {finding("net.loss-high", W, v4)})},
         {"cause.loss"},
         "direct"},
        {"clock",
         {stun_nat("nat.full-cone"),
          check("network.internet", Status::warn, {finding("net.clock-skew", W)})},
         {"cause.clock"},
         "direct"},
        {"VPN",
         {stun_nat("nat.port-restricted-cone"), router(), program_listens(),
          check("network.interfaces", Status::warn, {finding("net.vpn-default-route", W)})},
         {"cause.vpn"},
         "direct"},
        {"IPv6 broken",
         {stun_nat("nat.full-cone"),
          check("network.internet", Status::warn, {finding("net.ipv6-broken", W)})},
         {"cause.ipv6-broken"},
         "direct"},
        {"IPv6 broken by this machine's own firewall",
         {stun_nat("nat.full-cone"), ipv6_stopped_here(),
          check("firewall.inbound", Status::fail, {finding("firewall.ipv6-differs", W)}),
          check("network.internet", Status::warn, {finding("net.ipv6-broken", W)})},
         {"cause.host-firewall-ipv6"},
         "direct"},
        {"IPv6 stopped by this machine's own firewall, and none to be broken",
         {stun_nat("nat.full-cone"), ipv6_stopped_here()},
         {"cause.host-firewall-other"},
         "direct"},
        {"web alone blocked",
         {stun_nat("nat.full-cone"),
          check("network.internet", Status::fail, {finding("net.no-internet", E)})},
         {"cause.tcp-blocked"},
         "direct"},
        {"no TCP, by this machine's own firewall",
         {stun_nat("nat.full-cone"),
          check("firewall.outbound", Status::warn,
                {finding("firewall.outbound-blocked", W,
                         {{"family", "ipv4"},
                          {"purpose", "turn"},
                          {"packets", json::array{json::object{{"purpose", "turn"}},
                                                  json::object{{"purpose", "https"}}}}})}),
          check("network.internet", Status::fail, {finding("net.no-internet", E)})},
         {"cause.host-firewall-other"},
         "direct"},
        {"no internet",
         {check("network.internet", Status::fail, {finding("net.no-internet", E)}),
          check("stun.servers", Status::fail, {finding("nat.stun-unreachable", E)}),
          check("stun.nat", Status::unknown)},
         {"cause.no-internet"},
         "offline"},
        {"loss, by which names are resolved late and some not at all",
         {stun_nat("nat.full-cone"),
          check("network.dns", Status::warn,
                {finding("net.dns-slow", W), finding("net.dns-failed", W)}),
          check("network.path", Status::warn, {finding("net.loss-high", W, v4)})},
         {"cause.loss"},
         "direct"},
        {"loss, and name servers that are dead besides",
         {stun_nat("nat.full-cone"),
          check("network.dns", Status::fail, {finding("net.dns-failed", E)}),
          check("network.path", Status::warn, {finding("net.loss-high", W, v4)})},
         {"cause.dns", "cause.loss"},
         "relay-only"},
        {"loss and a silent program",
         {stun_nat("nat.full-cone"),
          check("network.path", Status::warn, {finding("net.loss-high", W, v4)}),
          check("network.ports", Status::fail,
                {finding("net.listener-loopback-only", E, {{"protocol", "udp"}})})},
         {"cause.loopback-listener", "cause.loss"},
         "direct"},
        {"the peer is not there",
         {stun_nat("nat.full-cone"),
          check("network.connect", Status::fail, {finding("net.peer-unreachable", W)})},
         {"cause.peer"},
         "direct"},
    };
}

// A value that passes the test.
json::value fitting(const Test& test) {
    if (!test.one_of.empty()) {
        const json::value& first = test.one_of.front();
        return first == json::value("{port}") ? json::value(8000) : first;
    }
    if (test.above) return *test.above + 1;
    if (test.at_least) return *test.at_least;
    if (test.below) return *test.below - 1;
    if (test.at_most) return *test.at_most;
    return test.measured == false || !test.is_not.empty() ? json::value() : json::value("measured");
}

json::object fitting(const std::vector<Test>& tests) {
    json::object out;
    for (const Test& test : tests) {
        json::object* place = &out;
        std::string_view path = test.path;
        for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
            json::value& next = (*place)[path.substr(0, dot)];
            if (!next.is_object()) next = json::object();
            place = &next.get_object();
            path.remove_prefix(dot + 1);
        }
        (*place)[path] = fitting(test);
    }
    return out;
}

report::CheckResult& check_in(Checks& checks, const std::string& id, Status status) {
    for (auto& each : checks) {
        if (each.id == id) return each;
    }
    return checks.emplace_back(check(id, status));
}

// The least report in which `when` holds.
Checks fitting(const When& when, Status status) {
    Checks checks;
    std::vector<Condition> conditions = when.all;
    if (!when.any.empty()) conditions.push_back(when.any.front());
    for (const Condition& condition : conditions) {
        if (condition.code.empty()) {
            auto& result = check_in(checks, condition.check, status);
            if (!condition.status.empty()) result.status = condition.status.front();
            if (!condition.tests.empty()) result.data = fitting(condition.tests);
            continue;
        }
        const std::string id = condition.check.empty() ? "t.check" : condition.check;
        check_in(checks, id, status)
            .findings.push_back(
                finding(condition.code, condition.severity.value_or(W), fitting(condition.tests)));
    }
    return checks;
}

const report::Cause* find(const report::Report& report, const std::string& code) {
    for (const auto* list : {&report.causes, &report.explained}) {
        for (const report::Cause& cause : *list) {
            if (cause.code == code) return &cause;
        }
    }
    return nullptr;
}

}  // namespace

TEST_CASE("the rules are right") {
    CHECK(text_of(shipped().problems).empty());
    CHECK(shipped().rules.causes.size() >= 40);
}

TEST_CASE("the example of the manual is right") {
    std::ifstream file(fs::path(DOCS_DIR) / "user" / "diagnosis.md");
    std::string toml;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("```")) {
            inside = line == "```toml";
        } else if (inside) {
            toml += line + '\n';
        }
    }
    Rules rules = shipped().rules;
    Problems problems;
    read_rules(toml, "diagnosis.md", rules, problems);
    CHECK(rules.causes.size() == shipped().rules.causes.size() + 1);
    Known known = shipped().known;
    known.checks.emplace_back("mydhcp.pool");
    for (auto& problem : check_rules(rules, known)) problems.push_back(problem);
    CHECK(text_of(problems).empty());
}

TEST_CASE("every code makes a cause or is said to make none") {
    CHECK(shipped().known.codes.size() > 60);
    CHECK(uncovered(shipped().rules, shipped().known.codes) == std::vector<std::string>{});
}

TEST_CASE("every cause has a page") {
    const auto all = pages();
    for (const Rule& rule : shipped().rules.causes) {
        CAPTURE(rule.id);
        CHECK(std::ranges::find(all, rule.id) != all.end());
    }
}

TEST_CASE("what networks are diagnosed as") {
    for (const Network& network : networks()) {
        CAPTURE(network.name);
        const auto report = diagnosed(network.checks);
        CHECK(likely_codes(report) == network.likely);
        CHECK(report.verdict.status == network.verdict);
    }
}

TEST_CASE("a healthy network has no cause, likely or not") {
    const auto outbound = check("firewall.outbound", Status::pass);
    const auto ports = check("network.ports", Status::pass, {finding("net.no-listener", I)});
    for (const std::string kind :
         {"nat.none", "nat.full-cone", "nat.restricted-cone", "nat.port-restricted-cone"}) {
        CAPTURE(kind);
        CHECK(
            diagnosed({stun_nat(kind), router(), ports, open_firewall(), outbound}).causes.empty());
        // Without rights to see the firewall.
        CHECK(diagnosed({stun_nat(kind), router(), ports,
                         check("firewall.inbound", Status::unknown,
                               {finding("firewall.not-visible", I)})})
                  .causes.empty());
        // A router that need not be asked.
        CHECK(diagnosed({stun_nat(kind), router({finding("portmap.none", W)}, Status::warn), ports})
                  .causes.empty());
    }
    CHECK(diagnosed({stun_nat("nat.none"), program_listens(),
                     router({finding("portmap.none", I)}, Status::skip)})
              .causes.empty());
    CHECK(diagnosed({}).causes.empty());
}

// The program may be one that punches holes, which needs nothing of this.
TEST_CASE("what keeps callers out is possible where a program listens, and no more") {
    const auto reply_only = inbound("firewall.inbound-reply-only", W, Status::warn);
    const auto none = router({finding("portmap.none", W)}, Status::warn);
    const auto cone = stun_nat("nat.port-restricted-cone");
    auto report = diagnosed({cone, program_listens(), none, open_firewall()});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.no-port-mapping"});
    CHECK(likely_codes(report).empty());
    report = diagnosed({cone, program_listens(), router(), reply_only});
    CHECK(codes(report.causes) ==
          std::vector<std::string>{"cause.host-firewall", "cause.port-not-forwarded"});
    CHECK(likely_codes(report).empty());
    CHECK(report.verdict.status == "direct");
    CHECK(diagnosed({cone, router(), reply_only}).causes.empty());
}

TEST_CASE("a router without an address may have reasons that it does not know") {
    const auto nameless =
        router({finding("portmap.refused", W, {{"no_outside_address", true}})}, Status::warn);
    const auto report =
        diagnosed({stun_nat("nat.port-restricted-cone"), nameless,
                   check("network.path", Status::pass, {},
                         json::object{{"ipv4", json::object{{"private_hops", 1}}}})});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.router-refuses"});
    CHECK(likely_codes(report).empty());
}

TEST_CASE("a firewall that lets in the port of the program and no other is none on the way") {
    CHECK(diagnosed({open_firewall(), filtered_by("host")}).causes.empty());
    const auto unknown = stun_nat("nat.symmetric-firewall", W, Status::warn);
    const auto report = diagnosed({open_firewall(), unknown});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.firewall-on-the-way"});
    CHECK(likely_codes(report).empty());
}

TEST_CASE("IPv6 that nobody has needs no firewall") {
    const auto differs = check("firewall.inbound", Status::warn,
                               {finding("firewall.inbound-open", I, {{"protocol", "udp"}}),
                                finding("firewall.ipv6-differs", W)});
    const auto interfaces = [](json::value ipv6) {
        return check("network.interfaces", Status::pass, {}, json::object{{"ipv6", ipv6}});
    };
    const auto nothing = interfaces(nullptr);
    const auto available = interfaces(json::object{{"interface", "eth0"}});
    CHECK(diagnosed({stun_nat("nat.none"), differs, nothing}).causes.empty());
    CHECK(likely_codes(diagnosed({stun_nat("nat.none"), differs, available})) ==
          std::vector<std::string>{"cause.firewall-ipv6"});
    const auto unknown = diagnosed({stun_nat("nat.none"), differs});
    CHECK(codes(unknown.causes) == std::vector<std::string>{"cause.firewall-ipv6"});
    CHECK(likely_codes(unknown).empty());
}

TEST_CASE("a port that is blocked is not laid to the servers, whatever else could not be told") {
    const auto report =
        diagnosed({check("stun.servers", Status::fail, {finding("nat.stun-unreachable", E)}),
                   check("stun.nat", Status::unknown,
                         {finding("nat.stun-unreachable", W,
                                  {{"passing", "11.22.33.10:3479"},
                                   {"silent_udp_ports", json::array{3478}}})})});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.stun-port"});
    CHECK(likely_codes(report).empty());
}

TEST_CASE("names that are wrong are told from name servers that are dead") {
    const auto typo = check("network.dns", Status::warn, {finding("net.dns-failed", W)});
    const auto server = check("stun.servers", Status::fail, {finding("net.dns-failed", E)});
    CHECK(codes(diagnosed({typo, server}).causes) == std::vector<std::string>{"cause.dns-partly"});
    CHECK(codes(diagnosed({server}).causes) == std::vector<std::string>{"cause.dns"});
    CHECK(likely_codes(diagnosed({server})).empty());
    const auto peer = check("network.connect", Status::fail, {finding("net.dns-failed", E)});
    CHECK(codes(diagnosed({peer, check("network.dns", Status::pass)}).causes) ==
          std::vector<std::string>{"cause.peer"});
}

TEST_CASE("a port that is forwarded already is not called not forwarded") {
    Checks checks = {stun_nat("nat.port-restricted-cone"), program_listens(), router()};
    CHECK(codes(diagnosed(checks).causes) == std::vector<std::string>{"cause.port-not-forwarded"});
    const json::object mapping{{"external_port", 8000}};
    checks[2].data =
        json::object{{"devices", json::array{json::object{{"mappings", json::array{mapping}}}}}};
    CHECK(diagnosed(checks).causes.empty());
}

TEST_CASE("every way to every cause can come about") {
    for (const Rule& rule : shipped().rules.causes) {
        for (const When& when : rule.when) {
            CAPTURE(rule.id, when.at.line);
            Checks checks = fitting(when, Status::warn);
            for (const Need& need : rule.needs) check_in(checks, need.check, Status::pass);
            const auto report = diagnosed(checks);
            const report::Cause* cause = find(report, rule.id);
            REQUIRE(cause != nullptr);
            CHECK(cause->confidence >= when.confidence);
            CHECK_FALSE(cause->explanation.empty());
        }
    }
}

TEST_CASE("no check that could not tell makes a cause likely") {
    for (const Status status : {Status::unknown, Status::skip, Status::error, Status::crashed,
                                Status::timed_out, Status::cancelled}) {
        for (const Rule& rule : shipped().rules.causes) {
            for (const When& when : rule.when) {
                CAPTURE(rule.id, when.at.line);
                Checks checks = fitting(when, status);
                for (auto& each : checks) each.status = status;
                const auto report = diagnosed(checks);
                for (const report::Cause& cause : report.causes) {
                    CHECK(cause.confidence <= likely);
                    CHECK_FALSE(cause.settle.empty());
                }
            }
        }
    }
}

namespace {

report::CheckResult router_with(const std::string& code, Severity severity, json::object evidence) {
    for (const auto& [name, value] : json::object{
             {"protocol", "udp"}, {"port", 8000}, {"family", "ipv4"}, {"id", "0123abcd"}}) {
        if (!evidence.contains(name)) evidence[name] = value;
    }
    return router({finding("portmap.upnp", I), finding(code, severity, std::move(evidence))},
                  severity == I ? Status::pass : Status::warn);
}

std::vector<std::string> commands(const report::Cause* cause) {
    std::vector<std::string> out;
    if (cause == nullptr) return {"no such cause"};
    for (const report::Remedy& remedy : cause->remedies) {
        if (!remedy.command.empty()) out.push_back(remedy.command);
    }
    return out;
}

using Commands = std::vector<std::string>;

}  // namespace

TEST_CASE("a proven forward of the port makes a symmetric NAT a note") {
    const auto nat = stun_nat("nat.symmetric", W, Status::warn);
    const auto proven = router_with("portmap.forwarded", I,
                                    {{"verified", "packet"}, {"external", "203.0.113.7:8000"}});
    auto report = diagnosed({nat, proven});
    CHECK(report.verdict.status == "direct");
    REQUIRE(find(report, "cause.symmetric-nat") != nullptr);
    CHECK(find(report, "cause.symmetric-nat")->impact == report::Impact::note);
    CHECK(commands(find(report, "cause.symmetric-nat")).empty());
    // What the router says of itself is no proof, and asking once more makes it none.
    report = diagnosed({nat, router_with("portmap.forwarded", I, {{"verified", "read-back"}})});
    CHECK(report.verdict.status == "relay-only");
    CHECK(commands(find(report, "cause.symmetric-nat")).empty());
    report = diagnosed({nat, router_with("portmap.forwarded", I, {{"port", 8001}})});
    CHECK(report.verdict.status == "direct-after-fix");
    // A cone NAT with a program that is called: nothing is missing.
    CHECK(diagnosed({stun_nat("nat.port-restricted-cone"), program_listens(), proven})
              .causes.empty());
}

TEST_CASE("what came in from outside outweighs two NATs and the provider's") {
    const auto two_nats = [](const char* outside) {
        return router({finding("portmap.upnp", I),
                       finding("portmap.external-private", W, {{"outside", outside}}),
                       finding("nat.double-nat", W, {{"outside", outside}}),
                       finding("nat.cgnat", W, {{"outside", outside}})},
                      Status::warn);
    };
    const auto works = check("upnp.mapping", Status::pass,
                             {finding("portmap.forward-works", I,
                                      {{"protocol", "udp"}, {"family", "ipv4"}, {"port", 8000}})});
    const auto reached = forwarded_by_hand();
    const Commands forward{"p2pdiag forward add --port 8000 --protocol udp"};
    for (const char* outside : {"private", "carrier-grade"}) {
        CAPTURE(outside);
        const auto cone = stun_nat("nat.port-restricted-cone");
        CHECK_FALSE(likely_codes(diagnosed({cone, two_nats(outside)})).empty());
        auto report = diagnosed({cone, program_listens(), two_nats(outside), works});
        CHECK(likely_codes(report).empty());
        CHECK(commands(find(report, "cause.port-not-forwarded")) == forward);
        const auto symmetric = stun_nat("nat.symmetric", W, Status::warn);
        report = diagnosed({symmetric, two_nats(outside), works});
        CHECK(likely_codes(report) == Commands{"cause.symmetric-nat"});
        CHECK(commands(find(report, "cause.symmetric-nat")) == forward);
        CHECK(report.verdict.status == "direct-after-fix");
        // Without the trial a forward promises nothing.
        report = diagnosed({symmetric, two_nats(outside)});
        CHECK(commands(find(report, "cause.symmetric-nat")).empty());
        report = diagnosed({symmetric, two_nats(outside), reached});
        CHECK(codes(report.causes) == Commands{"cause.symmetric-nat"});
        CHECK(report.verdict.status == "direct");
    }
}

TEST_CASE("a port that was forwarded by hand needs no router that takes requests") {
    const auto none = router({finding("portmap.none", W)}, Status::warn);
    const auto symmetric = stun_nat("nat.symmetric", W, Status::warn);
    const auto by_hand = forwarded_by_hand();
    CHECK(find(diagnosed({symmetric, none}), "cause.no-port-mapping") != nullptr);
    const auto report = diagnosed({symmetric, none, by_hand});
    CHECK(codes(report.causes) == Commands{"cause.symmetric-nat"});
    CHECK(report.causes[0].impact == report::Impact::note);
    CHECK(report.verdict.status == "direct");
}

TEST_CASE("a port that strangers reach makes no firewall on the way a cause") {
    const auto nat = stun_nat("nat.symmetric-firewall");
    const auto reached = check("upnp.target", Status::pass,
                               {finding("nat.port-reached", I,
                                        {{"protocol", "udp"},
                                         {"family", "ipv4"},
                                         {"port", 8000},
                                         {"external", "203.0.113.7:8000"},
                                         {"verified", "packet"},
                                         {"seen_by_program", true}})});
    CHECK(find(diagnosed({nat, open_firewall()}), "cause.firewall-on-the-way") != nullptr);
    const auto report = diagnosed({nat, open_firewall(), reached});
    CHECK(report.causes.empty());
    CHECK(report.verdict.status == "open");
}

TEST_CASE("a forward that the router has lost is asked for again") {
    const auto nat = stun_nat("nat.port-restricted-cone");
    auto report = diagnosed(
        {nat, program_listens(), router_with("portmap.forward-lost", W, {{"reason", "gone"}})});
    CHECK(codes(report.causes) == Commands{"cause.forward-lost"});
    CHECK(likely_codes(report) == Commands{"cause.forward-lost"});
    CHECK(commands(find(report, "cause.forward-lost")) ==
          Commands{"p2pdiag forward add --port 8000 --protocol udp"});
    // Its time was to end.
    report = diagnosed({nat, router_with("portmap.forward-lost", W, {{"reason", "lease-over"}})});
    CHECK(likely_codes(report).empty());
    // Of another port, by its own port and protocol.
    report =
        diagnosed({nat, router_with("portmap.forward-lost", W,
                                    {{"reason", "gone"}, {"port", 9000}, {"protocol", "tcp"}})});
    CHECK(likely_codes(report).empty());
    CHECK(commands(find(report, "cause.forward-lost")) ==
          Commands{"p2pdiag forward add --port 9000 --protocol tcp"});
    // Not from whoever has the port now.
    report = diagnosed({nat, router_with("portmap.forward-lost", W, {{"reason", "taken"}})});
    CHECK(commands(find(report, "cause.forward-lost")) == Commands{"p2pdiag forward list"});
}

TEST_CASE("a stale forward is removed, and nothing beside it") {
    const auto nat = stun_nat("nat.symmetric", W, Status::warn);
    const auto stale = [&](bool shared, bool removable) {
        return diagnosed({nat, router_with("portmap.forward-stale", W,
                                           {{"shared", shared}, {"removable", removable}})});
    };
    auto report = stale(false, true);
    CHECK(commands(find(report, "cause.forward-stale")) ==
          Commands{"p2pdiag forward remove --port 8000 --protocol udp"});
    // Else both would be done, and the second would take back the first.
    CHECK(commands(find(report, "cause.symmetric-nat")).empty());
    report = stale(true, true);
    CHECK(commands(find(report, "cause.forward-stale")) == Commands{"p2pdiag undo 0123abcd"});
    CHECK(commands(find(stale(false, false), "cause.forward-stale")).empty());
}

TEST_CASE("a port that something else holds is moved by a command") {
    const auto report = diagnosed(
        {stun_nat("nat.none"),
         check("network.ports", Status::warn,
               {finding("net.port-in-use", W, {{"protocol", "udp"}, {"use", "silent"}})})});
    const report::Cause* cause = find(report, "cause.port-in-use");
    REQUIRE(cause != nullptr);
    CHECK(commands(cause).front() == "p2pdiag port move");
    CHECK(cause->remedies.front().automatic);
    CHECK(cause->remedies.front().verb == "port move");
}

TEST_CASE("what is overcome by a forward nags nobody") {
    const auto forwarded = [](const char* verified) {
        return router({finding("portmap.upnp", I), finding("portmap.forwarded", I,
                                                           {{"protocol", "udp"},
                                                            {"family", "ipv4"},
                                                            {"port", 8000},
                                                            {"external", "11.22.33.7:8000"},
                                                            {"verified", verified}})});
    };
    const auto symmetric = stun_nat("nat.symmetric", W, Status::warn);
    const auto proven = diagnosed({open_firewall(), symmetric, forwarded("packet")});
    REQUIRE(codes(proven.causes) == std::vector<std::string>{"cause.symmetric-nat"});
    CHECK(proven.causes[0].remedies.empty());
    CHECK(proven.verdict.status == "direct");
    const auto listed = diagnosed({open_firewall(), symmetric, forwarded("read-back")});
    REQUIRE(codes(listed.causes) == std::vector<std::string>{"cause.symmetric-nat"});
    CHECK_FALSE(listed.causes[0].remedies.empty());
}

TEST_CASE("no verdict rests on a remedy that was in vain") {
    report::Report report =
        report_of({open_firewall(), stun_nat("nat.symmetric", W, Status::warn), router()});
    diagnose(report, shipped().rules);
    CHECK(report.verdict.status == "direct-after-fix");
    const json::object other{{"port", 9000}, {"protocol", "udp"}};
    diagnose(report, shipped().rules, {{"forward add", other}, {"firewall allow", {}}});
    CHECK(report.verdict.status == "direct-after-fix");
    diagnose(report, shipped().rules, {{"forward add", {{"port", 8000}, {"protocol", "udp"}}}});
    CHECK(report.verdict.status == "relay-only");
    REQUIRE(codes(report.causes) == std::vector<std::string>{"cause.symmetric-nat"});
    for (const report::Remedy& remedy : report.causes[0].remedies) CHECK_FALSE(remedy.automatic);
    CHECK(report.causes[0].remedies.size() == 2);
}

TEST_CASE("UDP that was not seen to get out to any port is said of a verdict that rests on it") {
    const auto headline = [](json::value unlisted) {
        json::object evidence{{"family", "ipv4"}};
        if (unlisted != "not said") evidence["unlisted_ports"] = std::move(unlisted);
        const auto report =
            diagnosed({check("stun.nat", Status::pass, {finding("nat.full-cone", I, evidence)})});
        CHECK(report.verdict.status == "direct");
        return report.verdict.headline;
    };
    CHECK_THAT(headline(nullptr), Catch::Contains("gets out to any port was not seen"));
    CHECK_THAT(headline(true), !Catch::Contains("not seen"));
    CHECK_THAT(headline("not said"), !Catch::Contains("not seen"));
}

TEST_CASE("a network that may let out chosen ports alone is possible, and never likely") {
    const json::object v4{{"family", "ipv4"}};
    const auto report = diagnosed(
        {check("stun.nat", Status::warn,
               {finding("nat.restricted-cone", I, v4), finding("nat.udp-ports-limited", W, v4)})});
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.udp-ports"});
    CHECK(report.causes[0].confidence <= likely);
}
