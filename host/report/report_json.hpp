// The parts of the JSON form that more than one format uses.
#pragma once

#include "report/report.hpp"

namespace p2pdiag::report {

json::object to_json(const Cause& cause);
json::object to_json(const Verdict& verdict);
json::object to_json(const Changes& changes);
json::object tool_json(const Report& report);  // name, version, plugins
json::object run_json(const Report& report);   // what is known when the run starts

json::value recording_json(const Report& report);  // null when nobody asked for one

// "2026-01-31T12:34:56.789Z"
std::string timestamp(std::chrono::system_clock::time_point time);

// The host's first, then those of the checks in their order.
std::vector<const Finding*> all_findings(const Report& report);

}  // namespace p2pdiag::report
