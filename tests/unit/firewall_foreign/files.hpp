// Files of other systems for the tests, and packets to ask them about.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "foreign/foreign.hpp"

namespace p2pdiag::firewall {

// What the command for macOS collects before the rules of translation: the application firewall
// off, pf on.
inline const std::string mac_before_nat =
    "Firewall is disabled. (State = 0)\n# pf info\nStatus: Enabled for 0 days 00:00:01   Debug: "
    "Urgent\n# pf interfaces\nen0\nlo0 (skip)\n# pf nat\n";

inline IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

inline std::string file_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("no file " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string fixture(const std::string& name) {
    return decode_file(file_text(std::string(FIREWALL_FIXTURES) + '/' + name));
}

inline ForeignRuleset read(const std::string& text) {
    ForeignReading reading = read_foreign(text);
    if (!reading) throw std::runtime_error(reading.error().message);
    return std::move(*reading);
}

inline std::string refusal(const std::string& text) {
    const ForeignReading reading = read_foreign(decode_file(text));
    return reading ? "read" : reading.error().message;
}

inline bool says(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

// UDP to a port of the machine in question, on its interface Wi-Fi, from a stranger.
inline Packet packet(std::uint16_t port = 8000) {
    Packet made;
    made.interface = "Wi-Fi";
    made.source = ip("45.67.89.91");
    made.destination = ip("192.168.1.23");
    made.source_port = 49731;
    made.destination_port = port;
    return made;
}

inline Packet tcp(Packet made) {
    made.protocol = protocol_tcp;
    return made;
}

inline Packet from(const char* source, Packet made) {
    made.source = ip(source);
    if (!made.source->is_v4()) made.destination = ip("2001:db8:1:2::23");
    return made;
}

inline Packet from_anybody(Packet made) {
    made.source.reset();
    made.source_port.reset();
    return made;
}

inline Verdict verdict_of(const std::string& text, const Packet& packet,
                          const std::optional<std::string>& program = std::nullopt) {
    return assess_foreign(read(text), packet, program);
}

}  // namespace p2pdiag::firewall
