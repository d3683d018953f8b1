#include "ask.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "exchange.hpp"
#include "routing.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr std::uint32_t stranger_v4 = 0x2D43595B;  // 45.67.89.91
constexpr const char* stranger_v6 = "2a02:6ea0:4567::91";
constexpr std::uint16_t stranger_port = 49731;

bool is_settled(const Verdict& verdict) {
    return verdict.kind != VerdictKind::depends && verdict.kind != VerdictKind::undecided;
}

void add_once(const std::vector<std::string>& more, std::vector<std::string>& list) {
    for (const std::string& one : more) {
        if (std::ranges::find(list, one) == list.end()) list.push_back(one);
    }
}

bool is_in(const IpAddress& address, const std::vector<Interval>& networks) {
    const Known bits{to_bits(address), 0};
    const Bits last = low_mask(address.is_v4() ? 32 : 128);
    return std::ranges::any_of(networks, [&](const Interval& network) {
        const bool whole = network.low == 0 && network.high == last;
        return !whole && bits.in(network) == Truth::yes;
    });
}

// Strangers all over the internet, by number.
std::optional<IpAddress> other_stranger(Family family, unsigned number) {
    if (family == Family::ipv6) {
        constexpr std::uint16_t starts[] = {0x2a01, 0x2600, 0x2400, 0x2800, 0x2c0f, 0x2001, 0x2610};
        if (number >= std::size(starts)) return std::nullopt;
        auto bytes = IpAddress::parse(stranger_v6)->bytes();
        bytes[0] = static_cast<std::uint8_t>(starts[number] >> 8);
        bytes[1] = static_cast<std::uint8_t>(starts[number] & 0xFF);
        return IpAddress::v6(bytes);
    }
    constexpr unsigned last = 223;  // multicast begins behind it
    if (number >= last) return std::nullopt;
    return IpAddress::v4((number + 1) << 24 | (stranger_v4 & 0xFFFFFF));
}

bool leads_anywhere(const Route& route, Family family) {
    return route.prefix == 0 && route.type == Route::Type::unicast &&
           route.destination.family() == family;
}

bool is_usable(const net::Interface& interface) {
    return interface.working() && interface.kind != net::LinkKind::loopback;
}

// The links that lead to the internet, by index; empty: none is known to, and each may.
std::vector<int> links_to_strangers(const World& world, Family family) {
    std::vector<int> links;
    if (!world.routes) return links;
    for (const Route& route : *world.routes) {
        if (leads_anywhere(route, family) && route.interface != 0) links.push_back(route.interface);
    }
    if (links.empty()) return links;
    // That of a tunnel need not have a default route.
    const Lookup way = find_way(world, own_flow_to(stranger(family).address));
    if (way.leads_out()) links.push_back(way.interface);
    return links;
}

// Link-local addresses count only where there is no other.
const net::InterfaceAddress* address_of(const net::Interface& interface, Family family) {
    const net::InterfaceAddress* found = nullptr;
    for (const net::InterfaceAddress& own : interface.addresses) {
        if (own.address.family() != family || !own.usable) continue;
        const AddressScope scope = own.address.scope();
        if (scope == AddressScope::loopback) continue;
        if (scope != AddressScope::link_local) return &own;
        if (found == nullptr) found = &own;
    }
    return found;
}

// That strangers send to by a link which leads to them: an address of the machine need not be one
// of the link (of lo, where routes lead to the host; of the network behind, whose prefix a provider
// delegated).
const net::InterfaceAddress* address_for_strangers(const World& world, const net::Interface& link,
                                                   Family family) {
    const net::InterfaceAddress* own = address_of(link, family);
    if (own != nullptr && own->address.scope() != AddressScope::link_local) return own;
    for (const net::Interface& other : world.interfaces) {
        const net::InterfaceAddress* found = other.up ? address_of(other, family) : nullptr;
        if (found != nullptr && found->address.scope() == AddressScope::public_use) return found;
    }
    return own;
}

// A link that peers may come in by.
struct Way {
    const net::Interface* link = nullptr;
    const net::InterfaceAddress* own = nullptr;
    const net::InterfaceAddress* barred = nullptr;  // that they would use in place of `own`
};

std::vector<Way> ways_in(const World& world, Family family) {
    std::vector<Way> ways;
    const std::vector<int> links = links_to_strangers(world, family);
    for (const net::Interface& interface : world.interfaces) {
        if (!is_usable(interface)) continue;
        const bool leads = std::find(links.begin(), links.end(), interface.index) != links.end();
        if (!links.empty() && !leads) continue;
        Way way{&interface, nullptr, nullptr};
        way.own =
            leads ? address_for_strangers(world, interface, family) : address_of(interface, family);
        const bool near =
            way.own == nullptr || way.own->address.scope() == AddressScope::link_local;
        if (family == Family::ipv6 && near) way.barred = barred_address(interface);
        ways.push_back(way);
    }
    return ways;
}

// Another address of the link that is treated otherwise, and how; "": none is.
std::string treated_otherwise(const World& world, const Asked& asked) {
    constexpr std::size_t most = 8;
    const net::Interface* link = world.find_interface(asked.packet.interface);
    if (link == nullptr || asked.packet.goes_to_some_own_address()) return {};
    std::size_t tried = 0;
    for (const net::InterfaceAddress& own : link->addresses) {
        const bool same = own.address == asked.packet.destination;
        if (same || own.address.family() != asked.packet.family() || !own.usable) continue;
        if (own.address.scope() == AddressScope::link_local || ++tried > most) continue;
        Packet other = asked.packet;
        other.destination = own.address;
        const VerdictKind kind = assess_inbound(world, other).kind;
        if (kind == asked.verdict.kind) continue;
        return " That is for " + asked.packet.destination.to_string() + "; to " +
               own.address.to_string() + " it is otherwise (" + std::string(to_string(kind)) + ").";
    }
    return {};
}

}  // namespace

bool lets_in(const Verdict& verdict) {
    if (verdict.kind == VerdictKind::accept) return true;
    return verdict.kind == VerdictKind::depends && verdict.ordinarily_passes == true;
}

namespace {

// What was asked passes on the conditions of another packet as well.
void hang_on(const Verdict& verdict, const Said& said, Asked& asked) {
    std::vector<std::string>& open = asked.verdict.open;
    const std::size_t before = open.size();
    add_once(verdict.open, open);
    const bool known = asked.verdict.kind == VerdictKind::depends && open.size() == before;
    if (known) return;
    asked.reply_open = true;
    asked.verdict.why = said.open + verdict.why;
    asked.verdict.kind = VerdictKind::depends;
    asked.verdict.passes.reset();
    asked.verdict.ordinarily_passes = true;
    asked.verdict.deciding_rule = verdict.deciding_rule;
}

}  // namespace

void take_over(Verdict verdict, const Said& said, Asked& asked) {
    if (!lets_in(asked.verdict) || verdict.kind == VerdictKind::accept) return;
    if (lets_in(verdict)) return hang_on(verdict, said, asked);
    const bool stopped = verdict.passes == false;
    verdict.why = (stopped ? said.stopped : said.open) + verdict.why;
    asked.verdict = std::move(verdict);
    asked.reply_stopped = stopped;
}

Verdict left_open(Verdict blocked, std::string what) {
    blocked.kind = VerdictKind::undecided;
    blocked.passes.reset();
    blocked.ordinarily_passes.reset();
    blocked.why += " Not known is " + what + '.';
    blocked.open = {std::move(what)};
    return blocked;
}

Endpoint stranger(Family family) {
    const bool v4 = family == Family::ipv4;
    return {v4 ? IpAddress::v4(stranger_v4) : *IpAddress::parse(stranger_v6), stranger_port};
}

const net::InterfaceAddress* barred_address(const net::Interface& link) {
    const net::InterfaceAddress* found = nullptr;
    for (const net::InterfaceAddress& own : link.addresses) {
        if (own.address.is_v4() || own.address.scope() == AddressScope::link_local) continue;
        if (own.usable) return nullptr;
        if (own.check != net::AddressCheck::passed && found == nullptr) found = &own;
    }
    return found;
}

std::string why_barred(const net::Interface& link, const net::InterfaceAddress& address) {
    const std::string start =
        "Nothing comes in to " + address.address.to_string() + " of " + printable(link.name) + ": ";
    return address.check == net::AddressCheck::failed
               ? start +
                     "another machine on the link has this address (duplicate address "
                     "detection failed)."
               : start +
                     "whether another machine has this address is still being checked "
                     "(tentative).";
}

std::vector<std::string> why_barred(const World& world) {
    std::vector<std::string> reasons;
    for (const Way& way : ways_in(world, Family::ipv6)) {
        if (way.barred != nullptr) reasons.push_back(why_barred(*way.link, *way.barred));
    }
    return reasons;
}

std::vector<Entrance> find_entrances(const World& world) {
    std::vector<Entrance> entrances;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        for (const Way& way : ways_in(world, family)) {
            if (way.own == nullptr || way.barred != nullptr) continue;
            if (entrances.size() < max_entrances)
                entrances.push_back({way.link->name, way.own->address});
        }
    }
    return entrances;
}

Endpoint stranger(Family family, const std::vector<Interval>& named) {
    const Endpoint usual = stranger(family);
    if (!is_in(usual.address, named)) return usual;
    for (unsigned number = 0;; ++number) {
        const auto other = other_stranger(family, number);
        if (!other) return usual;
        if (other->is_public() && !is_in(*other, named)) return {*other, stranger_port};
    }
}

void ask_for_sender(const Asking& asking, Asked& asked) {
    asked.verdict = asking.assess(asked.packet);
    if (asked.packet.source || (asking.of_most && lets_in(asked.verdict))) return;
    const bool hangs_on_something = asked.verdict.kind == VerdictKind::depends;
    if (!hangs_on_something && !asking.names_any_rule) return;
    Packet from_stranger = asked.packet;
    from_stranger.source = asking.stranger.address;
    from_stranger.source_port = asking.stranger.port;
    from_stranger.with_stranger = !asked.packet.source_within;
    Verdict to_stranger = asking.assess(from_stranger);
    const bool settled = is_settled(to_stranger);
    if (!settled && !asking.names_any_rule) return;
    const Verdict whoever = std::exchange(asked.verdict, std::move(to_stranger));
    asked.packet = std::move(from_stranger);
    asked.some_differ = hangs_on_something && (settled || whoever.open != asked.verdict.open);
    if (!settled || is_settled(whoever)) return;
    if (!hangs_on_something) asked.verdict.why += " Of some other senders it cannot be told.";
    std::vector<std::string> own = std::exchange(asked.verdict.open, whoever.open);
    add_once(own, asked.verdict.open);
}

Inquiry Inquiry::from(const Opening& opening) {
    Inquiry inquiry{opening.port, {opening.protocol}, std::nullopt, true};
    const auto& net = opening.source;
    if (net && net->bits().is_exact()) inquiry.source = net->address;
    if (net && !net->bits().is_exact()) inquiry.within = net;
    return inquiry;
}

IpAddress somebody_within(const World& world, const Packet& packet) {
    constexpr unsigned most = 64;
    constexpr Bits stride = 0x9E3779B97F4A7C15;  // odd: a small network is gone through whole
    const Family family = packet.family();
    const Known net = packet.source_bits();
    const auto usual = assess_inbound(world, packet).ordinarily_passes;
    std::optional<IpAddress> first;
    Bits host = to_bits(stranger(family).address);
    for (unsigned i = 0; i < most; ++i, host += stride) {
        const Bits bits = net.value | (host & net.unknown);
        // The first of a network is nobody's, as is the last of IPv4.
        const bool edge = bits == net.least() || bits == net.most();
        if (edge && net.unknown > 1) continue;
        if (kind_of(world, {bits, 0}, family, nullptr) != AddressKind::unicast) continue;
        Packet one = packet;
        one.source = to_address(bits, family);
        if (!first) first = one.source;
        if (!usual || assess_inbound(world, one).passes == usual) return *one.source;
    }
    return first.value_or(to_address(net.value, family));
}

Asked first_packet(const Entrance& entrance, std::uint8_t protocol, const Inquiry& inquiry) {
    Asked asked;
    asked.packet.interface = entrance.interface;
    asked.packet.source = inquiry.source;
    if (inquiry.within) asked.packet.source_within = inquiry.within->bits();
    asked.packet.destination = entrance.address;
    asked.packet.protocol = protocol;
    asked.packet.destination_port = inquiry.port;
    asked.question = {entrance.address.family(), protocol, inquiry.port, entrance.interface};
    return asked;
}

std::vector<Asked> ask_inbound(const World& world, const std::vector<Entrance>& entrances,
                               const Inquiry& inquiry) {
    std::vector<Asked> all;
    const auto assess = [&world](const Packet& packet) { return assess_inbound(world, packet); };
    for (const Entrance& entrance : entrances) {
        const Family family = entrance.address.family();
        if (inquiry.source && inquiry.source->family() != family) continue;
        if (inquiry.within && inquiry.within->address.family() != family) continue;
        for (const std::uint8_t protocol : inquiry.protocols) {
            Asked asked = first_packet(entrance, protocol, inquiry);
            Endpoint somebody = stranger(family);
            if (inquiry.within) somebody.address = somebody_within(world, asked.packet);
            ask_for_sender({assess, somebody, inquiry.of_most}, asked);
            // Whom the answer goes to.
            if (inquiry.within) asked.packet.source = somebody.address;
            const std::string otherwise = treated_otherwise(world, asked);
            ask_for_exchange(world, asked);
            asked.verdict.why += otherwise;
            all.push_back(std::move(asked));
        }
    }
    return all;
}

}  // namespace p2pdiag::firewall
