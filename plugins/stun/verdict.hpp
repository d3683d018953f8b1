// What the observations amount to. A field that is null carries the reason why; a reason beside a
// value is Reason::none.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "observations.hpp"

namespace p2pdiag::nat {

// RFC 4787 section 4.1, and the same words for filtering in section 5.
enum class Dependence { endpoint_independent, address_dependent, address_and_port_dependent };

// The names of RFC 3489 section 5, since users know them.
enum class NatType {
    open,
    symmetric_firewall,
    full_cone,
    restricted_cone,
    port_restricted_cone,
    symmetric,
    udp_blocked
};

// Who stops packets. "router" is whatever is on the way, "host" this machine itself.
enum class FilteredBy { unknown, host, router };

enum class Reason {
    none,
    pending,             // only while the discovery runs
    loss,                // packets got lost, and that explains it as well
    server_unsupported,  // no server could do what the test presumes
    flow_loss,           // what a socket asked gets lost by its flow, whomever it has contacted
    mapping_varies,      // the mapping changes with the destination, so no control can pass
    inconsistent,        // equal tests gave different answers
    one_destination,     // only one destination answered
    not_told_apart,      // it varies, but by address or by port cannot be told
    no_server_answered,
    only_other_ports,  // silence at the servers' ports, while UDP passes to others of theirs
    stun_filtered,     // requests with STUN's magic cookie are dropped, and one without is answered
    no_valid_answer,   // datagrams came back, but no answer that counts
    udp_blocked,
    no_route,
    no_server,    // no server with an address of this family
    name_lookup,  // the servers' names could not be resolved
    not_asked,    // opt-in, and nobody opted in
    not_behind_nat,
    not_varying,        // asks for a mapping that varies
    irregular,          // ports follow no constant step
    mixed,              // true for some mappings, false for others
    filtering_unknown,  // the name depends on the filtering
    mapping_unknown,    // the name depends on the mapping
    local_unknown,      // the system names no source address
    server_inside,      // the servers see an address that is not public
    servers_disagree,   // each sees another public address, so their views cannot be compared
    plain_address,      // the local address, but in no form that is safe from rewriting
    not_shown,          // nothing that was seen tells
    served_and_silent,  // a server answers from there, and nothing that was sent there was answered
    prohibited,         // a router on the way refuses it, by ICMP
    no_time,            // what would tell takes longer than there was time
    longer_than_measured,  // a bound beyond the longest wait
    cancelled
};

std::string_view to_string(Dependence dependence);
std::string_view to_string(NatType type);
std::string_view to_string(FilteredBy by);
std::string_view to_string(Reason reason);

template <class T>
struct Field {
    std::optional<T> value;
    Reason reason = Reason::none;

    static Field known(T value) { return {std::move(value), Reason::none}; }
    static Field unknown(Reason reason) { return {std::nullopt, reason}; }
};

struct Destination {
    Endpoint address;
    Endpoint mapped;
    std::size_t name = 0;                           // which of the configured names it is of
    std::optional<IpAddress> local = std::nullopt;  // this machine's address towards it
};

struct Verdict {
    Field<Endpoint> local;
    Field<Endpoint> public_endpoint;
    Field<Dependence> mapping;
    bool mapping_varies = false;  // known even where `mapping` cannot tell by what
    Field<Dependence> filtering;
    Field<NatType> nat_type;
    Field<bool> behind_nat;
    Field<bool> port_preservation;
    Field<int> port_step;  // ports from one new mapping to the next
    Field<bool> hairpinning;
    Field<bool> unlisted_ports;  // UDP gets out to ports that no list of permitted ones has
    std::vector<Destination> destinations;    // what each destination saw of the mapping socket
    std::vector<IpAddress> public_addresses;  // all that were seen, on any socket
    // A router on the way with an address of RFC 6598: a hint at a second NAT, no proof.
    std::optional<IpAddress> carrier_hop;
    // This machine's own address where it is one of RFC 6598, and not known to be a tunnel's.
    std::optional<IpAddress> carrier_local;
    bool translated_from_ipv6 =
        false;                   // the local address is that of a 464XLAT translator (RFC 6877)
    Field<bool> pooling_paired;  // RFC 4787 section 4.1: one public address for all sockets
};

Verdict classify(const Observations& seen);

}  // namespace p2pdiag::nat
