// The change firewall.allow: docs/user/firewall.md.
#include <algorithm>

#include "allow_file.hpp"
#include "allow_lock.hpp"
#include "allow_persist.hpp"
#include "allow_tools.hpp"
#include "allow_verify.hpp"
#include "checks.hpp"

namespace p2pdiag::firewall {

namespace {

Sight sight_to_look(const Run& run) {
    return sight_of_this_machine(run.time_to_stop(), run.cancel_fd());
}

// How long what a killed p2pdiag had started may be waited for. ufw takes a second or two.
constexpr std::chrono::seconds time_for_others{10};

AllowLock lock_of(const Run& run) {
    return AllowLock::take(
        std::min(run.time_to_stop(), std::chrono::steady_clock::now() + time_for_others));
}

// A tool that writes is not killed by a Ctrl-C: it would leave half of its work.
Sight sight_to_change(const Run& run) { return sight_of_this_machine(run.time_to_stop(), -1); }

std::optional<json::object> parse_input(const Run& run) {
    auto parsed = json::parse(run.input());
    if (!parsed || !parsed->is_object()) return std::nullopt;
    return std::move(parsed->get_object());
}

std::optional<Job> parse_job(const Run& run, const Sight& sight) {
    const auto input = parse_input(run);
    const json::object* step = input ? json::find_object(*input, "step") : nullptr;
    const auto id = input ? json::find_string(*input, "id") : std::nullopt;
    const auto parsed = step == nullptr ? std::nullopt : parse_allow_step(*step);
    if (!parsed || !id || !is_id(*id)) return std::nullopt;
    // The journal is a file: it shall not name any other.
    if (!parsed->file.empty() && !is_known_file(parsed->file)) return std::nullopt;
    Job job{*parsed, std::string(*id), std::nullopt, sight, {}};
    if (const json::object* record = json::find_object(*input, "record")) {
        job.record = parse_allow_record(*record);
        if (!job.record) return std::nullopt;
    }
    return job;
}

p2pdiag_status say(Run& run, p2pdiag_status status, const std::string& text) {
    run.summary(text);
    return status;
}

// What the tools that are to be asked say to it.
void prepare_all(AllowPlan& plan, const AllowWanted& wanted, const Sight& sight) {
    for (AllowStep& step : plan.steps) {
        const Trouble trouble = prepare(step, sight);
        if (trouble.empty()) continue;
        const std::string text = title_of(step) + ": that cannot be done: " + trouble;
        plan.fail(P2PDIAG_FAIL, text);
        return;
    }
    if (wanted.persistent) add_persistence(plan, sight);
}

// The machine as it is, or as its file makes it after the next start.
World world_of(const AllowStep& step, const Sight& sight) {
    if (step.file.empty()) return read_world(sight);
    World world;
    read_links(world);
    read_sysctls(sight, world);
    Ruleset rules;
    const Trouble trouble = read_file_rules(step, sight, rules);
    if (!trouble.empty()) world.unseen.push_back({"what " + step.file + " loads", trouble});
    world.rulesets.push_back(std::move(rules));
    return world;
}

// firewalld's ports bear no comment: one that is there all the same is told.
std::string nothing_to_take_back(const Job& job) {
    bool is = false;
    const bool asked =
        job.step.tool == Tool::firewalld && is_configured(job.step, job.sight, is).empty();
    if (!asked || !is) return "There was nothing to take back";
    return "There was nothing to take back: " + described(job.step.opening) +
           " is in firewalld's zone " + job.step.zone + ", but not by this command";
}

}  // namespace

p2pdiag_status plan_allow(Run& run) {
    const auto input = parse_input(run);
    const json::object* arguments = input ? json::find_object(*input, "arguments") : nullptr;
    std::string why = "the host handed over arguments that cannot be";
    const auto wanted = arguments == nullptr ? std::nullopt : AllowWanted::parse(*arguments, why);
    if (!wanted) {
        run.data(R"({"bad_arguments": true})");
        return say(run, P2PDIAG_FAIL, why);
    }
    const Sight sight = sight_to_look(run);
    AllowPlan plan = make_allow_plan(read_world(sight), *wanted);
    prepare_all(plan, *wanted, sight);
    return hand_over(run, to_judgement(std::move(plan)));
}

p2pdiag_status apply_allow(Run& run) {
    const Sight sight = sight_to_change(run);
    auto job = parse_job(run, sight);
    if (!job) return say(run, P2PDIAG_ERROR, "The step is not one of ours");
    job->keep = [&](const AllowRecord& record) { run.data(json::to_text(to_json(record))); };
    const AllowLock lock = lock_of(run);
    if (run.cancelled()) return say(run, P2PDIAG_FAIL, "Interrupted");
    const Trouble trouble = apply(*job);
    if (!trouble.empty()) return say(run, P2PDIAG_FAIL, trouble);
    return say(run, P2PDIAG_PASS, "Done: " + words_of(job->step, job->id));
}

p2pdiag_status verify_allow(Run& run) {
    const Sight sight = sight_to_look(run);
    const auto job = parse_job(run, sight);
    if (!job) return say(run, P2PDIAG_ERROR, "The step is not one of ours");
    if (job->step.tool == Tool::firewalld && job->step.permanent) {
        bool is = false;
        const Trouble trouble = is_configured(job->step, sight, is);
        if (!trouble.empty()) return say(run, P2PDIAG_UNKNOWN, trouble);
        if (!is) return say(run, P2PDIAG_FAIL, "It is not in firewalld's configuration");
        return say(run, P2PDIAG_PASS, "It is in firewalld's configuration");
    }
    return hand_over(run, judge_opening(world_of(job->step, sight), job->step));
}

p2pdiag_status revert_allow(Run& run) {
    const Sight sight = sight_to_change(run);
    const auto job = parse_job(run, sight);
    if (!job) return say(run, P2PDIAG_ERROR, "The step is not one of ours");
    const AllowLock lock = lock_of(run);
    bool found = false;
    Trouble trouble = revert(*job, found);
    if (trouble.empty() && !found && !lock.held())
        trouble = "a program that changes the rules is still at work: try again";
    if (!trouble.empty()) return say(run, P2PDIAG_FAIL, "It may still be open: " + trouble);
    return say(run, P2PDIAG_PASS, found ? "The rule is deleted" : nothing_to_take_back(*job));
}

}  // namespace p2pdiag::firewall
