// Inside of findings: each kind adds its own.
#pragma once

#include "base/text.hpp"
#include "evidence.hpp"

namespace p2pdiag::capture_plugin {

// Of each code a few, and how many more there are: a list of thousands helps nobody.
class FindingList {
public:
    static constexpr std::size_t max_of_a_code = 8;

    void add(Finding finding);
    std::vector<Finding> take();

private:
    std::vector<Finding> findings_;
    std::map<std::string, std::uint64_t> more_;  // of each code, that are not listed
};

void add_silence(FindingList& list, const Evidence& evidence, bool lost);
// Sides whose pings nobody answered at all. Gives those that were told.
std::set<Attempt> add_punching(FindingList& list, const Evidence& evidence, bool lost);
// The chat's, that stop though the other side has answered.
void add_handshakes(FindingList& list, const Evidence& evidence, bool lost);
void add_mismatches(FindingList& list, const Evidence& evidence);
void add_elsewhere(FindingList& list, const Evidence& evidence);
void add_icmp(FindingList& list, const Evidence& evidence);
void add_refusals(FindingList& list, const Evidence& evidence);
void add_resets(FindingList& list, const Evidence& evidence);
void add_mappings(FindingList& list, const Evidence& evidence);
void add_translations(FindingList& list, const Evidence& evidence);
void add_simultaneous(FindingList& list, const Evidence& evidence);
void add_grants(FindingList& list, const Evidence& evidence, const Outcome& result);

}  // namespace p2pdiag::capture_plugin
