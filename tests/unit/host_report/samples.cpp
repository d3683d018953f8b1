#include "samples.hpp"

namespace p2pdiag::report {
namespace {

Report base() {
    Report report;
    report.tool_version = "0.1.0";
    report.plugins = {{"network", "0.1.0"}, {"stun", "0.1.0"}};
    report.run_id = "6f9c2b1d";
    report.started =
        std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'042));
    report.duration = std::chrono::milliseconds(1234);
    report.profile = "default";
    report.target_port = 8000;
    return report;
}

// Ends a terminal's line, colours, moves and rings; closes XML, HTML and Markdown; is no UTF-8.
std::string nasty() {
    return "\x1b[2J\x1b]0;owned\x07\r\n\t\x7f\xC2\x9B"
           "31m<script>alert('&amp;')</script>]]>"
           "|a*b_c`d`#1 @all [x](http://evil.example) "
           "\u202Egnp.exe\u2028\xff\xfe\xC0\x80\xED\xA0\x80"
           "\xEF\xBF\xBE\"\\ \xE6\xBC\xA2\xE5\xAD\x97" +
           std::string(1, '\0') + "end";
}

json::object ladder(const std::string& text) {
    const json::array columns = {json::object{{"label", "you"}, {"address", "192.168.1.7"}},
                                 json::object{{"label", text}, {"address", text}}};
    json::array rows;
    std::int64_t count = 0;
    for (const char* outcome : {"sent", "answer", "unanswered", "refused"}) {
        rows.push_back(json::object{{"since_start_us", 1200},
                                    {"from", count % 2},
                                    {"to", 1 - count % 2},
                                    {"text", text},
                                    {"outcome", outcome},
                                    {"left_out_before", count}});
        ++count;
    }
    return {{"columns", columns}, {"rows", rows}};
}

}  // namespace

CheckResult check(std::string id, Status status, std::string summary) {
    CheckResult result;
    result.plugin = id.substr(0, id.find('.'));
    result.title = "Title of " + id;
    result.id = std::move(id);
    result.status = status;
    result.summary = std::move(summary);
    result.started = std::chrono::milliseconds(100);
    result.duration = std::chrono::milliseconds(56);
    return result;
}

Finding finding(std::string code, Severity severity, std::string check, std::string message) {
    return {std::move(code), severity, std::move(check), std::move(message), {}};
}

Report empty_report() { return base(); }

Report all_statuses() {
    Report report = base();
    report.verdict = {"relay-only", "Peers reach you through a relay only."};
    report.checks = {
        check("network.interfaces", Status::pass, "2 interfaces with an address"),
        check("network.dns", Status::warn, "names resolve, but slowly (812 ms)"),
        check("stun.servers", Status::fail,
              "no STUN server answers over UDP, though both answer over "
              "TCP, which means that something drops UDP on the way"),
        check("upnp.router", Status::skip, "no router in this network"),
        check("stun.nat", Status::unknown, "needs an answer of a STUN server"),
        check("firewall.inbound", Status::error, "cannot read the rules: out of memory"),
        check("capture.live", Status::crashed, "ended by signal 11 (segmentation fault)"),
        check("holepunch.a-check-with-a-very-long-name", Status::timed_out, "no result after 10 s"),
        check("chat.end-to-end", Status::cancelled, ""),
    };
    report.checks[0].data = {{"interfaces", {{{"name", "eth0"}, {"addresses", {"192.0.2.7"}}}}}};
    report.checks[0].findings = {
        finding("net.ipv6-available", Severity::info, "network.interfaces", "IPv6 is there.")};
    report.checks[1].findings = {finding("net.dns-slow", Severity::warning, "network.dns",
                                         "A name took 812 ms to resolve.")};
    report.checks[2].findings = {
        finding("nat.udp-blocked", Severity::error, "stun.servers",
                "5 packets to each of 2 servers over 2 s, no answer; TCP to both is open."),
        finding("nat.stun-unreachable", Severity::error, "stun.servers", "No server answers.")};
    report.checks[2].findings[0].evidence = {{"servers", 2}, {"sent", 10}, {"received", 0}};
    report.host_findings = {finding("host.plugin-rejected", Severity::error, "",
                                    "plugin /opt/broken.so is not used: it has no entry symbol")};
    return report;
}

Report diagnosed() {
    Report report = base();
    report.verdict = {"direct-after-fix", "Peers cannot reach port 8000, but one change opens it."};
    report.checks = {check("stun.nat", Status::warn, "port-restricted cone NAT")};
    report.checks[0].findings = {
        finding("nat.port-restricted-cone", Severity::warning, "stun.nat",
                "The NAT lets in only answers from the address and port that were asked.")};
    Cause cause;
    cause.code = "cause.port-not-forwarded";
    cause.confidence = 0.925;
    cause.explanation =
        "The router does not hand port 8000 on to this machine, so a connection from outside ends "
        "at the router.";
    cause.findings = {"nat.port-restricted-cone"};
    cause.remedies = {
        {"forward-port",
         "Forward port 8000 on the router",
         "p2pdiag forward add --port 8000 --protocol udp --description 'a rather long one'",
         true,
         false,
         true,
         "forward add",
         {}},
        {"open-firewall", "Open the port in the firewall", "", false, true, false, "", {}}};
    report.causes = {cause};
    return report;
}

Report compared() {
    Report report = base();
    report.verdict = {"direct", "Hole punching should work."};
    report.checks = {check("stun.nat", Status::warn, "a firewall lets in only answers")};
    report.checks[0].findings = {finding("nat.symmetric-firewall", Severity::warning, "stun.nat",
                                         "No NAT, but a firewall lets in only answers.")};
    Cause cause;
    cause.code = "cause.firewall-on-the-way";
    cause.title = "A firewall on the way lets in only answers";
    cause.confidence = 0.5;
    cause.explanation = "Packets come in only from where something was sent before.";
    cause.place = Place::router;
    cause.impact = Impact::no_calls;
    cause.findings = {"nat.symmetric-firewall"};
    cause.settle = {"Whether it is this machine's own: sudo p2pdiag run firewall.inbound"};
    cause.remedies = {{"open",
                       "Let UDP port 8000 in",
                       "sudo p2pdiag firewall allow --port 8000 --protocol udp",
                       true,
                       true,
                       true,
                       "firewall allow",
                       {{"port", 8000}, {"protocol", "udp"}}}};
    report.causes = {cause};
    cause.code = "cause.port-not-forwarded";
    cause.explained_by = "cause.firewall-on-the-way";
    report.explained = {cause};
    report.changes = Changes{"1a2b",
                             "2026-01-31T12:34:56.789Z",
                             {{"verdict", "", "open", "direct"},
                              {"cause", "cause.firewall-on-the-way", "", "possible"},
                              {"finding", "net.loss-high (network.path, ipv4)", "warning", ""}}};
    return report;
}

Report interrupted() {
    Report report = base();
    report.interrupted = true;
    report.verdict = {"unknown", ""};
    report.checks = {check("network.interfaces", Status::pass, "2 interfaces"),
                     check("stun.nat", Status::cancelled, "interrupted")};
    return report;
}

Report hostile() {
    Report report = base();
    const std::string text = nasty();
    report.tool_version = report.run_id = report.profile = text;
    report.plugins = {{text, text}};
    report.verdict = {"unknown", text};
    report.checks = {check("a." + text, Status::pass, text), check("b", Status::fail, text),
                     check("c", Status::error, text), check("d", Status::skip, text)};
    for (CheckResult& result : report.checks) {
        result.plugin = result.title = text;
        result.findings = {finding(text, Severity::error, text, text)};
        result.findings[0].evidence = {{text, json::array{text, 1e308, nullptr}}};
    }
    report.checks[0].data = {{text, text}};
    report.host_findings = {finding(text, Severity::warning, "", text)};
    Cause cause;
    cause.code = cause.explanation = text;
    cause.confidence = 1e300 * 1e300;
    cause.findings = {text};
    cause.remedies = {{text, text, text, true, true, true, text, {{text, text}}}};
    cause.title = cause.explained_by = text;
    cause.settle = {text};
    report.causes = report.explained = {cause};
    report.changes = Changes{text, text, {{"finding", text, text, text}}};
    report.duration = std::chrono::milliseconds::max();
    report.recording = {{"file", text},
                        {"reason", nullptr},
                        {"summary", text},
                        {"data", {{"ladder", ladder(text)}}}};
    return report;
}

Report recorded() {
    Report report = base();
    report.verdict = {"relay-only", "You are behind a symmetric NAT: many peers need a relay."};
    report.checks = {check("firewall.inbound", Status::pass, "The port is open."),
                     check("stun.nat", Status::warn, "IPv4: symmetric NAT"),
                     check("network.path", Status::pass, "IPv4 router 1 ms, internet 18 ms")};
    report.checks[1].findings = {finding("nat.symmetric", Severity::warning, "stun.nat",
                                         "Each destination sees another port.")};
    report.checks[1].findings[0].evidence = {{"family", "ipv4"}, {"public", "203.0.113.5:40112"}};
    report.checks[2].started = std::chrono::milliseconds(900);
    const json::value router = {{"address", "192.168.1.1"},
                                {"rtt_ms", 1.2},
                                {"rtt_min_ms", 0.9},
                                {"jitter_ms", 0.2},
                                {"loss_percent", 0}};
    const json::value server = {{"server", "198.51.100.1:3478"},
                                {"rtt_ms", 18.1},
                                {"rtt_min_ms", 17.5},
                                {"jitter_ms", 0.4},
                                {"loss_percent", 6.25}};
    report.checks[2].data = {
        {"ipv4", {{"gateway", router}, {"hops", json::array()}, {"targets", json::array{server}}}},
        {"ipv6", nullptr}};
    report.recording = {{"file", "run.pcapng"},
                        {"reason", nullptr},
                        {"summary", "12 packets on eth0"},
                        {"data", {{"ladder", ladder("STUN Binding request")}}}};
    return report;
}

std::vector<std::pair<std::string, Report>> all_samples() {
    return {{"empty", empty_report()}, {"statuses", all_statuses()},   {"diagnosed", diagnosed()},
            {"compared", compared()},  {"interrupted", interrupted()}, {"hostile", hostile()}};
}

}  // namespace p2pdiag::report
