#include "wire/http/head.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace p2pdiag::http {

namespace {

struct ParseCategory : boost::system::error_category {
    const char* name() const noexcept override { return "http"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::incomplete: return "the head is not complete";
            case ParseError::too_large: return "the head is larger than any real one";
            case ParseError::not_http: return "not an HTTP/1 message";
        }
        return "unknown HTTP error";
    }
};

constexpr std::string_view version_prefix = "HTTP/1.";
// RFC 9110 section 9, RFC 5789, and those of UPnP (UDA 1.1 section 4).
constexpr std::string_view methods[] = {"GET",    "HEAD",      "POST",       "PUT",     "DELETE",
                                        "TRACE",  "OPTIONS",   "PATCH",      "CONNECT", "M-POST",
                                        "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// The next line without its end; nothing where it has none.
std::optional<std::string_view> next_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

// RFC 9112 sections 3 and 4.
bool read_start(std::string_view line, Head& head) {
    const std::size_t first = line.find(' ');
    if (first == std::string_view::npos) return false;
    if (line.starts_with(version_prefix)) {
        std::string_view rest = line.substr(first + 1);
        const auto [end, error] =
            std::from_chars(rest.data(), rest.data() + rest.size(), head.status);
        if (error != std::errc() || head.status < 100 || head.status > 999) return false;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        head.response = true;
        head.reason = printable(trimmed(rest), max_value);
        return true;
    }
    const std::size_t last = line.rfind(' ');
    if (last == first || !line.substr(last + 1).starts_with(version_prefix)) return false;
    head.method = printable(line.substr(0, first), max_value);
    head.target = printable(line.substr(first + 1, last - first - 1), max_value);
    return true;
}

}  // namespace

std::string_view Head::find(std::string_view name) const {
    for (const Header& header : headers) {
        if (same(header.name, name)) return header.value;
    }
    return {};
}

std::optional<std::uint64_t> Head::content_length() const {
    const std::string_view text = find("Content-Length");
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

bool Head::is_websocket_upgrade() const {
    return same(find("Upgrade"), "websocket") && (!response || status == 101);
}

bool looks_like_http(ByteView start) {
    const std::string_view text = as_text(start);
    const auto begins = [text](std::string_view word, std::string_view after) {
        const std::size_t size = std::min(text.size(), word.size() + after.size());
        return size >= 4 && text.substr(0, size) == (std::string(word) += after).substr(0, size);
    };
    return begins(version_prefix, "") ||
           std::ranges::any_of(methods, [&](std::string_view word) { return begins(word, " "); });
}

const boost::system::error_category& parse_category() {
    static const ParseCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

Result<Head> parse_head(ByteView stream) {
    const std::string_view whole = as_text(stream.first(std::min(stream.size(), max_head)));
    const ParseError unfinished =
        stream.size() >= max_head ? ParseError::too_large : ParseError::incomplete;
    std::string_view rest = whole;
    Head head;
    const auto start = next_line(rest);
    if (!start) return unfinished;
    if (!read_start(*start, head)) return ParseError::not_http;
    while (const auto line = next_line(rest)) {
        if (line->empty()) {
            head.size = whole.size() - rest.size();
            return head;
        }
        const std::size_t colon = line->find(':');
        if (colon == std::string_view::npos) continue;
        if (head.headers.size() == max_headers) return ParseError::too_large;
        head.headers.push_back({printable(line->substr(0, colon), max_value),
                                printable(trimmed(line->substr(colon + 1)), max_value)});
    }
    return unfinished;
}

}  // namespace p2pdiag::http
