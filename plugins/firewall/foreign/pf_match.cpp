#include "foreign/pf_match.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace p2pdiag::firewall::pf {

namespace {

// TCP's flags as RFC 9293 section 3.1 has them from the right.
constexpr std::uint8_t syn = 2;
constexpr std::uint8_t ack = 16;
constexpr std::uint8_t syn_and_ack = syn | ack;

class Matcher {
public:
    Matcher(const Rule& rule, const Packet& packet, const Ruleset& ruleset, const std::string& path,
            Reasons& reasons)
        : rule_(rule), packet_(packet), ruleset_(ruleset), path_(path), reasons_(reasons) {}

    foreign::Match match() {
        if (rule_.never || (rule_.direction && *rule_.direction != packet_.direction) ||
            (rule_.family && *rule_.family != packet_.family()) ||
            (rule_.protocol && *rule_.protocol != packet_.protocol) ||
            (rule_.icmp_type && rule_.icmp_type != packet_.icmp_type)) {
            match_.require(Truth::no);
            return match_;
        }
        interface();
        const bool in = packet_.direction == Direction::in;
        host(rule_.from, packet_.source, packet_.source_port, !in);
        std::optional<IpAddress> to = packet_.destination;
        if (to->scope() == AddressScope::unspecified) to.reset();
        std::optional<std::uint16_t> port = packet_.destination_port;
        if (*port == 0 && !in) port.reset();
        host(rule_.to, to, port, in);
        flags();
        for (const Open& open : rule_.open)
            match_.require(Truth::maybe, reasons_.add(open.text, open.circumstantial));
        return match_;
    }

private:
    std::uint64_t depends(std::string what) { return reasons_.add(std::move(what), true); }
    std::uint64_t unknown(std::string what) { return reasons_.add(std::move(what), false); }

    void interface() {
        if (rule_.interface.empty()) return;
        Truth is = Truth::no;
        const std::string& name = packet_.interface;
        if (name.empty()) {
            is = Truth::maybe;
        } else if (name == rule_.interface) {
            is = Truth::yes;
        } else if (name.starts_with(rule_.interface) &&
                   std::all_of(name.begin() + static_cast<std::ptrdiff_t>(rule_.interface.size()),
                               name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
            is = Truth::yes;  // "en" stands for all of the kind
        } else if (may_be_group(rule_.interface)) {
            const Truth unknown_group = Truth::maybe;
            return match_.require(unknown_group, unknown("whether " + printable(name, 40) +
                                                         " is in the interface group \"" +
                                                         printable(rule_.interface, 40) + '"'));
        }
        match_.require(rule_.not_interface ? !is : is,
                       is == Truth::maybe ? depends("the interface") : 0);
    }

    // Its members are not told, be it listed or not. The name of a group ends in no digit, and that
    // of a link in one; "utun" stands for all of its kind.
    bool may_be_group(const std::string& name) const {
        if (name.back() >= '0' && name.back() <= '9') return false;
        for (const std::string_view kind :
             {"lo", "en", "utun", "awdl", "llw", "bridge", "gif", "stf", "ppp", "ipsec", "ap",
              "anpi", "p2p", "vmnet", "feth", "vlan", "bond", "pflog", "pktap"}) {
            if (name == kind) return false;
        }
        return std::ranges::none_of(ruleset_.interfaces, [&](const std::string& link) {
            return link.size() > name.size() && link.starts_with(name) &&
                   link.find_first_not_of("0123456789", name.size()) == std::string::npos;
        });
    }

    // `own`: it is this machine's side.
    void host(const Host& host, const std::optional<IpAddress>& address,
              std::optional<std::uint16_t> port, bool own) {
        const std::string whose = own ? "this machine's" : "the peer's";
        ports(host.ports, port, whose);
        if (match_.truth == Truth::no) return;
        std::uint64_t reason = 0;
        Truth is = Truth::yes;
        switch (host.kind) {
            case Host::Kind::any: break;
            case Host::Kind::range:
                // A rule with addresses is of their family, whether or not they are negated.
                if (host.family != packet_.family()) return match_.require(Truth::no);
                is = address ? Known{to_bits(*address), 0}.in({host.low, host.high}) : Truth::maybe;
                break;
            case Host::Kind::table: is = table(host.name, address, reason); break;
            case Host::Kind::interface: is = of_interface(host.name, own); break;
            case Host::Kind::unread:
                is = Truth::maybe;
                reason = unknown("the address \"" + printable(host.name, 80) + '"');
                break;
        }
        if (is == Truth::maybe && reason == 0) reason = depends(whose + " address");
        match_.require(host.negated ? !is : is, reason);
    }

    void ports(const Ports& ports, std::optional<std::uint16_t> port, const std::string& whose) {
        if (ports.any) return;
        if (packet_.protocol != protocol_tcp && packet_.protocol != protocol_udp)
            return match_.require(Truth::no);
        if (!ports.unread.empty()) {
            return match_.require(Truth::maybe,
                                  unknown("the port \"" + printable(ports.unread, 80) +
                                          "\", whose number is not known"));
        }
        if (!port) return match_.require(Truth::maybe, depends(whose + " port"));
        const bool inside = *port >= ports.low && *port <= ports.high;
        if (inside == ports.outside) match_.require(Truth::no);
    }

    // The entry with the longest prefix decides.
    Truth table(const std::string& name, const std::optional<IpAddress>& address,
                std::uint64_t& reason) {
        auto found = ruleset_.tables.find(path_ + '\n' + name);
        if (found == ruleset_.tables.end()) found = ruleset_.tables.find('\n' + name);
        const std::string shown = "the table <" + printable(name, 40) + '>';
        if (found == ruleset_.tables.end()) {
            reason = unknown(shown + ", whose addresses the file does not tell");
            return Truth::maybe;
        }
        const bool of_family = std::ranges::any_of(found->second, [&](const TableEntry& entry) {
            return entry.family == packet_.family() && !entry.negated;
        });
        if (!of_family) return Truth::no;
        reason = depends("whether the address is in " + shown);
        if (!address) return Truth::maybe;
        const TableEntry* best = nullptr;
        for (const TableEntry& entry : found->second) {
            if (entry.family != address->family()) continue;
            const bool inside =
                Known{to_bits(*address), 0}.in({entry.low, entry.high}) == Truth::yes;
            if (inside && (best == nullptr || entry.prefix > best->prefix)) best = &entry;
        }
        return best != nullptr && !best->negated ? Truth::yes : Truth::no;
    }

    // "(en0)" are the addresses that the interface has at the time, "(en0:network)" its networks.
    // A stranger is in none of them.
    Truth of_interface(const std::string& name, bool own) const {
        if (!own && packet_.with_stranger) return Truth::no;
        const std::string bare = name.substr(0, name.find(':'));
        const std::string suffix = name.substr(bare.size());
        const bool whole = suffix.empty() || suffix == ":network";
        return own && whole && bare == packet_.interface ? Truth::yes : Truth::maybe;
    }

    void flags() {
        if (rule_.flags_of == 0 || packet_.protocol != protocol_tcp) return;
        std::uint8_t set = syn;
        if (packet_.part_in_flow() == Part::answer) set = syn_and_ack;
        if (packet_.part_in_flow() == Part::later) set = ack;
        if ((set & rule_.flags_of) != rule_.flags) match_.require(Truth::no);
    }

    const Rule& rule_;
    const Packet& packet_;
    const Ruleset& ruleset_;
    const std::string& path_;
    Reasons& reasons_;
    foreign::Match match_;
};

void add_networks(const Rule& rule, Family family, std::vector<Interval>& networks) {
    for (const Host* host : {&rule.from, &rule.to}) {
        if (host->kind == Host::Kind::range && host->family == family)
            networks.push_back({host->low, host->high});
    }
    for (const Rule& inner : rule.inner) add_networks(inner, family, networks);
}

}  // namespace

std::vector<Interval> networks_named(const Ruleset& ruleset, Family family) {
    std::vector<Interval> networks;
    for (const auto& [path, list] : ruleset.lists) {
        for (const Rule& rule : list.rules) add_networks(rule, family, networks);
        for (const Redirect& redirect : list.redirects)
            add_networks(redirect.match, family, networks);
    }
    for (const auto& [name, entries] : ruleset.tables) {
        for (const TableEntry& entry : entries) {
            if (entry.family == family) networks.push_back({entry.low, entry.high});
        }
    }
    return networks;
}

foreign::Match match(const Rule& rule, const Packet& packet, const Ruleset& ruleset,
                     const std::string& path, Reasons& reasons) {
    return Matcher(rule, packet, ruleset, path, reasons).match();
}

}  // namespace p2pdiag::firewall::pf
