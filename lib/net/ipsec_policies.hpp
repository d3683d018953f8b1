// Which packets the kernel wants to be protected by IPsec, or blocks: `ip xfrm policy`. Sends
// nothing; needs CAP_NET_ADMIN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

struct IpsecPolicy {
    enum class Direction { in, out, forward };
    Direction direction = Direction::in;
    std::uint32_t priority = 0;  // the smallest that matches counts
    // Absent: of both families; then it asks for no address.
    std::optional<Family> family;
    IpAddress source;
    unsigned source_prefix = 0;  // bits
    IpAddress destination;
    unsigned destination_prefix = 0;
    std::uint16_t source_port = 0;
    std::uint16_t source_port_mask = 0;
    std::uint16_t destination_port = 0;
    std::uint16_t destination_port_mask = 0;
    std::uint8_t protocol = 0;  // IANA number; 0: any
    int interface = 0;          // index; 0: any
    std::uint32_t mark = 0;
    std::uint32_t mark_mask = 0;
    // Of the link of type xfrm that packets pass; others' packets have none. 0: no such link.
    std::uint32_t link_id = 0;
    // Says that packets pass as they are: allows them, and asks for no protection.
    bool lets_pass = false;

    // "dir in src 192.0.2.0/24 dst 198.51.100.1", in the words of `ip xfrm policy`.
    std::string text() const;
};

// From a message XFRM_MSG_NEWPOLICY, behind its netlink header; nothing where it is too short, or
// a single socket's.
std::optional<IpsecPolicy> read_ipsec_policy(ByteView body);

inline constexpr std::size_t max_ipsec_policies = 10'000;

// Those that the kernel's defaults stand for come last, with the largest priority. None where the
// kernel lacks IPsec. The error is that of the kernel, or EOVERFLOW where there are more.
Result<std::vector<IpsecPolicy>> ipsec_policies();

}  // namespace p2pdiag::net
