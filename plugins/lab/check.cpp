#include "check.hpp"

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <vector>

#include "isolation.hpp"
#include "programs.hpp"
#include "rulesets.hpp"
#include "setup.hpp"

namespace p2pdiag::lab {
namespace {

enum class Need { always, servers, option };

struct Tool {
    const char* program;
    const char* package;
    const char* use;
    Need need;
};

constexpr Tool tools[] = {
    {"ip", "iproute2", "hosts and cables", Need::always},
    {"nft", "nftables", "NAT and filters", Need::always},
    {"turnserver", "coturn", "STUN and TURN server", Need::servers},
    {"openssl", "openssl", "the server's certificate", Need::servers},
    {"dnsmasq", "dnsmasq-base", "name server", Need::servers},
    {"/usr/bin/python3", "python3", "web server", Need::servers},
    {"miniupnpd", "miniupnpd-nftables", "--igd", Need::option},
    {"tc", "iproute2", "--delay", Need::option},
};

const char* package_of(const std::string& program) {
    for (const Tool& tool : tools) {
        if (program == tool.program) return tool.package;
    }
    return "unknown";
}

void line(const std::string& what, const std::string& state, const std::string& note) {
    constexpr std::size_t name_columns = 18;
    constexpr std::size_t state_columns = 5;
    std::cout << what << std::string(name_columns - std::min(what.size(), name_columns - 1), ' ')
              << state
              << std::string(state_columns - std::min(state.size(), state_columns - 1), ' ') << note
              << '\n';
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
    std::map<Need, std::string> missing;
    for (const Tool& tool : tools) {
        const std::optional<std::string> path = find_program(tool.program);
        line(tool.program, path ? "yes" : "no",
             path.value_or(std::string("Debian package ") + tool.package) + ", " + tool.use);
        if (!path) missing[tool.need] += std::string(" ") + tool.program;
    }
    std::cout.flush();
    int code = 0;
    if (missing.contains(Need::always)) {
        std::cerr << "lab: cannot run here, these programs are missing:" << missing[Need::always]
                  << '\n';
        code = exit_unavailable;
    } else if (code = run_isolated(-1, try_kernel); code == 0 && missing.contains(Need::servers)) {
        std::cerr << "lab: only labs with --no-servers can run here, these programs are missing:"
                  << missing[Need::servers] << '\n';
        code = exit_unavailable;
    }
    if (std::cout.flush()) return code;
    std::cerr << "lab: cannot write the result\n";
    return exit_failed;
}

}  // namespace p2pdiag::lab
