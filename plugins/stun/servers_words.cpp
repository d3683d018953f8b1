// What came of asking a server over UDP, in words that tell one trouble from another.
#include "base/text.hpp"
#include "servers.hpp"

namespace p2pdiag::stun_plugin {

using net::Outcome;

namespace {

std::string refusal_of(const net::BindingResult& result) {
    if (result.said && result.said->meaning == icmp::Meaning::prohibited) {
        return "a refusal by the server itself, whose firewall does not let it in";
    }
    return "a refusal by the server itself, as nothing listens on that port";
}

std::string unreachable_by(const net::BindingResult& result) {
    if (!result.said) {
        return "unreachable" + (result.detail.empty() ? "" : ", " + printable(result.detail));
    }
    const icmp::Said& said = *result.said;
    const std::string by = said.by.to_string();
    switch (said.meaning) {
        case icmp::Meaning::port_unreachable:
        case icmp::Meaning::prohibited:
            return "a refusal by " + by + " and not by the server (ICMP " +
                   std::string(icmp::to_string(said.meaning)) + ")";
        default: break;
    }
    return "unreachable, says " + by + " (ICMP " + std::string(icmp::to_string(said.meaning)) + ")";
}

}  // namespace

std::string words_of_udp(const net::BindingResult& result) {
    switch (result.outcome) {
        case Outcome::ok: return "a valid answer";
        case Outcome::error_response: return "an answer with the error " + result.detail;
        case Outcome::no_answer: return "no answer";
        case Outcome::refused: return refusal_of(result);
        case Outcome::unreachable: return unreachable_by(result);
        case Outcome::not_permitted:
            return "nothing sent, as this machine's own firewall forbids it";
        case Outcome::malformed: return "an answer that is no valid STUN";
        case Outcome::wrong_transaction: return "an answer to a request that was not made";
        case Outcome::wrong_source:
            return "an answer from " +
                   (result.answered_from ? result.answered_from->to_string() : "elsewhere") +
                   " and not from " + result.server.to_string() + ", which was asked";
        case Outcome::no_route:
        case Outcome::closed:
        case Outcome::tls_failed:
        case Outcome::local_error: break;
    }
    return "nothing sent";
}

}  // namespace p2pdiag::stun_plugin
