#include "discovery.hpp"

#include <algorithm>

#include "routing.hpp"
#include "rules_there.hpp"

namespace p2pdiag::firewall {

namespace {

// Stands for the router, or whoever on the link hands the packets over. Nothing is sent to it.
constexpr const char* some_neighbour = "fe80::5c3a:27ff:fe9e:4d61";
// From here on arp_ignore is reserved or keeps back every answer (ip-sysctl.rst of the kernel);
// below it an address of the link itself is answered for.
constexpr unsigned arp_ignore_strange = 4;
// Discovery does not pass routers, RFC 4861 section 7.1.
constexpr std::uint8_t discovery_ttl = 255;

bool is_on_link(const net::Interface& link, const IpAddress& address) {
    return std::any_of(link.addresses.begin(), link.addresses.end(), [&](const auto& own) {
        const unsigned width = own.address.is_v4() ? 32 : 128;
        if (own.address.family() != address.family() || own.prefix >= width) return false;
        return is_in_subnet({to_bits(address), 0}, own.address, own.prefix) == Truth::yes;
    });
}

// Of links without it, as those of tunnels are, and of loopback, whoever sends is heard.
bool has_discovery(const net::Interface& link) {
    switch (link.kind) {
        case net::LinkKind::loopback:
        case net::LinkKind::tunnel:
        case net::LinkKind::ppp:
        case net::LinkKind::dummy: return false;
        default: return true;
    }
}

bool has_address(const net::Interface& link, const IpAddress& address) {
    return std::ranges::find(link.addresses, address, &net::InterfaceAddress::address) !=
           link.addresses.end();
}

// That neighbours look for: what goes to another address of the machine, or lies behind it, they
// hand over to one of the link.
IpAddress sought_on(const net::Interface& link, const Packet& packet) {
    const IpAddress& to = packet.destination;
    if (packet.goes_to_some_own_address() || has_address(link, to)) return to;
    for (const net::InterfaceAddress& own : link.addresses) {
        if (own.address.family() == to.family() && own.usable) return own.address;
    }
    return to;
}

class Discovery {
public:
    Discovery(const World& world, const net::Interface& link, Asked& asked)
        : world_(world), link_(link), asked_(asked), own_(sought_on(link, asked.packet)) {
        const auto& source = asked.packet.source;
        neighbour_ =
            source && is_on_link(link, *source) ? *source : *IpAddress::parse(some_neighbour);
    }

    void run() {
        const std::string nobody = "The port is open, but no neighbour can find this machine, as ";
        const std::string open = "The port is open, but of the ";
        const std::string not_known = "whether the link has neighbour discovery";
        take_over(judged(coming(nd_solicitation, solicited_node(own_)),
                         link_.kind == net::LinkKind::other, not_known),
                  {nobody + "a neighbour solicitation does not come in. ",
                   open + "neighbour solicitation that comes before: "},
                  asked_);
        take_over(judged(leaving(nd_advertisement, neighbour_), link_.kind == net::LinkKind::other,
                         not_known),
                  {nobody + "its neighbour advertisement does not leave. ",
                   open + "neighbour advertisement that leaves before: "},
                  asked_);
        // What the neighbour's own solicitation has told lasts a while.
        const std::string while_it_lasts = "how long answers find their way";
        const Said looks = {{}, "The port is open, but this machine cannot find neighbours. "};
        take_over(
            judged(leaving(nd_solicitation, solicited_node(neighbour_)), true, while_it_lasts),
            looks, asked_);
        take_over(judged(coming(nd_advertisement, own_), true, while_it_lasts), looks, asked_);
    }

private:
    Packet packet(Direction direction, std::uint8_t type) const {
        Packet made;
        made.interface = link_.name;
        made.direction = direction;
        made.protocol = protocol_icmpv6;
        made.icmp_type = type;
        made.ttl = discovery_ttl;
        // As connection tracking has it (noct_valid_new of nf_conntrack_proto_icmpv6.c).
        made.state = CtState::untracked;
        return made;
    }

    Packet coming(std::uint8_t type, const IpAddress& to) const {
        Packet made = packet(Direction::in, type);
        made.source = neighbour_;
        made.destination = to;
        return made;
    }

    Packet leaving(std::uint8_t type, const IpAddress& to) const {
        Packet made = packet(Direction::out, type);
        if (!asked_.packet.goes_to_some_own_address()) made.source = own_;
        made.destination = to;
        return made;
    }

    // With `bearable` a drop is not the end: it leaves `what` open.
    Verdict judged(const Packet& packet, bool bearable, const std::string& what) const {
        Verdict verdict = evaluate(world_, packet);
        return bearable && verdict.passes == false ? left_open(std::move(verdict), what) : verdict;
    }

    const World& world_;
    const net::Interface& link_;
    Asked& asked_;
    IpAddress own_;
    IpAddress neighbour_;
};

void leave_open(std::string what, Asked& asked) {
    Verdict verdict;
    verdict.why =
        "The port is open, but it cannot be told whether neighbours find this machine: " + what +
        '.';
    verdict.open = {std::move(what)};
    take_over(std::move(verdict), {}, asked);
}

// Who asks by ARP for which address of the link, as rules and routes see it.
std::optional<Flow> question_by_arp(const World& world, const net::Interface& link,
                                    const Asked& asked) {
    const auto own =
        std::find_if(link.addresses.begin(), link.addresses.end(),
                     [&](const auto& one) { return one.address.is_v4() && one.usable; });
    if (own == link.addresses.end() || own->prefix > 32) return std::nullopt;
    // What lies behind this machine is sent to an address of the link.
    const IpAddress& to = asked.packet.destination;
    const bool own_link = !asked.packet.goes_to_some_own_address() && is_on_link(link, to);
    Flow flow = flow_to({to_bits(own_link ? to : own->address), 0}, Family::ipv4);
    // The sender, or somebody on the link who hands his packets over.
    const Bits rest = low_mask(32 - own->prefix);
    const auto& sender = asked.packet.source;
    flow.from = sender && is_on_link(link, *sender) ? Known{to_bits(*sender), 0}
                                                    : Known{to_bits(own->address) & ~rest, rest};
    flow.in = link.name;
    flow.protocol = protocol_arp;
    if (!has_rules_of(world, TableFamily::netdev)) flow.mark = {0, 0};
    return flow;
}

Flow way_back_of(Flow flow) {
    std::swap(flow.from, flow.to);
    flow.in = "lo";
    return flow;
}

// arp_process() of net/ipv4/arp.c answers where the question would be routed to an address here,
// its sender checked as that of any packet.
void ask_for_way_of_arp(const World& world, const net::Interface& link, const Flow& flow,
                        Asked& asked) {
    for (const Lookup& way : find_ways(world, flow).all) {
        if (way.answer == Lookup::Answer::found && way.type == Route::Type::local) continue;
        leave_open("whether rules of `ip rule` let it answer ARP", asked);
    }
    bool known = false;
    const unsigned filter = rp_filter(world, link.name, known);
    for (const Lookup& way : find_ways(world, way_back_of(flow)).all) {
        if (known && judge_way_back(way, link, filter) == WayBack::good) continue;
        leave_open("whether rules of `ip rule` let it believe ARP", asked);
    }
}

// arp_filter() of net/ipv4/arp.c.
void ask_for_arp_filter(const World& world, const net::Interface& link, const Flow& flow,
                        Asked& asked) {
    Flow back = way_back_of(flow);
    back.mark = {0, 0};
    for (const Lookup& way : find_ways(world, back).all) {
        if (way.leads_out() && way.interface == link.index) continue;
        leave_open("whether arp_filter of " + link.name + " lets it answer ARP", asked);
    }
}

// ARP passes no rule that is followed here.
void ask_for_arp(const World& world, const net::Interface& link, Asked& asked) {
    if (has_rules_of(world, TableFamily::arp))
        leave_open("rules of the arp family, which are not followed", asked);
    const auto ignore = world.sysctls.arp_ignore.find(link.name);
    if (ignore != world.sysctls.arp_ignore.end() && ignore->second >= arp_ignore_strange)
        leave_open("arp_ignore of " + link.name + " is " + std::to_string(ignore->second), asked);
    const auto flow = question_by_arp(world, link, asked);
    if (!flow) return;
    if (has_own_rules(world, Family::ipv4)) ask_for_way_of_arp(world, link, *flow, asked);
    const auto filter = world.sysctls.arp_filter.find(link.name);
    if (filter != world.sysctls.arp_filter.end() && filter->second)
        ask_for_arp_filter(world, link, *flow, asked);
}

}  // namespace

void ask_for_neighbours(const World& world, Asked& asked) {
    const net::Interface* link = world.find_interface(asked.packet.interface);
    if (link == nullptr || !has_discovery(*link) || !lets_in(asked.verdict)) return;
    if (link->arp_off)
        leave_open("ARP and neighbour discovery are switched off on " + link->name, asked);
    if (asked.packet.family() == Family::ipv4) return ask_for_arp(world, *link, asked);
    Discovery(world, *link, asked).run();
}

}  // namespace p2pdiag::firewall
