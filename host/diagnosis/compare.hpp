// What is different between two reports: verdict, statuses of checks, findings and causes.
#pragma once

#include "report/report.hpp"

namespace p2pdiag::diagnosis {

// A check that one of them did not run is told as well. Of findings and causes counts whether they
// are there, not what their messages measure.
report::Changes compare(const report::Report& before, const report::Report& after);

}  // namespace p2pdiag::diagnosis
