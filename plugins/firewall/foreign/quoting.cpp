#include "foreign/quoting.hpp"

#include "base/utf8.hpp"

namespace p2pdiag::firewall::foreign {

std::optional<std::string> quoted(std::string_view text) {
    constexpr std::size_t most = 300;
    if (text.empty() || text.size() > most) return std::nullopt;
    for (std::string_view rest = text; !rest.empty();) {
        const Utf8Char next = decode_utf8(rest);
        const bool quote = next.code == '\'' || next.code == '"' || next.code == '`' ||
                           (next.code >= 0x2018 && next.code <= 0x201F);
        if (!next.valid || quote || is_unsafe_to_show(next.code)) return std::nullopt;
        rest.remove_prefix(next.size);
    }
    return '\'' + std::string(text) + '\'';
}

}  // namespace p2pdiag::firewall::foreign
