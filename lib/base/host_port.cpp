#include "base/host_port.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "base/address.hpp"

namespace p2pdiag {

namespace {

using Kind = HostPortProblem::Kind;
using Parsed = boost::system::result<HostPort, HostPortProblem>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_label(std::string_view label) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' ||
               c == '_';
    };
    // RFC 1035 section 2.3.4: labels 63 octets or less.
    return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), fits) &&
           label.front() != '-' && label.back() != '-';
}

std::optional<Kind> host_problem(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    // RFC 1035 section 2.3.4: names 255 octets or less, which is 253 as text.
    if (host.empty() || host.size() > 253) return Kind::no_host_name;
    std::string_view label;
    for (std::string_view rest = host;;) {
        const std::size_t dot = rest.find('.');
        label = rest.substr(0, dot);
        if (!is_label(label)) return Kind::no_host_name;
        if (dot == std::string_view::npos) break;
        rest.remove_prefix(dot + 1);
    }
    // A name whose last label is a number was meant to be an address (no top-level domain is one).
    if (std::all_of(label.begin(), label.end(), is_digit)) return Kind::no_ipv4_address;
    return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
    std::uint16_t port = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, port);
    constexpr std::size_t longest = 5;
    const bool whole = error == std::errc{} && stopped == end && digits.size() <= longest;
    return whole && port != 0 ? std::optional(port) : std::nullopt;
}

Parsed with_port(std::string_view host, std::string_view digits) {
    const auto port = parse_port(digits);
    if (!port) return HostPortProblem{Kind::no_port, digits};
    return HostPort{std::string(host), port};
}

Parsed parse_bracketed(std::string_view text) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return HostPortProblem{Kind::no_closing_bracket, text};
    const std::string_view host = text.substr(1, close - 1);
    const auto address = IpAddress::parse(host);
    if (!address || address->is_v4()) {
        return HostPortProblem{Kind::no_ipv6_address, text.substr(0, close + 1)};
    }
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return HostPort{std::string(host), std::nullopt};
    if (rest.front() != ':') return HostPortProblem{Kind::no_colon, text};
    return with_port(host, rest.substr(1));
}

}  // namespace

std::string HostPort::to_string() const {
    const bool v6 = host.find(':') != std::string::npos;
    std::string text = v6 && port ? '[' + host + ']' : host;
    if (port) text += ':' + std::to_string(*port);
    return text;
}

Parsed parse_host_port(std::string_view text) {
    if (text.starts_with('[')) return parse_bracketed(text);
    if (IpAddress::parse(text)) return HostPort{std::string(text), std::nullopt};
    const std::size_t colon = text.find(':');
    const std::string_view host = text.substr(0, colon);
    const bool several = colon != text.rfind(':');
    if (several) return HostPortProblem{Kind::many_colons, text};
    if (!IpAddress::parse(host)) {
        if (const auto problem = host_problem(host)) return HostPortProblem{*problem, host};
    }
    if (colon == std::string_view::npos) return HostPort{std::string(host), std::nullopt};
    return with_port(host, text.substr(colon + 1));
}

bool is_host_name(std::string_view host) { return !host_problem(host); }

void throw_exception_from_error(const HostPortProblem& problem, const boost::source_location&) {
    throw std::logic_error("unchecked problem of a host and port: " + std::string(problem.part));
}

}  // namespace p2pdiag
