#include "check.hpp"

#include <iostream>
#include <set>
#include <vector>

#include "isolation.hpp"
#include "programs.hpp"
#include "rulesets.hpp"
#include "setup.hpp"

namespace p2pdiag::lab {
namespace {

struct Tool {
    const char* program;
    const char* package;
    const char* use;
    bool required;
};

constexpr Tool tools[] = {
    {"ip", "iproute2", "hosts and cables", true},
    {"nft", "nftables", "NAT and filters", true},
    {"turnserver", "coturn", "STUN and TURN server", true},
    {"openssl", "openssl", "the server's certificate", true},
    {"dnsmasq", "dnsmasq-base", "name server", true},
    {"/usr/bin/python3", "python3", "web server", true},
    {"miniupnpd", "miniupnpd-nftables", "--igd", false},
    {"tc", "iproute2", "--delay", false},
};

const char* package_of(const std::string& program) {
    for (const Tool& tool : tools) {
        if (program == tool.program) return tool.package;
    }
    return "unknown";
}

void line(const std::string& what, const std::string& state, const std::string& note) {
    std::cout << what << std::string(what.size() < 12 ? 12 - what.size() : 1, ' ') << state
              << std::string(state.size() < 5 ? 5 - state.size() : 1, ' ') << note << '\n';
}

// The smallest lab that uses everything the kernel must offer: namespaces, cables, a bridge, NAT
// with dynamic maps, filters.
int try_kernel(const Inside& inside) {
    const Outcome<void> mounted = mount_private_views();
    if (!mounted) {
        std::cerr << "lab: " << mounted.error().message << '\n';
        return exit_unavailable;
    }
    Options options;
    options.nat = Nat::restricted_cone;
    options.servers = false;
    options.loss_percent = 1;
    options.delay_ms = 1;
    const Outcome<Live> live = set_up(build_topology(options));
    if (!live) {
        std::cerr << "lab: " << live.error().message << '\n';
        return exit_unavailable;
    }
    line("namespaces", "yes",
         inside.privilege == Privilege::root ? "as root" : "through a user namespace");
    line("NAT", "yes", "this kernel's nftables can do all that is needed");
    if (live->notes.empty()) {
        line("netem", "yes", "--delay");
    } else {
        line("netem", "no", "--delay is left out");
    }
    return 0;
}

}  // namespace

std::optional<std::string> missing_programs(const Topology& topology) {
    std::set<std::string> needed{"ip", "nft"};
    for (const Host& host : topology.hosts) {
        for (const Daemon& daemon : host.daemons) {
            needed.insert(daemon.program);
            if (daemon.needs_certificate) needed.insert("openssl");
        }
    }
    std::string missing;
    for (const std::string& program : needed) {
        if (find_program(program)) continue;
        missing += (missing.empty() ? "" : ", ") + program + " (Debian package " +
                   package_of(program) + ")";
    }
    if (missing.empty()) return std::nullopt;
    return "not installed: " + missing;
}

int check_machine() {
    std::string missing;
    for (const Tool& tool : tools) {
        const std::optional<std::string> path = find_program(tool.program);
        line(tool.program, path ? "yes" : "no",
             path.value_or(std::string("Debian package ") + tool.package) + ", " + tool.use);
        if (!path && tool.required) missing += std::string(" ") + tool.program;
    }
    if (!missing.empty()) {
        std::cout.flush();
        std::cerr << "lab: cannot run here, these programs are missing:" << missing << '\n';
        return exit_unavailable;
    }
    std::cout.flush();
    return run_isolated(-1, try_kernel);
}

}  // namespace p2pdiag::lab
