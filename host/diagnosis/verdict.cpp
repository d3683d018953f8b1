#include "diagnosis/verdict.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "diagnosis/engine.hpp"

namespace p2pdiag::diagnosis {

namespace {

using report::Cause;
using report::CheckResult;
using report::Finding;
using report::Impact;
using report::Verdict;

struct VerdictRule {
    std::string_view code;
    std::string_view status;
    std::string_view headline;  // empty = the finding's own message
};

// The first code that was found decides. A NAT that was measured proves that packets got out and
// back, whatever else is missing; so what says "offline" comes last.
constexpr VerdictRule verdict_rules[] = {
    {"nat.symmetric", "relay-only",
     "You are behind a symmetric NAT: a direct connection works only with peers whose own NAT is "
     "open or a full or address-restricted cone; with others traffic needs a relay."},
    {"nat.symmetric-predictable", "relay-only",
     "You are behind a symmetric NAT that hands out ports in a predictable order: without port "
     "prediction, most connections need a relay."},
    // Whatever the NAT lets in: what is sent to a peer may not get out.
    {"nat.udp-ports-limited", "unknown",
     "UDP gets out to the STUN servers' own port, and to another one, from which a server answers, "
     "it seems not to: whether anything gets out to a peer's port is not known, so it is not known "
     "whether direct connections work here."},
    {"nat.port-restricted-cone", "direct",
     "You are behind a port-restricted cone NAT: direct connections by hole punching should work "
     "with "
     "every peer that is not behind a symmetric NAT. Not yet proven with a peer."},
    {"nat.restricted-cone", "direct",
     "You are behind an address-restricted cone NAT: direct connections by hole punching should "
     "work "
     "with nearly every peer. Not yet proven with a peer."},
    {"nat.full-cone", "direct",
     "You are behind a full cone NAT: direct connections should work with every peer once your "
     "program has sent a packet out. Not yet proven with a peer."},
    // As of the least that its filter may let in.
    {"nat.cone", "direct",
     "You are behind a cone NAT, whose kind could not be told: direct connections by hole punching "
     "should work with every peer that is not behind a symmetric NAT. Not yet proven with a peer."},
    {"nat.public-address", "direct",
     "No NAT: direct connections by hole punching should work. Whether strangers are let in as "
     "well could not be told. Not yet proven with a peer."},
    {"nat.symmetric-firewall", "direct",
     "No NAT, but a firewall lets in only answers: direct connections by hole punching should "
     "work. "
     "Not yet proven with a peer."},
    {"nat.none", "open",
     "No NAT and no filter in the way: this machine can be reached directly by UDP."},
    // Behind a login page UDP is blocked because of it, and only until somebody logs in.
    {"net.captive-portal", "offline", ""},
    {"nat.udp-blocked", "relay-only",
     "UDP does not get out of this network: direct connections cannot work here, only a relay over "
     "TCP or TLS can."},
    {"net.no-link", "offline", ""},
    {"net.no-default-route", "offline", ""},
    {"net.route-refused", "offline", ""},
    {"net.no-internet", "offline", ""},
    {"net.dns-failed", "unknown", ""},
};

// What was said of IPv6 alone; everything else counts for IPv4, which most peers use.
bool is_ipv6(const Finding& finding) {
    return json::find_string(finding.evidence, "family") == "ipv6";
}

const Finding* find_of_family(const std::vector<CheckResult>& checks, std::string_view code,
                              bool ipv6) {
    for (const CheckResult& check : checks) {
        for (const Finding& finding : check.findings) {
            if (finding.code == code && is_ipv6(finding) == ipv6) return &finding;
        }
    }
    return nullptr;
}

bool reaches_peers(std::string_view status) { return status == "open" || status == "direct"; }
bool reaches_peers(const Verdict& verdict) { return reaches_peers(verdict.status); }

// Said to be unknown; older reports say nothing of it.
bool not_seen_to_get_out(const Finding& finding) {
    const json::value* seen = finding.evidence.if_contains("unlisted_ports");
    return seen != nullptr && seen->is_null();
}

// A server outside saw this machine, even where what kind of NAT it has could not be told.
bool was_seen_from_outside(const std::vector<CheckResult>& checks, bool ipv6) {
    const auto nat = std::ranges::find(checks, "stun.nat", &CheckResult::id);
    if (nat == checks.end() || !nat->data.is_object()) return false;
    const json::object* family = json::find_object(nat->data.get_object(), ipv6 ? "ipv6" : "ipv4");
    return family != nullptr && json::find_string(*family, "public").has_value();
}

std::optional<Verdict> judge_family(const std::vector<CheckResult>& checks, bool ipv6) {
    const bool seen = was_seen_from_outside(checks, ipv6);
    for (const VerdictRule& rule : verdict_rules) {
        if (seen && rule.status == "offline") continue;
        if (const Finding* finding = find_of_family(checks, rule.code, ipv6)) {
            std::string headline =
                rule.headline.empty() ? finding->message : std::string(rule.headline);
            if (reaches_peers(rule.status) && not_seen_to_get_out(*finding)) {
                headline +=
                    " That UDP gets out to any port was not seen, only to those of servers.";
            }
            return Verdict{std::string(rule.status), std::move(headline)};
        }
    }
    return std::nullopt;
}

// Where the NAT was asked for and no rule fits: why it stayed unknown.
std::string unknown_headline(const std::vector<CheckResult>& checks) {
    const auto nat = std::find_if(checks.begin(), checks.end(),
                                  [](const CheckResult& check) { return check.id == "stun.nat"; });
    if (nat == checks.end()) {
        return "The NAT was not measured in this run: 'p2pdiag run all' does.";
    }
    return "Could not tell which NAT you are behind: " +
           (nat->summary.empty() ? "stun.nat ended without a result." : nat->summary);
}

// Of the target port, over UDP and IPv4: one that a packet proved, or the first that there is.
const Finding* of_target(const report::Report& report, std::string_view code) {
    const Finding* first = nullptr;
    for (const CheckResult& check : report.checks) {
        for (const Finding& finding : check.findings) {
            const json::object& evidence = finding.evidence;
            const bool is_it = finding.code == code && !is_ipv6(finding) &&
                               json::find_string(evidence, "protocol") == "udp" &&
                               json::find_integer(evidence, "port") == report.target_port;
            if (!is_it) continue;
            if (json::find_string(evidence, "verified") == "packet") return &finding;
            if (first == nullptr) first = &finding;
        }
    }
    return first;
}

bool passed(const std::vector<CheckResult>& checks, std::string_view id) {
    const auto check = std::ranges::find(checks, id, &CheckResult::id);
    return check != checks.end() && check->status == report::Status::pass;
}

// UDP has to get out, or nobody would be answered: not where it is blocked or was not measured.
bool is_worked_around_by_forward(const std::vector<CheckResult>& checks, const Verdict& verdict) {
    static constexpr std::string_view nats[] = {"nat.symmetric", "nat.symmetric-predictable",
                                                "nat.port-restricted-cone", "nat.restricted-cone",
                                                "nat.cone"};
    // By it peers get in, and whether anything gets out to them is the question.
    if (find_of_family(checks, "nat.udp-ports-limited", false) != nullptr) return false;
    return verdict.status != "open" && std::ranges::any_of(nats, [&](std::string_view code) {
               return find_of_family(checks, code, false) != nullptr;
           });
}

std::string name_of_target(const report::Report& report) {
    return "UDP port " + std::to_string(report.target_port);
}

// Did the packet come further than the network interface, by what was seen or by the firewall's
// rules?
bool comes_to_program(const report::Report& report, const Finding& proven) {
    return json::find_bool(proven.evidence, "seen_by_program").value_or(false) ||
           passed(report.checks, "firewall.inbound") ||
           of_target(report, "firewall.inbound-open") != nullptr;
}

Verdict with_forward(Verdict verdict, const report::Report& report) {
    const Finding* forward = of_target(report, "portmap.forwarded");
    if (forward == nullptr || !is_worked_around_by_forward(report.checks, verdict)) return verdict;
    const std::string port = name_of_target(report);
    const auto external = json::find_string(forward->evidence, "external");
    if (json::find_string(forward->evidence, "verified") != "packet" || !external) {
        verdict.headline += " The router says that it forwards " + port +
                            " to this machine; no packet from outside has proven it.";
        return verdict;
    }
    std::string headline = "Peers reach " + port + " of this machine at " + std::string(*external) +
                           ", by a forward in the router; a packet from outside came in by it.";
    const bool said_of_all = unseen_firewall(report.checks) != nullptr;
    if (!comes_to_program(report, *forward) && !said_of_all) {
        headline += " Whether this machine's own firewall lets it through was not seen.";
    }
    return {"direct", std::move(headline)};
}

// A firewall that keeps strangers from other ports, and lets them in to the one that matters.
Verdict with_open_port(Verdict verdict, const report::Report& report) {
    if (find_of_family(report.checks, "nat.symmetric-firewall", false) == nullptr ||
        !reaches_peers(verdict)) {
        return verdict;
    }
    const std::string port = name_of_target(report);
    const Finding* reached = of_target(report, "nat.port-reached");
    if (reached != nullptr && comes_to_program(report, *reached)) {
        return {"open", "No NAT, and " + port +
                            " of this machine is open: a stranger's packet from outside came in "
                            "to it. To other ports come answers alone."};
    }
    if (of_target(report, "firewall.inbound-open") != nullptr) {
        verdict.headline = "No NAT. This machine's own firewall lets " + port +
                           " in, by its rules; to other ports come answers alone. That a "
                           "stranger reaches the port was not tried.";
    }
    return verdict;
}

// The port that matters was tried, and nothing reached a program. With the causes or without them.
bool is_filtered(const report::Report& report, const Verdict& verdict) {
    return verdict.status == "open" && of_target(report, "nat.port-filtered") != nullptr;
}

bool has_automatic_remedy(const Cause& cause) {
    return std::ranges::any_of(cause.remedies, &report::Remedy::automatic);
}

// Nothing where the cause does not stand against the verdict. `fixable`: it and all as bad ones.
std::optional<Verdict> made_worse(const Verdict& verdict, const Cause& cause, bool fixable,
                                  bool seen_from_outside) {
    const std::string headline = cause.title + ". Apart from that: " + verdict.headline;
    const bool open = verdict.status == "open";
    switch (cause.impact) {
        case Impact::offline:
            // Whoever was seen from outside is not offline.
            if (verdict.status != "unknown" || seen_from_outside) return std::nullopt;
            return Verdict{"offline", cause.title + '.'};
        case Impact::no_direct:
            if (verdict.status == "unknown") {
                return Verdict{"unknown", cause.title + ". " + verdict.headline};
            }
            if (verdict.status == "relay-only" && fixable) {
                return Verdict{"direct-after-fix", verdict.headline};
            }
            if (!reaches_peers(verdict)) return std::nullopt;
            return Verdict{fixable ? "direct-after-fix" : "relay-only", headline};
        case Impact::no_calls:
            if (!reaches_peers(verdict)) return std::nullopt;
            return Verdict{open && fixable ? "direct-after-fix" : "direct", headline};
        case Impact::quality:
        case Impact::note: break;
    }
    return std::nullopt;
}

// By the causes, of which the first is the worst.
Verdict weighed(Verdict verdict, const report::Report& report) {
    const std::vector<Cause>& causes = report.causes;
    if (causes.empty() || causes.front().confidence <= likely) return verdict;
    const Cause& worst = causes.front();
    const bool fixable = std::ranges::all_of(causes, [&](const Cause& cause) {
        const bool matters = cause.confidence > likely && cause.impact <= worst.impact;
        return !matters || has_automatic_remedy(cause);
    });
    const bool seen = was_seen_from_outside(report.checks, false);
    return made_worse(verdict, worst, fixable, seen).value_or(verdict);
}

Verdict naming(const Cause* foremost, Verdict verdict) {
    if (foremost == nullptr || verdict.headline.starts_with(foremost->title)) return verdict;
    verdict.headline = foremost->title + ". Apart from that: " + verdict.headline;
    return verdict;
}

}  // namespace

const Finding* unseen_firewall(const std::vector<CheckResult>& checks) {
    return find_of_family(checks, "firewall.not-visible", false);
}

Verdict judge(const std::vector<CheckResult>& checks) {
    const auto ipv4 = judge_family(checks, false);
    const auto ipv6 = judge_family(checks, true);
    if (ipv4) {
        // The status stays IPv4's, since most peers have nothing else; the headline hides neither.
        const bool ipv6_is_better = ipv6 && reaches_peers(*ipv6) && !reaches_peers(*ipv4);
        if (!ipv6_is_better) return *ipv4;
        return {ipv4->status, "Over IPv4: " + ipv4->headline +
                                  " Over IPv6, with peers that have it: " + ipv6->headline};
    }
    if (ipv6) {
        return {ipv6->status, "Over IPv6 alone, since nothing is known of IPv4: " + ipv6->headline};
    }
    return {"unknown", unknown_headline(checks)};
}

Verdict conclude(const report::Report& report, const Cause* foremost) {
    Verdict verdict = with_open_port(with_forward(judge(report.checks), report), report);
    if (is_filtered(report, verdict)) {
        verdict.headline = "No NAT; strangers reach other UDP ports of this machine, and not " +
                           name_of_target(report) + '.';
    }
    // What could not be read is not open.
    if (reaches_peers(verdict) && unseen_firewall(report.checks) != nullptr) {
        verdict.headline += " Whether this machine's own firewall stands in the way was not seen.";
    }
    verdict = weighed(std::move(verdict), report);
    if (is_filtered(report, verdict)) verdict.status = "direct";
    return naming(foremost, std::move(verdict));
}

}  // namespace p2pdiag::diagnosis
