#include "findings.hpp"

#include <algorithm>

#include "findings_parts.hpp"

namespace p2pdiag::capture_plugin {

bool shows_one_direction(const Evidence& evidence) {
    return evidence.half_seen > 0 && evidence.two_way == 0;
}

std::vector<Finding> findings_of(const Evidence& evidence, const Outcome& result, bool lost) {
    FindingList list;
    if (shows_one_direction(evidence)) {
        list.add({"capture.incomplete",
                  Severity::warning,
                  "The capture shows one direction only: connections go on whose other side is "
                  "not in it, so nothing can be said about missing answers",
                  {{"connections", evidence.half_seen}}});
    } else {
        add_silence(list, evidence, lost);
    }
    add_elsewhere(list, evidence);
    add_icmp(list, evidence);
    add_resets(list, evidence);
    add_mappings(list, evidence);
    add_translations(list, evidence);
    add_simultaneous(list, evidence);
    add_grants(list, evidence, result);
    return list.take();
}

}  // namespace p2pdiag::capture_plugin
