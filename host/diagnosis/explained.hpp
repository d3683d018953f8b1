// Which causes follow from others, and which findings.
#pragma once

#include <unordered_map>
#include <vector>

#include "diagnosis/facts.hpp"
#include "diagnosis/match.hpp"
#include "diagnosis/rule.hpp"

namespace p2pdiag::diagnosis {

// A rule that holds.
struct Candidate {
    const Rule* rule = nullptr;
    double confidence = 0.0;
    report::Impact impact = report::Impact::note;
    std::vector<Found> findings;  // that it stands on, each once
    std::vector<std::string_view> doubtful;
    const Candidate* explained_by = nullptr;
    bool overcome = false;  // as its When says
};

// By finding, the candidate that it follows from.
using ExplainedFindings = std::unordered_map<const report::Finding*, const Candidate*>;

// Sets explained_by of the candidates, which stand in the order of their rules; never in a circle.
ExplainedFindings explain(std::vector<Candidate>& candidates, const Facts& facts);

}  // namespace p2pdiag::diagnosis
