// What guards this machine besides the rules that are in force: the programs that write rules, and
// whether those that are switched on have written any; AppArmor and SELinux.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <optional>
#include <string>

#include "base/json.hpp"
#include "readers.hpp"

namespace p2pdiag::firewall {

// A program that keeps a firewall. Absent: could not be told.
struct Keeper {
    std::string name;  // as owner_of() has it
    std::optional<bool> installed;
    std::optional<bool> switched_on;  // by its configuration, or as a running service
    std::optional<bool> has_rules;    // in force now
};

struct Guards {
    Keeper ufw;
    Keeper firewalld;
    std::string apparmor;     // "enabled", "disabled", "absent", "unknown"
    std::string selinux;      // "enforcing", "permissive", "absent", "unknown"
    std::string confinement;  // of this process, as the kernel names it; empty: not told
};

Guards read_guards(const Sight& sight, const World& world);

// Adds them to the data as "guards", and a finding for a program that is switched on and whose
// rules are not there.
void judge_guards(const Guards& guards, Judgement& judgement);

}  // namespace p2pdiag::firewall
