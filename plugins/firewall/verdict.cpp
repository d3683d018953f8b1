#include "verdict.hpp"

#include <algorithm>

namespace p2pdiag::firewall {

namespace {

using Kind = Ending::Kind;

bool is_policy(const RuleRef& rule) { return rule.handle == 0 && rule.text.starts_with("policy "); }

std::string why_blocked(const Ending& ending, const std::optional<RuleRef>& rule) {
    const std::string how = ending.kind == Kind::dropped ? "dropped" : "rejected";
    if (!rule) return "It is " + how + ": " + ending.why + '.';
    if (is_policy(*rule)) {
        return "No rule accepts it, and the policy of the chain " + rule->chain + " in the table " +
               rule->table + " is drop.";
    }
    return "It is " + how + " by " + named(*rule) + '.';
}

std::string why_accepted(const std::optional<RuleRef>& rule) {
    if (!rule) return "No rule stands against it.";
    return "It is accepted by " + named(*rule) + '.';
}

std::optional<RuleRef> rule_of(const Ending& ending) {
    if (ending.place.chain == nullptr) return std::nullopt;
    return describe(ending.place);
}

// The one to be told of: of an ordinary packet, if there is one.
const Ending& telling(const Findings& findings) {
    const auto found = std::find_if(findings.endings.begin(), findings.endings.end(),
                                    [](const Ending& ending) { return ending.state.ordinary; });
    return found == findings.endings.end() ? findings.endings.front() : *found;
}

std::optional<bool> ordinarily_passes(const Findings& findings) {
    std::optional<bool> passes;
    for (const Ending& ending : findings.endings) {
        if (!ending.state.ordinary) continue;
        const bool accepted = ending.kind == Kind::accepted;
        if (ending.kind == Kind::unknown || passes == !accepted) return std::nullopt;
        passes = accepted;
    }
    return passes;
}

// Everything ends alike.
void be_definite(const Findings& findings, Verdict& verdict) {
    const Ending& first = telling(findings);
    verdict.deciding_rule = rule_of(first);
    if (first.kind == Kind::accepted) {
        verdict.kind = VerdictKind::accept;
        verdict.why = why_accepted(verdict.deciding_rule);
        verdict.delivery = first.delivery;
        for (const Ending& ending : findings.endings) {
            if (ending.delivery != first.delivery) verdict.delivery.reset();
        }
        return;
    }
    verdict.kind = first.kind == Kind::dropped ? VerdictKind::drop : VerdictKind::reject;
    verdict.why = why_blocked(first, verdict.deciding_rule);
    verdict.reject_kind = first.reject_kind;
    for (const Ending& ending : findings.endings) {
        if (ending.reject_kind != first.reject_kind) verdict.reject_kind.clear();
    }
}

// It ends in different ways.
void be_open(const Findings& findings, Verdict& verdict) {
    std::uint64_t mask = 0;
    bool unknown = false;
    for (const Ending& ending : findings.endings) {
        mask |= ending.reasons;
        unknown = unknown || ending.kind == Kind::unknown;
    }
    bool circumstantial = true;
    for (const Reasons::Reason& reason : findings.reasons.list(mask)) {
        verdict.open.push_back(reason.text);
        circumstantial = circumstantial && reason.circumstantial;
    }
    if (verdict.open.empty()) {
        circumstantial = false;
        for (const std::string& order : findings.orders) {
            verdict.open.push_back("the order of chains with equal priority: " + order);
        }
    }
    verdict.kind = circumstantial ? VerdictKind::depends : VerdictKind::undecided;
    const std::string start = circumstantial ? "It depends on " : "It cannot be told, because of ";
    verdict.why = start + joined(verdict.open, "; ") + '.';
    if (verdict.passes == false) {
        verdict.why =
            "It is blocked, but not known is whether silently or with a reject. " + verdict.why;
    }
    if (unknown) return;
    for (const Ending& ending : findings.endings) {
        if (ending.kind != Kind::accepted) verdict.deciding_rule = rule_of(ending);
    }
}

std::vector<Arrival> arrivals_of(const Findings& findings) {
    std::vector<Arrival> arrivals;
    for (const Ending& ending : findings.endings) {
        if (ending.kind != Kind::accepted) continue;
        Arrival arrival;
        arrival.delivery = ending.delivery;
        arrival.tracked = ending.state.tracking == Tracking::tracked;
        arrival.marked = ending.state.mark != Known{0, 0};
        const Known& mark = ending.state.connection_mark;
        if (mark.is_exact()) arrival.connection_mark = static_cast<std::uint32_t>(mark.value);
        if (std::find(arrivals.begin(), arrivals.end(), arrival) == arrivals.end())
            arrivals.push_back(std::move(arrival));
    }
    return arrivals;
}

}  // namespace

std::string named(const RuleRef& rule) {
    return '`' + rule.text + "` of the chain " + rule.chain + " in the table " + rule.table;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
    constexpr std::size_t most = 6;
    std::string text;
    for (std::size_t i = 0; i < parts.size() && i < most; ++i) {
        if (i > 0) text += separator;
        text += parts[i];
    }
    if (parts.size() > most) text += " and " + std::to_string(parts.size() - most) + " more";
    return text;
}

std::string_view to_string(VerdictKind kind) {
    switch (kind) {
        case VerdictKind::accept: return "accept";
        case VerdictKind::reply_only: return "reply-only";
        case VerdictKind::reject: return "reject";
        case VerdictKind::drop: return "drop";
        case VerdictKind::depends: return "depends";
        case VerdictKind::undecided: break;
    }
    return "undecided";
}

Verdict judge(const Findings& findings) {
    Verdict verdict;
    verdict.trace = findings.trace;
    verdict.trace_cut = findings.trace_cut;
    const auto all = [&](auto holds) {
        return std::all_of(findings.endings.begin(), findings.endings.end(), holds);
    };
    if (findings.endings.empty()) {
        verdict.why = "It cannot be told: no way through the rules was found.";
        return verdict;
    }
    if (all([](const Ending& ending) { return ending.kind == Kind::accepted; }))
        verdict.passes = true;
    if (all([](const Ending& ending) {
            return ending.kind == Kind::dropped || ending.kind == Kind::rejected;
        })) {
        verdict.passes = false;
    }
    verdict.ordinarily_passes = ordinarily_passes(findings);
    verdict.arrivals = arrivals_of(findings);
    const Kind first = findings.endings.front().kind;
    const bool alike = all([&](const Ending& ending) { return ending.kind == first; });
    if (alike && first != Kind::unknown) {
        be_definite(findings, verdict);
    } else {
        be_open(findings, verdict);
    }
    return verdict;
}

Verdict join_answer(Verdict fresh, const Verdict& answer) {
    if (answer.passes == true) {
        fresh.kind = VerdictKind::reply_only;
        fresh.why = "Answers to packets of this machine come in, new packets do not. " + fresh.why;
        return fresh;
    }
    if (answer.passes == false) return fresh;
    fresh.kind = answer.kind;
    fresh.why = "New packets do not come in. Of answers to packets of this machine: " + answer.why;
    fresh.open = answer.open;
    return fresh;
}

Verdict join_punching(Verdict sent, Verdict answer) {
    sent.trace.insert(sent.trace.end(), answer.trace.begin(), answer.trace.end());
    answer.trace = std::move(sent.trace);
    answer.trace_cut = answer.trace_cut || sent.trace_cut;
    if (answer.kind == VerdictKind::accept) {
        answer.why = "Our packet leaves and the answer comes in. " + answer.why;
    } else {
        answer.why = "Our packet leaves, but of the answer: " + answer.why;
    }
    return answer;
}

Verdict unanswerable(Verdict sent) {
    sent.kind = VerdictKind::undecided;
    sent.passes.reset();
    sent.open = {"the address and port that an answer would come to"};
    sent.why = "Our packet leaves; where an answer would come to is not known.";
    return sent;
}

}  // namespace p2pdiag::firewall
