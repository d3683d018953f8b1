// Rulesets of systems that this program does not run on, read from files that were made there, and
// what these systems do with a packet. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ask.hpp"
#include "foreign/encoding.hpp"
#include "foreign/macos.hpp"
#include "foreign/recognise.hpp"
#include "foreign/windows.hpp"
#include "verdict_json.hpp"

namespace p2pdiag::firewall {

using ForeignRuleset = std::variant<windows::Ruleset, macos::Ruleset>;
using ForeignReading = boost::system::result<ForeignRuleset, ReadError>;

// `text` is what decode_file made of the file, and what `recognise` calls windows or macos. Refuses
// what is not of that shape, larger than max_ruleset_text or cut off; single rules that it does not
// understand become unknown ones.
ForeignReading read_foreign(std::string_view text);

// By which way peers reach that machine.
struct ForeignEntrance {
    std::string interface;  // as that system calls it: "Wi-Fi"; empty: not known
    std::string network;    // what the system takes it for: "Private"; empty: not known
    IpAddress address;      // 0.0.0.0 or :: where it is not known
};
// At most max_entrances of ask.hpp; one of each family where the file tells none.
std::vector<ForeignEntrance> find_entrances(const ForeignRuleset& ruleset);

// Of a packet from outside to a port there (accept, reply-only, …), or of one going out, by
// `packet.direction`. `packet.destination` of 0.0.0.0 or :: stands for an address that is not
// known, an empty interface for any, and 0 for the port of a packet going out that may be any.
// `packet.state`, the marks, length and ttl do not matter.
//
// `program` is the path of the one that listens, where it is known: these systems' rules are mostly
// about programs. Without it the verdict depends on it where they are.
//
// It is the verdict of the system's own firewall. Other programs that filter are not seen in its
// rules, and `why` of what is let in says so.
Verdict assess_foreign(const ForeignRuleset& ruleset, const Packet& packet,
                       const std::optional<std::string>& program);

// As ask_inbound() of ask.hpp: of a first packet to the port at each entrance, and where no sender
// is given from a stranger, who is in no network that the rules name.
std::vector<Asked> ask_foreign(const ForeignRuleset& ruleset,
                               const std::vector<Entrance>& entrances, const Inquiry& inquiry,
                               const std::optional<std::string>& program);

// What to type on that machine so that the packets in question come in, and what it is worth:
// commands, and lines that begin with "# " to be read. The one port, the one protocol, never
// a firewall switched off. Empty where the verdict is accept.
std::vector<std::string> remedy(const ForeignRuleset& ruleset, const Question& question,
                                const Verdict& verdict, const std::optional<std::string>& program);

}  // namespace p2pdiag::firewall
