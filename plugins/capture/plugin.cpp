// The table of the plugin and nothing else.
#include "checks.hpp"

namespace p2pdiag::capture_plugin {

namespace {

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
 {"name": "stun", "type": "boolean", "help": "only STUN and TURN in the ladder"},
 {"name": "rows", "type": "integer", "min": 2, "max": 10000, "default": 200,
  "help": "messages in the ladder at most; the middle is left out"},
 {"name": "fail-on", "type": "choice", "choices": ["warn", "fail"], "default": "fail",
  "help": "exit with 1 from a finding of this severity on"}]}],
"epilog": "Examples:\n  p2pdiag capture analyze call.pcapng\n  p2pdiag capture analyze call.pcapng.gz --stun --format svg > ladder.svg\n  tcpdump -w - udp | p2pdiag capture analyze -\n\nExit code: 0 nothing wrong was found, 1 findings, 2 usage or a file that is no capture,\n3 nothing in it is understood."})json";

constexpr p2pdiag_verb capture_verb =
    verb<run_capture>({.name = "capture",
                       .summary = "What really went over the wire: packets read and explained",
                       .schema = schema});
constexpr const p2pdiag_verb* verbs[] = {&capture_verb};

}  // namespace

}  // namespace p2pdiag::capture_plugin

P2PDIAG_PLUGIN(.id = "capture", .version = "0.1.0",
               .summary = "Packets read from captures, told as who asked whom and what came back",
               .verbs = p2pdiag::capture_plugin::verbs);
