// Rules of ufw, which keeps them in its files and in the kernel alike.
#include "allow_tools.hpp"
#include "base/text.hpp"

namespace p2pdiag::firewall {

namespace {

// A line of `ufw show added`: "ufw allow 8000/udp comment 'p2pdiag 0123abcd'".
struct Added {
    std::string action;
    std::string subject;
    std::string comment;
};

std::string joined(const std::vector<std::string>& words, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < words.size(); ++i) text += (text.empty() ? "" : " ") + words[i];
    return text;
}

std::optional<Added> parse_line(std::string_view line) {
    constexpr std::string_view start = "ufw ";
    constexpr std::string_view middle = " comment '";
    if (!line.starts_with(start)) return std::nullopt;
    line.remove_prefix(start.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    Added added;
    added.action = line.substr(0, space);
    line.remove_prefix(space + 1);
    const std::size_t comment = line.find(middle);
    added.subject = line.substr(0, comment);
    if (comment != std::string_view::npos && line.ends_with('\'')) {
        line.remove_prefix(comment + middle.size());
        added.comment = line.substr(0, line.size() - 1);
    }
    return added;
}

// The rule about the same packets, whatever it does with them.
Trouble find_rule(const AllowStep& step, const Sight& sight, std::optional<Added>& found) {
    const Answer answer = sight.run({"ufw", "show", "added"});
    if (answer.kind == Answer::Kind::ended &&
        (answer.output + answer.error).find("need to be root") != std::string::npos) {
        return "only root may change ufw's rules";
    }
    if (!answer.good()) return why_failed("ufw", answer);
    const std::string subject = joined(ufw_words(step.opening), 1);
    std::string_view text = answer.output;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        auto added = parse_line(line);
        if (added && added->subject == subject) found = std::move(added);
    }
    return {};
}

Trouble prepare_ufw(AllowStep& step, const Sight& sight) {
    std::optional<Added> found;
    const Trouble trouble = find_rule(step, sight, found);
    if (!trouble.empty() || !found) return trouble;
    const std::string rule = "`ufw " + printable(found->action + ' ' + found->subject) + '`';
    if (found->action == "allow") {
        return "ufw has the rule " + rule +
               " already, but it is not in force: sudo ufw reload brings it back";
    }
    return "ufw has the rule " + rule +
           ", which an 'allow' would replace. If it is not wanted any more: sudo ufw delete " +
           printable(found->action + ' ' + found->subject);
}

Trouble apply_ufw(Job& job) {
    Trouble trouble = prepare_ufw(job.step, job.sight);
    if (!trouble.empty()) return trouble;
    std::vector<std::string> argv = {"ufw"};
    for (const std::string& word : ufw_words(job.step.opening)) argv.push_back(word);
    argv.insert(argv.end(), {"comment", comment_of(job.id)});
    job.keep({true, std::nullopt});
    const Answer answer = job.sight.run(argv);
    if (!answer.good()) return why_failed("ufw", answer);
    std::optional<Added> found;
    trouble = find_rule(job.step, job.sight, found);
    if (!trouble.empty()) return trouble;
    const bool ours = found && found->comment == comment_of(job.id);
    return ours ? Trouble() : "ufw did not add the rule: " + printable(answer.output);
}

Trouble revert_ufw(const Job& job, bool& found) {
    std::optional<Added> rule;
    Trouble trouble = find_rule(job.step, job.sight, rule);
    if (!trouble.empty()) return trouble;
    found = rule && rule->comment == comment_of(job.id);
    if (!found) return {};
    std::vector<std::string> argv = {"ufw", "delete"};
    for (const std::string& word : ufw_words(job.step.opening)) argv.push_back(word);
    const Answer answer = job.sight.run(argv);
    if (!answer.good()) return why_failed("ufw", answer);
    // It ends with success also where it deletes nothing.
    rule.reset();
    trouble = find_rule(job.step, job.sight, rule);
    if (!trouble.empty()) return trouble;
    return rule ? "ufw did not delete the rule: " + printable(answer.output) : Trouble();
}

}  // namespace

const Hand ufw_hand = {prepare_ufw, apply_ufw, revert_ufw};

}  // namespace p2pdiag::firewall
