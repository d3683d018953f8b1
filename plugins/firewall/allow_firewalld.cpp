// Ports and rich rules of firewalld's zones. They bear no comment: what the record does not say to
// be ours is not taken away.
#include "allow_tools.hpp"
#include "base/text.hpp"

namespace p2pdiag::firewall {

namespace {

Answer ask(const AllowStep& step, const Sight& sight, const std::string& action) {
    std::vector<std::string> argv = {"firewall-cmd"};
    if (step.permanent) argv.push_back("--permanent");
    argv.push_back("--zone=" + step.zone);
    argv.push_back("--" + action + '-' + firewalld_subject(step.opening));
    return sight.run(argv);
}

// It answers in words, and by its exit code.
Trouble has_it(const AllowStep& step, const Sight& sight, bool& has) {
    const Answer answer = ask(step, sight, "query");
    const bool yes = answer.output.starts_with("yes");
    const bool no = answer.output.starts_with("no") && !answer.output.starts_with("not");
    if (answer.kind != Answer::Kind::ended || (!yes && !no)) {
        return why_failed("firewall-cmd", answer);
    }
    has = yes;
    return {};
}

// 0 running, 252 not running: firewall-cmd(1), "Exit codes".
constexpr int not_running = 252;

bool is_stopped(const Sight& sight) {
    const Answer answer = sight.run({"firewall-cmd", "--state"});
    return answer.kind == Answer::Kind::ended && answer.exit_code == not_running;
}

Trouble prepare_firewalld(AllowStep& step, const Sight& sight) {
    if (is_stopped(sight)) {
        return "firewalld does not run, but its rules are in force. Start it: sudo systemctl start "
               "firewalld";
    }
    bool has = false;
    const Trouble trouble = has_it(step, sight, has);
    if (!trouble.empty() || !has || step.permanent) return trouble;
    return "firewalld's zone " + step.zone +
           " has it already, but it is not in force: sudo firewall-cmd --reload brings it back";
}

Trouble apply_firewalld(Job& job) {
    bool has = false;
    const Trouble trouble = has_it(job.step, job.sight, has);
    if (!trouble.empty()) return trouble;
    // Somebody else's; so it is there, and stays.
    if (has) return {};
    job.keep({true, std::nullopt});
    const Answer answer = ask(job.step, job.sight, "add");
    return answer.good() ? Trouble() : why_failed("firewall-cmd", answer);
}

Trouble revert_firewalld(const Job& job, bool& found) {
    if (!job.record || !job.record->done) return {};
    if (is_stopped(job.sight)) {
        // What is in force ends with it, unless it was killed or told not to clean up.
        const bool in_force = job.sight.run({"nft", "list", "table", "inet", "firewalld"}).good();
        if (!in_force && !job.step.permanent) return {};
        return "firewalld does not run: start it, and try again";
    }
    const Trouble trouble = has_it(job.step, job.sight, found);
    if (!trouble.empty() || !found) return trouble;
    const Answer answer = ask(job.step, job.sight, "remove");
    return answer.good() ? Trouble() : why_failed("firewall-cmd", answer);
}

}  // namespace

Trouble is_configured(const AllowStep& step, const Sight& sight, bool& is) {
    return has_it(step, sight, is);
}

const Hand firewalld_hand = {prepare_firewalld, apply_firewalld, revert_firewalld};

}  // namespace p2pdiag::firewall
