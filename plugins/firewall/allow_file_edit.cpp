#include "allow_file_edit.hpp"

#include <algorithm>
#include <vector>

#include "iptables_save.hpp"

namespace p2pdiag::firewall {

namespace {

// With their line breaks.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1);
        lines.push_back(text.substr(0, end + 1));
        text.remove_prefix(end + 1);
    }
    return lines;
}

std::string_view trimmed(std::string_view line) {
    while (!line.empty() && std::string_view(" \t\r\n").find(line.back()) != line.npos)
        line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line;
}

std::string quoted_comment(std::string_view id) { return '"' + comment_of(id) + '"'; }

std::string iptables_line(const AllowStep& step, std::string_view id) {
    std::string line = "-A " + step.place.chain;
    for (const std::string& word :
         iptables_words(step.opening, step.place.for_this_machine, quoted_comment(id))) {
        line += ' ' + word;
    }
    return line + '\n';
}

// `text` without the last words in quotes where these are the comment of a rule.
std::string without_comment(std::string text, std::size_t last_quote) {
    constexpr std::string_view word = " comment ";
    const bool ends_quoted =
        last_quote != std::string::npos && text.ends_with('"') && last_quote + 1 < text.size();
    if (ends_quoted && std::string_view(text).substr(0, last_quote).ends_with(word))
        text.resize(last_quote - word.size());
    return text;
}

// As nft's text and ours may differ: without what stands behind # or ;, what was counted, and the
// comment. What is in quotes stays as it is; there is no quote in quotes.
std::string normal(std::string_view line) {
    line = trimmed(line);
    std::string text;
    bool quoted = false;
    std::size_t last_quote = std::string::npos;  // where the last words in quotes begin
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
            if (quoted) last_quote = text.size();
        }
        if (c == '#' && !quoted) break;
        const bool space = !quoted && (c == ' ' || c == '\t');
        if (!space)
            text += c;
        else if (!text.empty() && text.back() != ' ')
            text += ' ';
    }
    text = trimmed(text);
    if (text.ends_with(';')) text = trimmed(std::string_view(text).substr(0, text.size() - 1));
    text = without_comment(std::move(text), last_quote);
    const std::size_t packets = text.find("counter packets ");
    if (packets == std::string::npos) return text;
    const std::size_t end = text.find_first_not_of(
        "0123456789", std::min(text.find(" bytes ", packets) + 7, text.size()));
    return text.substr(0, packets + 7) + (end == std::string::npos ? "" : text.substr(end));
}

// A name that nft's language takes as it is: letters first, then also digits and these.
bool is_plain(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto other = [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    };
    return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), other);
}

}  // namespace

Edited add_iptables_line(std::string_view text, const AllowStep& step, std::string_view id) {
    if (!is_plain(step.place.chain)) return std::nullopt;
    const std::string start = "-A " + step.place.chain + ' ';
    bool in_table = false;
    bool ends = false;
    std::optional<std::size_t> before;
    std::optional<std::size_t> behind;
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string_view line = trimmed(lines[i]);
        if (line.starts_with('*')) in_table = line.substr(1) == step.place.table;
        if (!in_table) continue;
        if (line.starts_with(start)) behind = i + 1;
        if (line == "COMMIT") {
            if (!behind) behind = i;
            ends = true;
            in_table = false;
        }
        if (step.place.line == 0 || line != step.place.text) continue;
        if (before) return std::nullopt;
        before = i;
    }
    if (!ends || (step.place.line != 0 && !before)) return std::nullopt;
    const std::size_t at = before.value_or(*behind);
    std::string edited;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i == at) edited += iptables_line(step, id);
        edited += lines[i];
    }
    return edited;
}

Edited add_nft_line(std::string_view text, const AllowStep& step, std::string_view id) {
    const RulePlace& place = step.place;
    if (!is_plain(place.table) || !is_plain(place.chain)) return std::nullopt;
    const std::string table = "table " + place.family + ' ' + place.table + " {";
    const std::string chain = "chain " + place.chain + " {";
    const auto lines = lines_of(text);
    bool in_table = false;
    bool in_chain = false;
    std::optional<std::size_t> before;
    std::optional<std::size_t> end;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string line = normal(lines[i]);
        if (line.starts_with("table ")) {
            in_table =
                line == table || (place.family == "ip" && line == "table " + place.table + " {");
        } else if (line.starts_with("chain ")) {
            in_chain = in_table && line == chain;
        } else if (in_chain && line == "}") {
            if (end) return std::nullopt;
            end = i;
            in_chain = false;
        } else if (in_chain && place.handle != 0 && line == place.text) {
            if (before) return std::nullopt;
            before = i;
        }
    }
    if (!end || (place.handle != 0 && !before)) return std::nullopt;
    const std::size_t at = before.value_or(*end);
    std::string edited;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i == at) {
            // As far to the right as its neighbour.
            const std::string_view neighbour = before ? lines[at] : lines[at - 1];
            edited += neighbour.substr(0, neighbour.find_first_not_of(" \t"));
            edited += nft_rule_text(step.opening, place.for_this_machine) + " comment " +
                      quoted_comment(id) + '\n';
        }
        edited += lines[i];
    }
    return edited;
}

std::string remove_lines(std::string_view text, std::string_view id) {
    const std::string of_nft = " accept comment " + quoted_comment(id);
    const std::string of_iptables = " --comment " + quoted_comment(id) + " -j ACCEPT";
    std::string edited;
    for (const std::string_view line : lines_of(text)) {
        const std::string_view words = trimmed(line);
        const bool ours =
            words.ends_with(of_nft) || (words.starts_with("-A ") && words.ends_with(of_iptables));
        if (!ours) edited += line;
    }
    return edited;
}

bool is_exact_insertion(const Ruleset& before, const Ruleset& after, const AllowStep& step,
                        std::string_view id) {
    if (before.chains.size() != after.chains.size()) return false;
    std::size_t inserted = 0;
    for (std::size_t i = 0; i < before.chains.size(); ++i) {
        const Chain& was = before.chains[i];
        const Chain& is = after.chains[i];
        std::size_t j = 0;
        for (const Rule& rule : is.rules) {
            if (rule.comment == comment_of(id)) {
                const std::string next = j < was.rules.size() ? was.rules[j].text : "";
                const bool at_end = step.place.handle == 0 && step.place.line == 0;
                if (is.name != step.place.chain || next != (at_end ? "" : step.place.text))
                    return false;
                ++inserted;
            } else if (j == was.rules.size() || was.rules[j++].text != rule.text) {
                return false;
            }
        }
        if (was.name != is.name || was.drops != is.drops || j != was.rules.size()) return false;
    }
    return inserted == 1;
}

}  // namespace p2pdiag::firewall
