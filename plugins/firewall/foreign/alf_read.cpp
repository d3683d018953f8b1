#include <algorithm>
#include <charconv>

#include "foreign/alf.hpp"

namespace p2pdiag::firewall::macos {

namespace {

constexpr std::size_t most_apps = 10'000;

std::string small(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    while (!result.empty() &&
           (result.back() == '.' || result.back() == '!' || result.back() == ' '))
        result.pop_back();
    return result;
}

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<std::size_t> leading_number(std::string_view& text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::optional<bool> on_or_off(std::string_view text) {
    if (text == "enabled" || text == "on") return true;
    if (text == "disabled" || text == "off") return false;
    return std::nullopt;
}

struct Sentence {
    std::string_view start;  // in small letters; what follows says on or off
    std::optional<bool> ApplicationFirewall::*setting;
};

// As several releases of macOS word them.
constexpr Sentence sentences[] = {
    {"block all ", &ApplicationFirewall::blocks_all},
    {"block all is ", &ApplicationFirewall::blocks_all},
    {"firewall has block all state set to ", &ApplicationFirewall::blocks_all},
    {"stealth mode ", &ApplicationFirewall::stealth},
    {"stealth mode is ", &ApplicationFirewall::stealth},
    {"firewall stealth mode is ", &ApplicationFirewall::stealth},
    {"automatically allow signed built-in software ", &ApplicationFirewall::allows_built_in},
    {"automatically allow built-in signed software ", &ApplicationFirewall::allows_built_in},
    {"automatically allow downloaded signed software ", &ApplicationFirewall::allows_downloaded},
};

}  // namespace

bool AlfReader::take(std::string_view line) {
    const bool taken = take_setting(small(trimmed(line))) || take_app(trimmed(line));
    any_ = any_ || taken;
    return taken;
}

bool AlfReader::take_setting(const std::string& line) {
    // "Firewall is enabled. (State = 1)"; 2 is on and blocking all.
    if (const std::size_t at = line.find("(state = "); at != std::string::npos) {
        const char state = line[std::min(at + 9, line.size() - 1)];
        if (state < '0' || state > '2' || !line.starts_with("firewall is ")) return false;
        firewall_.on = state != '0';
        if (state == '2') firewall_.blocks_all = true;
        return true;
    }
    if (line == "firewall is set to block all non-essential incoming connections" ||
        line == "firewall is blocking all non-essential incoming connections") {
        firewall_.blocks_all = true;
        return true;
    }
    if (line == "firewall is set to allow specific services and applications") {
        if (!firewall_.blocks_all) firewall_.blocks_all = false;
        return true;
    }
    for (const Sentence& sentence : sentences) {
        if (!line.starts_with(sentence.start)) continue;
        const auto value = on_or_off(std::string_view(line).substr(sentence.start.size()));
        if (!value) continue;
        auto& setting = firewall_.*sentence.setting;
        // Said by the state already: both are to agree, and the stricter one is believed.
        if (sentence.setting == &ApplicationFirewall::blocks_all && setting == true) return true;
        setting = value;
        return true;
    }
    return false;
}

// "ALF: total number of apps = 2", then for each "1 :  /Applications/Chat.app" and in a line of its
// own or the same "( Allow incoming connections )".
bool AlfReader::take_app(std::string_view line) {
    constexpr std::string_view title = "otal number of apps = ";
    if (const std::size_t at = line.find(title); at != std::string_view::npos && at < 8) {
        line.remove_prefix(at + title.size());
        announced_ = leading_number(line);
        if (!firewall_.apps) firewall_.apps.emplace();
        return true;
    }
    if (!firewall_.apps) return false;
    std::string_view rest = line;
    if (leading_number(rest) && trimmed(rest).starts_with(':')) {
        firewall_.apps_cut = firewall_.apps_cut || !app_.empty();
        app_ = trimmed(trimmed(rest).substr(1));
        rest = {};
    }
    const std::size_t bracket = line.rfind('(');
    if (bracket == std::string_view::npos || !line.ends_with(')'))
        return !app_.empty() && rest.empty();
    const std::string said = small(trimmed(line.substr(bracket + 1, line.size() - bracket - 2)));
    const bool allow = said == "allow incoming connections";
    if (app_.empty() || (!allow && said != "block incoming connections")) return rest.empty();
    if (const std::size_t inside = app_.rfind('('); rest.empty() && inside != std::string::npos)
        app_ = trimmed(std::string_view(app_).substr(0, inside));
    if (firewall_.apps->size() < most_apps)
        firewall_.apps->push_back({app_, allow});
    else
        firewall_.apps_cut = true;
    app_.clear();
    return true;
}

std::optional<ApplicationFirewall> AlfReader::finish() {
    if (!any_) return std::nullopt;
    if (firewall_.apps && (!app_.empty() || announced_ != firewall_.apps->size()))
        firewall_.apps_cut = true;
    return std::move(firewall_);
}

}  // namespace p2pdiag::firewall::macos
