#include "wire/ssdp/message.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.hpp"

namespace p2pdiag::ssdp {

namespace {

struct ParseCategory : boost::system::error_category {
    const char* name() const noexcept override { return "ssdp"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::too_large: return "larger than any SSDP message";
            case ParseError::not_ssdp: return "not an SSDP message";
            case ParseError::not_ok: return "a response that is not 200 OK";
            case ParseError::no_location: return "no LOCATION";
            case ParseError::bad_location: return "LOCATION is not a URL";
            case ParseError::no_search_target: return "no ST or NT";
            case ParseError::unknown_notification: return "an unknown NTS";
        }
        return "unknown SSDP error";
    }
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

// The start line and the header lines of a datagram.
class Lines {
public:
    // Lines end with LF as well: some devices forget the CR.
    static Result<Lines> split(ByteView datagram) {
        if (datagram.size() > max_datagram) return ParseError::too_large;
        std::string_view rest = as_text(datagram);
        Lines lines;
        lines.start_ = next(rest);
        while (!rest.empty()) {
            const std::string_view line = next(rest);
            if (line.empty()) break;
            const std::size_t colon = line.find(':');
            if (colon == std::string_view::npos) continue;
            if (lines.headers_.size() == max_headers) return ParseError::too_large;
            lines.headers_.push_back({trimmed(line.substr(0, colon)), line.substr(colon + 1)});
        }
        return lines;
    }

    std::string_view start() const { return start_; }

    // The first one of this name, without the blanks around it; empty when there is none. UDA 1.1
    // section 1.1: names are case-insensitive.
    std::string_view find(std::string_view name) const {
        for (const Header& header : headers_) {
            if (same_name(header.name, name)) return trimmed(header.value);
        }
        return {};
    }
    std::string text(std::string_view name) const { return printable(find(name), max_value); }

private:
    struct Header {
        std::string_view name, value;
    };

    static std::string_view next(std::string_view& rest) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = trimmed(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        return line;
    }

    std::string_view start_;
    std::vector<Header> headers_;
};

template <class Number>
std::optional<Number> leading_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} ? std::optional(number) : std::nullopt;
}

std::optional<unsigned> max_age(std::string_view cache_control) {
    constexpr std::string_view name = "max-age";
    for (std::size_t at = 0; at + name.size() <= cache_control.size(); ++at) {
        if (!same_name(cache_control.substr(at, name.size()), name)) continue;
        std::string_view rest = trimmed(cache_control.substr(at + name.size()));
        if (!rest.starts_with('=')) return std::nullopt;
        return leading_number<unsigned>(trimmed(rest.substr(1)));
    }
    return std::nullopt;
}

bool is_url_text(std::string_view text) {
    const auto visible = [](char c) { return c > ' ' && c <= '~'; };
    return text.size() <= max_value && std::all_of(text.begin(), text.end(), visible);
}

// "HTTP/1.1 200 OK"; HTTP/1.0 is seen too.
Result<void> check_status(std::string_view start) {
    const std::size_t blank = start.find(' ');
    if (blank == std::string_view::npos) return ParseError::not_ssdp;
    const auto status = leading_number<unsigned>(trimmed(start.substr(blank)));
    if (!status) return ParseError::not_ssdp;
    if (*status != 200) return ParseError::not_ok;
    return {};
}

Result<Kind> kind_of(const Lines& lines) {
    if (lines.start().starts_with("NOTIFY ")) {
        const std::string_view nts = lines.find("NTS");
        if (nts == "ssdp:alive") return Kind::alive;
        if (nts == "ssdp:byebye") return Kind::byebye;
        if (nts == "ssdp:update") return Kind::update;
        return ParseError::unknown_notification;
    }
    if (!lines.start().starts_with("HTTP/1.")) return ParseError::not_ssdp;
    const auto status = check_status(lines.start());
    if (!status) return status.error();
    return Kind::answer;
}

// No line may grow another one out of its value.
void add(std::string& text, std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(printable(value, max_value)).append("\r\n");
}

Bytes to_bytes(std::string text) {
    text += "\r\n";
    return {text.begin(), text.end()};
}

}  // namespace

const boost::system::error_category& parse_category() {
    static const ParseCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

Bytes encode(const Search& search) {
    std::string text = "M-SEARCH * HTTP/1.1\r\n";
    add(text, "HOST", search.host);
    // UDA 1.1 section 1.3.2: "Shall be "ssdp:discover"", with the quotes.
    add(text, "MAN", "\"ssdp:discover\"");
    add(text, "MX", std::to_string(search.mx));
    add(text, "ST", search.target);
    return to_bytes(std::move(text));
}

Result<Search> parse_search(ByteView datagram) {
    const auto lines = Lines::split(datagram);
    if (!lines) return lines.error();
    if (!lines->start().starts_with("M-SEARCH * HTTP/1.")) return ParseError::not_ssdp;
    Search search;
    search.host = lines->text("HOST");
    search.target = lines->text("ST");
    search.mx = leading_number<unsigned>(lines->find("MX")).value_or(0);
    if (search.target.empty()) return ParseError::no_search_target;
    return search;
}

Bytes encode(const Announcement& announcement) {
    const bool answer = announcement.kind == Kind::answer;
    std::string text = answer ? "HTTP/1.1 200 OK\r\n" : "NOTIFY * HTTP/1.1\r\n";
    if (!answer) add(text, "HOST", std::string(multicast_v4) + ":" + std::to_string(port));
    if (announcement.max_age) {
        add(text, "CACHE-CONTROL", "max-age=" + std::to_string(*announcement.max_age));
    }
    if (answer) add(text, "EXT", "");
    if (!announcement.location.empty()) add(text, "LOCATION", announcement.location);
    if (!announcement.server.empty()) add(text, "SERVER", announcement.server);
    add(text, answer ? "ST" : "NT", announcement.target);
    if (announcement.kind == Kind::alive) add(text, "NTS", "ssdp:alive");
    if (announcement.kind == Kind::byebye) add(text, "NTS", "ssdp:byebye");
    if (announcement.kind == Kind::update) add(text, "NTS", "ssdp:update");
    add(text, "USN", announcement.usn);
    return to_bytes(std::move(text));
}

Result<Announcement> parse_announcement(ByteView datagram) {
    const auto lines = Lines::split(datagram);
    if (!lines) return lines.error();
    const auto kind = kind_of(*lines);
    if (!kind) return kind.error();
    Announcement announcement;
    announcement.kind = *kind;
    const bool answer = *kind == Kind::answer;
    announcement.target = lines->text(answer ? "ST" : "NT");
    announcement.usn = lines->text("USN");
    announcement.server = lines->text("SERVER");
    announcement.max_age = max_age(lines->find("CACHE-CONTROL"));
    const std::string_view location = lines->find("LOCATION");
    if (!is_url_text(location)) return ParseError::bad_location;
    if (location.empty() && answer) return ParseError::no_location;
    if (announcement.target.empty() && !answer) return ParseError::no_search_target;
    announcement.location = location;
    return announcement;
}

}  // namespace p2pdiag::ssdp
