// Verdicts as JSON, in the form that `firewall check` and the checks share.
#pragma once

#include <string>

#include "base/json.hpp"
#include "evaluate.hpp"

namespace p2pdiag::firewall {

// What was asked.
struct Question {
    Family family = Family::ipv4;
    std::uint8_t protocol = protocol_udp;
    std::uint16_t port = 0;
    std::string interface;
};

std::string protocol_name(std::uint8_t protocol);  // "udp", "tcp", else its number

// "UDP port 8000 by IPv4 on eth0"
std::string spelled(const Question& question);

// Of a check's data; the whole of it is in `firewall check --trace`.
inline constexpr std::size_t max_trace_in_data = 40;

// {"family", "protocol", "port", "interface", "verdict", "why", "passes", "open", "deciding_rule",
// "trace"}; without "trace" when `max_trace` is 0. `passes` is null where it is not known.
json::object to_json(const Question& question, const Verdict& verdict, std::size_t max_trace);

}  // namespace p2pdiag::firewall
