// Format jsonl: one JSON object a line, each with a "type". The lines can be written one by one
// while the run goes on: run first, then checks with their findings as they end, then causes, the
// verdict and end.
#pragma once

#include "report/formats.hpp"

namespace p2pdiag::report {

// Each ends in a newline and holds no other.
std::string jsonl_run(const Report& report);         // needs what is known at the start, no more
std::string jsonl_check(const CheckResult& result);  // its findings are lines of their own
std::string jsonl_finding(const Finding& finding);
std::string jsonl_cause(const Cause& cause);
std::string jsonl_verdict(const Verdict& verdict);
// Causes, what they explain, what changed, and the verdict: what is known once the run is over.
std::string jsonl_diagnosis(const Report& report);
std::string jsonl_end(const Report& report);  // how long it took and how many of which status

// All of them.
std::string jsonl(const Report& report, const RenderOptions& options);

}  // namespace p2pdiag::report
