// This machine as the evaluator wants it. What cannot be read, and whatever might be behind it, is
// noted as unseen; an empty answer counts only where it cannot come from looking in the wrong
// place.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "model.hpp"

namespace p2pdiag::firewall {

// A file of the kernel's. Nothing there and not allowed are different things.
struct FileText {
    int error = 0;  // errno
    std::string text;
};

// The whole of it; EFBIG where it has more than max_small_file bytes.
inline constexpr std::size_t max_small_file = std::size_t{1} << 20;
FileText read_small_file(const std::string& path);

// What the readers ask; tests answer in place of the machine.
struct Sight {
    std::function<Answer(const std::vector<std::string>& argv)> run;
    std::function<FileText(const std::string& path)> read_file;
};

Sight sight_of_this_machine(std::chrono::steady_clock::time_point deadline, int cancel_fd);

// nftables, iptables-nft and iptables-legacy, and what firewalld says of its panic mode.
void read_rulesets(const Sight& sight, World& world);

// rp_filter and forwarding, for the interfaces of `world`.
void read_sysctls(const Sight& sight, World& world);

// Interfaces, addresses and routes, from the kernel itself.
void read_links(World& world);

// Policies of IPsec. Where they may not be read, that is told only if all else could be.
void read_ipsec(World& world);

// All of it.
World read_world(const Sight& sight);

}  // namespace p2pdiag::firewall
