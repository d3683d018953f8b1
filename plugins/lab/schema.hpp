// The command line of `p2pdiag lab`, as docs/plugin-author/reference.md describes it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace p2pdiag::lab {
namespace detail {

// String literals one after the other, with one terminating zero.
template <std::size_t... sizes>
consteval auto join(const char (&... parts)[sizes]) {
    std::array<char, (sizes + ...) - sizeof...(sizes) + 1> joined{};
    char* end = joined.data();
    ((end = std::copy_n(parts, sizes - 1, end)), ...);
    return joined;
}

// What `run` and `shell` have in common.
inline constexpr char options[] = R"json(
{"name": "nat", "type": "choice", "required": true,
 "choices": ["open", "full-cone", "restricted-cone", "port-restricted-cone", "address-dependent",
             "symmetric", "symmetric-sequential"],
 "help": "the NAT before the client (open: none, the client has a public address)"},
{"name": "peer-nat", "type": "choice",
 "choices": ["open", "full-cone", "restricted-cone", "port-restricted-cone", "address-dependent",
             "symmetric", "symmetric-sequential"],
 "help": "add a second home, with a host named peer, behind this NAT"},
{"name": "cgnat", "type": "choice",
 "choices": ["full-cone", "restricted-cone", "port-restricted-cone", "address-dependent",
             "symmetric", "symmetric-sequential"],
 "help": "a second NAT at the carrier, with 100.64.7.0/24 between it and the home"},
{"name": "on", "type": "choice", "default": "client",
 "choices": ["client", "peer", "router", "peer-router", "carrier", "internet", "server"],
 "help": "the host to run on"},
{"name": "igd", "type": "string", "default": "none",
 "help": "port mapping protocols of the router: upnp,natpmp,pcp (any of them), or none"},
{"name": "block", "type": "choice", "repeat": true, "choices": ["udp", "udp-3478", "udp-out", "tcp-high", "ipv6-in"],
 "help": "udp: the router drops UDP except DNS; udp-3478: UDP of port 3478 alone; udp-out: the client's own firewall does; tcp-high: the router drops connections to TCP ports above 1023; ipv6-in: what comes back over IPv6"},
{"name": "host-firewall", "type": "path", "help": "an nft ruleset to load on the client"},
{"name": "loss", "type": "number", "min": 0, "max": 90,
 "help": "percent of the packets lost on the home's line, each way"},
{"name": "delay", "type": "duration", "min": 1, "max": 10000,
 "help": "delay of the home's line, each way; left out where the kernel has no netem"},
{"name": "mapping-lifetime", "type": "integer", "min": 1, "max": 86400,
 "help": "seconds until a NAT forgets a silent UDP mapping (else 30 without a reply, 120 with one)"},
{"name": "mtu", "type": "integer", "min": 576, "max": 1500,
 "help": "bytes that the home's uplink carries in one packet"},
{"name": "mtu-black-hole", "type": "integer", "min": 576, "max": 1500,
 "help": "the same, but nobody is told: what is bigger vanishes"},
{"name": "captive-portal", "type": "boolean",
 "help": "the router answers every web page with a login page and lets nothing else out but DNS"},
{"name": "web-clock", "type": "integer", "min": -630000000, "max": 630000000,
 "help": "seconds by which the web server's clock is ahead"},
{"name": "hairpin", "type": "boolean",
 "help": "the router lets its home reach itself through its public address"},
{"name": "ipv6", "type": "boolean", "help": "IPv6 as well: routed, with a stateful filter"},
{"name": "dns", "type": "choice", "choices": ["ok", "broken", "nat64", "lying"], "default": "ok",
 "help": "broken: the resolver never answers; nat64: it answers for ipv4only.arpa like one beside a NAT64; lying: it has an address for names that do not exist"},
{"name": "no-default-route", "type": "boolean", "help": "the client has no way out"},
{"name": "listen", "type": "string", "repeat": true,
 "help": "a program on the client has this port, e.g. udp:0.0.0.0:8000 or tcp:127.0.0.1:8000"},
{"name": "no-servers", "type": "boolean",
 "help": "no STUN, TURN, DNS and web server: starts faster, and needs none of coturn, dnsmasq and python3"}
)json";

inline constexpr auto schema = join(R"json({"commands": [
{"name": "run", "summary": "Run p2pdiag, or another program, on a host of the lab",
 "rest": "arguments of p2pdiag, which gets --profile lab; with --command a program and its arguments",
 "options": [)json",
                                    options, R"json(,
{"name": "command", "type": "boolean",
 "help": "what follows -- is a program and its arguments, not arguments of p2pdiag"}]},
{"name": "shell", "summary": "Open a shell on a host of the lab", "options": [)json",
                                    options, R"json(]},
{"name": "check", "summary": "Say whether this machine can run the lab (exit code 77: it cannot)",
 "options": []}],
"epilog": "Examples:\n  p2pdiag lab run --nat symmetric -- run stun.nat\n  p2pdiag lab run --nat port-restricted-cone --cgnat symmetric -- run all\n  p2pdiag lab run --nat full-cone --loss 10 --command -- ping -c 20 11.22.33.10\n  p2pdiag lab shell --nat restricted-cone --igd upnp,natpmp,pcp\n\nThe client is 192.168.7.2 behind 11.22.33.7; the servers are stun.lab (11.22.33.10) and\nstun-alt.lab (11.22.33.11). `ip netns exec HOST PROGRAM`, inside, reaches the other hosts.\nNothing is left when the command ends.\n\nExit code: the command's own; 2 usage, 4 the lab failed, 77 this machine cannot run it."})json");

}  // namespace detail

inline constexpr const char* schema = detail::schema.data();

}  // namespace p2pdiag::lab
