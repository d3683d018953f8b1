// The rules that p2pdiag comes with, and the results of checks that tests of them put together.
#pragma once

#include <filesystem>
#include <fstream>

#include "diagnosis/facts.hpp"
#include "diagnosis/rules_folder.hpp"
#include "fixture.hpp"

namespace p2pdiag::diagnosis::test {

using report::Severity;
using report::Status;
namespace fs = std::filesystem;
inline constexpr auto I = Severity::info;
inline constexpr auto W = Severity::warning;
inline constexpr auto E = Severity::error;

// The headings of docs/codes.
inline std::vector<std::string> pages() {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(fs::path(DOCS_DIR) / "codes")) {
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("## ")) out.push_back(line.substr(3));
        }
    }
    return out;
}

inline std::vector<std::string> check_pages() {
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

inline const Shipped& shipped() {
    static const Shipped one;
    return one;
}

using Checks = std::vector<report::CheckResult>;

inline report::Report diagnosed(Checks checks) {
    report::Report report = report_of(std::move(checks));
    diagnose(report, shipped().rules);
    return report;
}

inline std::vector<std::string> likely_codes(const report::Report& report) {
    std::vector<std::string> out;
    for (const report::Cause& cause : report.causes) {
        if (cause.confidence > likely) out.push_back(cause.code);
    }
    return out;
}

inline report::CheckResult stun_nat(const std::string& code, Severity severity = I,
                                    Status status = Status::pass, json::object data = {}) {
    return check("stun.nat", status, {finding(code, severity, {{"family", "ipv4"}})}, data);
}

inline report::CheckResult router(std::vector<report::Finding> findings = {finding("portmap.upnp",
                                                                                   I)},
                                  Status status = Status::pass) {
    return check("upnp.gateways", status, std::move(findings),
                 json::object{{"outside", "same-as-stun"}});
}

inline report::CheckResult inbound(const std::string& code, Severity severity, Status status) {
    return check("firewall.inbound", status,
                 {finding(code, severity, {{"protocol", "udp"}, {"family", "ipv4"}})});
}

inline report::CheckResult open_firewall() {
    return inbound("firewall.inbound-open", I, Status::pass);
}

// As run with the right to look at the interface.
inline report::CheckResult filtered_by(const std::string& whom) {
    return stun_nat("nat.symmetric-firewall", W, Status::warn,
                    json::object{{"ipv4", json::object{{"filtered_by", whom}}}});
}

inline report::CheckResult forwarded_by_hand() {
    return check("upnp.target", Status::pass,
                 {finding("portmap.forwarded", I,
                          {{"protocol", "udp"},
                           {"family", "ipv4"},
                           {"port", 8000},
                           {"external", "203.0.113.7:8000"},
                           {"verified", "packet"}})});
}

inline report::CheckResult target_filtered(const std::string& by) {
    return check("upnp.target", Status::warn,
                 {finding("nat.port-filtered", W,
                          {{"protocol", "udp"}, {"family", "ipv4"}, {"port", 8000}, {"by", by}})});
}

inline report::CheckResult program_listens() {
    return check("network.ports", Status::pass,
                 {finding("net.port-in-use", I, {{"protocol", "udp"}, {"use", "reachable"}})});
}

inline json::object web_works() { return {{"ipv4", json::object{{"works", true}}}}; }

// Over every transport.
inline report::CheckResult silent_servers() {
    return check("stun.servers", Status::fail,
                 {finding("nat.stun-unreachable", E,
                          {{"silent_over_udp", true},
                           {"nothing_came_back", true},
                           {"servers_over_tcp_or_tls", 0}})});
}

inline report::CheckResult ipv6_stopped_here() {
    return check("firewall.outbound", Status::warn,
                 {finding("firewall.outbound-blocked", W,
                          {{"family", "ipv6"},
                           {"purpose", "stun"},
                           {"packets", json::array{json::object{{"purpose", "stun"}},
                                                   json::object{{"purpose", "https"}}}}})});
}

inline const report::Cause* find(const report::Report& report, const std::string& code) {
    for (const auto* list : {&report.causes, &report.explained}) {
        for (const report::Cause& cause : *list) {
            if (cause.code == code) return &cause;
        }
    }
    return nullptr;
}

inline report::CheckResult router_with(const std::string& code, Severity severity,
                                       json::object evidence) {
    for (const auto& [name, value] : json::object{
             {"protocol", "udp"}, {"port", 8000}, {"family", "ipv4"}, {"id", "0123abcd"}}) {
        if (!evidence.contains(name)) evidence[name] = value;
    }
    return router({finding("portmap.upnp", I), finding(code, severity, std::move(evidence))},
                  severity == I ? Status::pass : Status::warn);
}

inline std::vector<std::string> commands(const report::Cause* cause) {
    std::vector<std::string> out;
    if (cause == nullptr) return {"no such cause"};
    for (const report::Remedy& remedy : cause->remedies) {
        if (!remedy.command.empty()) out.push_back(remedy.command);
    }
    return out;
}

using Commands = std::vector<std::string>;

}  // namespace p2pdiag::diagnosis::test
