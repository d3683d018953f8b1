// The verdict as the report has it: data, findings, summary, status.
#pragma once

#include <p2pdiag/plugin.hpp>

#include "base/json.hpp"
#include "verdict.hpp"

namespace p2pdiag::nat {

// One family's discovery and what came of it.
struct FamilyResult {
    Family family = Family::ipv4;
    bool tried = false;
    Reason why_not = Reason::none;  // when not tried
    Observations seen;
    Verdict verdict;
};

json::object to_json(const FamilyResult& result);

// Emits data, findings and summary; returns the check's status.
p2pdiag_status report(Run& run, const FamilyResult& ipv4, const FamilyResult& ipv6);

}  // namespace p2pdiag::nat
