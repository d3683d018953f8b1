#include "foreign/windows_match.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "foreign/windows_values.hpp"
#include "literals.hpp"

namespace p2pdiag::firewall::windows {

namespace {

std::string quoted(const std::string& name) { return '"' + name + '"'; }

// "LocalSubnet4" is LocalSubnet of one family.
std::optional<Family> family_of_word(std::string_view word) {
    if (word.ends_with('4')) return Family::ipv4;
    if (word.ends_with('6')) return Family::ipv6;
    return std::nullopt;
}

std::optional<Interval> network_of(const OwnAddress& own) {
    const unsigned width = own.address.is_v4() ? 32 : 128;
    return prefix_interval(to_bits(own.address) & ~low_mask(width - own.prefix), own.prefix, width);
}

class Matcher {
public:
    Matcher(const Rule& rule, const Flow& flow, const Ruleset& ruleset, Reasons& reasons)
        : rule_(rule), flow_(flow), ruleset_(ruleset), reasons_(reasons) {}

    foreign::Match match() {
        const Filters& filters = rule_.filters;
        protocol(filters);
        if (flow_.protocol == protocol_tcp || flow_.protocol == protocol_udp) {
            ports(filters.local_ports, flow_.local_port, "the local port");
            ports(filters.remote_ports, flow_.remote_port, "the port of the peer");
        } else if (filters.any_protocol == false) {
            match_.require(Truth::maybe, unknown("the ICMP types"));
        }
        addresses(filters.local_addresses, flow_.local, "this machine's address", false);
        addresses(filters.remote_addresses, flow_.remote, "the address of the peer",
                  flow_.with_stranger);
        program(filters);
        package(filters);
        service(filters);
        interface(filters);
        security(filters);
        for (const std::string& what : rule_.unread) {
            match_.require(Truth::maybe, reasons_.add(what + " of the rule " + quoted(rule_.name) +
                                                          ", which is not understood",
                                                      false));
        }
        return match_;
    }

private:
    // Something of the rule that the file does not tell.
    std::uint64_t unknown(const std::string& what) {
        if (!ruleset_.has_filters) {
            return reasons_.add(
                "the ports, programs and addresses of the rules, which the file "
                "does not tell",
                false);
        }
        return reasons_.add(
            what + " of the rule " + quoted(rule_.name) + ", which is not understood", false);
    }

    std::uint64_t depends(std::string what) { return reasons_.add(std::move(what), true); }

    void protocol(const Filters& filters) {
        if (!filters.any_protocol)
            match_.require(Truth::maybe, unknown("the protocol"));
        else if (!*filters.any_protocol && filters.protocol != flow_.protocol)
            match_.require(Truth::no);
    }

    // `found`: whether one of the values is the packet's; `reason` where that is not known.
    template <class T>
    void one_of(const Condition<T>& condition, Truth found, std::uint64_t reason,
                const std::string& what) {
        if (!condition.known) return match_.require(Truth::maybe, unknown(what));
        if (condition.any || found == Truth::yes) return;
        if (!condition.unread.empty()) return match_.require(Truth::maybe, unknown(what));
        match_.require(found, reason);
    }

    void ports(const Condition<PortRange>& condition, std::optional<std::uint16_t> port,
               const std::string& what) {
        Truth found = Truth::no;
        std::uint64_t reason = 0;
        const auto add = [&](Truth here, const std::string& of) {
            if (here == Truth::maybe) reason |= depends(of);
            if (found != Truth::yes && here != Truth::no) found = here;
        };
        for (const PortRange& range : condition.values) {
            if (!port)
                add(Truth::maybe, what);
            else if (*port >= range.low && *port <= range.high)
                add(Truth::yes, what);
        }
        for (const std::string& word : condition.words)
            add(port_word(word, port), "whether it is a port of " + printable(word, 40));
        one_of(condition, found, reason, what);
    }

    // The end point mapper is at a fixed port (MS-RPCE 2.1.1.1); the others' are given out.
    static Truth port_word(std::string_view word, std::optional<std::uint16_t> port) {
        if (!same_text(word, "RPCEPMap") && !same_text(word, "RPC-EPMap")) return Truth::maybe;
        if (!port) return Truth::maybe;
        return *port == 135 ? Truth::yes : Truth::no;
    }

    void addresses(const Condition<AddressRange>& condition,
                   const std::optional<IpAddress>& address, const std::string& what,
                   bool of_stranger) {
        Truth found = Truth::no;
        std::uint64_t reason = 0;
        const auto add = [&](Truth here, const std::string& of) {
            if (here == Truth::maybe) reason |= depends(of);
            if (found != Truth::yes && here != Truth::no) found = here;
        };
        const Bits last = low_mask(flow_.family == Family::ipv4 ? 32 : 128);
        for (const AddressRange& range : condition.values) {
            if (range.family != flow_.family) continue;
            if (range.low == 0 && range.high == last)
                add(Truth::yes, what);
            else if (!address)
                add(Truth::maybe, what);
            else
                add(Known{to_bits(*address), 0}.in({range.low, range.high}), what);
        }
        for (const std::string& word : condition.words) {
            const Truth is = of_stranger && is_near(word) ? Truth::no : address_word(word, address);
            add(is, what + ", whether of " + printable(word, 40));
        }
        one_of(condition, found, reason, what);
    }

    // Words for what lies around the machine: FW_ADDRESS_KEYWORD of [MS-FASP].
    static bool is_near(std::string_view word) {
        const auto family = family_of_word(word);
        const std::string_view name = family ? word.substr(0, word.size() - 1) : word;
        for (const std::string_view near :
             {"LocalSubnet", "DNS", "DHCP", "WINS", "DefaultGateway"}) {
            if (same_text(name, near)) return true;
        }
        return false;
    }

    Truth address_word(std::string_view word, const std::optional<IpAddress>& address) const {
        const auto family = family_of_word(word);
        if (family && *family != flow_.family) return Truth::no;
        const std::string_view name = family ? word.substr(0, word.size() - 1) : word;
        if (!same_text(name, "LocalSubnet") || !address) return Truth::maybe;
        Truth found = Truth::no;
        bool any = false;
        for (const OwnAddress& own : ruleset_.addresses) {
            if (!flow_.interface.empty() && !same_text(own.interface, flow_.interface)) continue;
            if (own.address.family() != flow_.family) continue;
            any = true;
            const auto subnet = network_of(own);
            if (subnet && Known{to_bits(*address), 0}.in(*subnet) == Truth::yes) {
                found = flow_.interface.empty() ? Truth::maybe : Truth::yes;
            }
        }
        return any ? found : Truth::maybe;
    }

    void program(const Filters& filters) {
        if (!filters.programs.known) return match_.require(Truth::maybe, unknown("the program"));
        if (filters.programs.any) return;
        Truth found = Truth::no;
        for (const std::string& path : filters.programs.values) {
            const Truth here = flow_.program ? is_program(path, *flow_.program) : Truth::maybe;
            if (here == Truth::maybe) {
                match_.require(Truth::maybe,
                               depends("whether the program is " + printable(path, 120)));
            }
            if (here != Truth::no && found != Truth::yes) found = here;
        }
        if (found == Truth::no) match_.require(Truth::no);
    }

    // Programs of app packages lie in one place.
    void package(const Filters& filters) {
        if (!filters.packages.known) return match_.require(Truth::maybe, unknown("the package"));
        if (filters.packages.any) return;
        std::string path = flow_.program.value_or("");
        for (char& c : path) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool can_be = !flow_.program || path.find("apps\\") != std::string::npos ||
                            path.find('\\') == std::string::npos;
        match_.require(can_be ? Truth::maybe : Truth::no,
                       depends("whether the program belongs to an app package"));
    }

    void service(const Filters& filters) {
        if (!filters.services.known) return match_.require(Truth::maybe, unknown("the service"));
        if (filters.services.any) return;
        std::string names;
        for (const std::string& name : filters.services.values) {
            if (names.size() < 80) names += (names.empty() ? "" : ", ") + printable(name, 40);
        }
        match_.require(Truth::maybe, depends("whether the program is the service " + names));
    }

    void interface(const Filters& filters) {
        if (!filters.interfaces.known)
            return match_.require(Truth::maybe, unknown("the interface"));
        if (!filters.interfaces.any) {
            const auto& names = filters.interfaces.values;
            const bool found = std::any_of(names.begin(), names.end(), [&](const auto& name) {
                return same_text(name, flow_.interface);
            });
            const bool pattern = std::any_of(names.begin(), names.end(), [](const auto& name) {
                return name.find_first_of("*?[") != std::string::npos;
            });
            if (flow_.interface.empty())
                match_.require(Truth::maybe, depends("the interface"));
            else if (!found && pattern)
                match_.require(Truth::maybe, depends("which interfaces the name with wildcards "
                                                     "in the rule stands for"));
            else if (!found)
                match_.require(Truth::no);
        }
        if (!filters.interface_types.known)
            return match_.require(Truth::maybe, unknown("the type of interface"));
        if (!filters.interface_types.any) {
            match_.require(Truth::maybe,
                           depends("whether the interface is wired, wireless or remote access"));
        }
        teredo();
    }

    // What comes through the tunnel from behind the router's edge needs the rule's leave.
    void teredo() {
        if (flow_.interface.find("Teredo") == std::string::npos || !flow_.inbound) return;
        if (rule_.action == Action::block || rule_.edge_traversal == true) return;
        if (rule_.edge_traversal == false) return match_.require(Truth::no);
        match_.require(Truth::maybe, depends("whether the program asks for edge traversal"));
    }

    void security(const Filters& filters) {
        if (!filters.security.known) match_.require(Truth::maybe, unknown("the users"));
        for (const std::string& word : filters.security.words)
            match_.require(Truth::maybe, depends(word));
        if (filters.security.known && filters.authenticated != false) {
            match_.require(Truth::maybe, depends("whether the peer proves by IPsec who it is"));
        }
    }

    const Rule& rule_;
    const Flow& flow_;
    const Ruleset& ruleset_;
    Reasons& reasons_;
    foreign::Match match_;
};

struct Place {
    std::string_view variable;
    std::string_view path;
};

constexpr Place places[] = {{"%systemroot%", "c:\\windows"},
                            {"%windir%", "c:\\windows"},
                            {"%systemdrive%", "c:"},
                            {"%programfiles%", "c:\\program files"},
                            {"%programfiles(x86)%", "c:\\program files (x86)"},
                            {"%programdata%", "c:\\programdata"}};

// In small letters, with backslashes. `sure` is false where the usual place was taken for a
// variable, or the path is of a form that has others.
std::string normal_path(std::string_view text, bool& sure) {
    std::string path(text);
    for (char& c : path) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '/') c = '\\';
    }
    for (const Place& place : places) {
        if (!path.starts_with(place.variable)) continue;
        path.replace(0, place.variable.size(), place.path);
        sure = false;
    }
    const bool absolute = path.size() > 2 && path[1] == ':' && path[2] == '\\';
    if ((!absolute && path != "system") || path.find('~') != std::string::npos ||
        path.find('%') != std::string::npos) {
        sure = false;
    }
    return path;
}

std::string_view file_name(std::string_view path) {
    const std::size_t slash = path.rfind('\\');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::vector<Interval> networks_named(const Ruleset& ruleset, Family family) {
    std::vector<Interval> networks;
    for (const Rule& rule : ruleset.rules) {
        const Filters& filters = rule.filters;
        for (const auto* condition : {&filters.local_addresses, &filters.remote_addresses}) {
            for (const AddressRange& range : condition->values) {
                if (range.family == family) networks.push_back({range.low, range.high});
            }
        }
    }
    for (const OwnAddress& own : ruleset.addresses) {
        if (own.address.family() != family) continue;
        if (const auto network = network_of(own)) networks.push_back(*network);
    }
    return networks;
}

foreign::Match match(const Rule& rule, const Flow& flow, const Ruleset& ruleset, Reasons& reasons) {
    return Matcher(rule, flow, ruleset, reasons).match();
}

Truth is_program(std::string_view path, std::string_view program) {
    bool sure = true;
    const std::string a = normal_path(path, sure);
    const std::string b = normal_path(program, sure);
    const bool whole = b.find('\\') != std::string::npos || b == "system";
    if (a == b && whole) return Truth::yes;
    const bool short_name = file_name(a).find('~') != std::string_view::npos ||
                            file_name(b).find('~') != std::string_view::npos;
    if (sure || (file_name(a) != file_name(b) && !short_name)) return Truth::no;
    return Truth::maybe;
}

}  // namespace p2pdiag::firewall::windows
