// The question put to the evaluator: a packet, and the machine it meets. Plain values without any
// I/O, so that every answer can be tested without root.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "net/interfaces.hpp"
#include "net/ipsec_policies.hpp"
#include "net/routing_tables.hpp"
#include "ruleset.hpp"

namespace p2pdiag::firewall {

inline constexpr std::uint8_t protocol_icmp = 1;
inline constexpr std::uint8_t protocol_tcp = 6;
inline constexpr std::uint8_t protocol_udp = 17;
inline constexpr std::uint8_t protocol_icmpv6 = 58;

// ICMPv6 types of RFC 4861 section 4.3 and 4.4.
inline constexpr std::uint8_t nd_solicitation = 135;
inline constexpr std::uint8_t nd_advertisement = 136;

enum class CtState : std::uint8_t {
    fresh,
    established,
    related,
    untracked,
    invalid
};  // fresh: "new"

enum class Direction : std::uint8_t { in, out };

// What a packet is to its flow: the first, the answer to that, or what the one who began it sends
// from then on.
enum class Part : std::uint8_t { opening, answer, later };

// A value that is absent is not known, or may be any: the verdict then says what it depends on.
// Unfragmented, without IP options or extension headers.
struct Packet {
    Direction direction = Direction::in;
    std::string interface;  // by name: where it comes in, or leaves; "": by any
    std::optional<IpAddress> source;
    // Where `source` is absent, what is known of it: that it is of a network. Absent: nothing.
    std::optional<Known> source_within = std::nullopt;
    // Its family is the packet's. 0.0.0.0 or :: stands for one of the machine's own, any of them.
    IpAddress destination;
    std::uint8_t protocol = protocol_udp;      // IANA number
    std::optional<std::uint16_t> source_port;  // ports count for TCP and UDP
    std::uint16_t destination_port = 0;
    std::optional<std::uint8_t> icmp_type;
    // What connection tracking would say of it, where it is tracked. An established packet coming
    // in answers one of ours.
    CtState state = CtState::fresh;
    // Absent: a fresh one opens, an established one answers. By TCP: SYN, SYN with ACK, ACK.
    std::optional<Part> part;
    // Of a later one coming in: where the translation of its flow takes it. The address may be
    // 0.0.0.0 or ::, as that of `destination`.
    std::optional<Endpoint> translated_to;
    // The peer is in no network of the machine's own, nor in one that is meant by "gateway" and the
    // like.
    bool with_stranger = false;
    std::uint32_t mark = 0;
    std::optional<std::uint32_t>
        connection_mark;                  // of an established connection; a fresh one has 0
    std::optional<std::uint16_t> length;  // of the IP packet, bytes
    std::optional<std::uint8_t> ttl;

    Family family() const { return destination.family(); }
    Known source_bits() const {
        if (source) return {to_bits(*source), 0};
        return source_within.value_or(Known::nothing(family() == Family::ipv4 ? 32 : 128));
    }
    bool is_neighbour_discovery() const {
        return protocol == protocol_icmpv6 &&
               (icmp_type == nd_solicitation || icmp_type == nd_advertisement);
    }
    Part part_in_flow() const {
        return part.value_or(state == CtState::established ? Part::answer : Part::opening);
    }
    bool goes_to_some_own_address() const {
        return destination == IpAddress() || destination == IpAddress::v6({});
    }
};

using Route = net::TableRoute;

// Absent: could not be read.
struct Sysctls {
    std::optional<unsigned> rp_filter_all =
        0;  // 0 off, 1 strict, 2 loose; the larger of the two counts
    std::map<std::string, unsigned> rp_filter;  // by interface; one that is missing is not known
    // The packet's mark counts in that check. By interface, its own or that of all; one that is
    // missing is not known.
    std::map<std::string, bool> src_valid_mark;
    // By interface, the larger of its own and that of all; one that is missing is not known.
    std::map<std::string, unsigned> arp_ignore;
    // The same: ARP is answered only by the link that leads back to who asks.
    std::map<std::string, bool> arp_filter;
    std::optional<bool> ipv4_forwarding = false;
    std::optional<bool> ipv6_forwarding = false;
};

// Something that decides over packets and could not be looked at.
struct Unseen {
    enum class Cause : std::uint8_t { rights, interrupted, other };

    std::string what;                             // "the nftables ruleset"
    std::string why;                              // "needs root"
    std::optional<Family> family = std::nullopt;  // of its packets alone; absent: of all
    Cause cause = Cause::other;
};

struct World {
    std::vector<Ruleset> rulesets;
    // Every interface, with its addresses; loopback too.
    std::vector<net::Interface> interfaces;
    // Connected routes included; local ones follow from the addresses. Absent: not known.
    std::optional<std::vector<Route>> routes;
    // Of `ip rule`, in the order in which they are asked. Absent: not known.
    std::optional<std::vector<net::RoutingRule>> rules_v4 = net::usual_rules(Family::ipv4);
    std::optional<std::vector<net::RoutingRule>> rules_v6 = net::usual_rules(Family::ipv6);
    // `routes` hold the table local as well: an address that is not in it does not count.
    bool local_table_read = false;
    // Of `ip xfrm policy`, in any order.
    std::vector<net::IpsecPolicy> ipsec;
    Sysctls sysctls;
    // firewalld says of itself whether it is in panic mode; absent: it was not asked, or does not
    // say.
    std::optional<bool> panic;
    // Anything here and no verdict is definite: what could not be read is never "open".
    std::vector<Unseen> unseen;

    const std::optional<std::vector<net::RoutingRule>>& rules_of(Family family) const {
        return family == Family::ipv4 ? rules_v4 : rules_v6;
    }
    const net::Interface* find_interface(std::string_view name) const;
    const net::Interface* find_interface(int index) const;
    // The interface that has the address, or nothing.
    const net::Interface* owner_of(const IpAddress& address) const;
};

}  // namespace p2pdiag::firewall
