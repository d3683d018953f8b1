// What came of asking a server over UDP, in words that tell one trouble from another.
#include "base/text.hpp"
#include "servers.hpp"

namespace p2pdiag::stun_plugin {

using net::Outcome;

std::string words_of_udp(const net::BindingResult& result) {
    switch (result.outcome) {
        case Outcome::ok: return "a valid answer";
        case Outcome::error_response: return "an answer with the error " + result.detail;
        case Outcome::no_answer: return "no answer";
        case Outcome::refused: return "a refusal, as nothing listens on that port";
        case Outcome::unreachable:
            return "unreachable" + (result.detail.empty() ? "" : ", " + printable(result.detail));
        case Outcome::not_permitted: return "nothing sent, as this machine's firewall forbids it";
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
