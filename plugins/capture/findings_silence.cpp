// Requests that nobody answers, and conversations in which one side alone speaks.
#include <algorithm>

#include "findings_parts.hpp"

namespace p2pdiag::capture_plugin {

namespace {

std::string who(const ExchangeKey& key) {
    std::string what = std::string(to_string(key.protocol)) + " requests";
    if (key.protocol == Protocol::probe) what = "pings";
    if (key.protocol == Protocol::chat) what = "chat handshakes";
    return what + " from " + key.from.to_string() + " to " + key.to.to_string();
}

json::object evidence_of(const ExchangeKey& key, const Exchange& exchange) {
    return {{"protocol", to_string(key.protocol)},
            {"from", key.from.to_string()},
            {"to", key.to.to_string()},
            {"asked", exchange.asked},
            {"sends", exchange.sends},
            {"answered", exchange.answered},
            {"unanswered", exchange.unanswered},
            {"packet", exchange.packet}};
}

bool is_discovery(Protocol protocol) {
    return protocol == Protocol::ssdp || protocol == Protocol::natpmp || protocol == Protocol::pcp;
}

// What silence means depends on what was asked.
Severity severity_of_silence(const ExchangeKey& key, bool lost) {
    // Most networks have nobody who answers these.
    if (is_discovery(key.protocol)) return Severity::info;
    return lost ? Severity::warning : Severity::error;
}

// Calls of which a check was answered. Of the pairs of addresses that ICE and our own probes try
// one has to work; the others are mostly silent (RFC 8445 section 2.2).
std::set<Attempt> working_attempts(const Evidence& evidence) {
    std::set<Attempt> working;
    for (const auto& [key, exchange] : evidence.exchanges) {
        if (key.attempt != no_attempt && exchange.answered > 0) working.insert(key.attempt);
    }
    return working;
}

void add_exchange(FindingList& list, const ExchangeKey& key, const Exchange& exchange, bool lost,
                  bool others_work) {
    if (exchange.unanswered == 0) return;
    const bool none = exchange.answered == 0 && exchange.refused == 0;
    Finding finding{"capture.no-reply", Severity::info, "", evidence_of(key, exchange)};
    if (none) {
        if (!others_work) finding.severity = severity_of_silence(key, lost);
        finding.message = "No reply: " + who(key) + ": " + times(exchange.unanswered, "request") +
                          ", sent " + times(exchange.sends, "time") + " in all, and no answer";
        if (lost) finding.message += " in the capture, which has lost packets";
        if (others_work) {
            const bool ice = key.protocol == Protocol::stun;
            finding.message += ice ? "; other checks of the same call (ICE) were answered"
                                   : "; others of the same session were answered";
        }
    } else {
        finding.message = std::to_string(exchange.unanswered) + " of " +
                          std::to_string(exchange.asked) + ' ' + who(key) + " had no reply";
        // Single ones are lost on any network.
        const bool many = exchange.unanswered * 5 >= exchange.asked;
        // And not every refusal is said: RFC 1812 section 4.3.2.8 wants a limit to their rate.
        const bool all_refused = exchange.answered == 0;
        const bool normal = all_refused || is_discovery(key.protocol);
        if (many && !others_work && !normal) finding.severity = Severity::warning;
    }
    list.add(std::move(finding));
}

void add_other_source(FindingList& list, const ExchangeKey& key, const Exchange& exchange) {
    const std::uint64_t silent = exchange.other_source_asked - exchange.other_source_answered;
    if (silent == 0) return;
    list.add({"capture.no-reply",
              Severity::info,
              times(silent, "STUN test") + " of " + key.from.to_string() + " asked " +
                  key.to.to_string() +
                  " to answer from another address or port, and nothing came: a NAT or firewall "
                  "that filters by the sender does that",
              {{"protocol", "STUN"},
               {"from", key.from.to_string()},
               {"to", key.to.to_string()},
               {"filtering_tests", exchange.other_source_asked},
               {"answered", exchange.other_source_answered}}});
}

// The conversation in which the host that was asked answers, from another of its ports; or nothing.
const OneWay* answer_from_elsewhere(const Evidence& evidence, const OneWay& asked) {
    const auto found = std::ranges::find_if(evidence.one_way, [&](const OneWay& other) {
        return other.to == asked.from && other.from.address == asked.to.address &&
               other.from != asked.to;
    });
    return found == evidence.one_way.end() ? nullptr : &*found;
}

bool is_answer_from_elsewhere(const Evidence& evidence, const OneWay& one) {
    return std::ranges::any_of(evidence.one_way, [&](const OneWay& asked) {
        return asked.from == one.to && asked.to.address == one.from.address && asked.to != one.from;
    });
}

void add_answer_from_elsewhere(FindingList& list, const OneWay& asked, const OneWay& answer) {
    list.add({"capture.reply-elsewhere",
              Severity::warning,
              asked.from.to_string() + " sends to " + asked.to.to_string() +
                  ", and gets its answers from port " + std::to_string(answer.from.port) +
                  " instead of " + std::to_string(asked.to.port) +
                  ": a symmetric NAT before the other side does that; most programs and firewalls "
                  "drop such answers",
              {{"asked", asked.to.to_string()},
               {"answered", answer.from.to_string()},
               {"packets", answer.packets}}});
}

// Several were asked, nobody answered, and nothing else came in either.
bool nothing_came_in(const Evidence& evidence) {
    std::set<IpAddress> asked;
    std::set<IpAddress> senders;
    for (const auto& [key, exchange] : evidence.exchanges) {
        senders.insert(key.from);
        if (exchange.answered > 0 || exchange.other_source_answered > 0) return false;
        if (exchange.refused > 0 || is_discovery(key.protocol)) continue;
        if (key.protocol == Protocol::probe) continue;  // told by add_punching
        if (exchange.unanswered > 0) asked.insert(key.to.address);
    }
    for (const OneWay& one : evidence.one_way) {
        if (answer_from_elsewhere(evidence, one) != nullptr) return false;
        senders.insert(one.from.address);
        asked.insert(one.to.address);
    }
    // Whoever is asked himself, and asks: what others sent to him is in the capture.
    const bool both = std::ranges::any_of(
        asked, [&](const IpAddress& address) { return senders.contains(address); });
    if (both) return false;
    return evidence.two_way.empty() && asked.size() > 1;
}

}  // namespace

void add_silence(FindingList& list, const Evidence& evidence, bool lost) {
    if (nothing_came_in(evidence)) {
        list.add({"capture.one-way",
                  lost ? Severity::warning : Severity::error,
                  "Packets went out, and from nobody did any come back: a firewall or the network "
                  "blocks them, or the capture was taken where only one direction passes",
                  {{"conversations_both_ways", 0}}});
    }
    const std::set<Attempt> working = working_attempts(evidence);
    const std::set<Attempt> told = add_punching(list, evidence, lost);
    for (const auto& [key, exchange] : evidence.exchanges) {
        if (evidence.hides_answers(key.from, key.to.address)) continue;
        if (key.protocol == Protocol::probe && told.contains(key.attempt)) continue;
        add_exchange(list, key, exchange, lost, working.contains(key.attempt));
        add_other_source(list, key, exchange);
    }
    for (const OneWay& one : evidence.one_way) {
        if (const OneWay* answer = answer_from_elsewhere(evidence, one)) {
            add_answer_from_elsewhere(list, one, *answer);
            continue;
        }
        if (is_answer_from_elsewhere(evidence, one)) continue;
        if (evidence.hides_answers(one.from.address, one.to.address)) continue;
        const std::int64_t milliseconds = one.duration_ns / 1'000'000;
        list.add({"capture.one-way",
                  Severity::warning,
                  times(one.packets, "packet") + " went from " + one.from.to_string() + " to " +
                      one.to.to_string() + " within " + std::to_string(milliseconds) +
                      " ms, and none came back",
                  {{"from", one.from.to_string()},
                   {"to", one.to.to_string()},
                   {"packets", one.packets},
                   {"duration_ms", milliseconds}}});
    }
}

}  // namespace p2pdiag::capture_plugin
