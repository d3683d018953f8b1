// What follows from the conditions of rules alone, whatever a report holds.
#pragma once

#include <optional>
#include <string>

#include "diagnosis/rule.hpp"

namespace p2pdiag::diagnosis {

// Why it cannot hold, where that is sure: "above 5 and below 3".
std::optional<std::string> contradiction(const Condition& condition);

// Whether `other` holds wherever `condition` does. False where that is not sure.
bool implies(const Condition& condition, const Condition& other);

// Why it never holds, where that is sure.
std::optional<std::string> contradiction(const When& when);

// Whether `explainer` is a likely cause, and explains, wherever `rule` is a cause.
bool always_explains(const Rule& explainer, const Rule& rule);

// Whether `explainer` may explain `rule`: by its id, or all that one way to it stands on.
bool may_explain(const Rule& explainer, const Rule& rule);

}  // namespace p2pdiag::diagnosis
