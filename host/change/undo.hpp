// Taking back what the journal says was done, by whichever command and however long ago.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "change/caller.hpp"
#include "change/events.hpp"
#include "change/journal.hpp"

namespace p2pdiag::change {

// The open records of the newest command, all of its steps.
std::vector<Record> last_command(const Journal::Content& content);

// The open records of a change whose match agrees with each of `given`, the options of a command
// line. An option that a record does not know is not agreed with.
std::vector<Record> matching(const Journal::Content& content, std::string_view change,
                             const json::object& given);

struct Undone {
    enum class Outcome {
        undone,
        already,      // somebody else was faster
        held,         // another process keeps it up, or works on it
        no_plugin,    // nobody here knows how
        failed,       // the plugin could not, or could not tell
        error,        // the plugin or the journal went wrong
        interrupted,  // not tried, or not finished
        forgotten,    // by forget() alone
    };
    Outcome outcome = Outcome::interrupted;
    Record record;
    pid_t holder = 0;  // when held; 0 = it cannot be told
    std::optional<report::CheckResult> said = std::nullopt;
    std::string problem = {};  // in words, unless undone

    // Nothing is left to be done about it.
    bool settled() const {
        return outcome == Outcome::undone || outcome == Outcome::already ||
               outcome == Outcome::forgotten;
    }
};
std::string_view to_string(Undone::Outcome outcome);

// What a plugin's functions get as "input".
using InputFor = std::function<json::object(const loader::Plugin&)>;

// In this order, which should be the newest first. After an interrupt no further one is begun. One
// that was forgotten is tried again, and stays forgotten when that fails.
std::vector<Undone> take_back(Journal& journal, Caller& caller, const loader::Plugins& plugins,
                              const InputFor& input_for, const std::vector<Record>& records,
                              const Events& events);

// Gives up on them: they are no longer open, and stay in the journal. Calls no plugin.
std::vector<Undone> forget(Journal& journal, const std::vector<Record>& records);

}  // namespace p2pdiag::change
