#include "capture/live/own_addresses.hpp"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace p2pdiag::capture {

namespace {

// RFC 791 section 3.1 and RFC 8200 section 3: where the source address stands.
std::optional<IpAddress> source_of(ByteView packet) {
    if (packet.size() >= 20 && packet[0] >> 4 == 4) {
        return IpAddress::v4({packet[12], packet[13], packet[14], packet[15]});
    }
    if (packet.size() < 40 || packet[0] >> 4 != 6) return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    std::copy_n(packet.begin() + 8, bytes.size(), bytes.begin());
    return IpAddress::v6(bytes);
}

void add(OwnAddresses& own, const sockaddr* address) {
    if (address->sa_family == AF_PACKET) {
        sockaddr_ll link{};
        std::memcpy(&link, address, sizeof link);
        if (link.sll_halen == own.hardware.size()) {
            std::copy_n(link.sll_addr, own.hardware.size(), own.hardware.begin());
        }
    } else if (address->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, address, sizeof v4);
        own.addresses.push_back(IpAddress::v4(ntohl(v4.sin_addr.s_addr)));
    } else if (address->sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, address, sizeof v6);
        std::array<std::uint8_t, 16> bytes{};
        std::copy_n(v6.sin6_addr.s6_addr, bytes.size(), bytes.begin());
        own.addresses.push_back(IpAddress::v6(bytes));
    }
}

}  // namespace

OwnAddresses OwnAddresses::of(const std::string& interface) {
    OwnAddresses own;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return own;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || interface != entry->ifa_name) continue;
        if ((entry->ifa_flags & IFF_LOOPBACK) != 0) own.loopback = true;
        add(own, entry->ifa_addr);
    }
    ::freeifaddrs(list);
    return own;
}

Direction OwnAddresses::direction(LinkType link_type, ByteView packet) const {
    if (loopback) return Direction::unknown;
    bool ours = false;
    if (link_type == LinkType::ethernet) {
        // IEEE 802.3: destination, source.
        const bool known = std::any_of(hardware.begin(), hardware.end(), [](auto b) { return b; });
        if (!known || packet.size() < 12) return Direction::unknown;
        ours = std::equal(hardware.begin(), hardware.end(), packet.begin() + 6);
    } else if (link_type == LinkType::raw) {
        const auto source = source_of(packet);
        if (!source || addresses.empty()) return Direction::unknown;
        ours = std::find(addresses.begin(), addresses.end(), *source) != addresses.end();
    } else {
        return Direction::unknown;
    }
    return ours ? Direction::outbound : Direction::inbound;
}

}  // namespace p2pdiag::capture
