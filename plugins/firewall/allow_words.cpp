// What a plan says to people, and what the host gets of it.
#include "allow_plan.hpp"

namespace p2pdiag::firewall {

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        if (!text.empty()) text += ' ';
        const bool quoted = word.find(' ') != std::string::npos;
        text += quoted ? '\'' + word + '\'' : word;
    }
    return text;
}

std::string chain_of(const RulePlace& place) {
    return "the chain " + place.chain + " of the table " + place.family + ' ' + place.table;
}

}  // namespace

std::string words_of(const AllowStep& step, std::string_view id) {
    const Opening& opening = step.opening;
    switch (step.tool) {
        case Tool::ufw: return "ufw " + joined(ufw_words(opening));
        case Tool::firewalld:
            return "firewall-cmd " + std::string(step.permanent ? "--permanent " : "") +
                   "--zone=" + step.zone + ' ' + joined({"--add-" + firewalld_subject(opening)});
        case Tool::nft: return nft_rule_text(opening, step.place.for_this_machine);
        default: break;
    }
    const bool v6 = step.place.family == "ip6";
    auto words = iptables_words(opening, step.place.for_this_machine, comment_of(id));
    return (v6 ? "ip6tables: " : "iptables: ") + joined(words);
}

std::string title_of(const AllowStep& step) {
    const std::string start =
        "Let in " + described(step.opening) + (step.file.empty() ? " by " : " after a reboot by ");
    if (step.tool == Tool::ufw || step.tool == Tool::firewalld) return start + words_of(step);
    const RulePlace& place = step.place;
    const bool at_end = place.handle == 0 && place.line == 0;
    std::string text =
        start + "the rule `" + words_of(step) + "` (" + std::string(to_string(step.tool)) + ") ";
    text += at_end ? "at the end of " : "before `" + place.text + "` in ";
    text += chain_of(place);
    return step.file.empty() ? text : text + ", as a line of " + step.file;
}

std::string undo_of(const AllowStep& step) {
    const std::string what = described(step.opening);
    switch (step.tool) {
        case Tool::ufw: return "Delete the rule for " + what + " from ufw";
        case Tool::firewalld:
            return "Take " + what + " out of firewalld's zone " + step.zone +
                   (step.permanent ? ", in its configuration" : "");
        default: break;
    }
    return "Delete the rule for " + what + " from " +
           (step.file.empty() ? chain_of(step.place) : step.file);
}

Judgement to_judgement(AllowPlan plan) {
    json::array steps;
    for (const AllowStep& step : plan.steps) {
        json::object match{{"port", step.opening.port},
                           {"protocol", protocol_word(step.opening.protocol)}};
        if (step.opening.source) match["source"] = step.opening.source->to_string();
        steps.push_back(json::object{{"title", title_of(step)},
                                     {"undo", undo_of(step)},
                                     {"match", std::move(match)},
                                     {"step", to_json(step)}});
    }
    plan.judgement.data["steps"] = std::move(steps);
    plan.judgement.data["notes"] = json::array(plan.notes.begin(), plan.notes.end());
    return std::move(plan.judgement);
}

}  // namespace p2pdiag::firewall
