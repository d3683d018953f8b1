// The table of the plugin and nothing else.
#include "checks.hpp"
#include "live_checks.hpp"

namespace p2pdiag::capture_plugin {

namespace {

using namespace std::chrono_literals;

constexpr p2pdiag_check access = check<check_access>({.id = "capture.access",
                                                      .title = "Leave to capture packets",
                                                      .deep = true,
                                                      .deadline = 10s,
                                                      .privileges = P2PDIAG_PRIVILEGE_NET_RAW});

constexpr p2pdiag_recorder recorder =
    p2pdiag::recorder<record>({.id = "capture.recorder",
                               .title = "What goes over the wire during a run",
                               .privileges = P2PDIAG_PRIVILEGE_NET_RAW});

constexpr const char* schema = R"json({"commands": [
{"name": "analyze", "summary": "Tell from a capture file what went wrong, and draw who said what",
 "options": [
 {"name": "file", "type": "path", "required": true, "positional": true,
  "help": "a pcap or pcapng file, compressed by gzip or not; - reads standard input"},
 {"name": "format", "type": "choice", "choices": ["console", "json", "mermaid", "svg"],
  "default": "console", "help": "how to print it"},
 {"name": "host", "type": "string", "help": "only packets from or to this address"},
 {"name": "port", "type": "integer", "min": 1, "max": 65535,
  "help": "only packets from or to this port, with the errors that they cause"},
 {"name": "stun", "type": "boolean", "help": "only STUN, TURN and p2pdiag's own in the ladder"},
 {"name": "rows", "type": "integer", "min": 2, "max": 10000, "default": 200,
  "help": "messages in the ladder at most; the middle is left out"},
 {"name": "fail-on", "type": "choice", "choices": ["warn", "fail"], "default": "fail",
  "help": "exit with 1 from a finding of this severity on"}]},
{"name": "live", "summary": "Show what passes the network interfaces, as it happens",
 "options": [
  {"name": "interface", "type": "string", "repeat": true,
   "help": "an interface to listen on; repeatable (else all that are up and have an address)"},
  {"name": "for", "type": "duration", "min": 1, "help": "end after this long (else with Ctrl-C)"},
  {"name": "write", "type": "path", "help": "also keep the packets in a file (pcapng) that must not be there yet"},
  {"name": "filter", "type": "string",
   "help": "what to listen to, as pcap-filter(7) says it (else UDP, TCP and ICMP, without this SSH session)"}]}],
"epilog": "Examples:\n  p2pdiag capture analyze call.pcapng\n  p2pdiag capture analyze call.pcapng.gz --stun --format svg > ladder.svg\n  tcpdump -w - udp | p2pdiag capture analyze -\n  p2pdiag capture live --for 30s\n  p2pdiag capture live --interface eth0 --filter 'udp port 8000' --write game.pcapng\n\nExit code: 0 nothing wrong was found, 1 findings (of analyze), 2 usage or a file that is no capture,\n3 nothing in it is understood, or capturing is not permitted, 4 capturing failed or the result could\nnot be written."})json";

constexpr p2pdiag_verb capture_verb =
    verb<run_capture>({.name = "capture",
                       .summary = "What really went over the wire: packets read and explained",
                       .schema = schema});

constexpr const char* options = R"json([
  {"name": "ring-mib", "type": "integer", "min": 1, "max": 1024, "default": 32,
   "help": "MiB of memory for the packets that `run --capture` keeps; the oldest make room"},
  {"name": "snaplen", "type": "integer", "min": 64, "max": 65535, "default": 1600,
   "help": "bytes of each packet that are kept"}
])json";

constexpr const p2pdiag_check* checks[] = {&access};
constexpr const p2pdiag_verb* verbs[] = {&capture_verb};
constexpr const p2pdiag_recorder* recorders[] = {&recorder};

}  // namespace

}  // namespace p2pdiag::capture_plugin

P2PDIAG_PLUGIN(.id = "capture", .version = "0.1.0", .summary = "What really went over the wire",
               .checks = p2pdiag::capture_plugin::checks, .verbs = p2pdiag::capture_plugin::verbs,
               .recorders = p2pdiag::capture_plugin::recorders,
               .options = p2pdiag::capture_plugin::options);
