#include "failures.hpp"

#include "offers.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::Problem;

namespace {

// DESIGN section 6 sends keepalives every 25 s: a lease that short is renewed all the time.
constexpr portmap::Seconds very_short{30};

json::object evidence_of(const Try& asked) {
    return {{"protocol", portmap::to_string(asked.service.protocol)},
            {"router", asked.service.router.to_string()},
            {"transport", to_string(asked.request.transport)},
            {"external_port", asked.request.external_port},
            {"internal", Endpoint{asked.service.local, asked.request.internal_port}.to_string()}};
}

// Its answer was a success, and what it then lists is something else.
bool says_what_it_does_not(const portmap::Failure& failure) {
    return failure.problem == Problem::failed && failure.code == 0;
}

std::string code_for(const portmap::Failure& failure) {
    if (says_what_it_does_not(failure)) return "portmap.mapped-but-unreachable";
    switch (failure.problem) {
        case Problem::conflict:
        case Problem::port_not_available: return "portmap.conflict";
        case Problem::permanent_only: return "portmap.permanent-only";
        case Problem::address_mismatch: return "nat.double-nat";
        case Problem::no_external_address: return "portmap.external-private";
        case Problem::absent:
        case Problem::no_answer:
        case Problem::kept_here:
        case Problem::no_route: return "portmap.none";
        default: return "portmap.refused";
    }
}

std::string explain(Problem problem) {
    switch (problem) {
        case Problem::conflict: return "the port belongs to somebody else";
        case Problem::port_not_available: return "the router cannot give that very port";
        case Problem::permanent_only: return "the router takes no lease";
        case Problem::same_port_required:
            return "the router forwards only to the same port: leave out --external";
        case Problem::wildcard_required: return "the router takes only what it calls wildcards";
        case Problem::full:
            return "the router's table is full, or it has no outside address to forward from";
        case Problem::refused:
            return "the router does not allow it: that port, this machine, or any program at all";
        case Problem::address_mismatch:
            return "the router sees another address than this machine's own: a NAT lies between";
        case Problem::no_external_address:
            return "the router has no outside address that peers could reach; another NAT may "
                   "stand "
                   "in front of it";
        case Problem::absent:
        case Problem::no_answer: return "the router does not answer this request";
        case Problem::no_route: return "the router cannot be reached";
        case Problem::kept_here: return "this machine's own firewall does not let the question out";
        case Problem::unsupported: return "the router does not know how";
        default: return "the router could not do it";
    }
}

}  // namespace

void add_failure(Judgement& judgement, const Try& asked, const portmap::Failure& failure) {
    json::object evidence = evidence_of(asked);
    evidence["problem"] = portmap::to_string(failure.problem);
    evidence["code"] = failure.code;
    evidence["text"] = failure.text;
    if (failure.retry_after) evidence["retry_after_s"] = failure.retry_after->count();
    std::string message =
        port_words(asked.request.transport, asked.request.external_port) + " by " +
        std::string(display_name(asked.service.protocol)) + " of " + asked.router_name + ": " +
        explain(failure.problem) +
        (is_answer(failure.problem) ? ". It said: " + words(failure) : " (" + words(failure) + ')');
    judgement.add(code_for(failure), Severity::warning, std::move(message), std::move(evidence));
}

void add_grant(Judgement& judgement, const Try& asked, const portmap::MapGrant& grant) {
    const portmap::Seconds wanted = asked.request.lifetime;
    if (!grant.lifetime) return;
    json::object evidence = evidence_of(asked);
    evidence["asked_s"] = wanted.count();
    evidence["granted_s"] = grant.lifetime->count();
    if (grant.lifetime->count() == 0 && wanted.count() > 0) {
        judgement.add(
            "portmap.permanent-only", Severity::warning,
            "The router keeps forwards for good and takes no lease: it must be removed by "
            "hand or with 'p2pdiag undo'",
            std::move(evidence));
    } else if (*grant.lifetime < wanted) {
        const bool hardly_any = *grant.lifetime < very_short;
        std::string message = "The router grants " + lease_words(grant.lifetime) + " where " +
                              lease_words(wanted) + " were asked for";
        if (hardly_any) message += ": too short to be of use without constant renewal";
        judgement.add("portmap.lease-shortened", hardly_any ? Severity::warning : Severity::info,
                      std::move(message), std::move(evidence));
    }
}

std::string port_words(Transport transport, std::uint16_t port) {
    return std::string(transport == Transport::udp ? "UDP" : "TCP") + " port " +
           std::to_string(port);
}

std::string lease_words(const std::optional<portmap::Seconds>& lease) {
    if (!lease) return "for an unknown time";
    if (lease->count() == 0) return "for good";
    return std::to_string(lease->count()) + " s";
}

}  // namespace p2pdiag::upnp_plugin
