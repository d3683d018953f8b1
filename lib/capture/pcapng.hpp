// pcapng: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html, as far as reading needs
// it.
#pragma once

#include "capture/reader.hpp"

namespace p2pdiag::capture {

bool is_pcapng(ByteView start);  // 4 bytes are enough

Result<std::unique_ptr<FormatReader>> open_pcapng(Window window);

namespace pcapng {

// Section 11.1 and the appendix of block type codes.
enum class Block : std::uint32_t {
    section_header = 0x0A0D0D0A,
    interface_description = 1,
    packet = 2,  // obsolete, section 4.7
    simple_packet = 3,
    name_resolution = 4,
    interface_statistics = 5,
    enhanced_packet = 6,
    systemd_journal = 9,
    decryption_secrets = 10,
    custom = 0x00000BAD,
    custom_no_copy = 0x40000BAD
};

// Section 4.1: "0x1A2B3C4D" in the byte order of the section.
inline constexpr std::uint32_t byte_order_magic = 0x1A2B3C4D;
inline constexpr std::uint16_t major_version = 1;
// Section 3.1: type, total length, and total length again at the end.
inline constexpr std::size_t block_overhead = 12;

// Sections 3.5, 4.2, 4.3 and 4.6.
namespace option {
inline constexpr std::uint16_t end = 0;
inline constexpr std::uint16_t comment = 1;
inline constexpr std::uint16_t shb_os = 3;
inline constexpr std::uint16_t shb_application = 4;
inline constexpr std::uint16_t if_name = 2;
inline constexpr std::uint16_t if_description = 3;
inline constexpr std::uint16_t if_tsresol = 9;
inline constexpr std::uint16_t if_filter = 11;
inline constexpr std::uint16_t if_os = 12;
inline constexpr std::uint16_t if_tsoffset = 14;
inline constexpr std::uint16_t epb_flags = 2;
inline constexpr std::uint16_t isb_ifrecv = 4;
inline constexpr std::uint16_t isb_ifdrop = 5;
inline constexpr std::uint16_t isb_osdrop = 7;
}  // namespace option

}  // namespace pcapng

}  // namespace p2pdiag::capture
