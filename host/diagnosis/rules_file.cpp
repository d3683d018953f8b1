#include "diagnosis/rules_file.hpp"

#include <algorithm>
#include <cmath>

#include "options/options.hpp"
#include "options/shown.hpp"
#include "profile/toml.hpp"

namespace p2pdiag::diagnosis {

namespace {

using profile::TomlEntry;
using profile::TomlValue;
using Kind = profile::TomlValue::Kind;

constexpr std::size_t longest_text = 2000;
constexpr std::size_t longest_name = 64;

template <class Enum>
struct Word {
    std::string_view word;
    Enum value;
};

constexpr Word<report::Place> places[] = {
    {"you", report::Place::you},           {"firewall", report::Place::firewall},
    {"router", report::Place::router},     {"carrier", report::Place::carrier},
    {"internet", report::Place::internet}, {"peer", report::Place::peer}};

constexpr Word<report::Impact> impacts[] = {{"offline", report::Impact::offline},
                                            {"no-direct", report::Impact::no_direct},
                                            {"no-calls", report::Impact::no_calls},
                                            {"quality", report::Impact::quality},
                                            {"note", report::Impact::note}};

constexpr Word<report::Severity> severities[] = {{"info", report::Severity::info},
                                                 {"warning", report::Severity::warning},
                                                 {"error", report::Severity::error}};

constexpr Word<report::Status> statuses[] = {
    {"pass", report::Status::pass},          {"warn", report::Status::warn},
    {"fail", report::Status::fail},          {"skip", report::Status::skip},
    {"unknown", report::Status::unknown},    {"error", report::Status::error},
    {"crashed", report::Status::crashed},    {"timed_out", report::Status::timed_out},
    {"cancelled", report::Status::cancelled}};

// The readers below take what is right and say what is not.
class RulesReader {
public:
    RulesReader(const std::string& file, Rules& rules, Problems& problems)
        : file_(file), rules_(rules), problems_(problems) {}

    void read(const TomlValue& root) {
        for (const TomlEntry& entry : root.entries) {
            if (entry.key == "cause") {
                for (const TomlValue& table : tables(entry)) cause(table);
            } else if (entry.key == "no_cause") {
                for (const TomlValue& table : tables(entry)) no_cause(table);
            } else {
                unknown_key(entry, {"cause", "no_cause"});
            }
        }
    }

private:
    At at(const TomlValue& value) const { return {file_, value.line, value.column}; }

    void wrong(unsigned line, unsigned column, std::string message) {
        problems_.push_back({file_, line, column, std::move(message)});
    }
    void wrong(const TomlValue& value, std::string message) {
        wrong(value.line, value.column, std::move(message));
    }

    static std::string nearest_text(const std::string& word,
                                    const std::vector<std::string>& known) {
        const auto near = options::nearest(word, known);
        return near ? "; did you mean \"" + *near + "\"?" : std::string();
    }

    void unknown_key(const TomlEntry& entry, const std::vector<std::string>& known) {
        wrong(entry.line, entry.column,
              "unknown key " + options::shown(entry.key) + nearest_text(entry.key, known));
    }

    static const TomlEntry* find(const TomlValue& table, std::string_view key) {
        const auto found = std::ranges::find(table.entries, key, &TomlEntry::key);
        return found == table.entries.end() ? nullptr : &*found;
    }

    // False where `value` is no table; its keys are looked at once.
    bool is_table(const TomlValue& value, const std::string& what,
                  const std::vector<std::string>& known) {
        if (value.kind != Kind::table) {
            wrong(value, what + ": expected a table, { … }");
            return false;
        }
        for (const TomlEntry& entry : value.entries) {
            if (std::ranges::find(known, entry.key) == known.end()) unknown_key(entry, known);
        }
        return true;
    }

    // None, which is said, where there are no tables.
    const std::vector<TomlValue>& tables(const TomlEntry& entry) {
        if (entry.value.kind != Kind::array) {
            wrong(entry.line, entry.column,
                  entry.key + ": expected tables, each under [[" + entry.key + "]]");
        }
        return entry.value.elements;
    }

    std::string text_of(const TomlValue& value, const std::string& what, std::size_t longest) {
        const auto* text = value.kind == Kind::scalar ? value.scalar.if_string() : nullptr;
        if (text == nullptr || text->empty()) {
            wrong(value, what + ": expected a text");
            return {};
        }
        if (text->size() > longest) {
            wrong(value, what + ": longer than " + std::to_string(longest) + " bytes");
            return {};
        }
        return std::string(*text);
    }

    std::string text(const TomlValue& table, std::string_view key, bool required,
                     std::size_t longest = longest_text) {
        if (const TomlEntry* entry = find(table, key)) {
            return text_of(entry->value, std::string(key), longest);
        }
        if (required) wrong(table, "has no " + std::string(key));
        return {};
    }

    bool boolean(const TomlValue& table, std::string_view key) {
        return optional_boolean(table, key).value_or(false);
    }

    std::optional<bool> optional_boolean(const TomlValue& table, std::string_view key) {
        const TomlEntry* entry = find(table, key);
        if (entry == nullptr) return std::nullopt;
        if (entry->value.kind == Kind::scalar && entry->value.scalar.is_bool()) {
            return entry->value.scalar.get_bool();
        }
        wrong(entry->value, std::string(key) + ": expected true or false");
        return std::nullopt;
    }

    std::optional<double> number(const TomlValue& table, std::string_view key) {
        const TomlEntry* entry = find(table, key);
        if (entry == nullptr) return std::nullopt;
        const json::value& scalar = entry->value.scalar;
        if (entry->value.kind == Kind::scalar && scalar.is_int64()) {
            return static_cast<double>(scalar.get_int64());
        }
        const bool finite = scalar.is_double() && std::isfinite(scalar.get_double());
        if (entry->value.kind == Kind::scalar && finite) return scalar.get_double();
        wrong(entry->value, std::string(key) + ": expected a number");
        return std::nullopt;
    }

    // One text, or an array of them.
    std::vector<std::pair<std::string, At>> texts(const TomlEntry& entry, std::size_t longest) {
        std::vector<std::pair<std::string, At>> out;
        const auto add = [&](const TomlValue& value) {
            std::string one = text_of(value, entry.key, longest);
            if (!one.empty()) out.emplace_back(std::move(one), at(value));
        };
        if (entry.value.kind == Kind::array) {
            for (const TomlValue& element : entry.value.elements) add(element);
        } else {
            add(entry.value);
        }
        return out;
    }

    template <class Enum, std::size_t count>
    std::optional<Enum> word(const std::string& given, const At& where, const std::string& what,
                             const Word<Enum> (&known)[count]) {
        std::vector<std::string> words;
        for (const auto& each : known) {
            if (each.word == given) return each.value;
            words.emplace_back(each.word);
        }
        std::string list;
        for (const std::string& each : words) list += (list.empty() ? "" : ", ") + each;
        wrong(where.line, where.column,
              what + ": " + options::shown(given) + " is none of " + list +
                  nearest_text(given, words));
        return std::nullopt;
    }

    template <class Enum, std::size_t count>
    std::optional<Enum> word_of(const TomlValue& table, std::string_view key, bool required,
                                const Word<Enum> (&known)[count]) {
        const std::string given = text(table, key, required, longest_name);
        if (given.empty()) return std::nullopt;
        return word(given, at(find(table, key)->value), std::string(key), known);
    }

    void cause(const TomlValue& table) {
        if (rules_.causes.size() >= most_rules) {
            if (rules_.causes.size() == most_rules) wrong(table, "more causes than there may be");
            return;
        }
        if (!is_table(table, "cause",
                      {"id", "title", "place", "impact", "explanation", "explains", "when", "needs",
                       "remedy"})) {
            return;
        }
        Rule rule;
        rule.at = at(table);
        rule.id = text(table, "id", true, longest_name);
        if (!rule.id.empty() && !is_cause_id(rule.id)) {
            wrong(find(table, "id")->value,
                  "id: " + options::shown(rule.id) +
                      " is not \"cause.\" and small letters, digits or -");
        }
        rule.title = text(table, "title", true, 100);
        rule.place = word_of(table, "place", true, places).value_or(rule.place);
        rule.impact = word_of(table, "impact", true, impacts).value_or(rule.impact);
        explanation(table, rule);
        if (const TomlEntry* entry = find(table, "explains")) {
            explains(*entry, rule);
        }
        if (const TomlEntry* entry = find(table, "when")) {
            for (const TomlValue& each : tables(*entry)) when(each, rule);
        } else {
            wrong(table, "has no [[cause.when]]: nothing would ever make it a cause");
        }
        if (const TomlEntry* entry = find(table, "needs")) {
            for (const TomlValue& each : tables(*entry)) need(each, rule);
        }
        if (const TomlEntry* entry = find(table, "remedy")) {
            for (const TomlValue& each : tables(*entry)) remedy(each, rule);
        }
        rules_.causes.push_back(std::move(rule));
    }

    static bool is_cause_id(std::string_view id) {
        constexpr std::string_view area = "cause.";
        return id.starts_with(area) && id.size() > area.size() &&
               id.substr(area.size()).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
                   id.npos;
    }

    void explanation(const TomlValue& table, Rule& rule) {
        const TomlEntry* entry = find(table, "explanation");
        if (entry == nullptr) return wrong(table, "has no explanation");
        rule.explanation_at = at(entry->value);
        for (auto& [sentence, where] : texts(*entry, longest_text)) {
            rule.explanation.push_back(std::move(sentence));
        }
    }

    // A code, or a condition where not each finding of that code follows; one of them, or an array.
    void explains(const TomlEntry& entry, Rule& rule) {
        const auto add = [&](const TomlValue& value) {
            if (value.kind != Kind::table) {
                Condition plain;
                plain.at = at(value);
                plain.code = text_of(value, entry.key, longest_name);
                if (!plain.code.empty()) rule.explains.push_back(std::move(plain));
            } else if (auto some = condition(value)) {
                if (some->code.empty() || is_cause_id(some->code)) {
                    return wrong(value, "explains: only findings have conditions");
                }
                rule.explains.push_back(std::move(*some));
            }
        };
        if (entry.value.kind != Kind::array) return add(entry.value);
        for (const TomlValue& element : entry.value.elements) add(element);
    }

    void no_cause(const TomlValue& table) {
        if (!is_table(table, "no_cause", {"codes", "why"})) return;
        const std::string why = text(table, "why", true);
        const TomlEntry* entry = find(table, "codes");
        if (entry == nullptr) return wrong(table, "has no codes");
        for (auto& [code, where] : texts(*entry, longest_name)) {
            rules_.no_causes.push_back({where, std::move(code), why});
        }
    }

    void when(const TomlValue& table, Rule& rule) {
        if (!is_table(table, "when", {"confidence", "impact", "overcome", "all", "any", "none"})) {
            return;
        }
        When when;
        when.at = at(table);
        const auto confidence = number(table, "confidence");
        if (find(table, "confidence") == nullptr) wrong(table, "has no confidence");
        if (confidence && (*confidence <= 0.0 || *confidence > 1.0)) {
            wrong(find(table, "confidence")->value, "confidence: is not above 0 and at most 1");
        }
        when.confidence = std::clamp(confidence.value_or(0.0), 0.0, 1.0);
        when.impact = word_of(table, "impact", false, impacts);
        when.overcome = boolean(table, "overcome");
        when.all = conditions(table, "all");
        when.any = conditions(table, "any");
        when.none = conditions(table, "none");
        const auto is_finding = [](const Condition& one) { return !one.code.empty(); };
        if (std::ranges::none_of(when.all, is_finding) &&
            std::ranges::none_of(when.any, is_finding)) {
            wrong(table, "has no finding to stand on, in all or any");
        } else if (std::ranges::none_of(when.all, is_finding) &&
                   !std::ranges::all_of(when.any, is_finding)) {
            wrong(table, "may hold without any finding to stand on: any of its checks alone");
        }
        rule.when.push_back(std::move(when));
    }

    std::vector<Condition> conditions(const TomlValue& table, std::string_view key) {
        std::vector<Condition> out;
        const TomlEntry* entry = find(table, key);
        if (entry == nullptr) return out;
        if (entry->value.kind != Kind::array || entry->value.elements.empty()) {
            wrong(entry->value, std::string(key) + ": expected conditions, [{ code = … }, …]");
            return out;
        }
        for (const TomlValue& each : entry->value.elements) {
            if (auto one = condition(each)) out.push_back(std::move(*one));
        }
        return out;
    }

    std::optional<Condition> condition(const TomlValue& table) {
        if (!is_table(table, "condition",
                      {"code", "severity", "check", "evidence", "status", "could_tell", "data"})) {
            return std::nullopt;
        }
        Condition out;
        out.at = at(table);
        out.code = text(table, "code", false, longest_name);
        out.check = text(table, "check", false, longest_name);
        out.severity = word_of(table, "severity", false, severities);
        out.could_tell = optional_boolean(table, "could_tell");
        if (const TomlEntry* entry = find(table, "status")) {
            for (const auto& [given, where] : texts(*entry, longest_name)) {
                if (const auto status = word(given, where, "status", statuses)) {
                    out.status.push_back(*status);
                }
            }
        }
        if (out.code.empty() && out.check.empty()) {
            wrong(table, "condition: has neither code nor check");
            return std::nullopt;
        }
        // Each kind has keys of its own.
        const std::vector<std::string_view> others =
            out.code.empty() ? std::vector<std::string_view>{"severity", "evidence"}
                             : std::vector<std::string_view>{"status", "could_tell", "data"};
        for (const std::string_view key : others) {
            if (const TomlEntry* entry = find(table, key)) {
                wrong(entry->line, entry->column,
                      std::string(key) + (out.code.empty() ? ": is for a condition with a code"
                                                           : ": is for a check without a code"));
            }
        }
        if (const TomlEntry* entry = find(table, out.code.empty() ? "data" : "evidence")) {
            out.tests = tests(*entry);
        }
        return out;
    }

    std::vector<Test> tests(const TomlEntry& entry) {
        std::vector<Test> out;
        if (entry.value.kind != Kind::table) {
            wrong(entry.value, entry.key + ": expected a table, { name = value, … }");
            return out;
        }
        for (const TomlEntry& each : entry.value.entries) {
            out.push_back(test(each));
            if (each.key.empty() || each.key.size() > longest_text) {
                wrong(each.line, each.column, "the name of a value is empty or too long");
            }
        }
        return out;
    }

    // A value, several of them, or a table of comparisons.
    Test test(const TomlEntry& entry) {
        Test out;
        out.path = entry.key;
        const TomlValue& value = entry.value;
        const auto compared = [&](const TomlValue& with, const std::string& what) {
            std::vector<json::value> all = values(with, what);
            if (std::ranges::any_of(all, is_no_port)) {
                wrong(with, what + ": the one placeholder here is \"{port}\"");
            }
            return all;
        };
        if (value.kind != Kind::table) {
            out.one_of = compared(value, entry.key);
            return out;
        }
        if (!is_table(value, entry.key,
                      {"is", "not", "above", "below", "at_least", "at_most", "measured"})) {
            return out;
        }
        if (value.entries.empty()) wrong(value, entry.key + ": has no comparison");
        if (const TomlEntry* is = find(value, "is")) out.one_of = compared(is->value, "is");
        if (const TomlEntry* is_not = find(value, "not"))
            out.is_not = compared(is_not->value, "not");
        out.above = number(value, "above");
        out.below = number(value, "below");
        out.at_least = number(value, "at_least");
        out.at_most = number(value, "at_most");
        out.measured = optional_boolean(value, "measured");
        return out;
    }

    // Another placeholder, or one that is misspelt.
    static bool is_no_port(const json::value& value) {
        return value.is_string() && value.get_string().starts_with('{') &&
               value.get_string().ends_with('}') && value.get_string() != "{port}";
    }

    std::vector<json::value> values(const TomlValue& value, const std::string& what) {
        std::vector<json::value> out;
        const auto add = [&](const TomlValue& one) {
            if (one.kind != Kind::scalar || one.scalar.is_null()) {
                wrong(one, what + ": expected a text, a number, true or false");
            } else {
                out.push_back(one.scalar);
            }
        };
        if (value.kind == Kind::array) {
            if (value.elements.empty()) wrong(value, what + ": no value is named");
            for (const TomlValue& element : value.elements) add(element);
        } else {
            add(value);
        }
        return out;
    }

    void need(const TomlValue& table, Rule& rule) {
        if (!is_table(table, "needs", {"check", "settle"})) return;
        rule.needs.push_back(
            {at(table), text(table, "check", true, longest_name), text(table, "settle", true)});
    }

    void remedy(const TomlValue& table, Rule& rule) {
        if (!is_table(table, "remedy",
                      {"id", "title", "command", "verb", "arguments", "needs_root", "reversible",
                       "alone", "works_around", "all", "any", "none"})) {
            return;
        }
        RemedyRule out;
        out.at = at(table);
        out.id = text(table, "id", true, longest_name);
        out.title = text(table, "title", true);
        out.command = text(table, "command", false);
        out.verb = text(table, "verb", false, longest_name);
        out.needs_root = boolean(table, "needs_root");
        out.reversible = boolean(table, "reversible");
        out.alone = boolean(table, "alone");
        out.works_around = boolean(table, "works_around");
        out.all = conditions(table, "all");
        out.any = conditions(table, "any");
        out.none = conditions(table, "none");
        arguments(table, out);
        if (!out.verb.empty() && !out.command.empty()) {
            wrong(table, "has a command and a verb; the verb makes the command");
        }
        if (out.verb.empty() && !out.arguments.empty()) wrong(table, "has arguments and no verb");
        const bool twice = std::ranges::any_of(
            rule.remedies, [&](const RemedyRule& other) { return other.id == out.id; });
        if (twice) wrong(table, "the remedy " + options::shown(out.id) + " is there twice");
        rule.remedies.push_back(std::move(out));
    }

    void arguments(const TomlValue& table, RemedyRule& remedy) {
        const TomlEntry* entry = find(table, "arguments");
        if (entry == nullptr) return;
        if (entry->value.kind != Kind::table) {
            return wrong(entry->value, "arguments: expected a table, { name = value, … }");
        }
        for (const TomlEntry& each : entry->value.entries) {
            const auto given = values(each.value, each.key);
            if (given.size() == 1) remedy.arguments.emplace_back(each.key, given.front());
        }
    }

    const std::string& file_;
    Rules& rules_;
    Problems& problems_;
};

}  // namespace

void read_rules(std::string_view text, const std::string& file, Rules& rules, Problems& problems) {
    const auto root = profile::parse_toml(text, file);
    if (!root) {
        problems.push_back(root.error());
        return;
    }
    RulesReader(file, rules, problems).read(*root);
}

}  // namespace p2pdiag::diagnosis
