// Which programs hold a socket, as far as this process may look. Reads /proc; sends nothing and
// asks no name service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace p2pdiag::net {

struct SystemdUnit {
    std::string name;      // "nginx.service", "session-3.scope"
    bool of_user = false;  // of the user's own systemd: systemctl --user
};

// What a process is. Its name and the path of its program are bytes that it chose itself.
struct Process {
    int pid = 0;
    std::optional<int> parent;              // its pid
    std::string name;                       // at most 15 bytes
    std::optional<std::string> executable;  // where it may be read
    std::optional<std::uint32_t> uid;       // the effective one
    std::optional<std::string> user;        // of that number in /etc/passwd
    std::optional<SystemdUnit> unit;
};

// What may be read of it; little where it belongs to somebody else or has ended.
Process describe_process(int pid);

// Of one socket, at most that many: servers have children.
inline constexpr std::size_t max_holders = 16;

struct SocketHolders {
    std::map<std::uint64_t, std::vector<Process>> of_inode;
    // There are processes that this one may not look at, mostly those of other users, for which it
    // takes root (CAP_SYS_PTRACE); one of them may hold it.
    bool denied = false;
    bool cut = false;  // there was no time or room for all processes
};

// Looks through the processes that this one sees, until `until`.
SocketHolders socket_holders(const std::set<std::uint64_t>& inodes, TimePoint until);

// "socket:[123]", as the links in /proc/PID/fd say. Pure, as what follows.
std::optional<std::uint64_t> parse_socket_link(std::string_view link);
// The content of /proc/PID/cgroup, of either version. Nothing where no unit is named.
std::optional<SystemdUnit> parse_cgroup_unit(std::string_view text);
// The effective user and the parent's pid in the content of /proc/PID/status.
std::optional<std::uint32_t> parse_status_uid(std::string_view text);
std::optional<int> parse_status_parent(std::string_view text);
// The name in the content of /etc/passwd.
std::optional<std::string> parse_passwd_name(std::string_view text, std::uint32_t uid);

// By /etc/passwd, and nothing else: a directory service would be asked over the network.
std::optional<std::string> user_name(std::uint32_t uid);

}  // namespace p2pdiag::net
