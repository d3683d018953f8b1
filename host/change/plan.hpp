// What a change would do: asked of the plugin, and judged before anybody is asked to agree.
#pragma once

#include <string>
#include <vector>

#include "change/caller.hpp"
#include "change/events.hpp"
#include "change/journal.hpp"

namespace p2pdiag::change {

// The plan of one change that is being thought of.
struct Target {
    const loader::Plugin* plugin = nullptr;
    const loader::Change* change = nullptr;
    json::object input;  // target, servers, connection, options: as a verb gets it
};

struct Step {
    std::string title;   // one line, what would be done
    std::string undo;    // one line, how it is taken back
    json::object match;  // strings and integers by which a command line finds it
    json::object step;   // the plugin's own
    // The id of an open record of this change that the step goes on with, as when what it did is to
    // last longer; empty: something new.
    std::string continues = {};
};

// How a step is called.
struct Words {
    std::string title;
    std::string undo;
    json::object match;
};
// Of an object that has them; the problem goes on from the name of that object.
Maybe<Words> parse_words(const json::object& object);

struct Plan {
    // bad_arguments: what was typed cannot be; the summary says what is wrong with it.
    enum class Outcome { ready, nothing, impossible, bad_arguments, unknown, error, interrupted };

    Outcome outcome = Outcome::error;
    std::vector<Step> steps;  // only when ready, and then at least one
    std::vector<std::string> notes;
    report::CheckResult said;  // summary and findings
};

inline constexpr Milliseconds plan_deadline{30'000};
inline constexpr std::size_t most_steps = 64;

Plan make_plan(const Journal& journal, Caller& caller, const Target& target,
               const json::object& arguments, const Events& events = {});

}  // namespace p2pdiag::change
