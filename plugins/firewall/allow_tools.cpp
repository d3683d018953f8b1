#include "allow_tools.hpp"

#include "allow_file.hpp"

namespace p2pdiag::firewall {

namespace {

const Hand& hand_of(const AllowStep& step) {
    if (!step.file.empty()) return file_hand;
    switch (step.tool) {
        case Tool::ufw: return ufw_hand;
        case Tool::firewalld: return firewalld_hand;
        case Tool::nft: return nft_hand;
        default: return iptables_hand;
    }
}

}  // namespace

Trouble prepare(AllowStep& step, const Sight& sight) { return hand_of(step).prepare(step, sight); }

Trouble apply(Job& job) { return hand_of(job.step).apply(job); }

Trouble revert(const Job& job, bool& found) {
    const Trouble trouble = hand_of(job.step).revert(job, found);
    const bool commented = job.step.tool != Tool::ufw && job.step.tool != Tool::firewalld;
    if (!trouble.empty() || !commented || !job.step.file.empty()) return trouble;
    return revert_saved(job, found);
}

}  // namespace p2pdiag::firewall
