#include "walk.hpp"

#include <algorithm>

#include "owner.hpp"

namespace p2pdiag::firewall {

namespace {

// NFT_JUMP_STACK_SIZE of include/net/netfilter/nf_tables.h; the kernel refuses deeper rules.
constexpr unsigned deepest_nft = 16;
// iptables' own stack grows with its chains; this is for the evaluator's sake.
constexpr unsigned deepest_legacy = 64;

std::string policy_text(const Chain& chain) {
    return chain.drops ? "policy drop" : "policy accept";
}

bool decides_alone(Hook hook) {
    return hook == Hook::input || hook == Hook::forward || hook == Hook::output;
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

}  // namespace

RuleRef describe(const Place& place) {
    RuleRef ref;
    if (place.chain == nullptr) return ref;
    ref.table = place.ruleset->tables[place.chain->table].title();
    ref.chain = place.chain->name;
    ref.owner = owner_of(place);
    if (place.rule == nullptr) {
        ref.text = policy_text(*place.chain);
    } else {
        ref.handle = place.rule->handle;
        ref.text = place.rule->text;
        ref.comment = place.rule->comment;
    }
    return ref;
}

void Findings::end(Ending ending) {
    for (Ending& known : endings) {
        if (known.kind != ending.kind || known.reject_kind != ending.reject_kind) continue;
        if (known.delivery != ending.delivery) continue;
        if (known.kind == Ending::Kind::accepted && !known.state.same_packet(ending.state))
            continue;
        ending.reasons |= known.reasons;
        if (ending.state.ordinary && !known.state.ordinary) {
            known = std::move(ending);
        } else {
            known.reasons = ending.reasons;
        }
        return;
    }
    endings.push_back(std::move(ending));
}

void Findings::give_up(const State& state, std::uint64_t why) {
    Ending ending;
    ending.reasons = state.reasons | why;
    ending.state = state;
    end(std::move(ending));
}

bool Walker::spend() {
    if (findings_.exhausted) return false;
    if (++steps_ <= limits_.max_steps) return true;
    findings_.exhausted = true;
    findings_.give_up(State{},
                      findings_.reasons.add("more rules than this program follows", false));
    return false;
}

void Walker::bound(std::vector<State>& states) {
    if (states.size() <= limits_.max_states) return;
    const auto why = findings_.reasons.add("more possibilities than this program follows", false);
    findings_.give_up(states.front(), why);
    states.resize(limits_.max_states);
}

void Walker::trace(const State& state, std::string outcome, const Place& place) {
    if (!tracing_) return;
    if (findings_.trace.size() >= limits_.max_trace) {
        findings_.trace_cut = true;
        return;
    }
    TraceStep step;
    step.hook = stage_.hook;
    step.rule = describe(place);
    step.certain = state.reasons == 0 && !uncertain_;
    step.outcome = std::move(outcome);
    findings_.trace.push_back(std::move(step));
}

std::vector<State> Walker::run_base(const Ruleset& ruleset, const Chain& chain, const Stage& stage,
                                    std::vector<State> states) {
    ruleset_ = &ruleset;
    base_ = &chain;
    stage_ = stage;
    values_.enter(ruleset, chain, stage);
    std::vector<State> passed;
    for (const State& state : states) {
        const std::uint64_t endings = endings_;
        Exits exits;
        run_chain(static_cast<std::uint32_t>(&chain - ruleset.chains.data()), {state}, 0, exits);
        here_ = {ruleset_, base_, nullptr};
        uncertain_ = false;
        for (const State& end : exits.back) {
            trace(end, chain.drops ? "drop" : "accept", here_);
            if (chain.drops) {
                stop(Ending::Kind::dropped, end);
            } else {
                merge(exits.accepted, end);
            }
        }
        // What was open on the way made no difference.
        const bool same = exits.accepted.size() == 1 && exits.accepted.front().same_packet(state) &&
                          endings == endings_;
        if (same) exits.accepted.front().reasons = state.reasons;
        for (const State& end : exits.accepted) merge(passed, end);
    }
    bound(passed);
    return passed;
}

void Walker::run_chain(std::uint32_t chain, std::vector<State> states, unsigned depth,
                       Exits& exits) {
    const Chain& body = ruleset_->chains[chain];
    stack_.push_back(chain);
    for (const Rule& rule : body.rules) {
        if (states.empty()) break;
        std::vector<State> next;
        for (const State& state : states) {
            if (!spend()) break;
            here_ = {ruleset_, &body, &rule};
            const std::uint64_t events = events_;
            exits.next.clear();
            run_rule(rule, state, depth, exits);
            // What was open in the rule made no difference.
            const bool same = exits.next.size() == 1 && exits.next.front().same_packet(state) &&
                              events == events_;
            if (same) exits.next.front().reasons = state.reasons;
            for (const State& end : exits.next) merge(next, end);
        }
        bound(next);
        states = std::move(next);
    }
    for (const State& state : states) merge(exits.back, state);
    stack_.pop_back();
}

void Walker::run_rule(const Rule& rule, const State& state, unsigned depth, Exits& exits) {
    uncertain_ = false;
    Branch branch{0, state};
    // A step that may or may not break the rule off puts the one possibility into `exits.next`
    // itself.
    for (; branch.step < rule.steps.size(); ++branch.step) {
        if (!run_step(rule.steps[branch.step], branch, depth, exits)) return;
    }
    here_.rule = &rule;
    const bool matches = std::any_of(rule.steps.begin(), rule.steps.end(), [](const Step& step) {
        return !std::holds_alternative<Effectless>(step);
    });
    if (matches) trace(branch.state, "continue", here_);
    merge(exits.next, branch.state);
}

bool Walker::match(Truth truth, State& state, Exits& exits, bool is_exclusion) {
    const std::uint64_t unknown = values_.take_unknown();
    if (truth == Truth::yes) return true;
    if (truth == Truth::no) {
        merge(exits.next, state);
        return false;
    }
    state.reasons |= unknown;
    uncertain_ = true;
    State other = state;
    (is_exclusion ? other : state).ordinary = false;
    merge(exits.next, other);
    return true;
}

bool Walker::maybe_go_on(Truth breaks, State& state, Exits& exits) {
    return match(!breaks, state, exits);
}

bool Walker::run_step(const Step& step, Branch& branch, unsigned depth, Exits& exits) {
    State& state = branch.state;
    if (const auto* rule_match = std::get_if<Match>(&step)) {
        return match(values_.test(*rule_match, state), state, exits, rule_match->negated);
    }
    if (std::holds_alternative<Effectless>(step)) return true;
    if (const auto* decision = std::get_if<Decision>(&step)) {
        return decide(*decision, state, depth, exits);
    }
    if (const auto* uncertain = std::get_if<Uncertain>(&step)) {
        const auto& protocol = uncertain->why.protocol;
        if (protocol && *protocol != packet_.protocol) return match(Truth::no, state, exits);
        state.reasons |= findings_.reasons.add(uncertain->why.what, uncertain->why.circumstantial);
        return match(Truth::maybe, state, exits);
    }
    if (const auto* map = std::get_if<VerdictMap>(&step))
        return follow_map(*map, state, depth, exits);
    if (const auto* opaque = std::get_if<Opaque>(&step)) {
        give_up(opaque->why, state);
        return false;
    }
    if (const auto* refusal = std::get_if<Reject>(&step)) return reject(*refusal, state, exits);
    if (const auto* mark = std::get_if<SetMark>(&step)) return set_mark(*mark, state, exits);
    if (const auto* payload = std::get_if<SetPayload>(&step))
        return set_payload(*payload, state, exits);
    if (const auto* update = std::get_if<UpdateSet>(&step))
        return update_set(*update, state, exits);
    if (const auto* translation = std::get_if<Translate>(&step)) {
        return translate(*translation, state, exits);
    }
    // Once tracked, a packet stays tracked.
    if (state.tracking == Tracking::none) state.tracking = Tracking::untracked;
    return true;
}

bool Walker::decide(const Decision& decision, State& state, unsigned depth, Exits& exits) {
    using Kind = Decision::Kind;
    switch (decision.kind) {
        case Kind::next: return true;
        case Kind::accept: accept(state, exits); return false;
        case Kind::drop:
            trace(state, "drop", here_);
            stop(Ending::Kind::dropped, state);
            return false;
        case Kind::back:
            trace(state, "return", here_);
            ++events_;
            merge(exits.back, state);
            return false;
        case Kind::queue:
            give_up({"a program that the rule hands packets to (queue)", false}, state);
            return false;
        case Kind::jump:
        case Kind::go: break;
    }
    call(decision.chain, decision.kind == Kind::jump, state, depth, exits);
    return false;
}

void Walker::call(std::uint32_t chain, bool comes_back, State state, unsigned depth, Exits& exits) {
    const std::string name = ruleset_->chains[chain].name;
    const unsigned deepest = ruleset_->source == Source::nft ? deepest_nft : deepest_legacy;
    trace(state, (comes_back ? "jump " : "goto ") + name, here_);
    if (std::find(stack_.begin(), stack_.end(), chain) != stack_.end()) {
        give_up({"the chain " + quoted(name) + ", which comes back to itself", false}, state);
        return;
    }
    if (depth + 1 >= deepest) {
        give_up({"jumps deeper than " + std::to_string(deepest) + " chains", false}, state);
        return;
    }
    const Place caller = here_;
    const bool uncertain = uncertain_;
    Exits inner;
    inner.accepted = std::move(exits.accepted);
    run_chain(chain, {std::move(state)}, depth + 1, inner);
    exits.accepted = std::move(inner.accepted);
    // Behind a goto there is nothing to come back to: its end is this chain's end.
    if (!comes_back) ++events_;
    for (const State& end : inner.back) merge(comes_back ? exits.next : exits.back, end);
    here_ = caller;
    uncertain_ = uncertain;
}

void Walker::accept(State state, Exits& exits) {
    trace(state, "accept", here_);
    const unsigned rank = decides_alone(stage_.hook) ? (base_->drops ? 3 : 2) : 1;
    if (rank >= state.accepted_rank) {
        state.accepted_rank = rank;
        state.accepted_by = here_;
    }
    ++events_;
    merge(exits.accepted, state);
}

void Walker::give_up(const Unknowable& why, const State& state) {
    trace(state, "cannot be told: " + why.what, here_);
    ++events_;
    ++endings_;
    findings_.give_up(state, findings_.reasons.add(why.what, why.circumstantial));
}

void Walker::stop(Ending::Kind kind, const State& state, std::string reject_kind) {
    ++events_;
    ++endings_;
    Ending ending;
    ending.kind = kind;
    ending.reject_kind = std::move(reject_kind);
    ending.place = here_;
    ending.reasons = state.reasons;
    ending.state = state;
    findings_.end(std::move(ending));
}

}  // namespace p2pdiag::firewall
