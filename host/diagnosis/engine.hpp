// Makes a diagnosis of a report by rules: the causes, what follows from which, and the verdict.
#pragma once

#include "diagnosis/rule.hpp"
#include "report/report.hpp"

namespace p2pdiag::diagnosis {

// What hangs on a check that could not tell is never more certain than this, and only what is more
// certain explains other causes or findings away.
using report::likely;

// A remedy that was carried out as this command and was of no use.
struct InVain {
    std::string verb;
    json::object arguments;
};

// Replaces what the report has of a diagnosis: verdict, causes and explained. Findings that follow
// from another error become warnings: "follows_from" in their evidence and the end of their message
// say of what; the statuses of checks stay. Again on its own result it changes nothing.
// What was `in_vain` is no remedy any more, so that no verdict rests on it.
void diagnose(report::Report& report, const Rules& rules, const std::vector<InVain>& in_vain = {});

}  // namespace p2pdiag::diagnosis
