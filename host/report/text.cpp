#include "report/text.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace p2pdiag::report {
namespace {

struct Range {
    char32_t first;
    char32_t last;
};

// Combining marks of the scripts that names are written in; what is missing here costs alignment,
// nothing else.
constexpr Range zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x0900, 0x0902}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

// Unicode Standard Annex 11, East Asian Width W and F, in blocks.
constexpr Range double_width[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},  {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},  {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

template <std::size_t count>
bool in(const Range (&ranges)[count], char32_t code) {
    return std::ranges::any_of(
        ranges, [code](const Range& range) { return code >= range.first && code <= range.last; });
}

std::size_t columns_of(char32_t code) {
    if (in(zero_width, code)) return 0;
    return in(double_width, code) ? 2 : 1;
}

// The bytes of `text` that fill at most `width` columns, at least one character.
std::size_t fitting(std::string_view text, std::size_t width) {
    std::size_t bytes = 0;
    std::size_t used = 0;
    while (bytes < text.size()) {
        const Utf8Char next = decode_utf8(text.substr(bytes));
        used += columns_of(next.code);
        if (used > width && bytes != 0) break;
        bytes += next.size;
    }
    return bytes;
}

}  // namespace

std::string single_line(std::string_view text, bool unicode) {
    std::string out;
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        if (next.code == '\n' || next.code == '\r' || next.code == '\t') {
            out += ' ';
        } else if (!next.valid || is_unsafe_to_show(next.code) || (!unicode && next.code > 0x7E)) {
            out += unicode ? "\xEF\xBF\xBD" : "?";
        } else {
            out += text.substr(0, next.size);
        }
        text.remove_prefix(next.size);
    }
    return out;
}

std::size_t columns(std::string_view text) {
    std::size_t total = 0;
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        total += columns_of(next.code);
        text.remove_prefix(next.size);
    }
    return total;
}

std::string padded(std::string_view text, std::size_t width) {
    std::string out(text);
    const std::size_t used = columns(text);
    if (used < width) out.append(width - used, ' ');
    return out;
}

std::string shortened(std::string_view text, std::size_t width, std::string_view ellipsis) {
    if (columns(text) <= width) return std::string(text);
    text = text.substr(0, fitting(text, width - columns(ellipsis)));
    text = text.substr(0, text.find_last_not_of(' ') + 1);
    return std::string(text) + std::string(ellipsis);
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    for (std::size_t end = fitting(text, width); end < text.size(); end = fitting(text, width)) {
        const std::size_t space = text.substr(0, end + 1).rfind(' ');
        if (space != text.npos && space != 0) end = space;
        std::string_view line = text.substr(0, end);
        line = line.substr(0, line.find_last_not_of(' ') + 1);
        lines.emplace_back(line);
        text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
    }
    if (!text.empty() || lines.empty()) lines.emplace_back(text);
    return lines;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string out;
    for (const std::string& word : words) {
        if (&word != &words.front()) out += between;
        out += word;
    }
    return out;
}

}  // namespace p2pdiag::report
