// A packet's way through the chains of one hook, rule by rule, following every branch that cannot
// be excluded.
#pragma once

#include "evaluate.hpp"
#include "values.hpp"

namespace p2pdiag::firewall {

// One way a packet can end. Where several lead to the same end, the place is the ordinary packet's.
struct Ending {
    enum class Kind : std::uint8_t { accepted, dropped, rejected, unknown };
    Kind kind = Kind::unknown;
    std::string reject_kind;
    Place place;      // the rule or policy; nothing: not a rule's doing
    std::string why;  // where it was none
    std::uint64_t reasons = 0;
    std::optional<Delivery> delivery;  // of accepted
    State state;
};

// What is found out about one packet, over all hooks.
struct Findings {
    std::vector<Ending> endings;
    Reasons reasons;
    std::vector<TraceStep> trace;
    bool trace_cut = false;
    bool exhausted = false;           // a limit was reached: some ways were not followed
    std::vector<std::string> orders;  // chains of equal priority, whose order nobody prints

    void end(Ending ending);
    // The packet may meet any fate from here.
    void give_up(const State& state, std::uint64_t reasons);
};

RuleRef describe(const Place& place);

class Walker {
public:
    Walker(const World& world, const Packet& packet, const Limits& limits, Findings& findings)
        : world_(world),
          packet_(packet),
          limits_(limits),
          findings_(findings),
          values_(world, packet, findings.reasons) {}

    // Through one base chain. What comes out goes on to the next chain of the hook.
    std::vector<State> run_base(const Ruleset& ruleset, const Chain& chain, const Stage& stage,
                                std::vector<State> states);

    void set_tracing(bool on) { tracing_ = on; }
    bool out_of_steps() const { return findings_.exhausted; }

private:
    struct Exits {
        std::vector<State> next;      // to the next rule
        std::vector<State> back;      // out of this chain
        std::vector<State> accepted;  // out of the base chain
    };
    // A branch inside a rule: the step it has come to.
    struct Branch {
        std::size_t step;
        State state;
    };

    void run_chain(std::uint32_t chain, std::vector<State> states, unsigned depth, Exits& exits);
    void run_rule(const Rule& rule, const State& state, unsigned depth, Exits& exits);
    // Goes on with the step behind, or not. True: the branch goes on with `state` changed.
    bool run_step(const Step& step, Branch& branch, unsigned depth, Exits& exits);
    bool decide(const Decision& decision, State& state, unsigned depth, Exits& exits);
    // `is_exclusion`: it holds for all but a few, `ip saddr != 10.0.0.0/8`.
    bool match(Truth truth, State& state, Exits& exits, bool is_exclusion = false);
    bool maybe_go_on(Truth breaks, State& state, Exits& exits);
    bool follow_map(const VerdictMap& map, State& state, unsigned depth, Exits& exits);
    bool set_mark(const SetMark& step, State& state, Exits& exits);
    bool set_payload(const SetPayload& step, State& state, Exits& exits);
    bool update_set(const UpdateSet& step, State& state, Exits& exits);
    bool reject(const Reject& step, State& state, Exits& exits);
    bool translate(const Translate& step, State& state, Exits& exits);
    bool redirect(Known& address, State& state);
    bool read_target(const Translate& step, Known& address, Known& port, State& state,
                     Exits& exits);
    void call(std::uint32_t chain, bool comes_back, State state, unsigned depth, Exits& exits);
    void accept(State state, Exits& exits);
    void give_up(const Unknowable& why, const State& state);
    void stop(Ending::Kind kind, const State& state, std::string reject_kind = {});
    void trace(const State& state, std::string outcome, const Place& place);
    void bound(std::vector<State>& states);
    bool spend();

    const World& world_;
    const Packet& packet_;
    const Limits& limits_;
    Findings& findings_;
    Values values_;
    const Ruleset* ruleset_ = nullptr;
    const Chain* base_ = nullptr;
    Place here_;
    Stage stage_;
    std::vector<std::uint32_t> stack_;  // chains being run, against loops
    std::uint64_t steps_ = 0;
    std::uint64_t endings_ = 0;  // so far, the same ones again too
    std::uint64_t events_ = 0;   // these, and every accept and return
    bool tracing_ = true;
    bool uncertain_ = false;  // the rule being run has branched
};

}  // namespace p2pdiag::firewall
