// The words of the report; part of its format, so never renamed.
#include "verdict.hpp"

namespace p2pdiag::nat {

std::string_view to_string(Dependence dependence) {
    switch (dependence) {
        case Dependence::endpoint_independent: return "endpoint-independent";
        case Dependence::address_dependent: return "address-dependent";
        case Dependence::address_and_port_dependent: break;
    }
    return "address-and-port-dependent";
}

std::string_view to_string(NatType type) {
    switch (type) {
        case NatType::open: return "open";
        case NatType::symmetric_firewall: return "symmetric-firewall";
        case NatType::full_cone: return "full-cone";
        case NatType::restricted_cone: return "restricted-cone";
        case NatType::port_restricted_cone: return "port-restricted-cone";
        case NatType::symmetric: return "symmetric";
        case NatType::udp_blocked: break;
    }
    return "udp-blocked";
}

std::string_view to_string(FilteredBy by) {
    switch (by) {
        case FilteredBy::host: return "host";
        case FilteredBy::router: return "router";
        case FilteredBy::unknown: break;
    }
    return "unknown";
}

std::string_view to_string(Reason reason) {
    switch (reason) {
        case Reason::none: return "none";
        case Reason::pending: return "pending";
        case Reason::loss: return "loss";
        case Reason::server_unsupported: return "server-unsupported";
        case Reason::flow_loss: return "flow-loss";
        case Reason::mapping_varies: return "mapping-varies";
        case Reason::inconsistent: return "inconsistent";
        case Reason::one_destination: return "one-destination";
        case Reason::not_told_apart: return "not-told-apart";
        case Reason::no_server_answered: return "no-server-answered";
        case Reason::only_other_ports: return "only-other-ports";
        case Reason::stun_filtered: return "stun-filtered";
        case Reason::no_valid_answer: return "no-valid-answer";
        case Reason::udp_blocked: return "udp-blocked";
        case Reason::no_route: return "no-route";
        case Reason::no_server: return "no-server";
        case Reason::name_lookup: return "name-lookup";
        case Reason::not_asked: return "not-asked";
        case Reason::not_behind_nat: return "not-behind-nat";
        case Reason::not_varying: return "not-varying";
        case Reason::irregular: return "irregular";
        case Reason::mixed: return "mixed";
        case Reason::filtering_unknown: return "filtering-unknown";
        case Reason::mapping_unknown: return "mapping-unknown";
        case Reason::local_unknown: return "local-unknown";
        case Reason::server_inside: return "server-inside";
        case Reason::servers_disagree: return "servers-disagree";
        case Reason::plain_address: return "plain-address";
        case Reason::not_shown: return "not-shown";
        case Reason::served_and_silent: return "served-and-silent";
        case Reason::prohibited: return "prohibited";
        case Reason::no_time: return "no-time";
        case Reason::longer_than_measured: return "longer-than-measured";
        case Reason::cancelled: break;
    }
    return "cancelled";
}

}  // namespace p2pdiag::nat
