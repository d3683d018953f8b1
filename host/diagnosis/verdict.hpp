// The one headline of a report, from the findings of its checks.
#pragma once

#include <vector>

#include "report/report.hpp"

namespace p2pdiag::diagnosis {

// Never better than what was measured: without a measurement the status is "unknown", and the
// headline says what is missing.
report::Verdict judge(const std::vector<report::CheckResult>& checks);

// What a report comes to. Where the NAT lets nobody in and a forward of the target port was proven
// by a packet, peers reach that port; a forward that nobody has proven is named, and no more. Then
// made worse by what is likely the cause of trouble: a NAT that lets peers in is of no
// use where this machine's own firewall drops them.
// The causes stand in their order. `foremost`, one of them, is what the headline has to name,
// whatever it breaks; null where there is none.
report::Verdict conclude(const report::Report& report, const report::Cause* foremost = nullptr);

// This machine's own firewall, or a part of it, could not be read: nothing is known to be open.
const report::Finding* unseen_firewall(const std::vector<report::CheckResult>& checks);

}  // namespace p2pdiag::diagnosis
