// Writes pcapng, block by block: what a flight recorder keeps in memory is written as it stands.
// Little endian, time in nanoseconds. Decryption secrets are never written.
#pragma once

#include <string_view>
#include <vector>

#include "capture/packet.hpp"

namespace p2pdiag::capture {

// Each function appends one whole block to `out`. A file is a section header, then the interfaces
// in the order of their numbers, then packets and statistics; a second section header starts
// again at interface 0. Texts become valid UTF-8, end at the first zero, and are cut at 65 535
// bytes.

struct SectionHeader {
    std::string_view application;  // "p2pdiag 0.1.0"
    std::string_view system;       // "Linux 6.1.0"
    std::vector<std::string_view> comments;
};
void append_section(Bytes& out, const SectionHeader& header);

// `interface.system` and empty texts are left out where they are empty.
void append_interface(Bytes& out, const Interface& interface);

// `packet.interface` counts from the last section header. A packet without a time is written as one
// of 1970. Data past max_packet is cut, `original_size` less than the data raised to it.
void append_packet(Bytes& out, const Packet& packet);

// What the capturing system says at the end; what it does not know is left out.
struct Statistics {
    std::uint32_t interface = 0;
    std::int64_t time_ns = 0;               // when it was asked, since 1970
    std::optional<std::uint64_t> received;  // by the interface
    std::optional<std::uint64_t> dropped_by_interface;
    std::optional<std::uint64_t> dropped_by_system;
};
void append_statistics(Bytes& out, const Statistics& statistics);

}  // namespace p2pdiag::capture
