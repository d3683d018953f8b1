// Constants as nft prints them in JSON, turned into numbers by the type of what they are compared
// with.
#pragma once

#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "bits.hpp"

namespace p2pdiag::firewall {

enum class Type : std::uint8_t {
    number,
    ipv4,
    ipv6,
    name,       // of an interface; "eth*" is a prefix
    interface,  // an interface itself, printed by the name it has now
    mac,
    port,
    protocol,
    ethertype,
    nfproto,
    ct_state,
    ct_status,
    ct_direction,
    tcp_flags,
    pkttype,
    link_type,
    fib_type,
    boolean,
    icmp_type,
    icmpv6_type,
    opaque  // no constant of it is understood
};

struct TypeInfo {
    Type type = Type::opaque;
    std::uint8_t width = 128;  // bits
};

// Of nft's name for a set's type: "ipv4_addr". Opaque for one that is not known.
TypeInfo type_of_set(std::string_view name);

// A single value, {"prefix": …}, {"range": […]}, or flags: {"|": […]}, […]. Nothing when it is not
// understood.
std::optional<Interval> read_literal(const json::value& literal, const TypeInfo& type);

// The same, but one value only.
std::optional<Bits> read_exact(const json::value& literal, const TypeInfo& type);

// "10.0.0.0/8" without the slash: every address with these first bits. Nothing past `width` bits.
std::optional<Interval> prefix_interval(Bits address, unsigned prefix, unsigned width);

// "udp", "17", "ipv6-icmp".
std::optional<std::uint8_t> protocol_number(std::string_view text);

// "eth0", or "eth*" for every name that begins so ("eth\*" is a name with a star in it).
std::optional<Interval> name_interval(std::string_view text);

inline constexpr Bits ct_invalid = 1;  // include/uapi/linux/netfilter/nf_conntrack_common.h
inline constexpr Bits ct_established = 2;
inline constexpr Bits ct_related = 4;
inline constexpr Bits ct_new = 8;
inline constexpr Bits ct_untracked = 64;

// IPS_* of the same file.
inline constexpr Bits status_expected = 1;
inline constexpr Bits status_seen_reply = 2;
inline constexpr Bits status_snat = 16;
inline constexpr Bits status_dnat = 32;

}  // namespace p2pdiag::firewall
