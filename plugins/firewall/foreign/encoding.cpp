#include "foreign/encoding.hpp"

#include <cstdint>

namespace p2pdiag::firewall {

namespace {

void append_utf8(std::string& out, char32_t code) {
    const auto byte = [&](char32_t value) { out += static_cast<char>(value); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
        byte(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            byte(0xE0 | code >> 12);
        } else {
            byte(0xF0 | code >> 18);
            byte(0x80 | (code >> 12 & 0x3F));
        }
        byte(0x80 | (code >> 6 & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
}

// RFC 2781 section 2.2. A last odd byte is left out.
std::string from_utf16(std::string_view bytes, bool little_endian) {
    const auto unit = [&](std::size_t at) {
        const auto first = static_cast<std::uint8_t>(bytes[2 * at]);
        const auto second = static_cast<std::uint8_t>(bytes[2 * at + 1]);
        return static_cast<char32_t>(little_endian ? first | second << 8 : first << 8 | second);
    };
    const std::size_t units = bytes.size() / 2;
    std::string out;
    out.reserve(units);
    for (std::size_t i = 0; i < units; ++i) {
        char32_t code = unit(i);
        if (code >= 0xD800 && code < 0xE000) {
            const char32_t low = i + 1 < units ? unit(i + 1) : 0;
            if (code < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10 | (low - 0xDC00));
                ++i;
            } else {
                code = 0xFFFD;
            }
        }
        append_utf8(out, code);
    }
    return out;
}

}  // namespace

std::string decode_file(std::string file) {
    const std::string_view bytes = file;
    if (bytes.starts_with("\xEF\xBB\xBF")) return file.substr(3);
    if (bytes.starts_with("\xFF\xFE")) return from_utf16(bytes.substr(2), true);
    if (bytes.starts_with("\xFE\xFF")) return from_utf16(bytes.substr(2), false);
    // No text of ours has a NUL for its second character.
    if (bytes.size() >= 2 && bytes[0] != '\0' && bytes[1] == '\0') return from_utf16(bytes, true);
    return file;
}

}  // namespace p2pdiag::firewall
