// What the pings and pongs of a session say together, and sides that speak different versions.
#include <algorithm>

#include "findings_parts.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// The pings of one side to all the addresses that it tried.
struct Pings {
    std::set<Endpoint> to;
    std::uint64_t sends = 0;
    std::uint64_t answered = 0;
    std::uint64_t unanswered = 0;
    std::uint64_t refused = 0;
    std::uint64_t packet = 0;
};

Pings pings_of(const Evidence& evidence, Attempt attempt, const IpAddress& from) {
    Pings pings;
    for (const auto& [key, exchange] : evidence.exchanges) {
        // On the outside of a NAT that is in the capture they are seen once more.
        const bool own =
            key.protocol == Protocol::probe && key.attempt == attempt && key.from == from;
        if (!own || evidence.hides_answers(key.from, key.to.address)) continue;
        pings.to.insert(key.to);
        pings.sends += exchange.sends;
        pings.answered += exchange.answered;
        pings.refused += exchange.refused;
        if (exchange.unanswered == 0) continue;
        pings.unanswered += exchange.unanswered;
        if (pings.packet == 0 || exchange.packet < pings.packet) pings.packet = exchange.packet;
    }
    return pings;
}

bool is_outside_of(const Evidence& evidence, const IpAddress& inside, const IpAddress& outside) {
    return std::ranges::any_of(evidence.translations, [&](const Translation& one) {
        return one.inside.address == inside && one.outside.address == outside;
    });
}

// Somebody else than `address`, and than the NAT before it, sent something in this session.
bool other_side_seen(const Evidence& evidence, const Punch& punch, const IpAddress& address) {
    if (punch.pongs > 0) return true;
    return std::ranges::any_of(punch.pingers, [&](const auto& pinger) {
        return pinger.first != address && !is_outside_of(evidence, address, pinger.first) &&
               !is_outside_of(evidence, pinger.first, address);
    });
}

void add_silent(FindingList& list, const Pings& pings, const IpAddress& from, bool seen,
                bool lost) {
    json::array to;
    for (const Endpoint& endpoint : pings.to) to.push_back(json::value(endpoint.to_string()));
    std::string message =
        from.to_string() + " sent " + times(pings.sends, "ping") + " to " +
        (pings.to.size() == 1 ? pings.to.begin()->to_string()
                              : std::to_string(pings.to.size()) + " addresses of its peer");
    message += seen ? ", and got no pong, though probes of the peer are in the capture: the pings "
                      "do not arrive there, or the peer does not take them for those of its session"
                    : ", and no probe of the peer is in the capture: the peer never sent, or a NAT "
                      "or firewall on the way drops what it sends";
    if (lost) message += "; but the capture has lost packets";
    list.add({seen ? "capture.no-reply" : "capture.one-way",
              lost ? Severity::warning : Severity::error,
              std::move(message),
              {{"protocol", "probe"},
               {"from", from.to_string()},
               {"addresses", std::move(to)},
               {"sends", pings.sends},
               {"refused", pings.refused},
               {"packet", pings.packet}}});
}

}  // namespace

std::set<Attempt> add_punching(FindingList& list, const Evidence& evidence, bool lost) {
    std::set<Attempt> told;
    for (const auto& [session, punch] : evidence.punches) {
        for (const auto& [address, attempt] : punch.pingers) {
            const Pings pings = pings_of(evidence, attempt, address);
            if (pings.unanswered == 0 || pings.answered > 0) continue;
            add_silent(list, pings, address, other_side_seen(evidence, punch, address), lost);
            told.insert(attempt);
        }
    }
    return told;
}

void add_handshakes(FindingList& list, const Evidence& evidence, bool lost) {
    for (const auto& [session, one] : evidence.handshakes) {
        const IpAddress& initiator = one.initiator.address;
        const IpAddress& responder = one.responder.address;
        if (one.fate != Fate::unanswered || evidence.hides_answers(responder, initiator)) continue;
        const bool cookie = one.last == envelope::Kind::cookie;
        const std::string why =
            cookie ? "the cookie does not arrive there, or the other side gave up"
                   : "the response does not arrive there, or it is not accepted, as with another "
                     "code word, or the other side gave up";
        list.add({"capture.no-reply",
                  lost ? Severity::warning : Severity::error,
                  "The chat handshake of " + one.initiator.to_string() + " with " +
                      one.responder.to_string() + " stops after the " +
                      (cookie ? "cookie" : "response") + ", sent " + times(one.sends, "time") +
                      ": " + why + (lost ? "; but the capture has lost packets" : ""),
                  {{"protocol", "chat"},
                   {"from", one.responder.to_string()},
                   {"to", one.initiator.to_string()},
                   {"stops_after", cookie ? "cookie" : "response"},
                   {"sends", one.sends},
                   {"packet", one.packet}}});
    }
}

void add_mismatches(FindingList& list, const Evidence& evidence) {
    for (const VersionMismatch& one : evidence.mismatches) {
        list.add(
            {"capture.version-mismatch",
             Severity::error,
             one.one.to_string() + " speaks version " + std::to_string(one.ones) +
                 " of p2pdiag's protocol, and " + one.other.to_string() + " version " +
                 std::to_string(one.others) +
                 ": neither understands the other. Both sides need the same release of p2pdiag",
             {{"one", one.one.to_string()},
              {"ones_version", one.ones},
              {"other", one.other.to_string()},
              {"others_version", one.others},
              {"packet", one.packet}}});
    }
}

}  // namespace p2pdiag::capture_plugin
