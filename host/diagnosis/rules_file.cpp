#include "diagnosis/rules_file.hpp"

#include <algorithm>
#include <map>

#include "diagnosis/toml_reader.hpp"

namespace p2pdiag::diagnosis {

namespace {

constexpr std::size_t most_codes = 32;  // that one name stands for

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

class RulesReader : private TomlReader {
public:
    RulesReader(const std::string& file, Rules& rules, Problems& problems)
        : TomlReader(file, problems), rules_(rules) {}

    void read(const TomlValue& root) {
        if (const TomlEntry* entry = find(root, "codes")) code_sets(entry->value);
        for (const TomlEntry& entry : root.entries) {
            if (entry.key == "cause") {
                for (const TomlValue& table : tables(entry)) cause(table);
            } else if (entry.key == "no_cause") {
                for (const TomlValue& table : tables(entry)) no_cause(table);
            } else if (entry.key != "codes") {
                unknown_key(entry, {"cause", "codes", "no_cause"});
            }
        }
    }

private:
    // Names for several codes, in this file.
    void code_sets(const TomlValue& table) {
        if (table.kind != Kind::table) return wrong(table, "codes: expected a table, [codes]");
        for (const TomlEntry& entry : table.entries) {
            if (entry.key.find('.') != std::string::npos) {
                wrong(entry.line, entry.column, "a name for several codes has no '.' in it");
            }
            auto codes = texts(entry, longest_name);
            if (codes.size() > most_codes) {
                wrong(entry.value, entry.key + ": more codes than there may be");
                codes.resize(most_codes);
            }
            for (auto& [code, where] : codes) code_sets_[entry.key].push_back(std::move(code));
        }
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
            auto one = condition(each);
            if (!one) continue;
            const auto set = code_sets_.find(one->code);
            if (set == code_sets_.end()) {
                out.push_back(std::move(*one));
            } else if (key == "all") {
                wrong(each, "code: " + options::shown(set->first) +
                                " stands for several codes, which 'any' and 'none' take");
            } else {
                for (const std::string& code : set->second) {
                    one->code = code;
                    out.push_back(*one);
                }
            }
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

    Rules& rules_;
    std::map<std::string, std::vector<std::string>> code_sets_;
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
