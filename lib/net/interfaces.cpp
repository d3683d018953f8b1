#include "net/interfaces.hpp"

#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/wireless.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "net/netlink.hpp"

namespace p2pdiag::net {

namespace {

// Only wireless links answer the question for the name of their protocol.
bool is_wireless(const std::string& name) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name.c_str());
    const bool answered = ::ioctl(fd, SIOCGIWNAME, &request) == 0;
    ::close(fd);
    return answered;
}

LinkKind kind_of(const ifinfomsg& link, const std::string& driver, const std::string& name) {
    struct Known {
        std::string_view driver;
        LinkKind kind;
    };
    // What rtnetlink calls the driver of a link that is no piece of hardware.
    static constexpr Known drivers[] = {
        {"tun", LinkKind::tunnel},       {"wireguard", LinkKind::tunnel},
        {"ipip", LinkKind::tunnel},      {"gre", LinkKind::tunnel},
        {"gretap", LinkKind::tunnel},    {"ip6gre", LinkKind::tunnel},
        {"ip6tnl", LinkKind::tunnel},    {"sit", LinkKind::tunnel},
        {"vti", LinkKind::tunnel},       {"vti6", LinkKind::tunnel},
        {"xfrm", LinkKind::tunnel},      {"ovpn-dco", LinkKind::tunnel},
        {"ovpn", LinkKind::tunnel},      {"vxlan", LinkKind::tunnel},
        {"ppp", LinkKind::ppp},          {"bridge", LinkKind::bridge},
        {"veth", LinkKind::container},   {"macvlan", LinkKind::container},
        {"ipvlan", LinkKind::container}, {"macvtap", LinkKind::container},
        {"vrf", LinkKind::vrf},          {"dummy", LinkKind::dummy},
        {"ifb", LinkKind::dummy},
    };
    if ((link.ifi_flags & IFF_LOOPBACK) != 0) return LinkKind::loopback;
    for (const Known& known : drivers) {
        if (known.driver == driver) return known.kind;
    }
    if (link.ifi_type == ARPHRD_PPP) return LinkKind::ppp;
    if (link.ifi_type == ARPHRD_NONE) return LinkKind::tunnel;
    if (link.ifi_type != ARPHRD_ETHER) return LinkKind::other;
    return is_wireless(name) ? LinkKind::wifi : LinkKind::ethernet;
}

// Packets of these pass the link below as well; of others IFLA_LINK is something else, of veth the
// peer.
bool lies_on_another(const std::string& driver) {
    static constexpr std::string_view drivers[] = {"vlan",   "macvlan", "macvtap", "ipvlan",
                                                   "ipvtap", "macsec",  "hsr",     "dsa"};
    return std::find(std::begin(drivers), std::end(drivers), driver) != std::end(drivers);
}

void add_link(std::vector<Interface>& all, ByteView body) {
    const auto link = netlink_header<ifinfomsg>(body);
    if (!link) return;
    const auto attribute = [&](std::uint16_t type) {
        return netlink_attribute(body, sizeof(ifinfomsg), type);
    };
    Interface found;
    found.name = netlink_text(attribute(IFLA_IFNAME));
    found.index = link->ifi_index;
    found.up = (link->ifi_flags & IFF_UP) != 0;
    found.carrier = (link->ifi_flags & IFF_RUNNING) != 0;
    found.mtu = netlink_u32(attribute(IFLA_MTU)).value_or(0);
    found.master = static_cast<int>(netlink_u32(attribute(IFLA_MASTER)).value_or(0));
    const std::string driver =
        netlink_text(netlink_attribute(attribute(IFLA_LINKINFO), 0, IFLA_INFO_KIND));
    found.kind = kind_of(*link, driver, found.name);
    // With a number of a namespace it lies there.
    if (lies_on_another(driver) && attribute(IFLA_LINK_NETNSID).empty())
        found.lower = static_cast<int>(netlink_u32(attribute(IFLA_LINK)).value_or(0));
    const ByteView attached = netlink_attribute(attribute(IFLA_XDP), 0, IFLA_XDP_ATTACHED);
    found.xdp = !attached.empty() && attached[0] != XDP_ATTACHED_NONE;
    // An ipvlan of layer 3 has none by its nature.
    found.arp_off =
        (link->ifi_flags & IFF_NOARP) != 0 && link->ifi_type == ARPHRD_ETHER && driver != "ipvlan";
    all.push_back(std::move(found));
}

// Whether there are filters at this end of the qdisc of that link; what the kernel does not tell
// counts as one.
bool has_filters(int index, std::uint32_t end) {
    tcmsg question{};
    question.tcm_family = AF_UNSPEC;
    question.tcm_ifindex = index;
    question.tcm_parent = TC_H_MAKE(TC_H_CLSACT, end);
    std::array<std::uint8_t, sizeof question> body{};
    std::memcpy(body.data(), &question, sizeof question);
    bool any = false;
    const ErrorCode error =
        netlink_request(RTM_GETTFILTER, NLM_F_DUMP, body,
                        [&](std::uint16_t type, ByteView) { any = any || type == RTM_NEWTFILTER; });
    return any || error;
}

struct Qdisc {
    int link = 0;
    bool both_ends = false;
};

void add_qdisc(std::vector<Qdisc>& all, ByteView body) {
    const auto header = netlink_header<tcmsg>(body);
    if (!header) return;
    const std::string kind = netlink_text(netlink_attribute(body, sizeof(tcmsg), TCA_KIND));
    if (kind == "clsact" || kind == "ingress")
        all.push_back({header->tcm_ifindex, kind == "clsact"});
}

void look_for_filters(const std::vector<Qdisc>& qdiscs, std::vector<Interface>& all) {
    for (const Qdisc& qdisc : qdiscs) {
        const auto link = std::find_if(
            all.begin(), all.end(), [&](const Interface& one) { return one.index == qdisc.link; });
        if (link == all.end()) continue;
        link->tc_ingress = has_filters(qdisc.link, TC_H_MIN_INGRESS);
        link->tc_egress = qdisc.both_ends && has_filters(qdisc.link, TC_H_MIN_EGRESS);
    }
}

void add_address(std::vector<Interface>& all, ByteView body) {
    const auto header = netlink_header<ifaddrmsg>(body);
    if (!header) return;
    const auto attribute = [&](std::uint16_t type) {
        return netlink_attribute(body, sizeof(ifaddrmsg), type);
    };
    // On a point-to-point link IFA_ADDRESS is the peer's.
    auto address = netlink_address(attribute(IFA_LOCAL));
    if (!address) address = netlink_address(attribute(IFA_ADDRESS));
    const auto index = static_cast<int>(header->ifa_index);
    const auto owner = std::find_if(all.begin(), all.end(),
                                    [&](const Interface& one) { return one.index == index; });
    if (!address || owner == all.end()) return;

    const std::uint32_t flags = netlink_u32(attribute(IFA_FLAGS)).value_or(header->ifa_flags);
    const bool tentative = (flags & IFA_F_TENTATIVE) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
    const bool failed = (flags & IFA_F_DADFAILED) != 0;
    InterfaceAddress found;
    found.address = *address;
    found.prefix = header->ifa_prefixlen;
    found.usable = !tentative && !failed && (flags & IFA_F_DEPRECATED) == 0;
    // A failed one stays tentative, too.
    if (tentative) found.check = AddressCheck::going_on;
    if (failed) found.check = AddressCheck::failed;
    owner->addresses.push_back(found);
}

}  // namespace

std::string_view to_string(LinkKind kind) {
    switch (kind) {
        case LinkKind::loopback: return "loopback";
        case LinkKind::ethernet: return "ethernet";
        case LinkKind::wifi: return "wifi";
        case LinkKind::tunnel: return "tunnel";
        case LinkKind::ppp: return "ppp";
        case LinkKind::bridge: return "bridge";
        case LinkKind::container: return "container";
        case LinkKind::vrf: return "vrf";
        case LinkKind::dummy: return "dummy";
        case LinkKind::other: break;
    }
    return "other";
}

std::string_view to_string(AddressCheck check) {
    switch (check) {
        case AddressCheck::passed: return "passed";
        case AddressCheck::going_on: return "going-on";
        case AddressCheck::failed: break;
    }
    return "failed";
}

Result<std::vector<Interface>> interfaces() {
    std::vector<Interface> all;
    const auto dump = [](std::uint16_t request, std::uint16_t reply, auto& found, auto add) {
        // A struct rtgenmsg of AF_UNSPEC, padded to what the kernel reads.
        const std::array<std::uint8_t, sizeof(tcmsg)> zeros{};
        const ByteView body(zeros.data(),
                            request == RTM_GETQDISC ? sizeof(tcmsg) : sizeof(ifinfomsg));
        return netlink_request(request, NLM_F_DUMP, body,
                               [&](std::uint16_t type, ByteView message) {
                                   if (type == reply) add(found, message);
                               });
    };
    if (const ErrorCode error = dump(RTM_GETLINK, RTM_NEWLINK, all, add_link)) return error;
    if (const ErrorCode error = dump(RTM_GETADDR, RTM_NEWADDR, all, add_address)) return error;
    // A kernel without traffic control has none of these.
    std::vector<Qdisc> qdiscs;
    if (!dump(RTM_GETQDISC, RTM_NEWQDISC, qdiscs, add_qdisc)) look_for_filters(qdiscs, all);
    return all;
}

bool is_own_address(const IpAddress& address) {
    const auto all = interfaces();
    if (!all) return true;
    return std::any_of(all->begin(), all->end(), [&](const Interface& link) {
        return std::any_of(link.addresses.begin(), link.addresses.end(),
                           [&](const InterfaceAddress& one) { return one.address == address; });
    });
}

}  // namespace p2pdiag::net
