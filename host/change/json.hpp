// The JSON form of what became of a change; docs/user/changes.md describes it.
#pragma once

#include "change/execution.hpp"
#include "change/undo.hpp"

namespace p2pdiag::change {

// {"status","summary","findings","data"}; null for what was not called.
json::value to_json(const std::optional<report::CheckResult>& said);

// An element of "steps": of a plan, of a result, of an undo.
json::object to_json(const Step& step);
json::object to_json(const StepResult& step);
json::object to_json(const Undone& undone);

// A record as a list shows it: without the plugin's own members.
json::object summary_json(const Record& record, std::optional<pid_t> holder);

}  // namespace p2pdiag::change
