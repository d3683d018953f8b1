// Carries out a plan that was agreed to: journal, apply, verify, record, for each of its steps;
// keeps it up; and takes all of it back when a step cannot be done or the person wants to stop.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "change/plan.hpp"

namespace p2pdiag::change {

inline constexpr Milliseconds apply_deadline{60'000};
inline constexpr Milliseconds verify_deadline{30'000};

struct StepResult {
    Record record;  // as the journal has it; without id when it was not begun
    // It goes on with an earlier record, whose id this is. Unless it is kept up, nothing that goes
    // wrong takes away what was there before.
    std::string continues = {};
    std::optional<report::CheckResult> apply;
    std::optional<report::CheckResult> verify;
    std::optional<report::CheckResult> keep;
    std::optional<report::CheckResult> revert;
    std::string problem = {};  // of the journal; empty = none

    bool begun() const { return !record.id.empty(); }
    bool in_force() const { return begun() && record.open(); }  // or may be
    // What was done works, and something that was asked for besides does not.
    bool works_in_part() const;
    bool is_in_vain() const;  // what was done does not work
};

struct Executed {
    enum class Outcome {
        applied,        // all of it, and no verification failed
        verify_failed,  // all of it, but it does not work; it stays
        not_applied,    // a step could not be done
        error,          // a plugin or the journal went wrong
        interrupted,
        kept,        // kept up until the person ended it
        keep_failed  // could not be kept up any longer
    };
    Outcome outcome = Outcome::applied;
    std::vector<StepResult> steps;

    bool any_in_force() const;
    std::vector<std::string> ids_in_force() const;
};
std::string_view to_string(Executed::Outcome outcome);

class Execution {
public:
    // All of them must outlive it. Holds the locks of its records until it ends. `group`: of the
    // command whose part this is; empty = it is a command of its own.
    Execution(Journal& journal, Caller& caller, const Target& target,
              const std::vector<Step>& steps, Events events, std::string group = {});

    // Applies and verifies. Steps are verified after all are applied, since one may need the other.
    void apply();

    // After apply(), when that ended well enough for it: runs until an interrupt or until a step
    // can no longer be kept up, and takes everything back.
    void keep();

    // Of all that is in force what is ours, as when it did not help.
    void take_back() { roll_back(); }

    const Executed& result() const { return result_; }

private:
    bool apply(StepResult& step);
    bool verify(StepResult& step);
    bool again(StepResult& step);
    bool journal(StepResult& step);
    bool resume(StepResult& step);
    bool save(StepResult& step);
    std::string group_of_steps() const;
    bool take_record(StepResult& step, const json::object& record);
    enum class Extent { ours, everything };
    void roll_back(Extent extent = Extent::ours);
    void revert(StepResult& step);
    Call call(const StepResult& step, const std::string& function) const;
    report::CheckResult run(StepResult& step, const std::string& function, Milliseconds deadline);

    Journal& journal_;
    Caller& caller_;
    const Target& target_;
    Events events_;
    std::string group_;
    std::vector<Lock> locks_;
    Executed result_;
};

}  // namespace p2pdiag::change
