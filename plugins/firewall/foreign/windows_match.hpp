// Whether a rule of Windows' firewall is about a packet.
#pragma once

#include "foreign/ways.hpp"
#include "foreign/windows.hpp"

namespace p2pdiag::firewall::windows {

// A packet as Windows' rules see it: from the machine's own side. Absent is what is not known, or
// may be any.
struct Flow {
    bool inbound = true;
    Family family = Family::ipv4;
    std::uint8_t protocol = protocol_udp;
    std::string interface;
    std::optional<IpAddress> local;
    std::optional<IpAddress> remote;
    std::optional<std::uint16_t> local_port;
    std::optional<std::uint16_t> remote_port;
    std::optional<std::string> program;
    bool with_stranger = false;  // as of a packet
};

// Apart from direction, profile and whether the rule is in force.
foreign::Match match(const Rule& rule, const Flow& flow, const Ruleset& ruleset, Reasons& reasons);

// Whether a rule's path is that of the program. Paths are compared without case, with the usual
// places for %SystemRoot% and its like; `maybe` where only the name of the file tells.
Truth is_program(std::string_view path, std::string_view program);

}  // namespace p2pdiag::firewall::windows
