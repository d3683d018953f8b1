#include "blind.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace p2pdiag::firewall {

namespace {

bool is_because_of(const World& world, Unseen::Cause cause) {
    return std::any_of(world.unseen.begin(), world.unseen.end(),
                       [cause](const Unseen& unseen) { return unseen.cause == cause; });
}

}  // namespace

void become_blind(const World& world, const std::string& command, Judgement& judgement) {
    Finding finding;
    finding.code = "firewall.not-visible";
    std::string parts;
    json::array list;
    for (const Unseen& unseen : world.unseen) {
        if (!parts.empty()) parts += "; ";
        parts += unseen.what + ": " + unseen.why;
        list.push_back(json::object{{"what", unseen.what}, {"why", unseen.why}});
    }
    const bool interrupted = is_because_of(world, Unseen::Cause::interrupted);
    finding.message = interrupted ? "The run was interrupted before this machine's firewall was "
                                    "read (" +
                                        parts + ")."
                                  : "This machine's firewall cannot be seen (" + parts + ").";
    if (is_because_of(world, Unseen::Cause::rights))
        finding.message += " With the rights to read it: " + command;
    finding.evidence["unseen"] = std::move(list);
    judgement.status = P2PDIAG_UNKNOWN;
    judgement.summary = finding.message;
    judgement.findings.push_back(std::move(finding));
}

}  // namespace p2pdiag::firewall
