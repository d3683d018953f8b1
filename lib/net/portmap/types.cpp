#include "net/portmap/types.hpp"

#include <stdexcept>

#include "base/random.hpp"

namespace p2pdiag::net::portmap {

std::string_view to_string(Protocol protocol) {
    switch (protocol) {
        case Protocol::upnp: return "upnp";
        case Protocol::natpmp: return "natpmp";
        case Protocol::pcp: break;
    }
    return "pcp";
}

std::optional<Protocol> parse_protocol(std::string_view text) {
    for (const Protocol one : {Protocol::upnp, Protocol::natpmp, Protocol::pcp}) {
        if (text == to_string(one)) return one;
    }
    return std::nullopt;
}

std::string_view to_string(Problem problem) {
    switch (problem) {
        case Problem::absent: return "absent";
        case Problem::no_answer: return "no-answer";
        case Problem::no_route: return "no-route";
        case Problem::kept_here: return "kept-here";
        case Problem::malformed: return "malformed";
        case Problem::too_large: return "too-large";
        case Problem::foreign_url: return "foreign-url";
        case Problem::unsupported: return "unsupported";
        case Problem::refused: return "refused";
        case Problem::conflict: return "conflict";
        case Problem::same_port_required: return "same-port-required";
        case Problem::permanent_only: return "permanent-only";
        case Problem::wildcard_required: return "wildcard-required";
        case Problem::full: return "full";
        case Problem::no_external_address: return "no-external-address";
        case Problem::port_not_available: return "port-not-available";
        case Problem::address_mismatch: return "address-mismatch";
        case Problem::not_found: return "not-found";
        case Problem::failed: break;
    }
    return "failed";
}

void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
    throw std::logic_error(std::string(to_string(failure.problem)) + ": " + failure.text);
}

PcpNonce random_nonce() {
    PcpNonce nonce{};
    fill_random(nonce);
    return nonce;
}

std::uint16_t random_port() {
    constexpr unsigned first_dynamic_port = 49152;
    std::array<std::uint8_t, 2> bytes{};
    fill_random(bytes);
    const unsigned number = bytes[0] * 256U + bytes[1];
    return static_cast<std::uint16_t>(first_dynamic_port + number % (65536 - first_dynamic_port));
}

}  // namespace p2pdiag::net::portmap
