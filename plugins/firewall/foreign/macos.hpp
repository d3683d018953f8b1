// The two firewalls of macOS, out of what their programs print, one after the other in one file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/alf.hpp"
#include "foreign/pf.hpp"
#include "verdict_json.hpp"

namespace p2pdiag::firewall::macos {

struct Ruleset {
    std::optional<ApplicationFirewall> applications;  // absent: nothing of socketfilterfw
    std::optional<pf::Ruleset> packets;               // absent: nothing of pfctl
    std::vector<std::string> unread;                  // lines of neither: anything may be missing
};

// `text`: the settings of socketfilterfw, and pfctl's info, nat and rules, as collect_command
// prints them or without its titles. Never fails: what is no line of these is unread.
Ruleset read_text(std::string_view text);

// For a shell on the machine in question: writes firewall.txt. Titles ("# pf anchor NAME") say what
// is what, because pfctl does not.
extern const std::string_view collect_command;

// Of a packet coming in that is the first of its connection, or going out. Never reply-only.
Verdict judge(const Ruleset& ruleset, const Packet& packet,
              const std::optional<std::string>& program);

// Of the answer to `own`, which goes out.
Verdict judge_answer(const Ruleset& ruleset, const Packet& own);

// By IPv6, where `verdict` lets `packet` in: it becomes that of neighbour discovery (RFC 4861),
// without which nobody finds the machine, where that does not pass.
void ask_for_neighbours(const Ruleset& ruleset, const Packet& packet, Verdict& verdict);

// As `remedy` of foreign.hpp.
std::vector<std::string> remedy(const Ruleset& ruleset, const Question& question,
                                const Verdict& verdict, const std::optional<std::string>& program);

}  // namespace p2pdiag::firewall::macos
