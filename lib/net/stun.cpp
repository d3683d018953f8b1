#include "net/stun.hpp"

#include <sys/random.h>

#include <random>

namespace p2pdiag::net {

stun::TransactionId random_transaction_id() {
    stun::TransactionId id{};
    const ssize_t filled = ::getrandom(id.data(), id.size(), 0);
    if (filled == static_cast<ssize_t>(id.size())) return id;
    std::random_device device;  // a sandbox without getrandom()
    for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(device());
    return id;
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
