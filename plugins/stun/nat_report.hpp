// The verdict as the report has it: data, findings, summary, status.
#pragma once

#include <p2pdiag/plugin.hpp>

#include "base/json.hpp"
#include "net/nat64.hpp"
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

// What the resolver says of a NAT64.
struct Nat64Result {
    bool asked = false;  // only where this machine has a way to IPv6, or its IPv4 is translated
    std::optional<Result<std::optional<net::Nat64Prefix>>> found;  // nothing: not waited for
};

json::object to_json(const FamilyResult& result);
// Puts members nat64 and, where that is null, nat64_reason.
void put_nat64(json::object& data, const Nat64Result& nat64);

// What packets to all servers leave by; nothing where that is unknown, or differs.
std::optional<Egress> common_egress(const Observations& seen);

// Tells a recording which transactions are whose.
void tell_flows(Run& run, const Observations& seen);

// Emits data, findings and summary; returns the check's status.
p2pdiag_status report(Run& run, const FamilyResult& ipv4, const FamilyResult& ipv6,
                      const Nat64Result& nat64);

}  // namespace p2pdiag::nat
