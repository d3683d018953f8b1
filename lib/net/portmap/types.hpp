// Asking a router to let a port through: the words that UPnP IGD, NAT-PMP and PCP share.
#pragma once

#include <array>
#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"
#include "base/transport.hpp"

namespace p2pdiag::net::portmap {

using Seconds = std::chrono::seconds;

enum class Protocol { upnp, natpmp, pcp };
std::string_view to_string(Protocol protocol);  // "upnp", "natpmp", "pcp"
std::optional<Protocol> parse_protocol(std::string_view text);

// Why a router did not do what it was asked to. The number of the protocol is in Failure::code.
enum class Problem {
    absent,               // nothing listens there: ICMP port unreachable, connection refused
    no_answer,            // silence, or no whole answer in time
    no_route,             // this machine cannot send there
    kept_here,            // this machine's own firewall did not let the question out (EPERM)
    malformed,            // an answer that breaks its protocol
    too_large,            // more than we are willing to read
    foreign_url,          // leads to another host than the one that answered; not followed
    unsupported,          // version, opcode, option or action that the router does not know
    refused,              // not authorised: 606, NOT_AUTHORIZED, secure mode, a denied port range
    conflict,             // 718: the external port belongs to somebody else
    same_port_required,   // 724
    permanent_only,       // 725, or 402 for a lease
    wildcard_required,    // 726, 727
    full,                 // 728, NO_RESOURCES, USER_EX_QUOTA
    no_external_address,  // NETWORK_FAILURE, no connection on the WAN side
    port_not_available,   // PCP CANNOT_PROVIDE_EXTERNAL
    address_mismatch,     // PCP 12: a NAT between this machine and the router
    not_found,            // 714: there is no such mapping
    failed                // anything else that the router calls an error; see code and text
};
std::string_view to_string(Problem problem);  // with hyphens: "no-answer"

struct Failure {
    Problem problem = Problem::failed;
    int code = 0;      // UPnP error, HTTP status, NAT-PMP or PCP result code; 0 = none
    std::string text;  // printable, for people: what the router or the kernel said
    std::optional<Seconds> retry_after;  // PCP: how long the error holds (RFC 6887 section 7.2)
};

template <class T>
using Outcome = boost::system::result<T, Failure>;
// What Outcome::value() does with a failure: a std::logic_error that carries the text. Ask first.
[[noreturn]] void throw_exception_from_error(const Failure& failure,
                                             const boost::source_location& where);

// RFC 6887 section 11.1: ties a mapping to the program that made it.
using PcpNonce = std::array<std::uint8_t, 12>;
PcpNonce random_nonce();  // from the kernel's generator

// RFC 6335 section 6: from 49152 on, no service has a port by right.
std::uint16_t random_port();

// One way to ask one router, complete: enough to take a mapping back after a restart of this
// machine without searching again.
struct Service {
    Protocol protocol = Protocol::upnp;
    IpAddress router;   // where it is asked
    int interface = 0;  // index of the link towards it; a link-local router needs it
    IpAddress local;    // this machine's address that mappings lead to
    // UPnP: asked from here, where `local` is not this machine's any more.
    std::optional<IpAddress> from = std::nullopt;
    // UPnP alone. The service type says whether it maps ports (WANIPConnection:1, …) or opens
    // pinholes (WANIPv6FirewallControl:1).
    std::string control_url;
    std::string service_type;
    // By which UPnP knows the router, whatever its address and its network card are; empty where it
    // has not said so.
    std::string udn;
};

struct MapRequest {
    Transport transport = Transport::udp;
    std::uint16_t internal_port = 0;  // 1 to 65535
    std::uint16_t external_port = 0;  // 0 = whichever; with IPv6 always the internal one
    Seconds lifetime{0};              // UPnP: 0 = permanent
    // UPnP shows it in the router's list, and it is how a mapping is known to be ours. Printable
    // ASCII, at most 48 characters.
    std::string description;
    PcpNonce nonce{};         // PCP
    bool exact = false;       // rather nothing than another external port
    bool lease_only = false;  // UPnP: rather nothing than a mapping for good
};

struct MapGrant {
    std::uint16_t internal_port = 0;
    std::uint16_t external_port = 0;
    std::optional<IpAddress> external_address;  // where the protocol tells
    std::optional<Seconds> lifetime;            // 0 = permanent; nothing where it is not told
    std::optional<std::uint32_t> epoch;         // seconds; NAT-PMP and PCP
    std::optional<std::uint16_t> pinhole_id;    // UPnP WANIPv6FirewallControl
    // UPnP: what the router lists it as, where that is not MapRequest::description. Only so is it
    // known to be ours later.
    std::optional<std::string> listed_as;
    // UPnP: granted, and then not in the router's list. It may be in force all the same; a packet
    // from outside can tell.
    bool unlisted = false;
};

}  // namespace p2pdiag::net::portmap
