// One step of a change, as the journal remembers it: enough to take it back after a crash, a reboot
// or an update.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "change/problem.hpp"

namespace p2pdiag::change {

// planned: written before the step is begun, so it may be in force, in part or not at all.
// forgotten: somebody gave up on taking it back, so the same holds for it.
enum class State { planned, applied, undone, forgotten };
std::string_view to_string(State state);

struct Record {
    std::string id;             // 8 digits of lower-case hex
    std::string group;          // of all steps of one command: the id of the first
    std::int64_t sequence = 0;  // grows with each record of a journal, whatever the clock does
    std::string change;         // its id, "upnp.forward"
    std::string plugin;
    std::string plugin_version;
    std::string title;   // what is done
    std::string undo;    // how it is taken back
    json::object match;  // strings and integers by which a command line finds it
    json::object step;   // the plugin's own
    json::value record;  // the plugin's own; null until it said one
    json::value verify;  // {"status","summary","data"}; null = not verified
    State state = State::planned;
    std::string created;  // RFC 3339 UTC
    std::string updated;
    std::string error;  // why the last attempt at something failed; empty = it did not

    bool open() const { return state == State::planned || state == State::applied; }
};

json::object to_json(const Record& record);

// Whole or not at all. A text of another format_version is refused, since writing it back would
// lose what this version does not know.
Maybe<Record> parse_record(std::string_view text);

// "a1b2c3d4": eight digits of lower-case hex, as record ids are.
bool is_record_id(std::string_view text);

// The words that take these back: "p2pdiag undo a1b2c3d4 …". Empty when there are none.
std::string undo_command_of(const std::vector<std::string>& ids);

}  // namespace p2pdiag::change
