#include "diagnosis/verdict.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace p2pdiag::diagnosis {

namespace {

using report::CheckResult;
using report::Finding;
using report::Verdict;

struct Rule {
    std::string_view code;
    std::string_view status;
    std::string_view headline;  // empty = the finding's own message
};

// The first code that was found decides. A NAT that was measured proves that packets got out and
// back, whatever else is missing; so what says "offline" comes last.
constexpr Rule rules[] = {
    {"nat.symmetric", "relay-only",
     "You are behind a symmetric NAT: a direct connection works only with peers whose own NAT is "
     "open or a full or address-restricted cone; with others traffic needs a relay."},
    {"nat.symmetric-predictable", "relay-only",
     "You are behind a symmetric NAT that hands out ports in a predictable order: without port "
     "prediction, most connections need a relay."},
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
    {"net.no-internet", "offline", ""},
    {"net.dns-failed", "unknown", ""},
};

// What was said of IPv6 alone; everything else counts for IPv4, which most peers use.
bool is_ipv6(const Finding& finding) {
    return json::find_string(finding.evidence, "family") == "ipv6";
}

const Finding* find(const std::vector<CheckResult>& checks, std::string_view code, bool ipv6) {
    for (const CheckResult& check : checks) {
        for (const Finding& finding : check.findings) {
            if (finding.code == code && is_ipv6(finding) == ipv6) return &finding;
        }
    }
    return nullptr;
}

std::optional<Verdict> judge_family(const std::vector<CheckResult>& checks, bool ipv6) {
    for (const Rule& rule : rules) {
        if (const Finding* finding = find(checks, rule.code, ipv6)) {
            return Verdict{std::string(rule.status),
                           rule.headline.empty() ? finding->message : std::string(rule.headline)};
        }
    }
    return std::nullopt;
}

bool reaches_peers(const Verdict& verdict) {
    return verdict.status == "open" || verdict.status == "direct";
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

}  // namespace

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

}  // namespace p2pdiag::diagnosis
