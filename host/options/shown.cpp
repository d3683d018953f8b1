#include "options/shown.hpp"

#include <cstdio>

#include "base/utf8.hpp"

namespace p2pdiag::options {
namespace {

constexpr std::size_t longest_quote = 64;

std::string escaped(std::string_view text, std::size_t most_characters) {
    std::string out;
    for (std::size_t count = 0; !text.empty(); ++count) {
        if (count == most_characters) return out + "…";
        const Utf8Char next = decode_utf8(text);
        if (next.valid && !is_unsafe_to_show(next.code)) {
            out += text.substr(0, next.size);
        } else {
            char escape[16];
            const auto code = next.valid ? static_cast<unsigned long>(next.code)
                                         : static_cast<unsigned char>(text.front());
            std::snprintf(escape, sizeof escape, next.valid ? "\\u{%lx}" : "\\x%02lx", code);
            out += escape;
        }
        text.remove_prefix(next.size);
    }
    return out;
}

}  // namespace

std::string shown(std::string_view text) { return '"' + escaped(text, longest_quote) + '"'; }

std::string harmless(std::string_view text) { return escaped(text, std::string_view::npos); }

}  // namespace p2pdiag::options
