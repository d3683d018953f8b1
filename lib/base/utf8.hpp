// UTF-8 (RFC 3629) from text that may not be it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace p2pdiag {

struct Utf8Char {
    char32_t code = 0;     // U+FFFD when not valid
    std::size_t size = 0;  // bytes taken; 1 when not valid, 0 only for empty text
    bool valid = false;
};

// The first character of `text`. Overlong forms, surrogates and values past U+10FFFF are not valid.
inline Utf8Char decode_utf8(std::string_view text) {
    constexpr char32_t replacement = 0xFFFD;
    if (text.empty()) return {};
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};

    std::size_t size = 0;
    char32_t code = 0;
    char32_t smallest = 0;
    if ((lead & 0xE0) == 0xC0) {
        size = 2, code = lead & 0x1FU, smallest = 0x80;
    } else if ((lead & 0xF0) == 0xE0) {
        size = 3, code = lead & 0x0FU, smallest = 0x800;
    } else if ((lead & 0xF8) == 0xF0) {
        size = 4, code = lead & 0x07U, smallest = 0x10000;
    }
    if (size == 0 || text.size() < size) return {replacement, 1, false};
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xC0) != 0x80) return {replacement, 1, false};
        code = code << 6 | (byte(at) & 0x3FU);
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < smallest || surrogate || code > 0x10FFFF) return {replacement, 1, false};
    return {code, size, true};
}

inline bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        if (!next.valid) return false;
        text.remove_prefix(next.size);
    }
    return true;
}

// `text` with every byte that is no part of UTF-8 replaced by U+FFFD.
inline std::string to_valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        out += next.valid ? text.substr(0, next.size) : std::string_view("\xEF\xBF\xBD");
        text.remove_prefix(next.size);
    }
    return out;
}

// A character that moves the cursor, changes the terminal's state, hides, or turns the direction of
// what stands around it: nothing that text from the network may do to a terminal.
inline bool is_unsafe_to_show(char32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) ||  // C0, DEL, C1
           code == 0xAD || code == 0x061C || code == 0x180E ||
           (code >= 0x200B && code <= 0x200F) ||  // zero width, direction marks
           (code >= 0x2028 && code <= 0x202E) ||  // separators, embeddings, overrides
           (code >= 0x2060 && code <= 0x206F) ||  // invisible operators, isolates
           code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB) ||
           (code >= 0xE0000 && code <= 0xE0FFF);  // tags
}

}  // namespace p2pdiag
