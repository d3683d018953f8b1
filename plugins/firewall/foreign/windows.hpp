// The rules of Windows' own firewall, as PowerShell's cmdlets of the module NetSecurity list them
// in the active store: the union of what is in force.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate.hpp"
#include "nft_json.hpp"

namespace p2pdiag::firewall::windows {

// Of a network, and so of every interface that leads to it. Bits, as in a rule's `Profiles`.
enum class Profile : std::uint8_t { domain = 1, private_network = 2, public_network = 4 };
inline constexpr Profile profiles[] = {Profile::domain, Profile::private_network,
                                       Profile::public_network};
std::string_view to_string(Profile profile);  // "Private", as Windows writes it

// What holds on the interfaces of a profile. What is not configured stands here as what Windows
// then does; absent is what the file does not tell.
struct Settings {
    std::optional<bool> enabled;
    std::optional<bool> inbound_allowed;   // by default; not configured: no
    std::optional<bool> outbound_allowed;  // by default; not configured: yes
    std::optional<bool> allow_rules;       // no: "block all", also called shields up
    std::optional<bool> local_rules;       // no: only rules of group policies count
    std::vector<std::string> off_on;       // aliases of interfaces without firewall
};

struct PortRange {
    std::uint16_t low = 0;
    std::uint16_t high = 0;
};

struct AddressRange {
    Family family = Family::ipv4;
    Bits low = 0;
    Bits high = 0;
};

// One condition of a rule. Without anything known of it the rule may or may not apply.
template <class T>
struct Condition {
    bool known = false;
    bool any = false;
    std::vector<T> values;
    std::vector<std::string> words;   // "LocalSubnet", "RPC": understood by name only
    std::vector<std::string> unread;  // not understood
};

enum class Action : std::uint8_t { allow, bypass, block };

// The conditions of a rule, which Windows keeps in filter objects beside it. Of rules that bear the
// same id, with filters that differ, they stay unknown.
struct Filters {
    std::optional<bool> any_protocol;
    std::optional<std::uint8_t> protocol;  // IANA number
    Condition<PortRange> local_ports;
    Condition<PortRange> remote_ports;
    Condition<AddressRange> local_addresses;
    Condition<AddressRange> remote_addresses;
    Condition<std::string> programs;  // one path; "System" is the kernel
    Condition<std::string> packages;  // security identifiers of app packages
    Condition<std::string> services;
    Condition<std::string> interfaces;       // aliases
    Condition<std::string> interface_types;  // "Wireless"
    Condition<std::string> security;         // "local user", "remote machine"; never `values`
    std::optional<bool> authenticated;       // only what IPsec vouches for
    std::optional<bool> overrides_blocks;    // goes before the rules that block
};

struct Rule {
    std::string id;    // InstanceID
    std::string name;  // DisplayName, printable
    std::optional<bool> enabled;
    std::optional<bool> inbound;
    std::optional<Action> action;
    std::optional<std::uint8_t> profiles;  // bits of Profile
    std::optional<bool> local;             // not of a group policy
    std::optional<bool> edge_traversal;    // by way of Teredo; absent also: the program decides
    Filters filters;
    std::string inert;                // why Windows does not enforce it; empty: it does
    std::vector<std::string> unread;  // members that were not understood
};

struct Connection {
    std::string interface;  // alias: "Wi-Fi"
    std::optional<Profile> profile;
};

struct OwnAddress {
    std::string interface;
    IpAddress address;
    unsigned prefix = 0;  // bits
    bool usable = true;
};

struct Ruleset {
    std::optional<Settings> settings[3];  // of `profiles`, in their order
    std::vector<Rule> rules;
    bool has_filters = false;  // else only the rules themselves were given
    std::optional<std::vector<Connection>> connections;  // absent: the file does not tell
    std::vector<OwnAddress> addresses;
    std::vector<std::string> unread;  // entries that were not understood: they could be any rule
};

using Reading = boost::system::result<Ruleset, ReadError>;

// `text` is UTF-8 without byte order mark: the document of collect_command, or the list that
// `Get-NetFirewallRule -PolicyStore ActiveStore | ConvertTo-Json` prints, which tells no port,
// program or profile.
Reading read_json(std::string_view text);

// For PowerShell on the machine in question, as administrator: writes firewall.json.
extern const std::string_view collect_command;

// Of a packet coming in, or going out. Never reply-only: replies are looked after by the caller.
// `program`: the path of the one that listens or sends, where it is known.
Verdict judge(const Ruleset& ruleset, const Packet& packet,
              const std::optional<std::string>& program);

// Of the addresses in rules, and of the networks that the machine is in.
std::vector<Interval> networks_named(const Ruleset& ruleset, Family family);

// The profile that is active on the interface; nothing where that is not known. An empty name
// stands for any interface.
std::optional<Profile> profile_of(const Ruleset& ruleset, std::string_view interface);

}  // namespace p2pdiag::firewall::windows
