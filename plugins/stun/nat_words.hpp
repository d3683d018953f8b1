// What is known of a family's NAT, in sentences.
#pragma once

#include <optional>
#include <string>

#include "nat_report.hpp"

namespace p2pdiag::nat {

std::string family_name(const FamilyResult& result);  // "IPv4"

struct TypeWords {
    const char* code;
    Severity severity;
    const char* sentence;
};

// Nothing where too little is known.
std::optional<TypeWords> words_of(const FamilyResult& result);
// Where UDP seems to get out to chosen ports alone; else empty.
std::string about_limited_ports(const FamilyResult& result);

// Who filters or blocks; unknown also where nobody does.
FilteredBy filterer_of(const FamilyResult& result);
// Only where there are words_of() it.
std::string type_sentence(const FamilyResult& result);

// Only where it is not.
std::string why_unknown(const FamilyResult& result);

// Of the servers' own UDP ports, where those are silent and others are not; else empty. Said only
// of silence that lasted: see judge_udp().
std::string about_ports(const FamilyResult& result);

// The whole, for the summary.
std::string sentence_of(const FamilyResult& result);

}  // namespace p2pdiag::nat
