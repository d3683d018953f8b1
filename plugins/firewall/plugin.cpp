// The table of the plugin and nothing else.
#include "checks.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr p2pdiag_check inbound =
    check<check_inbound>({.id = "firewall.inbound",
                          .title = "This machine's own firewall, for packets coming in",
                          .deadline = std::chrono::seconds(10),
                          .privileges = P2PDIAG_PRIVILEGE_NET_ADMIN | P2PDIAG_PRIVILEGE_ROOT});

constexpr p2pdiag_check outbound =
    check<check_outbound>({.id = "firewall.outbound",
                           .title = "This machine's own firewall, for packets going out",
                           .deadline = std::chrono::seconds(10),
                           .privileges = P2PDIAG_PRIVILEGE_NET_ADMIN | P2PDIAG_PRIVILEGE_ROOT});
constexpr p2pdiag_check punching =
    check<check_punching>({.id = "firewall.punching",
                           .title = "This machine's own firewall, for hole punching",
                           .deadline = std::chrono::seconds(10),
                           .privileges = P2PDIAG_PRIVILEGE_NET_ADMIN | P2PDIAG_PRIVILEGE_ROOT});

constexpr p2pdiag_change allow = change<plan_allow, apply_allow, verify_allow, revert_allow>(
    {.id = "firewall.allow",
     .title = "Let a port in through this machine's own firewall",
     .privileges = P2PDIAG_PRIVILEGE_NET_ADMIN | P2PDIAG_PRIVILEGE_ROOT});

constexpr const char* schema = R"json({"commands": [
{"name": "check", "summary": "Tell what the firewall does with a packet to a port, and which rule decides",
 "options": [
 {"name": "port", "type": "integer", "min": 1, "max": 65535,
  "help": "the port that the packet comes to (otherwise that of the profile)"},
 {"name": "protocol", "type": "choice", "choices": ["udp", "tcp", "both"], "default": "both",
  "help": "what kind of packet"},
 {"name": "from", "type": "string",
  "help": "the sender's address (otherwise anybody, and a stranger where it matters)"},
 {"name": "interface", "type": "string",
  "help": "the link it comes in by (otherwise those that lead to the internet)"},
 {"name": "ruleset", "type": "path", "repeat": true,
  "help": "judge the rules in this file instead of this machine's: output of nft -j list ruleset, iptables-save, ip6tables-save, or of a Windows or macOS machine; - is standard input"},
 {"name": "program", "type": "string",
  "help": "path of the program that listens, for rules of Windows and macOS"},
 {"name": "trace", "type": "boolean", "help": "show every rule that applied, or may have, on the way"},
 {"name": "format", "type": "choice", "choices": ["console", "json"], "default": "console",
  "help": "how to print it"}]},
{"name": "allow", "summary": "Let one port in, in the words of the firewall that stops it, and verify it",
 "change": "firewall.allow", "options": [
 {"name": "port", "type": "integer", "min": 1, "max": 65535, "required": true,
  "help": "the port on which your program listens"},
 {"name": "protocol", "type": "choice", "choices": ["udp", "tcp", "both"], "default": "udp",
  "help": "what to let in"},
 {"name": "source", "type": "string",
  "help": "only from this address or network: 192.0.2.0/24"},
 {"name": "persistent", "type": "boolean", "help": "also after a reboot"}]}],
"epilog": "Examples:\n  sudo p2pdiag firewall check --port 8000\n  sudo p2pdiag firewall check --port 8000 --from 192.0.2.7 --trace\n  p2pdiag firewall check --port 8000 --ruleset rules.json\n  sudo p2pdiag firewall allow --port 8000 --protocol udp\n  sudo p2pdiag firewall allow --port 8000 --protocol both --source 192.0.2.0/24 --dry-run\n\n'sudo p2pdiag undo' takes back what was allowed, after a crash or a reboot as well.\nExit code of check 0: every first packet is let in; 1: some are not; 3: it cannot be told."})json";

constexpr p2pdiag_verb firewall_verb =
    verb<check_command>({.name = "firewall",
                         .summary = "What this machine's firewall does with packets; let a port in",
                         .schema = schema});

constexpr const p2pdiag_check* checks[] = {&inbound, &outbound, &punching};
constexpr const p2pdiag_verb* verbs[] = {&firewall_verb};
constexpr const p2pdiag_change* changes[] = {&allow};

}  // namespace

}  // namespace p2pdiag::firewall

P2PDIAG_PLUGIN(.id = "firewall", .version = "0.1.0",
               .summary = "What this machine's own firewall does with packets",
               .checks = p2pdiag::firewall::checks, .verbs = p2pdiag::firewall::verbs,
               .changes = p2pdiag::firewall::changes);
