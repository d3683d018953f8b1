// The table of the plugin and nothing else.
#include "checks.hpp"

namespace p2pdiag::network_plugin {

namespace {

// All of them end by themselves within three seconds, network.connect within eight; the rest is for
// a machine so busy that starting a process takes that long.
constexpr p2pdiag_check interfaces =
    check<check_interfaces>({.id = "network.interfaces",
                             .title = "Network links and routes of this machine",
                             .deadline = std::chrono::seconds(10)});

constexpr p2pdiag_check limits =
    check<check_limits>({.id = "network.limits",
                         .title = "Room for more connections on this machine",
                         .deadline = std::chrono::seconds(10)});

constexpr p2pdiag_check ports =
    check<check_ports>({.id = "network.ports",
                        .title = "The port of your program: free, taken, listening for whom",
                        .deadline = std::chrono::seconds(10),
                        .privileges = P2PDIAG_PRIVILEGE_ROOT});

constexpr p2pdiag_check internet = check<telling_flows<check_internet>>(
    {.id = "network.internet",
     .title = "The internet: does it answer, and is it the internet",
     .deadline = std::chrono::seconds(10)});

constexpr p2pdiag_check dns =
    check<telling_flows<check_dns>>({.id = "network.dns",
                                     .title = "Name servers of this machine",
                                     .deadline = std::chrono::seconds(10)});

// What stun.nat learns of the servers and of this machine's public address is of use; and it counts
// the ports that the NAT hands out, which further sockets at the same time would disturb.
constexpr p2pdiag_str nat_needs[] = {literal("stun.nat")};
constexpr p2pdiag_check path = check<telling_flows<check_path>>(
    {.id = "network.path",
     .title = "Path to the internet: delay, loss, hops, packet size",
     .needs = nat_needs,
     .deadline = std::chrono::seconds(10),
     .privileges = P2PDIAG_PRIVILEGE_NET_RAW});

constexpr p2pdiag_check connect = check<telling_flows<check_connect>>(
    {.id = "network.connect",
     .title = "One peer: does it answer, and if not, who says so",
     .needs = nat_needs,
     .deadline = std::chrono::seconds(15),
     .privileges = P2PDIAG_PRIVILEGE_NET_RAW});

constexpr const char* options = R"json([
  {"name": "internet", "type": "endpoint", "repeat": true,
   "default": ["1.1.1.1:443", "8.8.8.8:53", "9.9.9.9:53",
               "[2606:4700:4700::1111]:443", "[2001:4860:4860::8888]:53", "[2620:fe::fe]:53"],
   "help": "well-known servers, by address, to which network.internet tries a TCP connection"},
  {"name": "portal-url", "type": "string", "default": "http://connectivitycheck.gstatic.com/generate_204",
   "help": "a page that network.internet asks for over HTTP: another answer comes from a login page (empty: not asked)"},
  {"name": "portal-body", "type": "string", "default": "",
   "help": "the text of that page, where it has one; otherwise it answers 204 without text"},
  {"name": "dns-names", "type": "string", "repeat": true, "default": [],
   "help": "names that network.dns asks for before the hosts of the STUN servers and of portal-url"},
  {"name": "line", "type": "string", "default": "hello from p2pdiag",
   "help": "the line that network.connect sends to the peer"}
])json";

constexpr p2pdiag_change another_port = change<plan_port, apply_port, verify_port, revert_port>(
    {.id = "network.port", .title = "Use another port for your program"});

constexpr const char* port_schema = R"json({"commands": [
{"name": "move", "summary": "Have your configuration say another port, one that is free",
 "change": "network.port", "options": [
 {"name": "to", "type": "integer", "min": 1, "max": 65535,
  "help": "this port; otherwise the next one that is free by UDP and TCP"}]}],
"epilog": "Your program has to use that port as well. 'p2pdiag undo' puts the file back as it was."})json";

constexpr p2pdiag_verb port_verb =
    verb<no_port_command>({.name = "port",
                           .summary = "The port of your program in your configuration",
                           .schema = port_schema});

constexpr const p2pdiag_verb* verbs[] = {&port_verb};
constexpr const p2pdiag_change* changes[] = {&another_port};

constexpr const p2pdiag_check* checks[] = {&interfaces, &ports, &limits, &dns,
                                           &internet,   &path,  &connect};

}  // namespace

}  // namespace p2pdiag::network_plugin

P2PDIAG_PLUGIN(.id = "network", .version = "0.1.0",
               .summary = "This machine's own network, and whether the internet answers",
               .checks = p2pdiag::network_plugin::checks, .verbs = p2pdiag::network_plugin::verbs,
               .changes = p2pdiag::network_plugin::changes,
               .options = p2pdiag::network_plugin::options);
