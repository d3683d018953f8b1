// A step of the change firewall.allow and the record of what became of it, as they lie in the
// host's journal: enough to take an opening back after a crash or a reboot. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "allow_opening.hpp"

namespace p2pdiag::firewall {

// Who is asked to let it in.
enum class Tool : std::uint8_t { nft, iptables_nft, iptables_legacy, ufw, firewalld };
std::string_view to_string(Tool tool);  // "iptables-legacy"

// Where a rule is put; of nft and iptables.
struct RulePlace {
    std::string family;  // nft's word for the table's: "inet"; of iptables "ip" or "ip6"
    std::string table;
    std::string chain;
    std::int64_t handle =
        0;  // nft's, of the rule that it is put before; 0: at the end of the chain
    // iptables: the number, from 1, and the text of the line that it is put before; 0: at the end.
    std::int64_t line = 0;
    std::string text;
    bool for_this_machine = false;  // only what is addressed to the machine itself

    friend bool operator==(const RulePlace&, const RulePlace&) = default;
};

// Where a packet comes in for which the step is made.
struct Aim {
    Family family = Family::ipv4;
    std::string interface;

    friend bool operator==(const Aim&, const Aim&) = default;
};

inline constexpr std::size_t most_aims = 16;

// What was asked for as well, and no step of the plan opens.
struct LeftOut {
    Aim aim;
    std::uint8_t protocol = 0;  // protocol_udp or protocol_tcp

    friend bool operator==(const LeftOut&, const LeftOut&) = default;
};

// One rule of one tool.
struct AllowStep {
    Tool tool = Tool::nft;
    Opening opening;
    RulePlace place;   // nft, iptables
    std::string zone;  // firewalld
    // Not in what is in force, but where that comes from at the start of the machine: firewalld's
    // configuration, or of nft and iptables the file.
    bool permanent = false;
    std::string file;
    std::vector<Aim> aims;
    // Of the whole plan, on its last step: so that its end tells of them. At most 2 * most_aims.
    std::vector<LeftOut> left_out = {};
};

// What apply() did so far. Handed over before the tool is asked, so that its absence says that
// nothing was done.
struct AllowRecord {
    bool done = false;
    std::optional<std::int64_t> handle;  // of nft's rule, for people: it is found by its comment
};

json::object to_json(const AllowStep& step);
json::object to_json(const AllowRecord& record);

// Nothing when something in it is missing or impossible. Both come from a file that a person may
// have edited.
std::optional<AllowStep> parse_allow_step(const json::object& object);
std::optional<AllowRecord> parse_allow_record(const json::object& object);

// Of the journal's record: [0-9a-z]{1,32}. It gets into rules, so nothing else is taken.
bool is_id(std::string_view id);

}  // namespace p2pdiag::firewall
