#include "setup.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <thread>

namespace p2pdiag::lab {
namespace {

Problem failed(const std::string& what, int error) {
    return {exit_failed, what + ": " + std::strerror(error)};
}

Outcome<void> write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) return failed("cannot write " + path, errno);
    return {};
}

// Names must go to the lab's resolver, for every program and for as long as the lab lives.
Outcome<void> redirect_names(const std::string& resolv_conf) {
    const std::string ours = std::string(lab_dir) + "/resolv.conf";
    if (const Outcome<void> written = write_file(ours, resolv_conf); !written) return written;
    if (::access("/etc/resolv.conf", F_OK) != 0) {
        // Often a link to somewhere below /run, which the lab has emptied; the way there can be
        // made again.
        char target[PATH_MAX] = {};
        if (::readlink("/etc/resolv.conf", target, sizeof target - 1) < 0) {
            return Problem{exit_unavailable,
                           "there is no /etc/resolv.conf, so names cannot be led into the lab; "
                           "create an empty one"};
        }
        const std::string path =
            (std::filesystem::path("/etc") / target).lexically_normal().string();
        // Only /run is the lab's own: anywhere else, something would be left behind.
        if (!path.starts_with("/run/")) {
            return Problem{exit_unavailable, "/etc/resolv.conf is a link to " + path +
                                                 ", which does not exist; create that file"};
        }
        for (std::size_t at = path.find('/', 1); at != std::string::npos;
             at = path.find('/', at + 1)) {
            ::mkdir(path.substr(0, at).c_str(), 0755);
        }
        if (const Outcome<void> made = write_file(path, ""); !made) return made;
    }
    if (::mount(ours.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) != 0) {
        return failed("cannot replace /etc/resolv.conf", errno);
    }
    return {};
}

Outcome<void> prepare_files(const Topology& topology) {
    ::mkdir(lab_dir, 0755);
    ::mkdir("/run/netns", 0755);
    for (const Host& host : topology.hosts) {
        const std::string hosts =
            "127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 " + host.name + "\n";
        const std::string path = std::string(lab_dir) + "/hosts." + host.name;
        if (const Outcome<void> written = write_file(path, hosts); !written) return written;
    }
    return redirect_names(topology.resolv_conf);
}

Outcome<LiveHost> make_network(const std::string& name) {
    if (::unshare(CLONE_NEWNET) != 0) return failed("cannot make a network namespace", errno);
    const std::string path = "/run/netns/" + name;
    if (const Outcome<void> made = write_file(path, ""); !made) return made.error();
    if (::mount("/proc/self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        return failed("cannot name a network namespace", errno);
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed("cannot open " + path, errno);
    return LiveHost{name, fd};
}

Outcome<void> set_sysctls(const Host::Sysctls& sysctls, const LiveHost& live) {
    if (::setns(live.network_fd, CLONE_NEWNET) != 0) return failed("setns", errno);
    for (const auto& [path, value] : sysctls) {
        // A kernel without IPv6 has none of its settings, and needs none.
        const std::string full = "/proc/sys/" + path;
        if (path.starts_with("net/ipv6/") && ::access(full.c_str(), F_OK) != 0) continue;
        if (const Outcome<void> written = write_file(full, value); !written) return written;
    }
    return {};
}

Outcome<void> load(const LiveHost& live, const Ruleset& ruleset) {
    const Outcome<std::string> loaded = run_tool(&live, {"nft", "-f", "-"}, ruleset.text);
    if (loaded) return {};
    return Problem{ruleset.refused, ruleset.title + ": " + loaded.error().message};
}

// Returns whether the kernel can delay packets.
bool delay(const LiveHost& live, const Interface& interface) {
    const std::string time = std::to_string(*interface.delay_ms) + "ms";
    return run_tool(&live,
                    {"tc", "qdisc", "add", "dev", interface.name, "root", "netem", "delay", time})
        .has_value();
}

Outcome<void> furnish(const Host& host, const LiveHost& live, std::vector<std::string>& notes) {
    const Outcome<std::string> linked = run_tool(&live, {"ip", "-batch", "-"}, host_batch(host));
    if (!linked) return linked.error();
    for (const Ruleset& ruleset : host.rulesets) {
        if (const Outcome<void> loaded = load(live, ruleset); !loaded) return loaded;
    }
    for (const Interface& interface : host.interfaces) {
        if (!interface.delay_ms || delay(live, interface) || !notes.empty()) continue;
        notes.push_back(
            "--delay is left out: this kernel cannot delay packets (tc netem, module sch_netem)");
    }
    return set_sysctls(host.conntrack, live);
}

// The words of an address in /proc/net/udp: each 32 bits as the machine reads them, in hex.
std::string proc_address(const std::string& address, std::uint16_t port) {
    std::uint32_t words[4] = {};
    const bool v6 = address.find(':') != std::string::npos;
    ::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), words);
    std::string text;
    char hex[16];
    for (int i = 0; i < (v6 ? 4 : 1); ++i) {
        std::snprintf(hex, sizeof hex, "%08X", words[i]);
        text += hex;
    }
    std::snprintf(hex, sizeof hex, ":%04X", port);
    return text + hex;
}

// Whether a socket table holds one of `locals` in the state that servers are in.
bool table_holds(const std::string& path, const std::string& state,
                 std::initializer_list<std::string> locals) {
    std::ifstream table(path);
    std::string line;
    while (std::getline(table, line)) {
        std::istringstream words(line);
        std::string slot;
        std::string local;
        std::string remote;
        std::string found;
        words >> slot >> local >> remote >> found;
        if (found != state) continue;
        if (std::find(locals.begin(), locals.end(), local) != locals.end()) return true;
    }
    return false;
}

// Looks into the socket tables of the network namespace that process 1 is in.
bool listens(const Listener& listener) {
    const bool udp = listener.transport == Listener::Transport::udp;
    const std::string table = std::string("/proc/self/net/") + (udp ? "udp" : "tcp");
    // From the kernel's include/net/tcp_states.h: 0A is LISTEN; an unconnected UDP socket is in 07.
    const std::string state = udp ? "07" : "0A";
    const std::string exact = proc_address(listener.address, listener.port);
    // A socket on :: may serve IPv4 as well.
    const std::string any6 = proc_address("::", listener.port);
    if (listener.address.find(':') != std::string::npos) {
        return table_holds(table + "6", state, {exact, any6});
    }
    return table_holds(table, state, {exact, proc_address("0.0.0.0", listener.port)}) ||
           table_holds(table + "6", state, {any6});
}

// No daemon here takes a second; under a sanitizer or a loaded machine it may.
constexpr std::chrono::seconds start_limit{20};
constexpr std::chrono::milliseconds poll_interval{2};

Outcome<void> await(const LiveDaemon& live, const Daemon& daemon, const LiveHost& host) {
    if (::setns(host.network_fd, CLONE_NEWNET) != 0) return failed("setns", errno);
    const auto deadline = std::chrono::steady_clock::now() + start_limit;
    for (const Listener& listener : daemon.listeners) {
        while (!listens(listener)) {
            if (::waitpid(live.pid, nullptr, WNOHANG) == live.pid) {
                return Problem{exit_failed, live.who + " ended at once: " + live.last_lines()};
            }
            if (std::chrono::steady_clock::now() > deadline) {
                return Problem{exit_failed, live.who + " does not listen on " + listener.address +
                                                " port " + std::to_string(listener.port) + ": " +
                                                live.last_lines()};
            }
            std::this_thread::sleep_for(poll_interval);
        }
    }
    return {};
}

Outcome<LiveDaemon> start_daemon(const Daemon& daemon, const LiveHost& live) {
    const std::string config = std::string(lab_dir) + "/" + daemon.config_name;
    if (const Outcome<void> written = write_file(config, daemon.config); !written) {
        return written.error();
    }
    std::vector<std::string> argv{daemon.program};
    argv.insert(argv.end(), daemon.arguments.begin(), daemon.arguments.end());
    const std::string log = config.substr(0, config.rfind('.')) + ".log";
    const Outcome<pid_t> pid = start_background(&live, argv, log);
    if (!pid) return pid.error();
    return LiveDaemon{daemon.program + " (in " + live.name + ")", *pid, log};
}

// A self-signed certificate for the lab's names, which is gone with the lab.
Outcome<void> make_certificate() {
    const std::string directory = std::string(lab_dir) + "/";
    const Outcome<std::string> made = run_tool(
        nullptr,
        {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=stun.lab", "-addext",
         "subjectAltName=DNS:stun.lab,DNS:turn.lab,DNS:stun-alt.lab,IP:11.22.33.10,"
         "IP:11.22.33.11",
         "-keyout", directory + "server.key", "-out", directory + "server.crt"});
    if (!made) return made.error();
    return {};
}

// Process 1 holds the socket for as long as there is a lab, and never looks at it.
Outcome<void> take_port(const TakenPort& port) {
    const bool v6 = !port.local.address.is_v4();
    const bool udp = port.transport == Transport::udp;
    const std::string title = "--listen " + port.to_string();
    const int fd =
        ::socket(v6 ? AF_INET6 : AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0) return failed(title, errno);
    sockaddr_in v4_address{};
    v4_address.sin_family = AF_INET;
    v4_address.sin_port = htons(port.local.port);
    sockaddr_in6 v6_address{};
    v6_address.sin6_family = AF_INET6;
    v6_address.sin6_port = htons(port.local.port);
    const auto& bytes = port.local.address.bytes();
    std::memcpy(v6 ? static_cast<void*>(&v6_address.sin6_addr) : &v4_address.sin_addr, bytes.data(),
                v6 ? 16 : 4);
    const auto* address = v6 ? reinterpret_cast<const sockaddr*>(&v6_address)
                             : reinterpret_cast<const sockaddr*>(&v4_address);
    const socklen_t size = v6 ? sizeof v6_address : sizeof v4_address;
    if (::bind(fd, address, size) != 0) {
        // Of another host, or taken already.
        return Problem{exit_usage, title + ": " + std::strerror(errno)};
    }
    if (!udp && ::listen(fd, SOMAXCONN) != 0) return failed(title, errno);
    return {};
}

Outcome<void> take_ports(const Topology& topology, const Live& live) {
    for (const Host& host : topology.hosts) {
        if (host.taken_ports.empty()) continue;
        if (::setns(live.at(host.name).network_fd, CLONE_NEWNET) != 0)
            return failed("setns", errno);
        for (const TakenPort& port : host.taken_ports) {
            if (const Outcome<void> taken = take_port(port); !taken) return taken;
        }
    }
    return {};
}

Outcome<void> start_daemons(const Topology& topology, Live& live) {
    for (const Host& host : topology.hosts) {
        for (const Daemon& daemon : host.daemons) {
            if (daemon.needs_certificate) {
                if (const Outcome<void> made = make_certificate(); !made) return made;
            }
            Outcome<LiveDaemon> started = start_daemon(daemon, live.at(host.name));
            if (!started) return started.error();
            live.daemons.push_back(*std::move(started));
        }
    }
    std::size_t number = 0;
    for (const Host& host : topology.hosts) {
        for (const Daemon& daemon : host.daemons) {
            const Outcome<void> up = await(live.daemons[number++], daemon, live.at(host.name));
            if (!up) return up;
        }
    }
    return {};
}

}  // namespace

std::string LiveDaemon::last_lines() const {
    constexpr std::size_t enough = 5;
    constexpr std::size_t longest = 400;
    std::ifstream file(log);
    std::deque<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        if (line.size() > longest) line.resize(longest);
        lines.push_back(std::move(line));
        if (lines.size() > enough) lines.pop_front();
    }
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "\n     ") + line;
    return text;
}

const LiveHost& Live::at(const std::string& name) const {
    for (const LiveHost& host : hosts) {
        if (host.name == name) return host;
    }
    std::abort();
}

Outcome<Live> set_up(const Topology& topology) {
    if (const Outcome<void> prepared = prepare_files(topology); !prepared) return prepared.error();
    Live live;
    for (const Host& host : topology.hosts) {
        const Outcome<LiveHost> made = make_network(host.name);
        if (!made) return made.error();
        live.hosts.push_back(*made);
        // Before there is any interface: each takes its settings from the defaults when it is made.
        const Outcome<void> set = set_sysctls(host.sysctls, live.hosts.back());
        if (!set) return set.error();
    }
    const Outcome<std::string> cabled =
        run_tool(nullptr, {"ip", "-batch", "-"}, cables_batch(topology));
    if (!cabled) return cabled.error();
    for (const Host& host : topology.hosts) {
        const Outcome<void> done = furnish(host, live.at(host.name), live.notes);
        if (!done) return done.error();
    }
    const Outcome<void> taken = take_ports(topology, live);
    if (!taken) return taken.error();
    const Outcome<void> served = start_daemons(topology, live);
    if (!served) return served.error();
    return live;
}

}  // namespace p2pdiag::lab
