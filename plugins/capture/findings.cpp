#include "findings.hpp"

#include <algorithm>

#include "findings_parts.hpp"

namespace p2pdiag::capture_plugin {

namespace {

std::uint64_t hidden_pairs(const Evidence& evidence) {
    return static_cast<std::uint64_t>(std::ranges::count_if(
        evidence.half_seen,
        [&](const HostPair& pair) { return !evidence.two_way.contains(pair); }));
}

}  // namespace

// By proportion: a router that sees one direction of the internet may see its own network whole.
bool shows_one_direction(const Evidence& evidence) {
    return hidden_pairs(evidence) > evidence.two_way.size();
}

std::vector<Finding> findings_of(const Evidence& evidence, const Outcome& result, bool lost) {
    FindingList list;
    const std::uint64_t hidden = hidden_pairs(evidence);
    const bool one_direction = shows_one_direction(evidence);
    if (hidden > 0) {
        list.add({"capture.incomplete",
                  Severity::warning,
                  one_direction
                      ? "The capture shows one direction only: connections go on whose other side "
                        "is not in it, so nothing can be said about missing answers"
                      : "The capture shows one direction only between " + times(hidden, "pair") +
                            " of hosts: connections go on whose other side "
                            "is not in it. Of these nothing can be said "
                            "about missing answers",
                  {{"host_pairs", hidden}, {"host_pairs_both_ways", evidence.two_way.size()}}});
    }
    add_mismatches(list, evidence);
    if (!one_direction) {
        add_silence(list, evidence, lost);
        add_handshakes(list, evidence, lost);
    }
    add_elsewhere(list, evidence);
    add_icmp(list, evidence);
    add_refusals(list, evidence);
    add_resets(list, evidence);
    add_mappings(list, evidence);
    add_translations(list, evidence);
    add_simultaneous(list, evidence);
    add_grants(list, evidence, result);
    return list.take();
}

}  // namespace p2pdiag::capture_plugin
