// What one rule does to several packets is told once. Pure.
#pragma once

#include <string>
#include <vector>

#include "verdict_json.hpp"

namespace p2pdiag::firewall {

// The same rule, or its absence, decides over both, in the same way.
bool are_alike(const Verdict& a, const Verdict& b);

// One packet, as people call it and as it was asked about.
struct Told {
    std::string name;  // "UDP port 8000", "DNS (UDP port 53)"
    Question question;
};

// "UDP port 8000"
std::string name_of(const Question& question);

// "UDP port 8000, TCP port 8000 by IPv4 and IPv6 on eth0". Exactly these, none besides.
std::string spelled(const std::vector<Told>& packets);

// [{"family", "protocol", "port", "interface"}, …]
json::array to_json(const std::vector<Told>& packets);

}  // namespace p2pdiag::firewall
