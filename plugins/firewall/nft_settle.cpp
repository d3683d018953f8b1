#include <algorithm>

#include "base/text.hpp"
#include "nft_json.hpp"

namespace p2pdiag::firewall {

namespace {

// What stands between the two, when the line is so.
std::optional<std::string_view> between(std::string_view line, std::string_view before,
                                        std::string_view after) {
    if (!line.starts_with(before) || !line.ends_with(after)) return std::nullopt;
    if (line.size() < before.size() + after.size()) return std::nullopt;
    return line.substr(before.size(), line.size() - before.size() - after.size());
}

// "inet filter" of a line that begins a table. Behind it a comment may name the program that owns
// the table.
std::optional<std::string_view> title_in(std::string_view line) {
    return between(line.substr(0, line.find(" # ")), "table ", " {");
}

// Of `type filter hook ingress device "eth0" priority …` or `… devices = { eth0, eth1 } priority
// …`.
std::vector<std::string> devices_of(std::string_view line) {
    const std::size_t start = line.find(" device");
    const std::size_t end = line.find(" priority ");
    if (start == std::string_view::npos || end == std::string_view::npos || end < start) return {};
    std::vector<std::string> devices;
    std::string name;
    // After the word itself, names stand among quotes, commas, braces and spaces.
    const std::size_t names = std::min(line.find(' ', start + 1), end);
    for (const char c : line.substr(names, end + 1 - names)) {
        if (std::string_view("\"{},= ").find(c) == std::string_view::npos) {
            name += c;
        } else if (!name.empty()) {
            devices.push_back(std::move(name));
            name.clear();
        }
    }
    return devices;
}

}  // namespace

void settle_devices(Ruleset& ruleset, std::string_view text) {
    std::string_view table;
    std::string_view chain;
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (const auto title = title_in(line)) table = *title;
        if (const auto name = between(line, "\tchain ", " {")) chain = *name;
        if (!line.starts_with("\t\ttype ")) continue;
        for (Chain& candidate : ruleset.chains) {
            const bool outer = candidate.hook == Hook::ingress || candidate.hook == Hook::egress;
            if (!outer || !candidate.devices.empty() || candidate.name != chain) continue;
            if (ruleset.tables[candidate.table].title() == table)
                candidate.devices = devices_of(line);
        }
    }
}

void settle_dormant(Ruleset& ruleset, std::string_view text) {
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string_view line = text.substr(start, end - start);
        start = end + 1;
        const auto title = title_in(line);
        if (!title) continue;
        // The flags stand alone on the first line within.
        const std::string_view next = text.substr(std::min(start, text.size()));
        const std::string_view first = next.substr(0, next.find('\n'));
        const bool has_flags = first.starts_with("\tflags ");
        for (Table& table : ruleset.tables) {
            // What is printed for the flag may be the name of anything: "dormant", too.
            if ((!table.maybe_dormant && !table.dormant) || table.title() != *title) continue;
            table.maybe_dormant = false;
            table.owned = has_flags && first.find("owner") != std::string_view::npos;
            table.dormant = has_flags && first.find("dormant") != std::string_view::npos;
        }
    }
}

}  // namespace p2pdiag::firewall
