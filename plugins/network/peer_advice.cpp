#include "peer_advice.hpp"

#include <algorithm>

namespace p2pdiag::network_plugin {

namespace {

bool same_network(const IpAddress& address, const net::InterfaceAddress& own) {
    if (address.family() != own.address.family()) return false;
    const unsigned most = address.is_v4() ? 32 : 128;
    for (unsigned bit = 0; bit < std::min(own.prefix, most); ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
        const unsigned differ = address.bytes()[bit / 8] ^ own.address.bytes()[bit / 8];
        if ((differ & mask) != 0) return false;
    }
    return true;
}

// RFC 919 section 7: all bits of the host are ones. RFC 3021: links of two addresses have none.
bool is_broadcast_of(const IpAddress& address, const net::InterfaceAddress& own) {
    if (!address.is_v4() || own.prefix > 30 || !same_network(address, own)) return false;
    const std::uint32_t host_bits = 0xFFFFFFFFU >> own.prefix;
    return (address.v4_bits() & host_bits) == host_bits;
}

template <class Test>
bool any_own(const OwnAddresses& own, Test test) {
    return std::any_of(own.interfaces.begin(), own.interfaces.end(), [&](const auto& link) {
        return std::any_of(link.addresses.begin(), link.addresses.end(), test);
    });
}

}  // namespace

std::string_view to_string(Advice advice) {
    switch (advice) {
        case Advice::none: return "";
        case Advice::loopback: return "loopback";
        case Advice::own_address: return "own-address";
        case Advice::own_public: return "own-public";
        case Advice::private_elsewhere: return "private-elsewhere";
        case Advice::carrier_elsewhere: return "carrier-elsewhere";
        case Advice::link_local: return "link-local";
        case Advice::no_host: break;
    }
    return "no-host";
}

Advice advise(const IpAddress& peer, const OwnAddresses& own) {
    const AddressScope scope = peer.scope();
    if (scope == AddressScope::loopback) return Advice::loopback;
    if (scope == AddressScope::unspecified || scope == AddressScope::multicast ||
        scope == AddressScope::reserved) {
        return Advice::no_host;
    }
    const auto is_peer = [&](const net::InterfaceAddress& one) { return one.address == peer; };
    if (any_own(own, is_peer)) return Advice::own_address;
    const auto to_all = [&](const net::InterfaceAddress& one) {
        return is_broadcast_of(peer, one);
    };
    if (any_own(own, to_all)) return Advice::no_host;
    const auto& outside = own.seen_outside;
    if (std::find(outside.begin(), outside.end(), peer) != outside.end()) return Advice::own_public;
    if (scope == AddressScope::link_local) return Advice::link_local;
    const auto is_near = [&](const net::InterfaceAddress& one) { return same_network(peer, one); };
    if (any_own(own, is_near)) return Advice::none;
    if (scope == AddressScope::private_use) return Advice::private_elsewhere;
    if (scope == AddressScope::carrier_grade) return Advice::carrier_elsewhere;
    return Advice::none;
}

std::string words_of(Advice advice, const IpAddress& peer, const OwnAddresses& own) {
    const std::string address = peer.to_string();
    switch (advice) {
        case Advice::none: return {};
        case Advice::loopback:
            return address +
                   " means this machine itself: right only if the other program runs here too. For "
                   "another machine take its address in the same network, or its public one";
        case Advice::own_address: return address + " is an address of this machine, not of a peer";
        case Advice::own_public: {
            std::string text = address +
                               " is the public address of this very network: a peer in the same "
                               "network is to be reached at its local address";
            if (own.hairpin == false) text += ", since this NAT does not lead back in";
            return text;
        }
        case Advice::private_elsewhere:
            return address +
                   " is a private address of none of this machine's networks: it means something "
                   "in the peer's own network alone. Ask the peer for its public address";
        case Advice::carrier_elsewhere:
            return address +
                   " is an address within a provider's network (100.64.0.0/10), which cannot be "
                   "reached from the internet. Ask the peer for its public address";
        case Advice::link_local:
            return address +
                   " is a link-local address: it can be used only on the peer's own link, with the "
                   "name of the interface. Take another address of the peer";
        case Advice::no_host: break;
    }
    return address + " is no address of a host";
}

}  // namespace p2pdiag::network_plugin
