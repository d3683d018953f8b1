// firewall.outbound and firewall.punching, without the machine: what of ours gets out, and whether
// the answer gets in.
#pragma once

#include <p2pdiag/judgement.hpp>

#include "ask.hpp"
#include "input.hpp"
#include "net/resolv_conf.hpp"

namespace p2pdiag::firewall {

// Something a peer-to-peer program has to send.
struct Errand {
    std::string purpose;  // "dns", "stun", "turn", "https", "peers"
    std::uint8_t protocol = protocol_udp;
    std::uint16_t port = 0;       // where it goes to
    std::uint16_t from_port = 0;  // 0: any that the system gives
    // Where it goes to. Nothing: anywhere on the internet.
    std::optional<IpAddress> to = std::nullopt;
};

// DNS to these resolvers, the profile's servers, HTTPS, and peers from the target port.
std::vector<Errand> errands(const Input& input, const std::vector<IpAddress>& resolvers);

Judgement judge_outbound(const World& world, const std::vector<Errand>& errands);

// From the target port to a peer, and the peer's answer.
Judgement judge_punching(const World& world, std::uint16_t port);

// A stub on this machine asks others in turn: those too must be within reach. At most eight.
std::vector<IpAddress> resolvers_of(const net::ResolverSetup& setup);

}  // namespace p2pdiag::firewall
