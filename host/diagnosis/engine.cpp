#include "diagnosis/engine.hpp"

#include <algorithm>
#include <tuple>

#include "diagnosis/consequences.hpp"
#include "diagnosis/explained.hpp"
#include "diagnosis/verdict.hpp"
#include "diagnosis/words.hpp"

namespace p2pdiag::diagnosis {

namespace {

using report::Cause;
using report::Remedy;
using report::Report;

void keep_each_once(std::vector<Found>& findings) {
    std::vector<Found> once;
    for (const Found& found : findings) {
        const bool known = std::ranges::find(once, found.finding, &Found::finding) != once.end();
        if (!known) once.push_back(found);
    }
    findings = std::move(once);
}

// The way to it that is most certain; nothing where none holds.
std::optional<Candidate> candidate_of(const Rule& rule, const Facts& facts) {
    std::optional<Candidate> best;
    std::vector<std::string_view> missing;
    for (const Need& need : rule.needs) {
        if (!facts.could_tell(need.check)) missing.push_back(need.check);
    }
    for (const When& when : rule.when) {
        Match found = match(when, facts);
        if (!found.holds || found.findings.empty()) continue;
        const bool certain = found.certain && missing.empty();
        const double confidence = certain ? when.confidence : std::min(when.confidence, likely);
        if (best && best->confidence >= confidence) continue;
        best = Candidate{&rule,
                         confidence,
                         when.impact.value_or(rule.impact),
                         std::move(found.findings),
                         missing,
                         nullptr,
                         when.overcome};
        const auto& doubtful = found.doubtful;
        best->doubtful.insert(best->doubtful.end(), doubtful.begin(), doubtful.end());
        keep_each_once(best->findings);
    }
    return best;
}

std::vector<Candidate> candidates_of(const Rules& rules, const Facts& facts) {
    std::vector<Candidate> out;
    for (const Rule& rule : rules.causes) {
        if (auto candidate = candidate_of(rule, facts)) out.push_back(std::move(*candidate));
    }
    return out;
}

std::vector<std::string> settle(const Candidate& candidate, const Facts& facts) {
    std::vector<std::string> out;
    std::vector<std::string_view> said;
    for (const std::string_view check : candidate.doubtful) {
        if (std::ranges::find(said, check) != said.end()) continue;
        said.push_back(check);
        const auto& needs = candidate.rule->needs;
        const auto need = std::ranges::find(needs, check, &Need::check);
        if (need != needs.end()) {
            out.push_back(need->settle);
            continue;
        }
        const report::CheckResult* result = facts.check(check);
        std::string text(check);
        text += result == nullptr ? " was not run" : " could not tell";
        if (result != nullptr && !result->summary.empty()) text += ": " + result->summary;
        out.push_back(std::move(text));
    }
    return out;
}

std::string joined(const std::vector<std::string>& sentences) {
    std::string out;
    for (const std::string& sentence : sentences) {
        const bool ended = out.empty() || out.ends_with('.') || out.ends_with('!') ||
                           out.ends_with('?') || out.ends_with(':');
        out += ended ? "" : ".";
        out += (out.empty() ? "" : " ") + sentence;
    }
    if (!out.empty() && out.find_last_of(".!?:") != out.size() - 1) out += '.';
    return out;
}

std::string explanation(const Rule& rule, const Words& words) {
    std::vector<std::string> sentences;
    for (const std::string& raw : rule.explanation) {
        if (auto sentence = words.text(raw)) sentences.push_back(std::move(*sentence));
    }
    return sentences.empty() ? joined({rule.title}) : joined(sentences);
}

// Numbers stay numbers: "{port}" alone is the port.
std::optional<json::value> argument(const json::value& raw, const Words& words) {
    if (!raw.is_string()) return raw;
    const auto text = words.command(raw.get_string());
    if (!text) return std::nullopt;
    const bool number =
        !text->empty() && text->size() < 10 && text->find_first_not_of("0123456789") == text->npos;
    if (number) return json::value(static_cast<std::int64_t>(std::stoll(*text)));
    return json::value(std::string_view(*text));
}

std::string spelled_argument(const json::value& value) {
    if (value.is_string()) return std::string(value.get_string());
    return json::to_text(value);
}

// Nothing where an argument is not known: half a command is worse than none.
void fill_command(Remedy& remedy, const RemedyRule& rule, const Words& words) {
    if (rule.verb.empty()) {
        remedy.command = words.command(rule.command).value_or("");
        return;
    }
    std::string line = rule.needs_root ? "sudo p2pdiag " : "p2pdiag ";
    line += rule.verb;
    for (const auto& [name, raw] : rule.arguments) {
        const auto value = argument(raw, words);
        if (!value) return;
        remedy.arguments[name] = *value;
        if (value->is_bool()) {
            if (value->get_bool()) line += " --" + name;
        } else {
            line += " --" + name + ' ' + spelled_argument(*value);
        }
    }
    remedy.verb = rule.verb;
    remedy.automatic = true;
    remedy.command = std::move(line);
}

bool was_in_vain(const Remedy& remedy, const std::vector<InVain>& in_vain) {
    return remedy.automatic && std::ranges::any_of(in_vain, [&](const InVain& one) {
               return one.verb == remedy.verb && one.arguments == remedy.arguments;
           });
}

std::vector<Remedy> remedies(const Rule& rule, const Facts& facts, const Words& words,
                             const std::vector<InVain>& in_vain) {
    std::vector<Remedy> out;
    for (const RemedyRule& each : rule.remedies) {
        const auto title = words.text(each.title);
        if (!title || !is_offered(each, facts)) continue;
        Remedy remedy;
        remedy.id = each.id;
        remedy.title = *title;
        remedy.needs_root = each.needs_root;
        remedy.reversible = each.reversible;
        remedy.alone = each.alone;
        remedy.works_around = each.works_around;
        fill_command(remedy, each, words);
        if (!remedy.automatic) remedy.arguments.clear();
        if (!was_in_vain(remedy, in_vain)) out.push_back(std::move(remedy));
    }
    return out;
}

Cause cause_of(const Candidate& candidate, const Facts& facts, const std::vector<InVain>& in_vain) {
    const Rule& rule = *candidate.rule;
    const Words words(facts, candidate.findings);
    Cause cause;
    cause.code = rule.id;
    cause.title = rule.title;
    cause.place = rule.place;
    cause.impact = candidate.impact;
    cause.confidence = candidate.confidence;
    cause.explanation = explanation(rule, words);
    for (const Found& found : candidate.findings) {
        const std::string& code = found.finding->code;
        if (std::ranges::find(cause.findings, code) == cause.findings.end()) {
            cause.findings.push_back(code);
        }
    }
    cause.settle = settle(candidate, facts);
    if (!candidate.overcome) cause.remedies = remedies(rule, facts, words, in_vain);
    if (candidate.explained_by != nullptr) cause.explained_by = candidate.explained_by->rule->id;
    return cause;
}

// Likely ones first; of these the worst, the most certain, the nearest.
bool comes_before(const Candidate& a, const Candidate& b) {
    const auto rank = [](const Candidate& one) {
        return std::tuple(one.confidence > likely ? 0 : 1, one.impact, -one.confidence,
                          one.rule->place);
    };
    return rank(a) < rank(b);
}

// The finding of the explaining candidate that says what is wrong; null where it has no error.
const report::Finding* error_of(const Candidate& candidate) {
    for (const Found& found : candidate.findings) {
        if (found.finding->severity == report::Severity::error) return found.finding;
    }
    return nullptr;
}

// Copies of what is said of them, since the findings are changed meanwhile.
Consequences consequences_of(const ExplainedFindings& explained) {
    Consequences out;
    for (const auto& [finding, candidate] : explained) {
        if (finding->severity != report::Severity::error) continue;
        if (const auto* error = error_of(*candidate)) out.emplace(finding, error->code);
    }
    return out;
}

// The user's own cause, where it is likely and none is surer: whoever wrote a rule of his own wants
// to be told. Null where there is none.
const Cause* foremost_of(const std::vector<const Candidate*>& order, const Report& report) {
    const Candidate* surest = nullptr;
    for (const Candidate* one : order) {
        if (one->explained_by != nullptr || one->confidence <= likely) continue;
        const bool surer =
            surest == nullptr || one->confidence > surest->confidence ||
            (one->confidence == surest->confidence && one->rule->own && !surest->rule->own);
        if (surer) surest = one;
    }
    if (surest == nullptr || !surest->rule->own) return nullptr;
    const auto found = std::ranges::find(report.causes, surest->rule->id, &Cause::code);
    return found == report.causes.end() ? nullptr : &*found;
}

}  // namespace

void diagnose(Report& report, const Rules& rules, const std::vector<InVain>& in_vain) {
    restore_consequences(report.checks);
    report.causes.clear();
    report.explained.clear();
    const Facts facts(report);
    std::vector<Candidate> candidates = candidates_of(rules, facts);
    const ExplainedFindings explained = explain(candidates, facts);
    std::vector<const Candidate*> order;
    for (const Candidate& candidate : candidates) order.push_back(&candidate);
    std::ranges::stable_sort(
        order, [](const Candidate* a, const Candidate* b) { return comes_before(*a, *b); });
    for (const Candidate* candidate : order) {
        auto& list = candidate->explained_by == nullptr ? report.causes : report.explained;
        list.push_back(cause_of(*candidate, facts, in_vain));
    }
    report.verdict = conclude(report, foremost_of(order, report));
    demote(report.checks, consequences_of(explained));
}

}  // namespace p2pdiag::diagnosis
