#include "rulesets.hpp"

#include <cmath>
#include <string_view>
#include <utility>

#include "daemons.hpp"

namespace p2pdiag::lab {
namespace {

// `template_text` with each @NAME@ replaced.
class Template {
public:
    explicit Template(std::string text) : text_(std::move(text)) {}

    Template& set(std::string_view name, std::string_view value) {
        const std::string mark = "@" + std::string(name) + "@";
        for (std::size_t at = text_.find(mark); at != std::string::npos;
             at = text_.find(mark, at + value.size())) {
            text_.replace(at, mark.size(), value);
        }
        return *this;
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

bool remembers_holders(Nat kind, bool hairpin) {
    return hairpin || kind == Nat::full_cone || kind == Nat::restricted_cone;
}

// Which inside endpoint holds a mapped UDP port. conntrack itself cannot be asked for that: it
// knows flows, not mappings. Filled behind the translation, where udp sport is the mapped port, and
// refreshed by every packet that goes out, in flows begun on either side.
constexpr const char* holder_map = R"(
    map holder {
        type inet_service : ipv4_addr . inet_service
        flags dynamic, timeout
        timeout @LIFETIME@s
        size 65535
    }
)";
constexpr const char* remember_holder = R"(
        meta l4proto udp ct direction original update @holder { udp sport : ct original ip saddr . ct original proto-src }
        meta l4proto udp ct direction reply update @holder { udp sport : ct reply ip saddr . ct reply proto-src })";

// Which remote addresses a mapped UDP port has sent to.
constexpr const char* contacted_set = R"(
    set contacted {
        type inet_service . ipv4_addr
        flags dynamic, timeout
        timeout @LIFETIME@s
        size 65535
    }
)";
constexpr const char* remember_contacted = R"(
        meta l4proto udp update @contacted { udp sport . ip daddr })";

// Which mapped port an inside port has towards a remote address.
constexpr const char* pinned_map = R"(
    map pinned {
        typeof ip daddr . udp sport : udp sport
        flags dynamic, timeout
        timeout @LIFETIME@s
        size 65535
    }
)";
constexpr const char* remember_pinned = R"(
        meta l4proto udp ct direction original update @pinned { ip daddr . ct original proto-src : udp sport })";

// What may enter from outside although nothing inside asked for it. Everything else falls to the
// router's own input, which drops it.
std::string filtering(Nat kind) {
    switch (kind) {
        // Endpoint-independent filtering: a mapped port takes packets from everyone.
        case Nat::full_cone:
            return R"(
        iifname "wan0" meta l4proto udp dnat ip to udp dport map @holder)";
        // Address-dependent filtering: from every port of an address that was sent to.
        case Nat::restricted_cone:
            return R"(
        iifname "wan0" udp dport . ip saddr @contacted dnat ip to udp dport map @holder)";
        // Address- and port-dependent filtering is conntrack's own: only the replies of a flow.
        default: return "";
    }
}

// Ports of the sequential NAT, one after the other, then from the start again. Outside the kernel's
// own ephemeral range, so that the router's own sockets do not take one.
constexpr unsigned sequential_first = 20000;
constexpr unsigned sequential_count = 4096;

// Both protocols share the map: twice as much is more than the socket buffer to the kernel holds
// where only root may enlarge it (EMSGSIZE), and the ruleset goes there in one piece.
std::string sequential_map() {
    const std::string count = std::to_string(sequential_count);
    std::string map = "\n    map sequential {\n        typeof numgen inc mod " + count +
                      " : udp sport\n        elements = { ";
    for (unsigned i = 0; i < sequential_count; ++i) {
        if (i > 0) map += ',';
        map += std::to_string(i) + ':' + std::to_string(sequential_first + i);
    }
    return map + " }\n    }\n";
}

std::string sequential_port() {
    return "numgen inc mod " + std::to_string(sequential_count) + " map @sequential";
}

// How an inside endpoint becomes an outside one.
std::string mapping(Nat kind) {
    switch (kind) {
        // Endpoint-independent mapping: conntrack keeps the source port where the resulting flow is
        // unique, and with one host behind the NAT it always is. So every flow of a socket gets the
        // same port.
        case Nat::open:
        case Nat::full_cone:
        case Nat::restricted_cone:
        case Nat::port_restricted_cone:
            return R"(
        masquerade)";
        // Address-dependent mapping: the first flow to an address draws a random port, the next
        // ones find it in the map. A hash of the address into a range of ports would do the same
        // without memory, but two sockets that fall on one port would lose packets.
        case Nat::address_dependent:
            return R"(
        meta l4proto udp snat ip to @WAN@:ip daddr . udp sport map @pinned
        masquerade fully-random)";
        // Address- and port-dependent mapping: every flow draws a port of its own.
        case Nat::symmetric:
            return R"(
        masquerade fully-random)";
        // The same, but each new flow takes the port after the last one. Names are left out, as a
        // home router asks for them itself, without a mapping; and each protocol counts for itself.
        case Nat::symmetric_sequential:
            return R"(
        udp dport 53 masquerade
        meta l4proto udp snat ip to @WAN@:@PORT@
        meta l4proto tcp snat ip to @WAN@:@PORT@
        masquerade)";
    }
    return "";
}

// Hairpinning (RFC 4787 section 6): what the inside sends to a mapped port comes back in, with the
// sender's outside address ("external source IP address", REQ-9a), and from whatever inside host it
// comes.
constexpr const char* hairpin_in = R"(
        iifname "lan0" ip daddr @WAN@ meta l4proto udp dnat ip to udp dport map @holder)";
constexpr const char* hairpin_out = R"(
        oifname "lan0" ip saddr @INSIDE@ ct status dnat snat ip to @WAN@)";

}  // namespace

std::string nat_ruleset(Nat kind, const NatPlace& place) {
    const bool holders = remembers_holders(kind, place.hairpin);
    std::string maps;
    std::string remember;
    if (holders) {
        maps += holder_map;
        remember += remember_holder;
    }
    if (kind == Nat::restricted_cone) {
        maps += contacted_set;
        remember += remember_contacted;
    }
    if (kind == Nat::address_dependent) {
        maps += pinned_map;
        remember += remember_pinned;
    }
    if (kind == Nat::symmetric_sequential) maps += sequential_map();
    Template ruleset(R"(table ip nat {@MAPS@
    chain prerouting {
        type nat hook prerouting priority dstnat@HAIRPIN_IN@@FILTERING@
    }
    chain postrouting {
        type nat hook postrouting priority srcnat@HAIRPIN_OUT@
        oifname != "wan0" return
        ip saddr != @INSIDE@ return@MAPPING@
    }
    chain remember {
        type filter hook postrouting priority srcnat + 10
        oifname != "wan0" return@REMEMBER@
    }
}
)");
    ruleset.set("MAPS", maps)
        .set("HAIRPIN_IN", place.hairpin ? hairpin_in : "")
        .set("HAIRPIN_OUT", place.hairpin ? hairpin_out : "")
        .set("FILTERING", filtering(kind))
        .set("MAPPING", mapping(kind))
        .set("REMEMBER", remember)
        .set("LIFETIME", std::to_string(place.lifetime_s))
        .set("INSIDE", place.inside_net)
        .set("WAN", place.outside_address);
    if (kind == Nat::symmetric_sequential) ruleset.set("PORT", sequential_port());
    return ruleset.text();
}

namespace {

// UDP of the resolver passes, so that names still resolve, as they do on networks that block UDP.
// TCP is stopped where a connection begins. `from_home` and `to_home` match the direction.
std::string blocked_out(const Block& block, const std::string& from_home) {
    std::string rules;
    if (block.udp) rules += "\n        " + from_home + " udp dport != 53 drop";
    if (block.udp_3478) rules += "\n        " + from_home + " udp dport 3478 drop";
    if (block.tcp_high) {
        rules += "\n        " + from_home + " tcp dport > 1023 tcp flags & (syn | ack) == syn drop";
    }
    return rules;
}

std::string blocked_in(const Block& block, const std::string& to_home) {
    std::string rules;
    if (block.udp) rules += "\n        " + to_home + " udp sport != 53 drop";
    if (block.udp_3478) rules += "\n        " + to_home + " udp sport 3478 drop";
    // Neighbour discovery stays: the machine sees nothing wrong with its own network.
    if (block.ipv6_in) {
        const std::string v6 = "\n        " + to_home + " meta protocol ip6 ";
        rules +=
            v6 + "meta l4proto != icmpv6 drop" + v6 +
            "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, echo-reply } "
            "drop";
    }
    return rules;
}

}  // namespace

// The input policy matters more than it looks: a packet that the router would answer itself leaves
// a conntrack entry, and the flow that a host behind it begins later to the same endpoint finds its
// port taken and is given another. Dropped at input, it leaves none.
std::string router_filter_ruleset(const FilterPlace& place) {
    Template ruleset(R"(table inet filter {
    chain input {
        type filter hook input priority filter
        iifname "lan0" ip daddr @WAN@ meta l4proto { tcp, udp } drop
        iifname != "wan0" accept
        ct state established,related accept
        icmp type echo-request accept
        icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept
        drop
    }
    chain forward {
        type filter hook forward priority filter@BLOCK@
        iifname "wan0" jump inbound
    }
    chain inbound {
        ct state established,related accept
        ct status dnat accept
@IPV6@        drop
    }
}
)");
    ruleset.set("WAN", place.outside_address)
        .set("BLOCK", blocked_out(place.block, "iifname \"lan0\"") +
                          blocked_in(place.block, "oifname \"lan0\""))
        .set("IPV6", place.routes_ipv6_freely ? "        meta nfproto ipv6 accept\n" : "");
    return ruleset.text();
}

// Loss is on the line and not in the router, so that a lost packet leaves its mapping behind, as it
// does in life. Neighbour discovery is spared: its loss would only show as a delay of seconds that
// no real line has.
std::string line_ruleset(const Line& line) {
    const std::string from = "iifname \"" + line.port + "\"";
    const std::string to = "oifname \"" + line.port + "\"";
    std::string loss;
    if (line.loss_percent > 0) {
        // In hundredths of a percent.
        loss = "numgen random mod 10000 < " + std::to_string(std::lround(line.loss_percent * 100));
        loss += " drop";
    }
    const auto chain = [&](const std::string& hook, const std::string& match,
                           const std::string& blocked) {
        std::string text = "    chain " + hook + " {\n        type filter hook " + hook;
        text += " priority filter" + blocked;
        if (!loss.empty()) {
            text += "\n        " + match + " ether type ip " + loss;
            text += "\n        " + match + " ether type ip6 meta l4proto != icmpv6 " + loss;
        }
        return text + "\n    }\n";
    };
    return "table bridge line {\n" + chain("prerouting", from, blocked_out(line.block, from)) +
           chain("postrouting", to, blocked_in(line.block, to)) + "}\n";
}

std::string udp_out_ruleset() {
    // A drop in the output hook makes sendto() fail with EPERM. Names still resolve.
    return R"(table inet client_block {
    chain output {
        type filter hook output priority filter
        oifname != "lo" udp dport != 53 ct state new drop
    }
}
)";
}

std::string silent_resolver_ruleset() {
    return R"(table inet resolver_block {
    chain input {
        type filter hook input priority filter
        meta l4proto { tcp, udp } th dport 53 drop
    }
}
)";
}

std::string silent_mtu_ruleset() {
    // RFC 2923 section 2.1 calls this a black hole.
    return R"(table inet black_hole {
    chain output {
        type filter hook output priority filter
        icmp type destination-unreachable icmp code frag-needed drop
        icmpv6 type packet-too-big drop
    }
}
)";
}

std::string portal_ruleset() {
    Template ruleset(R"(table inet portal {
    chain prerouting {
        type nat hook prerouting priority dstnat - 5
        iifname "lan0" meta nfproto ipv4 tcp dport 80 redirect to :@PORT@
    }
    chain forward {
        type filter hook forward priority filter - 5
        iifname "lan0" meta l4proto != udp drop
        iifname "lan0" udp dport != 53 drop
    }
}
)");
    return ruleset.set("PORT", std::to_string(portal_port)).text();
}

std::string igd_ruleset(const Igd& igd) {
    // RFC 6886 section 3.1 and RFC 6887 section 7.1: both listen on port 5351, and the first byte
    // of a request is the version, 0 for NAT-PMP and 2 for PCP. The daemon speaks both or none.
    std::string unwanted;
    if (igd.pcp && !igd.natpmp) unwanted = "\n        udp dport 5351 @th,64,8 0 drop";
    if (igd.natpmp && !igd.pcp) unwanted = "\n        udp dport 5351 @th,64,8 2 drop";
    // The filter for IPv6 stands here: an accept of the daemon's pinholes counts in its own table
    // alone.
    return R"(table inet igd {
    chain forward {
        type filter hook forward priority filter
        jump miniupnpd
        iifname "wan0" meta nfproto ipv6 jump inbound
    }
    chain inbound {
        ct state established,related accept
        drop
    }
    chain prerouting {
        type nat hook prerouting priority dstnat
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority srcnat
        jump postrouting_miniupnpd
    }
    chain miniupnpd {
    }
    chain prerouting_miniupnpd {
    }
    chain postrouting_miniupnpd {
    }
    chain input {
        type filter hook input priority filter)" +
           unwanted + R"(
    }
}
)";
}

}  // namespace p2pdiag::lab
