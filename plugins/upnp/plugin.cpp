// The table of the plugin and nothing else.
#include "checks.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

using namespace std::chrono_literals;

constexpr p2pdiag_str nat_needs[] = {literal("stun.nat")};
// network.ports takes the target port for a moment, and so do the two that follow it.
constexpr p2pdiag_str target_needs[] = {literal("stun.nat"), literal("network.ports")};
constexpr p2pdiag_str mapping_needs[] = {literal("upnp.gateways"), literal("upnp.target")};

constexpr p2pdiag_check gateways =
    check<check_gateways>({.id = "upnp.gateways",
                           .title = "Routers that forward ports (UPnP, NAT-PMP, PCP)",
                           .needs = nat_needs,
                           .deadline = 4s});
constexpr p2pdiag_check mapping = check<check_mapping>({.id = "upnp.mapping",
                                                        .title = "A forward, made and removed",
                                                        .needs = mapping_needs,
                                                        .deep = true,
                                                        .deadline = 30s});

constexpr p2pdiag_check target =
    check<check_target>({.id = "upnp.target",
                         .title = "The target port, tried from outside",
                         .needs = target_needs,
                         .deadline = 5s,
                         .privileges = P2PDIAG_PRIVILEGE_NET_RAW});

constexpr p2pdiag_change forward =
    change<plan_forward, apply_forward, verify_forward, revert_forward, keep_forward>(
        {.id = "upnp.forward",
         .title = "Forward a port of the router to this machine",
         .privileges = P2PDIAG_PRIVILEGE_NET_RAW});

constexpr const char* schema = R"json({"commands": [
{"name": "list", "summary": "List what the routers forward", "options": [
 {"name": "format", "type": "choice", "choices": ["console", "json"], "default": "console",
  "help": "how to print it"}]},
{"name": "add", "summary": "Have the router forward a port to this machine, and verify it",
 "change": "upnp.forward", "options": [
 {"name": "port", "type": "integer", "min": 1, "max": 65535, "required": true,
  "help": "the port on which your program listens"},
 {"name": "external", "type": "integer", "min": 1, "max": 65535,
  "help": "the router's port, exactly this one (otherwise the same number, or what the router gives)"},
 {"name": "protocol", "type": "choice", "choices": ["udp", "tcp", "both"], "default": "udp",
  "help": "what to forward"},
 {"name": "lease", "type": "duration", "min": 60000, "max": 604800000, "default": 7200000,
  "help": "for how long; the router may grant less"},
 {"name": "via", "type": "choice", "choices": ["auto", "upnp", "natpmp", "pcp"], "default": "auto",
  "help": "how to ask the router; auto tries one after the other"}]},
{"name": "remove", "summary": "Take back a forward that was added", "undo": "upnp.forward",
 "options": [
 {"name": "port", "type": "integer", "min": 1, "max": 65535, "required": true,
  "help": "the port of this machine"},
 {"name": "protocol", "type": "choice", "choices": ["udp", "tcp"],
  "help": "this one alone; otherwise both"}]}],
"epilog": "Examples:\n  p2pdiag forward add --port 8000 --protocol both\n  p2pdiag forward add --port 8000 --keep\n  p2pdiag forward list\n  p2pdiag forward remove --port 8000\n\nOnly what p2pdiag made is ever removed. 'p2pdiag undo' takes it back too, after a crash or\na reboot as well."})json";

constexpr p2pdiag_verb forward_verb =
    verb<list_forwards>({.name = "forward",
                         .summary = "Forward ports of the router to this machine",
                         .schema = schema});

constexpr const p2pdiag_check* checks[] = {&gateways, &target, &mapping};
constexpr const p2pdiag_verb* verbs[] = {&forward_verb};
constexpr const p2pdiag_change* changes[] = {&forward};

}  // namespace

}  // namespace p2pdiag::upnp_plugin

P2PDIAG_PLUGIN(.id = "upnp", .version = "0.1.0",
               .summary = "Port forwarding in the router by UPnP IGD, NAT-PMP and PCP",
               .checks = p2pdiag::upnp_plugin::checks, .verbs = p2pdiag::upnp_plugin::verbs,
               .changes = p2pdiag::upnp_plugin::changes);
