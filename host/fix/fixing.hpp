// Carries out tasks that were agreed to, takes back those that did not help, and says of each what
// became of it. Every change goes by the journal, as with the commands that make them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "change/execution.hpp"
#include "change/undo.hpp"
#include "diagnosis/engine.hpp"
#include "fix/task.hpp"

namespace p2pdiag::fix {

// What became of a task.
enum class State {
    planned,      // can be done
    in_place,     // was done earlier, and is in force
    impossible,   // cannot be done here
    unknown,      // what would have to be done could not be told
    verified,     // done, and works
    unproven,     // done; whether it works could not be told
    not_done,     // begun, could not be done, and is taken back
    not_helped,   // done, did not help, and is taken back
    interrupted,  // cut short, since somebody wanted all this to end; Attempt::cut_short() has
                  // where
    error         // a plugin or the journal went wrong
};
std::string_view to_string(State state);

// Where an interrupt left a task.
enum class CutShort {
    not_begun,   // nothing of it was done
    taken_back,  // something was, and is gone again
    in_place,    // something was, or may have been, and could not be taken back
    in_part      // of several things to be taken back some are gone, or may be
};
std::string_view to_string(CutShort where);

struct Attempt {
    Task task;
    State state = State::impossible;
    std::string why;  // one sentence; empty where the state says it all

    change::Plan plan;                      // of a task that changes something
    std::vector<change::Record> to_remove;  // of one that takes something back
    std::optional<change::Executed> executed;
    std::vector<change::Undone> removed;

    // Of what was begun; holds the locks of its records, so that nobody else takes it back.
    struct Begun;
    std::shared_ptr<Begun> begun;

    bool in_force() const { return executed && executed->any_in_force(); }

    // Nothing unless it was interrupted.
    std::optional<CutShort> cut_short() const;

    // It was shown to be of no use: it could not be done, or did not help.
    bool in_vain() const { return state == State::not_done || state == State::not_helped; }
};

class Fixing {
public:
    // All of them must outlive it.
    Fixing(change::Journal& journal, change::Caller& caller, const loader::Plugins& plugins,
           change::InputFor input_for, change::Events events);

    // Asks the plugins what each task would do, in order. One that is to be done alone and can be
    // is the last; where it cannot be done, nothing waits for it. After an interrupt no further one
    // is asked.
    void plan(std::vector<Task> tasks);

    // In order, and each verified; one that is seen not to work is taken back at once. After an
    // interrupt everything is.
    void carry_out();

    // After the checks were run again: a task whose likely causes all stand as before did not help,
    // and is taken back, unless it works around them.
    void judge(const report::Report& after);

    void take_back_everything();

    const std::vector<Attempt>& attempts() const { return attempts_; }

    // What was found out by doing it, for the diagnosis afterwards: remedies that are none, and
    // what verifications found. One result for each change: of those that failed, and of those that
    // could not tell and found something all the same.
    std::vector<diagnosis::InVain> in_vain() const;
    std::vector<report::CheckResult> found_by_verifying() const;
    std::vector<std::string> ids_in_force() const;

private:
    void plan(Attempt& attempt);
    void plan_change(Attempt& attempt);
    void plan_removal(Attempt& attempt);
    void carry_out(Attempt& attempt);
    void make_change(Attempt& attempt);
    void remove(Attempt& attempt);
    void take_back(Attempt& attempt, State state, std::string why);
    std::string group() const;

    change::Journal& journal_;
    change::Caller& caller_;
    const loader::Plugins& plugins_;
    change::InputFor input_for_;
    change::Events events_;
    std::vector<Attempt> attempts_;
};

}  // namespace p2pdiag::fix
