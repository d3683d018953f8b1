// Makes a Topology real, out of process 1 of the lab.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "programs.hpp"
#include "topology.hpp"

namespace p2pdiag::lab {

struct LiveDaemon {
    std::string who;  // its program, and in which host
    pid_t pid = 0;
    std::string log;  // the file

    std::string last_lines() const;  // of the log
};

struct Live {
    std::vector<LiveHost> hosts;
    std::vector<LiveDaemon> daemons;
    std::vector<std::string> notes;  // what had to be left out, and why

    const LiveHost& at(const std::string& name) const;  // must exist
};

// Network namespaces (also under /run/netns, so that `ip netns exec` works inside the lab and only
// there), cables, addresses, rulesets, daemons; returns once every daemon listens. Fails with the
// step that failed and its error text.
Outcome<Live> set_up(const Topology& topology);

}  // namespace p2pdiag::lab
