#include "port_settings.hpp"

#include <algorithm>
#include <charconv>

#include "text.hpp"

namespace p2pdiag::network_plugin {

namespace {

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

std::optional<PortRange> range_of(std::string_view first, std::string_view last) {
    const auto from = number<std::uint16_t>(first);
    const auto to = number<std::uint16_t>(last);
    if (!from || !to || *from > *to) return std::nullopt;
    return PortRange{*from, *to};
}

}  // namespace

std::optional<PortRange> parse_port_range(std::string_view text) {
    text = trimmed(text);
    const std::size_t gap = text.find_first_of(" \t");
    if (gap == text.npos) return std::nullopt;
    return range_of(text.substr(0, gap), trimmed(text.substr(gap)));
}

std::optional<std::vector<PortRange>> parse_port_list(std::string_view text) {
    std::vector<PortRange> ranges;
    text = trimmed(text);
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(item.size() + 1, text.size()));
        const std::size_t dash = item.find('-');
        const auto range = dash == item.npos
                               ? range_of(item, item)
                               : range_of(item.substr(0, dash), item.substr(dash + 1));
        if (!range) return std::nullopt;
        ranges.push_back(*range);
    }
    return ranges;
}

std::optional<std::uint64_t> parse_setting(std::string_view text) {
    return number<std::uint64_t>(trimmed(text));
}

bool contains(const std::vector<PortRange>& ranges, std::uint16_t port) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const PortRange& range) { return range.contains(port); });
}

}  // namespace p2pdiag::network_plugin
