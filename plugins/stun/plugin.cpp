// The table of the plugin and nothing else.
#include "checks.hpp"

namespace p2pdiag::stun_plugin {

namespace {

using namespace std::chrono_literals;

constexpr p2pdiag_check servers = check<check_servers>(
    {.id = "stun.servers", .title = "STUN servers within reach", .deadline = 8s});
constexpr p2pdiag_check nat = check<check_nat>({.id = "stun.nat",
                                                .title = "NAT in front of this machine",
                                                .deadline = 12s,
                                                .privileges = P2PDIAG_PRIVILEGE_NET_RAW});
constexpr p2pdiag_check lifetime = check<check_lifetime>(
    {.id = "stun.lifetime", .title = "Lifetime of a NAT mapping", .deep = true, .deadline = 600s});

constexpr const char* options = R"json([
  {"name": "hairpin", "type": "boolean", "default": false,
   "help": "try whether the NAT connects two of its own hosts by their public addresses (some intrusion detection systems object)"},
  {"name": "local-port", "type": "integer", "min": 1, "max": 65535,
   "help": "compare how this local UDP port is mapped with any other"},
  {"name": "hops", "type": "boolean", "default": true,
   "help": "look for a carrier-grade NAT on the way with packets of a small TTL"},
  {"name": "max-seconds", "type": "integer", "min": 10, "max": 600, "default": 130,
   "help": "how long stun.lifetime may take"}
])json";

constexpr const p2pdiag_check* checks[] = {&servers, &nat, &lifetime};

}  // namespace

}  // namespace p2pdiag::stun_plugin

P2PDIAG_PLUGIN(.id = "stun", .version = "0.1.0",
               .summary = "STUN servers, and the NAT between this machine and the internet",
               .checks = p2pdiag::stun_plugin::checks, .options = p2pdiag::stun_plugin::options);
