#include "diagnosis/rules_check.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "diagnosis/rules_logic.hpp"
#include "diagnosis/words.hpp"
#include "options/options.hpp"
#include "options/shown.hpp"

namespace p2pdiag::diagnosis {

namespace {

constexpr std::string_view cause_area = "cause.";

bool is_in(std::string_view name, const std::vector<std::string>& names) {
    return std::ranges::find(names, name) != names.end();
}

std::string_view area_of(std::string_view code) { return code.substr(0, code.find('.')); }

std::string perhaps(const std::string& name, const std::vector<std::string>& known) {
    const auto near = options::nearest(name, known);
    return near ? "; did you mean \"" + *near + "\"?" : std::string();
}

// A user may well make a cause of what is none by the rules that are shipped.
bool same_folder(const At& a, const At& b) {
    const auto folder = [](const At& at) { return at.file.substr(0, at.file.rfind('/') + 1); };
    return folder(a) == folder(b);
}

class RulesChecker {
public:
    RulesChecker(const Rules& rules, const Known& known) : rules_(rules), known_(known) {
        for (const Rule& rule : rules_.causes) ids_.push_back(rule.id);
    }

    Problems run() {
        duplicates();
        for (const Rule& rule : rules_.causes) names_of(rule);
        for (const NoCause& none : rules_.no_causes) no_cause(none);
        for (const Rule& rule : rules_.causes) unreachable(rule);
        circles();
        return std::move(problems_);
    }

private:
    void wrong(const At& at, std::string message) {
        problems_.push_back({at.file, at.line, at.column, std::move(message)});
    }

    void duplicates() {
        std::map<std::string, const Rule*> first;
        for (const Rule& rule : rules_.causes) {
            if (rule.id.empty()) continue;
            const auto [other, fresh] = first.emplace(rule.id, &rule);
            if (fresh) continue;
            const At& at = other->second->at;
            wrong(rule.at, "the cause " + options::shown(rule.id) + " is there already: " +
                               options::harmless(at.file) + ':' + std::to_string(at.line));
        }
    }

    // A plugin of somebody else has codes of an area of its own, without pages here.
    bool is_known_code(const std::string& code) const {
        if (known_.codes.empty() || is_in(code, known_.codes)) return true;
        const bool own_area = std::ranges::none_of(
            known_.codes, [&](const std::string& each) { return area_of(each) == area_of(code); });
        return own_area && code.find('.') != code.npos && !options::nearest(code, known_.codes);
    }

    void code(const std::string& name, const At& at) {
        if (is_known_code(name)) return;
        wrong(at, "unknown code " + options::shown(name) + perhaps(name, known_.codes));
    }

    void check(const std::string& name, const At& at) {
        if (known_.checks.empty() || is_in(name, known_.checks)) return;
        wrong(at, "unknown check " + options::shown(name) + perhaps(name, known_.checks));
    }

    void conditions(const std::vector<Condition>& all) {
        for (const Condition& each : all) {
            if (!each.code.empty()) code(each.code, each.at);
            if (!each.check.empty()) check(each.check, each.at);
        }
    }

    void names_of(const Rule& rule) {
        for (const When& when : rule.when) {
            conditions(when.all);
            conditions(when.any);
            conditions(when.none);
        }
        for (const Need& need : rule.needs) check(need.check, need.at);
        for (const Condition& one : rule.explains) explains(rule, one);
        for (const std::string& sentence : rule.explanation) text(sentence, rule.explanation_at);
        for (const RemedyRule& remedy : rule.remedies) names_of(remedy);
    }

    void explains(const Rule& rule, const Condition& one) {
        if (!one.check.empty()) check(one.check, one.at);
        if (!one.code.starts_with(cause_area)) return code(one.code, one.at);
        if (one.code == rule.id) return wrong(one.at, "explains itself");
        if (!is_in(one.code, ids_)) {
            wrong(one.at, "unknown cause " + options::shown(one.code) + perhaps(one.code, ids_));
        }
    }

    void names_of(const RemedyRule& remedy) {
        conditions(remedy.all);
        conditions(remedy.any);
        conditions(remedy.none);
        text(remedy.title, remedy.at);
        command_text(remedy.command, remedy.at);
        for (const auto& [name, value] : remedy.arguments) {
            if (value.is_string()) command_text(std::string(value.get_string()), remedy.at);
        }
        if (!remedy.verb.empty()) verb(remedy);
    }

    void verb(const RemedyRule& remedy) {
        if (known_.verbs.empty()) return;
        std::vector<std::string> names;
        for (const KnownVerb& each : known_.verbs) names.push_back(each.name);
        const auto found = std::ranges::find(known_.verbs, remedy.verb, &KnownVerb::name);
        if (found == known_.verbs.end()) {
            return wrong(remedy.at, "unknown verb " + options::shown(remedy.verb) +
                                        perhaps(remedy.verb, names));
        }
        for (const auto& argument : remedy.arguments) {
            if (is_in(argument.first, found->options)) continue;
            wrong(remedy.at, "'" + remedy.verb + "' has no option " +
                                 options::shown(argument.first) +
                                 perhaps(argument.first, found->options));
        }
    }

    void text(const std::string& raw, const At& at) {
        const auto all = placeholders(raw);
        if (!all) return wrong(at, "a brace without its partner, or with nothing in it");
        for (const Placeholder& one : *all) {
            const std::string subject(one.subject);
            if (subject == "port" && one.path.empty()) continue;
            if (is_in(subject, known_.codes) || is_known_area(subject)) continue;
            if (!one.path.empty() && is_in(subject, known_.checks)) continue;
            if (known_.codes.empty()) continue;
            wrong(at, "{" + options::harmless(subject) + "}: no such code" +
                          (one.path.empty() ? "" : " or check") + perhaps(subject, known_.codes));
        }
    }

    bool is_known_area(const std::string& subject) const {
        return subject.find('.') != subject.npos && is_known_code(subject);
    }

    void command_text(const std::string& raw, const At& at) {
        text(raw, at);
        const auto all = placeholders(raw);
        if (!all) return;
        for (const Placeholder& one : *all) {
            if (!one.path.empty() || one.subject == "port") continue;
            wrong(at, "a message is no part of a command");
        }
    }

    void no_cause(const NoCause& none) {
        code(none.code, none.at);
        for (const Rule& rule : rules_.causes) {
            for (const When& when : rule.when) {
                const bool used =
                    std::ranges::find(when.all, none.code, &Condition::code) != when.all.end() ||
                    std::ranges::find(when.any, none.code, &Condition::code) != when.any.end();
                if (!used || !same_folder(none.at, when.at)) continue;
                return wrong(none.at, options::shown(none.code) +
                                          " is said to make no cause, and " + rule.id +
                                          " stands on it");
            }
        }
    }

    void unreachable(const Rule& rule) {
        for (const When& when : rule.when) {
            if (const auto why = contradiction(when)) {
                wrong(when.at, rule.id + " can never come about this way: " + *why);
            }
        }
        for (const Rule& other : rules_.causes) {
            if (&other == &rule || !always_explains(other, rule)) continue;
            wrong(rule.at, rule.id + " would never be shown: wherever it holds, " + other.id +
                               " explains it");
        }
    }

    void circles() {
        std::vector<const Rule*> way;
        std::set<const Rule*> done;
        for (const Rule& rule : rules_.causes) circles_from(rule, way, done);
    }

    void circles_from(const Rule& rule, std::vector<const Rule*>& way,
                      std::set<const Rule*>& done) {
        const auto seen = std::ranges::find(way, &rule);
        if (seen != way.end()) {
            std::string circle;
            for (auto each = seen; each != way.end(); ++each) circle += (*each)->id + " explains ";
            return wrong(rule.at, "causes explain each other in a circle: " + circle + rule.id);
        }
        if (done.contains(&rule)) return;
        way.push_back(&rule);
        for (const Rule& other : rules_.causes) {
            if (&other != &rule && may_explain(rule, other)) circles_from(other, way, done);
        }
        way.pop_back();
        done.insert(&rule);
    }

    const Rules& rules_;
    const Known& known_;
    std::vector<std::string> ids_;
    Problems problems_;
};

}  // namespace

Problems check_rules(const Rules& rules, const Known& known) {
    return RulesChecker(rules, known).run();
}

std::vector<std::string> uncovered(const Rules& rules, const std::vector<std::string>& codes) {
    std::set<std::string> covered;
    for (const NoCause& none : rules.no_causes) covered.insert(none.code);
    for (const Rule& rule : rules.causes) {
        for (const When& when : rule.when) {
            for (const auto* list : {&when.all, &when.any}) {
                for (const Condition& condition : *list) covered.insert(condition.code);
            }
        }
    }
    std::vector<std::string> out;
    for (const std::string& code : codes) {
        const bool is_cause = code.starts_with(cause_area);
        if (!is_cause && !covered.contains(code)) out.push_back(code);
    }
    return out;
}

}  // namespace p2pdiag::diagnosis
