// Whether a condition of a rule holds in a report, and on what.
#pragma once

#include <vector>

#include "diagnosis/facts.hpp"
#include "diagnosis/rule.hpp"

namespace p2pdiag::diagnosis {

struct Match {
    bool holds = false;
    // False where it hangs on a check that could not tell, whichever way it came out.
    bool certain = true;
    std::vector<Found> findings;             // that it stands on
    std::vector<std::string_view> doubtful;  // checks that could not tell
};

Match match(const Condition& condition, const Facts& facts);

// Of all, any and none together.
Match match(const When& when, const Facts& facts);

// Whether at least one holds, and none of the others.
bool is_offered(const RemedyRule& remedy, const Facts& facts);

}  // namespace p2pdiag::diagnosis
