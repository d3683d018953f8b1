#include "wire/upnp/url.hpp"

#include <algorithm>

#include "base/host_port.hpp"
#include "wire/upnp/error.hpp"

namespace p2pdiag::upnp {

namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::uint16_t default_port(bool secure) { return secure ? https_port : http_port; }

bool is_url_text(std::string_view text) {
    const auto visible = [](char c) { return c > ' ' && c <= '~'; };
    return text.size() <= max_url && std::all_of(text.begin(), text.end(), visible);
}

// RFC 3986 section 3.1: schemes are case-insensitive.
bool take_scheme(std::string_view& text, std::string_view scheme) {
    const auto same = [](char a, char b) { return (a | 0x20) == b; };
    const std::string_view start = text.substr(0, scheme.size());
    if (start.size() != scheme.size()) return false;
    if (!std::equal(start.begin(), start.end(), scheme.begin(), same)) return false;
    const std::string_view rest = text.substr(scheme.size());
    if (!rest.starts_with("://")) return false;
    text = rest.substr(3);
    return true;
}

// RFC 6874: [fe80::1%25eth0]; without the 25 it is seen too.
std::string without_zone(std::string_view authority) {
    std::string result(authority);
    const std::size_t zone = result.find('%');
    const std::size_t close = result.find(']');
    if (result.starts_with('[') && zone < close && close != std::string::npos) {
        result.erase(zone, close - zone);
    }
    return result;
}

Result<Url> parse_behind_scheme(bool secure, std::string_view text) {
    text = text.substr(0, text.find('#'));
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    const std::string authority = without_zone(text.substr(0, end));
    const auto parsed = parse_host_port(authority);
    if (!parsed) return ParseError::bad_url;
    Url url;
    url.secure = secure;
    url.host = parsed->host;
    url.port = parsed->port.value_or(default_port(secure));
    url.target = text.substr(end);
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    return url;
}

}  // namespace

std::string Url::authority() const {
    const HostPort both{host, port};
    if (port != default_port(secure)) return both.to_string();
    return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

std::string Url::to_string() const {
    return (secure ? "https://" : "http://") + authority() + target;
}

Result<Url> parse_url(std::string_view text) {
    if (!is_url_text(text)) return ParseError::bad_url;
    if (take_scheme(text, "http")) return parse_behind_scheme(false, text);
    if (take_scheme(text, "https")) return parse_behind_scheme(true, text);
    const bool other = text.find("://") != std::string_view::npos;
    return other ? ParseError::unsupported_scheme : ParseError::bad_url;
}

Result<Url> resolve(const Url& base, std::string_view reference) {
    if (!is_url_text(reference)) return ParseError::bad_url;
    // "://" within a query is no scheme.
    const std::string_view head = reference.substr(0, reference.find_first_of("/?#"));
    if (head.ends_with(':')) return parse_url(reference);
    if (reference.starts_with("//")) return parse_behind_scheme(base.secure, reference.substr(2));

    Url url = base;
    const std::string_view plain = reference.substr(0, reference.find('#'));
    if (plain.empty()) return url;
    const std::string path = base.target.substr(0, base.target.find('?'));
    if (plain.starts_with('/')) {
        url.target = plain;
    } else if (plain.starts_with('?')) {
        url.target = path + std::string(plain);
    } else {
        url.target = path.substr(0, path.rfind('/') + 1) + std::string(plain);
    }
    if (url.target.size() > max_url) return ParseError::bad_url;
    return url;
}

}  // namespace p2pdiag::upnp
