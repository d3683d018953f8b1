#include "servers_sums.hpp"

namespace p2pdiag::stun_plugin {

using net::Outcome;

namespace {

// Whether something came back at all, be it a refusal. An ICMP message from a router on the way is
// no proof of an internet behind it.
bool came_back(const TransportReport& transport) {
    if (!transport.result) return false;
    switch (transport.result->outcome) {
        case Outcome::no_answer:
        case Outcome::unreachable:
        case Outcome::no_route:
        case Outcome::not_permitted:
        case Outcome::local_error: return false;
        default: return true;
    }
}

// A connection that was accepted is more than silence.
bool stream_came_back(const TransportReport& stream) {
    return came_back(stream) || (stream.result && stream.result->local.has_value());
}

// What came back tells more than silence does.
int tells(Outcome outcome) {
    switch (outcome) {
        case Outcome::malformed:
        case Outcome::wrong_source:
        case Outcome::wrong_transaction: return 3;
        case Outcome::refused: return 2;
        case Outcome::unreachable:
        case Outcome::not_permitted: return 1;
        default: return 0;
    }
}

void add_trouble(Sums& sums, const net::BindingResult& result) {
    const auto* known = sums.udp_trouble;
    if (known == nullptr || tells(result.outcome) > tells(known->outcome)) {
        sums.udp_trouble = &result;
    }
}

void add_family(Sums& sums, const FamilyReport& family) {
    if (family.udp.asked) {
        const bool unclear = !family.udp.result ||
                             family.udp.result->outcome == Outcome::local_error ||
                             family.udp.result->outcome == Outcome::no_route;
        if (unclear) {
            ++sums.udp_unclear;
        } else {
            ++sums.udp_asked;
            const Outcome outcome = family.udp.result->outcome;
            if (outcome == Outcome::ok) ++sums.udp_ok;
            if (outcome == Outcome::error_response) ++sums.udp_error;
            if (outcome != Outcome::ok) add_trouble(sums, *family.udp.result);
        }
    }
    sums.stream_ok = sums.stream_ok || is_ok(family.tcp) || is_ok(family.tls);
    sums.anything = sums.anything || came_back(family);
    sums.udp_back = sums.udp_back || came_back(family.udp);
}

}  // namespace

bool is_ok(const TransportReport& transport) {
    return transport.result && transport.result->outcome == Outcome::ok;
}

bool came_back(const FamilyReport& family) {
    return came_back(family.udp) || stream_came_back(family.tcp) || stream_came_back(family.tls);
}

Sums sum_up(const ServerReport& server) {
    Sums sums;
    add_family(sums, server.ipv4);
    add_family(sums, server.ipv6);
    using net::ResolveError;
    const auto v4 = server.ipv4.lookup_error;
    const auto v6 = server.ipv6.lookup_error;
    const bool looked_up = !server.name.host.empty() && !server.name.is_literal();
    sums.lookup_failed = looked_up && v4 && v6;
    sums.not_found = v4 == ResolveError::not_found || v6 == ResolveError::not_found ||
                     (v4 == ResolveError::no_address && v6 == ResolveError::no_address);
    const bool found = !server.ipv4.addresses.empty() || !server.ipv6.addresses.empty();
    sums.no_route = found && (server.ipv4.addresses.empty() || server.ipv4.no_route) &&
                    (server.ipv6.addresses.empty() || server.ipv6.no_route);
    return sums;
}

void Targets::add(const FamilyReport& family) {
    const bool asked = family.udp.asked || family.tls.asked;
    if (!asked || !family.addresses.front().is_public()) return;
    addresses_.insert(family.addresses.front());
    for (const TransportReport* transport : {&family.udp, &family.tcp, &family.tls}) {
        if (!transport->result) continue;
        const Outcome outcome = transport->result->outcome;
        refused_here_ = refused_here_ || outcome == Outcome::not_permitted ||
                        outcome == Outcome::local_error || outcome == Outcome::no_route;
    }
}

}  // namespace p2pdiag::stun_plugin
