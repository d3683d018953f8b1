// The programs that are asked to let something in, and to stop doing so. They are given arguments,
// never a line for a shell.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "allow_step.hpp"
#include "readers.hpp"

namespace p2pdiag::firewall {

struct Job {
    AllowStep step;
    std::string id;  // of the journal's record
    std::optional<AllowRecord> record;
    const Sight& sight;
    // Puts the record where it outlives this process.
    std::function<void(const AllowRecord&)> keep;
};

// What went wrong, or nothing.
using Trouble = std::string;

// Whether the step can be done: changes nothing. May make the step say more exactly where.
Trouble prepare(AllowStep& step, const Sight& sight);

Trouble apply(Job& job);

// Nothing also when there was nothing to take back; `found` says which. A rule that reads like ours
// and does not say any more that it is is not deleted, and not called gone either.
Trouble revert(const Job& job, bool& found);

// Of a permanent step of firewalld: whether it is in the configuration.
Trouble is_configured(const AllowStep& step, const Sight& sight, bool& is);

// One tool.
struct Hand {
    Trouble (*prepare)(AllowStep& step, const Sight& sight);
    Trouble (*apply)(Job& job);
    Trouble (*revert)(const Job& job, bool& found);
    // Where no rule with our comment is: one in its chain that reads the same. None: the tool finds
    // its rules otherwise.
    Trouble (*find_alike)(const Job& job) = nullptr;
};

// That the rule is there, it may be ours, and how it is deleted.
Trouble left_to_people(const std::string& rule, const AllowStep& step, const std::string& deletion);

extern const Hand nft_hand;        // allow_nft.cpp
extern const Hand iptables_hand;   // allow_iptables.cpp: both kinds
extern const Hand ufw_hand;        // allow_ufw.cpp
extern const Hand firewalld_hand;  // allow_firewalld.cpp
extern const Hand file_hand;       // allow_file.cpp: of nft and iptables, what is permanent

}  // namespace p2pdiag::firewall
