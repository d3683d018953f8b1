// What one rule does to several packets is told once. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "verdict_json.hpp"

namespace p2pdiag::firewall {

// The same rule, or its absence, decides over both, in the same way.
bool are_alike(const Verdict& a, const Verdict& b);

// One packet, as people call it and as it was asked about.
struct Told {
    std::string name;  // "UDP port 8000", "DNS (UDP port 53)"
    Question question;
    json::object more = {};  // what the evidence has of it besides
};

// "UDP port 8000"
std::string name_of(const Question& question);

// "UDP port 8000, TCP port 8000 by IPv4 and IPv6 on eth0". Exactly these, none besides.
std::string spelled(const std::vector<Told>& packets);

// What decides over them, and at which packet.
struct Decided {
    bool by_routes = false;  // routes or rules of `ip rule`, and no rule of a firewall
    std::string_view stopped;
};

// Of a finding about all of them: that of the first, {"by", "stopped", "packets": [{"family",
// "protocol", "port", "interface", …}, …]}.
json::object evidence_of(json::object first, const std::vector<Told>& packets,
                         const Decided& decided);

}  // namespace p2pdiag::firewall
