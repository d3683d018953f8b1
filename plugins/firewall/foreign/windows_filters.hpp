// The conditions of a rule of Windows' firewall out of JSON, and what may stand beside them.
#pragma once

#include "base/json.hpp"
#include "foreign/windows.hpp"

namespace p2pdiag::firewall::windows {

// Each member that is there fills its condition; `object` is a filter, or a rule with them in it.
void read_filters(const json::object& object, Filters& filters);
// The user whose rule it is alone.
void read_owner(const json::object& object, Filters& filters);

// Members that nobody knows and that say something.
void note_unread(const json::object& object, Rule& rule);

// EnforcementStatus, in the numbers of the class and the names that NetSecurity gives them. Only
// what Windows says of local rules is sure enough to leave a rule out.
void read_enforcement(const json::value* value, Rule& rule);

}  // namespace p2pdiag::firewall::windows
