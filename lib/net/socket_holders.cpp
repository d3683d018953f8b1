#include "net/socket_holders.hpp"
#include "base/text.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>

#include "base/file.hpp"

namespace p2pdiag::net {

namespace {

// A process or a machine with more is looked at in part.
constexpr std::size_t max_processes = 100'000;
constexpr std::size_t max_descriptors = 2'000'000;
// The clock is asked once per so many.
constexpr std::size_t descriptors_per_look = 1024;
constexpr std::size_t max_small_file = 65536;
constexpr std::size_t max_passwd = std::size_t{4} << 20;

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

std::optional<std::string> read_link(const std::string& path) {
    std::array<char, 4096> target;
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) return std::nullopt;
    return std::string(target.data(), static_cast<std::size_t>(size));
}

std::string text_of(const std::string& path) {
    const auto text = read_file(path, max_small_file);
    return text ? *text : std::string();
}

class Search {
public:
    Search(const std::set<std::uint64_t>& inodes, TimePoint until)
        : inodes_(inodes), until_(until) {}

    SocketHolders run() {
        const Folder proc(::opendir("/proc"));
        if (proc == nullptr) {
            found_.denied = true;
            return std::move(found_);
        }
        // Mounted with hidepid, /proc leaves out the processes of others.
        if (::access("/proc/1", F_OK) != 0) found_.denied = true;
        std::size_t processes = 0;
        while (const dirent* entry = ::readdir(proc.get())) {
            const auto pid = number<int>(entry->d_name);
            if (!pid) continue;
            if (++processes > max_processes || out_of_time()) {
                found_.cut = true;
                break;
            }
            look_at(*pid);
        }
        return std::move(found_);
    }

private:
    static bool is_refusal(int error) { return error == EACCES || error == EPERM; }
    // The links of a process that has just ended are refused as well.
    static bool exists(int pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

    bool out_of_time() const { return Clock::now() >= until_; }

    void look_at(int pid) {
        const std::string path = "/proc/" + std::to_string(pid) + "/fd";
        const Folder folder(::opendir(path.c_str()));
        if (folder == nullptr) {
            // Otherwise it has just ended.
            if (is_refusal(errno)) found_.denied = true;
            return;
        }
        std::set<std::uint64_t> held;
        while (const dirent* entry = ::readdir(folder.get())) {
            if (++descriptors_ > max_descriptors ||
                (descriptors_ % descriptors_per_look == 0 && out_of_time())) {
                found_.cut = true;
                break;
            }
            std::array<char, 64> target;
            const ssize_t size =
                ::readlinkat(::dirfd(folder.get()), entry->d_name, target.data(), target.size());
            if (size < 0 && is_refusal(errno) && exists(pid)) found_.denied = true;
            if (size <= 0) continue;
            const auto inode = parse_socket_link({target.data(), static_cast<std::size_t>(size)});
            if (inode && inodes_.contains(*inode)) held.insert(*inode);
        }
        if (!held.empty()) add(pid, held);
    }

    void add(int pid, const std::set<std::uint64_t>& held) {
        const Process process = describe_process(pid);
        for (const std::uint64_t inode : held) {
            auto& holders = found_.of_inode[inode];
            if (holders.size() < max_holders) holders.push_back(process);
        }
    }

    const std::set<std::uint64_t>& inodes_;
    TimePoint until_;
    std::size_t descriptors_ = 0;
    SocketHolders found_;
};

// The word number `index` of a line, counted from 0 and parted by tabs; empty when there is none.
std::string_view status_field(std::string_view text, std::string_view name, int index) {
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (!line.starts_with(name)) continue;
        for (; index > 0; --index) {
            line.remove_prefix(std::min(line.find('\t'), line.size()));
            line.remove_prefix(std::min<std::size_t>(1, line.size()));
        }
        return line.substr(0, line.find('\t'));
    }
    return {};
}

// Names of systemd units end in their kind; of those, these hold processes.
bool is_unit(std::string_view name) {
    return name.ends_with(".service") || name.ends_with(".scope") || name.ends_with(".socket") ||
           name.ends_with(".mount") || name.ends_with(".swap");
}

// The first part that names a unit; `path` is what comes after it. Slices lead there.
std::optional<std::string> take_unit(std::string_view& path) {
    while (!path.empty()) {
        path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
        std::string_view part = path.substr(0, path.find('/'));
        path.remove_prefix(part.size());
        // systemd puts a '_' before names that the kernel could take for its own files.
        if (part.starts_with('_')) part.remove_prefix(1);
        if (is_unit(part)) return std::string(part);
    }
    return std::nullopt;
}

}  // namespace

Process describe_process(int pid) {
    const std::string folder = "/proc/" + std::to_string(pid);
    Process process;
    process.pid = pid;
    process.name = text_of(folder + "/comm");
    if (process.name.ends_with('\n')) process.name.pop_back();
    process.executable = read_link(folder + "/exe");
    const std::string status = text_of(folder + "/status");
    process.uid = parse_status_uid(status);
    process.parent = parse_status_parent(status);
    if (process.uid) process.user = user_name(*process.uid);
    process.unit = parse_cgroup_unit(text_of(folder + "/cgroup"));
    return process;
}

SocketHolders socket_holders(const std::set<std::uint64_t>& inodes, TimePoint until) {
    return Search(inodes, until).run();
}

std::optional<std::uint64_t> parse_socket_link(std::string_view link) {
    constexpr std::string_view start = "socket:[";
    if (!link.starts_with(start) || !link.ends_with(']')) return std::nullopt;
    return number<std::uint64_t>(link.substr(start.size(), link.size() - start.size() - 1));
}

std::optional<SystemdUnit> parse_cgroup_unit(std::string_view text) {
    // "0::/path" of version 2 and "1:name=systemd:/path" of version 1; of the others, which a
    // machine with version 1 has besides, the paths say the same or less.
    std::optional<SystemdUnit> found;
    while (!text.empty() && !found) {
        const std::string_view line = take_line(text);
        const std::size_t controllers = line.find(':');
        const std::size_t path_start = line.find(':', controllers + 1);
        if (controllers == line.npos || path_start == line.npos) continue;
        const std::string_view names = line.substr(controllers + 1, path_start - controllers - 1);
        if (!names.empty() && names != "name=systemd") continue;
        std::string_view path = line.substr(path_start + 1);
        const auto unit = take_unit(path);
        if (!unit) continue;
        found = SystemdUnit{*unit, false};
        // user@1000.service is the systemd of a user, with units of its own below.
        if (!unit->starts_with("user@")) continue;
        if (auto own = take_unit(path)) found = SystemdUnit{std::move(*own), true};
    }
    return found;
}

std::optional<std::uint32_t> parse_status_uid(std::string_view text) {
    // "Uid:\treal\teffective\tsaved\tfile system"
    return number<std::uint32_t>(status_field(text, "Uid:", 2));
}

std::optional<int> parse_status_parent(std::string_view text) {
    return number<int>(status_field(text, "PPid:", 1));
}

std::optional<std::string> parse_passwd_name(std::string_view text, std::uint32_t uid) {
    while (!text.empty()) {
        // "name:password:uid:…"
        const std::string_view line = take_line(text);
        const std::size_t name = line.find(':');
        const std::size_t password = line.find(':', name + 1);
        if (name == line.npos || password == line.npos || name == 0) continue;
        const std::string_view rest = line.substr(password + 1);
        if (number<std::uint32_t>(rest.substr(0, rest.find(':'))) == uid) {
            return std::string(line.substr(0, name));
        }
    }
    return std::nullopt;
}

std::optional<std::string> user_name(std::uint32_t uid) {
    const auto text = read_file("/etc/passwd", max_passwd);
    if (!text) return std::nullopt;
    return parse_passwd_name(*text, uid);
}

}  // namespace p2pdiag::net
