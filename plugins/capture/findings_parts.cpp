#include "findings_parts.hpp"

#include <algorithm>

#include "describe.hpp"
#include "wire/natpmp/message.hpp"
#include "wire/ssdp/message.hpp"

namespace p2pdiag::capture_plugin {

void FindingList::add(Finding finding) {
    const auto same = [&finding](const Finding& one) { return one.code == finding.code; };
    const auto listed = std::ranges::count_if(findings_, same);
    if (static_cast<std::size_t>(listed) < max_of_a_code) {
        findings_.push_back(std::move(finding));
        return;
    }
    ++more_[finding.code];
    // The severe ones are worth more than the early ones.
    const auto mildest =
        std::ranges::min_element(findings_, [&](const Finding& a, const Finding& b) {
            if (same(a) != same(b)) return same(a);
            return a.severity < b.severity;
        });
    if (mildest->severity < finding.severity) *mildest = std::move(finding);
}

std::vector<Finding> FindingList::take() {
    for (Finding& finding : findings_) {
        const auto more = more_.find(finding.code);
        if (more == more_.end()) continue;
        finding.message += " (and " + std::to_string(more->second) + " more like it)";
        more_.erase(more);
    }
    std::ranges::stable_sort(findings_, std::greater(), &Finding::severity);
    return std::move(findings_);
}

void add_elsewhere(FindingList& list, const Evidence& evidence) {
    for (const Elsewhere& one : evidence.elsewhere) {
        const bool same_host = one.asked.address == one.answered.address;
        list.add({"capture.reply-elsewhere",
                  Severity::warning,
                  std::string(to_string(one.protocol)) + " answer from another " +
                      (same_host ? "port" : "address") + ": " + one.asked.to_string() +
                      " was asked, " + one.answered.to_string() +
                      " answered; most programs and firewalls drop that",
                  {{"asked", one.asked.to_string()},
                   {"answered", one.answered.to_string()},
                   {"packet", one.packet}}});
    }
}

namespace {

// SSDP and port control are tried on every router, whether it has them or not.
bool is_discovery_port(const IcmpKey& key) {
    return key.carrier == capture::Carrier::udp &&
           (key.to.port == ssdp::port || key.to.port == natpmp::server_port);
}

// The target is heard after it: then the error was passing, or somebody else's invention. What was
// under way when a filter was set may arrive shortly after the first one.
bool was_answered(const Evidence& evidence, const IcmpKey& key, const Counted& counted) {
    constexpr std::int64_t under_way_ns = 2'000'000'000;
    const auto heard = evidence.heard.find({key.carrier, key.from, key.to});
    if (heard == evidence.heard.end()) return false;
    return heard->second > counted.last_ns || heard->second > counted.first_ns + under_way_ns;
}

// Empty where it says what is wrong.
std::string why_harmless(const Evidence& evidence, const IcmpKey& key, const Counted& counted) {
    if (was_answered(evidence, key, counted)) {
        return "; but answers of that address are in the capture afterwards: the error was "
               "passing, or forged";
    }
    const bool closed_port =
        meaning(key.kind) == icmp::Meaning::port_unreachable && key.reporter == key.to.address;
    if (closed_port && counted.wanted == counted.count) {
        return ": a test of p2pdiag wanted that answer";
    }
    if (closed_port && is_discovery_port(key)) {
        return ": nobody answers searches for routers and requests for port mapping there, as on "
               "many networks";
    }
    return {};
}

}  // namespace

void add_icmp(FindingList& list, const Evidence& evidence) {
    for (const auto& [key, counted] : evidence.icmp) {
        const std::string target =
            key.to.port == 0 ? key.to.address.to_string() : key.to.to_string();
        json::object details{{"reporter", key.reporter.to_string()},
                             {"from", key.from.to_string()},
                             {"to", target},
                             {"protocol", to_string(key.carrier)},
                             {"type", static_cast<unsigned>(key.kind.type)},
                             {"code", static_cast<unsigned>(key.kind.code)},
                             {"count", counted.count},
                             {"packet", counted.packet}};
        const std::string by_whom = key.reporter == key.to.address
                                        ? "the host itself"
                                        : "by " + key.reporter.to_string() + " on the way";
        const std::string what = std::string(to_string(key.carrier)) + " to " + target;
        const std::string says = icmp_text(key.kind);
        const std::string harmless = why_harmless(evidence, key, counted);
        if (meaning(key.kind) == icmp::Meaning::prohibited) {
            list.add({"capture.icmp-prohibited",
                      harmless.empty() ? Severity::error : Severity::info,
                      "A filter refuses " + what + ", and says so (" + by_whom + ", " +
                          times(counted.count, "time") + ")" + harmless,
                      std::move(details)});
            continue;
        }
        if (!is_refusal(key.kind)) continue;
        list.add({"capture.unreachable", harmless.empty() ? Severity::warning : Severity::info,
                  what + ": " + says + " (" + by_whom + ", " + times(counted.count, "time") + ")" +
                      harmless,
                  std::move(details)});
    }
}

void add_resets(FindingList& list, const Evidence& evidence) {
    for (const Reset& one : evidence.resets) {
        std::string message =
            "TCP connection from " + one.to.to_string() + " to " + one.from.to_string();
        message += one.at_connect
                       ? " refused with a reset: nothing listens there, or a firewall refuses it"
                       : " reset right after the first data, before any answer: the server did not "
                         "like it, or something on the way cuts such connections";
        list.add({"capture.reset",
                  Severity::error,
                  std::move(message),
                  {{"from", one.to.to_string()},
                   {"to", one.from.to_string()},
                   {"at", one.at_connect ? "connect" : "first-data"},
                   {"packet", one.packet}}});
    }
}

void add_translations(FindingList& list, const Evidence& evidence) {
    std::set<std::pair<Endpoint, Endpoint>> told;
    for (const Translation& one : evidence.translations) {
        if (!told.insert({one.inside, one.outside}).second) continue;
        list.add({"capture.nat-seen",
                  Severity::info,
                  "The NAT itself is in the capture: what " + one.inside.to_string() +
                      " sends to " + one.to.to_string() + " leaves as " + one.outside.to_string(),
                  {{"inside", one.inside.to_string()},
                   {"outside", one.outside.to_string()},
                   {"to", one.to.to_string()},
                   {"packet", one.packet}}});
    }
}

void add_simultaneous(FindingList& list, const Evidence& evidence) {
    for (const Pair& one : evidence.simultaneous) {
        list.add({"capture.simultaneous-open",
                  Severity::info,
                  "TCP simultaneous open: " + one.one.to_string() + " and " +
                      one.other.to_string() + " connected to each other at the same time",
                  {{"one", one.one.to_string()},
                   {"other", one.other.to_string()},
                   {"packet", one.packet}}});
    }
}

void add_grants(FindingList& list, const Evidence& evidence, const Outcome& result) {
    // The program tells somebody the address first, who then tries: sooner silence proves nothing.
    constexpr std::int64_t least_watched_ms = 5'000;
    if (!result.span_known) return;
    for (const Grant& one : evidence.grants) {
        const std::int64_t after = (result.last_ns - one.time_ns) / 1'000'000;
        if (one.inbound > 0 || after < least_watched_ms) continue;
        std::string port{to_string(one.transport)};
        port += ' ' + std::to_string(one.external_port);
        list.add(
            {"capture.mapped-no-inbound",
             Severity::info,
             one.router.to_string() + " agreed by " + std::string(to_string(one.protocol)) +
                 " to forward " + port + " to " + one.internal.to_string() + "; in the " +
                 std::to_string(after) +
                 " ms that the capture lasted after it nobody began a conversation with it: nobody "
                 "tried, or the packets do not get that far",
             {{"router", one.router.to_string()},
              {"protocol", to_string(one.transport)},
              {"external_port", one.external_port},
              {"internal", one.internal.to_string()},
              {"watched_ms", after},
              {"packet", one.packet}}});
    }
}

}  // namespace p2pdiag::capture_plugin
