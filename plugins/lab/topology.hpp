// The lab as a description: hosts, cables, addresses, routes, rulesets, daemons. Built from the
// options alone, without touching the machine; setup.hpp makes it real.
//
//     client ─ router ─┐                    ┌─ server (coturn)
//        peer ─ peer-router ─── internet ───┤
//                      └ carrier (--cgnat)  └─ DNS
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "options.hpp"

namespace p2pdiag::lab {

struct Interface {
    std::string name;
    std::vector<std::string> addresses;  // CIDR, either family
    std::string bridge;                  // a port of this bridge; empty = of none
    bool is_bridge = false;              // made here rather than the end of a cable
    std::optional<unsigned> mtu;
    std::optional<unsigned> delay_ms;  // of what leaves here; needs netem
};

struct Route {
    std::string destination;  // "default" (of IPv4) or CIDR
    std::string gateway;      // empty = on the link of `interface`
    std::string interface;
    std::optional<unsigned> mtu;
};

// An nft script; `title` says in an error message which one it was.
struct Ruleset {
    std::string title;
    std::string text;
    int refused = exit_failed;  // the exit code when nft does not take it
};

// A socket that must be there before a daemon counts as started. What comes in after that waits in
// its queue.
struct Listener {
    enum class Transport { udp, tcp };
    Transport transport = Transport::tcp;
    std::string address;
    std::uint16_t port = 0;
};

struct Daemon {
    std::string program;  // name, looked up in PATH and the sbin directories
    std::vector<std::string> arguments;
    std::string config_name;  // file in lab_dir
    std::string config;
    std::vector<Listener> listeners;
    bool needs_certificate = false;
    // Its log is the configuration's name with ".log" in place of what is behind the dot.
};

struct Host {
    std::string name;
    std::vector<Interface> interfaces;
    std::vector<Route> routes;
    using Sysctls = std::vector<std::pair<std::string, std::string>>;  // path below /proc/sys
    Sysctls sysctls;                                                   // before any address is set
    std::vector<Ruleset> rulesets;
    Sysctls conntrack;  // after the rulesets, which bring conntrack to life
    std::vector<Daemon> daemons;
    std::vector<TakenPort> taken_ports;  // held by process 1
};

struct CableEnd {
    std::string host;
    std::string interface;
};

struct Cable {
    CableEnd a;
    CableEnd b;
};

struct Topology {
    std::vector<Host> hosts;
    std::vector<Cable> cables;
    std::string resolv_conf;

    const Host* find(std::string_view host) const;
    std::string host_names() const;  // "client, router, …"
};

// Everything the lab writes lies here, on a tmpfs that nobody outside sees.
inline constexpr const char* lab_dir = "/run/p2pdiag-lab";

namespace addresses {
inline constexpr const char* client = "192.168.7.2";
inline constexpr const char* router_lan = "192.168.7.1";
inline constexpr const char* home_wan = "11.22.33.7";
inline constexpr const char* peer_wan = "11.22.33.8";
inline constexpr const char* carrier_wan = "11.22.33.77";
inline constexpr const char* server = "11.22.33.10";
inline constexpr const char* server_other = "11.22.33.11";
inline constexpr const char* server6 = "2001:db8:33::10";
inline constexpr const char* server_other6 = "2001:db8:33::11";
inline constexpr const char* gateway = "11.22.33.1";
inline constexpr const char* gateway6 = "2001:db8:33::1";
inline constexpr const char* dns = "11.22.33.53";
inline constexpr const char* dns6 = "2001:db8:33::53";
inline constexpr const char* nobody = "11.22.33.66";
}  // namespace addresses

Topology build_topology(const Options& options);

// Lines for `ip -batch`: all cables at once, then what one host has of its own.
std::string cables_batch(const Topology& topology);
std::string host_batch(const Host& host);

}  // namespace p2pdiag::lab
