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

Trouble left_to_people(const std::string& rule, const AllowStep& step,
                       const std::string& deletion) {
    const RulePlace& place = step.place;
    return "the rule `" + rule + "` in the chain " + place.chain + " of the table " + place.family +
           ' ' + place.table + " lets in " + described(step.opening) +
           ", and does not say any more whether it is the one that was made here. If it is, delete "
           "it: " +
           deletion;
}

Trouble revert(const Job& job, bool& found) {
    const Hand& hand = hand_of(job.step);
    Trouble trouble = hand.revert(job, found);
    const bool commented = job.step.tool != Tool::ufw && job.step.tool != Tool::firewalld;
    if (!trouble.empty() || !commented || !job.step.file.empty()) return trouble;
    const bool was_there = found;
    trouble = revert_saved(job, found);
    // Without a record nothing was done, and what reads the same is somebody's.
    const bool may_be_ours = trouble.empty() && !was_there && job.record && job.record->done;
    return may_be_ours ? hand.find_alike(job) : trouble;
}

}  // namespace p2pdiag::firewall
