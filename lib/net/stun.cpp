#include "net/stun.hpp"

#include "base/random.hpp"
#include "net/routes.hpp"

namespace p2pdiag::net {

stun::TransactionId random_transaction_id() {
    stun::TransactionId id{};
    fill_random(id);
    return id;
}

std::optional<Outcome> outcome_of(const icmp::Said& said, const Endpoint& server) {
    using icmp::Meaning;
    if (said.meaning == Meaning::too_big || said.meaning == Meaning::other) return std::nullopt;
    const bool refusal =
        said.meaning == Meaning::port_unreachable || said.meaning == Meaning::prohibited;
    if (!refusal) return Outcome::unreachable;
    if (said.by == server.address.unmapped()) return Outcome::refused;
    // What a rule of this machine rejects on its way out is told from the packet's own source.
    const auto own = source_address(server);
    const bool from_here = own && said.by == own->unmapped();
    return from_here ? Outcome::not_permitted : Outcome::unreachable;
}

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::ok: return "ok";
        case Outcome::error_response: return "error-response";
        case Outcome::no_answer: return "no-answer";
        case Outcome::refused: return "refused";
        case Outcome::unreachable: return "unreachable";
        case Outcome::no_route: return "no-route";
        case Outcome::not_permitted: return "not-permitted";
        case Outcome::malformed: return "malformed";
        case Outcome::wrong_transaction: return "wrong-transaction";
        case Outcome::wrong_source: return "wrong-source";
        case Outcome::closed: return "closed";
        case Outcome::tls_failed: return "tls-failed";
        case Outcome::local_error: break;
    }
    return "local-error";
}

}  // namespace p2pdiag::net
