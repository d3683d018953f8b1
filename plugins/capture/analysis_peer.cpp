// What p2pdiag says to p2pdiag: pings and pongs, the handshake of the chat.
#include <algorithm>

#include "analysis.hpp"

namespace p2pdiag::capture_plugin {

namespace {

using PeerKind = envelope::Kind;

std::string session_text(const envelope::SessionId& session) {
    return std::string(as_text(session));
}

// Pings of one side, to all the addresses that the other one may have; or its handshakes, which a
// path that carries pings does not answer.
Attempt attempt_of(Protocol protocol, const envelope::SessionId& session, const IpAddress& sender) {
    const Attempt attempt = std::hash<std::string>()(
        session_text(session) + std::string(to_string(protocol)) + sender.to_string());
    return attempt == no_attempt ? no_attempt + 1 : attempt;
}

// An init is sent once more with the cookie that it was answered with: another question.
std::string init_key(const envelope::SessionId& session, bool has_cookie) {
    return "c" + session_text(session) + (has_cookie ? '1' : '0');
}

}  // namespace

std::string peer_key(const capture::PeerContent& content) {
    const envelope::Envelope& head = content.envelope;
    if (!content.understood) return {};
    if (head.kind == PeerKind::init) return init_key(head.session, content.has_cookie);
    if (head.kind != PeerKind::ping || !content.transaction) return {};
    return "o" + session_text(head.session) + std::string(as_text(*content.transaction));
}

void Analysis::take(const capture::PeerContent& content) {
    const capture::Segment& segment = *current_.segment;
    note_version(content.envelope.version);
    if (segment.carrier == capture::Carrier::udp) {
        hosts_.at(segment.from.address).punches = true;
        hosts_.at(segment.to.address).punches = true;
    }
    if (!content.understood) {
        ++other_version_;
        return take_uncounted(describe(content), segment.payload.size());
    }
    const bool probe =
        content.envelope.kind == PeerKind::ping || content.envelope.kind == PeerKind::pong;
    probe ? take_probe(content) : take_chat(content);
}

// The two sides of one conversation: whoever else speaks other versions is nobody's business.
void Analysis::note_version(std::uint8_t version) {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    if (std::exchange(flow.version[side], version) == version) return;
    const std::uint8_t theirs = flow.version[1 - side];
    if (theirs == 0 || theirs == version) return;
    const capture::Segment& segment = *current_.segment;
    const VersionMismatch found{segment.to.address, segment.from.address, theirs, version,
                                current_.number};
    const bool known =
        std::ranges::any_of(evidence_.mismatches, [&found](const VersionMismatch& one) {
            return HostPair(one.one, one.other) == HostPair(found.one, found.other);
        });
    if (!known) evidence_.note(evidence_.mismatches, found);
}

void Analysis::take_probe(const capture::PeerContent& content) {
    const capture::Segment& segment = *current_.segment;
    const envelope::SessionId& session = content.envelope.session;
    Punch* punch = evidence_.punch(session);
    if (content.envelope.kind == PeerKind::pong) {
        if (punch != nullptr) ++punch->pongs;
        if (!content.transaction) return notice(describe(content));
        // A peer in the same private network, or behind the same provider's NAT, sees another side
        // of it: that tells nothing about the outside.
        AnswerTraits traits;
        if (content.observed && content.observed->address.is_public()) {
            traits.mapped = content.observed;
        }
        return answer("o" + session_text(session) + std::string(as_text(*content.transaction)),
                      describe(content), traits);
    }
    const Attempt attempt = attempt_of(Protocol::probe, session, segment.from.address);
    if (punch != nullptr && punch->pingers.size() < Punch::max_pingers) {
        punch->pingers.emplace(segment.from.address, attempt);
    }
    if (!content.transaction) return notice(describe(content));
    RequestTraits traits;
    traits.attempt = attempt;
    request(peer_key(content), describe(content), traits);
}

void Analysis::note_handshake(const capture::PeerContent& content) {
    const PeerKind kind = content.envelope.kind;
    Handshake* handshake = evidence_.handshake(content.envelope.session);
    if (handshake == nullptr || kind == PeerKind::unsupported) return;
    if (kind == PeerKind::init) {
        handshake->took_cookie = handshake->took_cookie || content.has_cookie;
        return;
    }
    // A copy of the cookie may come late.
    const bool asks = kind == PeerKind::response ||
                      (kind == PeerKind::cookie && handshake->last != PeerKind::response);
    if (!asks) {
        handshake->went_on = handshake->went_on || kind != PeerKind::cookie;
        return;
    }
    const capture::Segment& segment = *current_.segment;
    if (handshake->last != kind) {
        handshake->last = kind;
        handshake->carrier = segment.carrier;
        handshake->initiator = segment.to;
        handshake->responder = segment.from;
        handshake->packet = current_.number;
        handshake->first_ns = current_.now_ns;
        handshake->initiator_bytes = current_.flow->tcp.bytes[1 - current_.side];
        handshake->sends = 0;
    }
    ++handshake->sends;
    handshake->last_ns = std::max(handshake->last_ns, current_.now_ns);
}

// While the flows are still there.
void Analysis::end_handshakes() {
    for (auto& [session, handshake] : evidence_.handshakes) {
        const bool taken_up = handshake.went_on || handshake.last == PeerKind::init ||
                              (handshake.last == PeerKind::cookie && handshake.took_cookie);
        if (taken_up) continue;
        if (handshake.carrier == capture::Carrier::tcp) {
            std::size_t side = 0;
            const Flow* flow =
                flows_.find(handshake.carrier, handshake.initiator, handshake.responder, side);
            if (flow == nullptr || flow->tcp.bytes[side] != handshake.initiator_bytes) continue;
        }
        handshake.fate =
            came_too_late(handshake.first_ns, handshake.last_ns) ? Fate::open : Fate::unanswered;
    }
}

void Analysis::take_chat(const capture::PeerContent& content) {
    const capture::Segment& segment = *current_.segment;
    note_handshake(content);
    const envelope::SessionId& session = content.envelope.session;
    switch (content.envelope.kind) {
        case PeerKind::init: {
            RequestTraits traits;
            traits.attempt = attempt_of(Protocol::chat, session, segment.from.address);
            request(peer_key(content), describe(content), traits);
            return;
        }
        case PeerKind::cookie: return answer(init_key(session, false), describe(content));
        case PeerKind::response:
        case PeerKind::unsupported: {
            const std::string with_cookie = init_key(session, true);
            const bool came_back = transactions_.find(with_cookie) != nullptr;
            return answer(came_back ? with_cookie : init_key(session, false), describe(content));
        }
        case PeerKind::data: return take_uncounted(describe(content), segment.payload.size());
        case PeerKind::finish:
        case PeerKind::close: break;
        case PeerKind::ping:
        case PeerKind::pong: return;
    }
    // Both may be sent again, since nothing answers them.
    const std::string key = session_text(session) + segment.from.to_string() +
                            std::string(to_string(content.envelope.kind));
    const auto known = finished_.find(key);
    Message* message = known == finished_.end() ? nullptr : messages_.find(known->second);
    if (message != nullptr) return repeat(*message, current_.now_ns);
    if (finished_.size() == Transactions::capacity) finished_.clear();
    finished_[key] = add_message(describe(content));
}

}  // namespace p2pdiag::capture_plugin
