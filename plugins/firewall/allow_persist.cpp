#include "allow_persist.hpp"

#include "allow_file.hpp"

namespace p2pdiag::firewall {

namespace {

std::string by_hand(const AllowStep& step, const Trouble& why) {
    if (step.tool == Tool::firewalld) return "It cannot be made to last: " + why;
    const RulePlace& place = step.place;
    const bool at_end = place.handle == 0 && place.line == 0;
    std::string text = "It cannot be made to last: " + why +
                       ". Allow it without --persistent, and write by hand, into whatever loads "
                       "the rules at the start of the machine, ";
    text += "the rule `" + words_of(step) + "` into the chain " + place.chain + " of the table " +
            place.family + ' ' + place.table;
    return text + (at_end ? ", behind its other rules" : ", before `" + place.text + '`');
}

}  // namespace

void add_persistence(AllowPlan& plan, const Sight& sight) {
    std::vector<AllowStep> more;
    for (const AllowStep& step : plan.steps) {
        if (step.tool == Tool::ufw) continue;
        AllowStep lasting = step;
        lasting.permanent = true;
        lasting.left_out.clear();
        Trouble trouble;
        if (step.tool != Tool::firewalld) lasting.file = file_for(step, sight, trouble);
        if (trouble.empty()) trouble = prepare(lasting, sight);
        if (!trouble.empty()) {
            const std::string text = by_hand(step, trouble);
            plan.fail(P2PDIAG_FAIL, text);
            return;
        }
        more.push_back(std::move(lasting));
    }
    if (more.empty()) return;
    plan.steps.insert(plan.steps.end(), more.begin(), more.end());
    plan.count_steps();
}

}  // namespace p2pdiag::firewall
