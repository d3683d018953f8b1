#include "allow_verify.hpp"

#include <algorithm>

#include "ask.hpp"
#include "blind.hpp"
#include "verdict.hpp"

namespace p2pdiag::firewall {

namespace {

std::vector<Asked> ask_at(const World& world, const Opening& opening, std::uint8_t protocol,
                          const std::vector<Aim>& aims) {
    std::vector<Asked> all;
    for (const Entrance& entrance : find_entrances(world)) {
        const Aim aim{entrance.address.family(), entrance.interface};
        if (std::find(aims.begin(), aims.end(), aim) == aims.end()) continue;
        const Inquiry inquiry = Inquiry::from({opening.port, protocol, opening.source});
        for (Asked& asked : ask_inbound(world, {entrance}, inquiry))
            all.push_back(std::move(asked));
    }
    return all;
}

std::string where(const Asked& asked) {
    return std::string(asked.question.family == Family::ipv4 ? "IPv4" : "IPv6") + " on " +
           asked.question.interface;
}

}  // namespace

std::string who_is_kept_out(const Verdict& verdict) {
    if (verdict.open.empty()) return {};
    return "Some packets are stopped as before, depending on " + joined(verdict.open, "; ") + '.';
}

namespace {

// What was asked for besides, and does not come in: that makes it a failure, whatever the step did.
void judge_left_out(const World& world, const AllowStep& step, Judgement& judgement) {
    std::string said;
    for (const LeftOut& left : step.left_out) {
        const auto all = ask_at(world, step.opening, left.protocol, {left.aim});
        const auto stopped = std::find_if(
            all.begin(), all.end(), [](const Asked& asked) { return !lets_in(asked.verdict); });
        if (stopped == all.end()) continue;
        said += (said.empty() ? ". But " : " And ") + spelled(stopped->question) +
                (stopped->verdict.passes == false ? " stays closed. " : " cannot be judged. ") +
                stopped->verdict.why;
        judgement.data["verdicts"].get_array().push_back(
            to_json(stopped->question, stopped->verdict, 0));
    }
    if (said.empty()) return;
    judgement.data["works_in_part"] = judgement.status != P2PDIAG_FAIL;
    judgement.status = P2PDIAG_FAIL;
    if (judgement.summary.ends_with('.')) judgement.summary.pop_back();
    judgement.summary += said;
}

}  // namespace

Judgement judge_opening(const World& world, const AllowStep& step) {
    Judgement judgement;
    if (!world.unseen.empty()) {
        become_blind(world, "sudo p2pdiag firewall check", judgement);
        return judgement;
    }
    const auto all = ask_at(world, step.opening, step.opening.protocol, step.aims);
    if (all.empty()) {
        judgement.summary =
            "It cannot be verified: the link that it was made for is not there any more";
        return judgement;
    }
    json::array verdicts;
    const Asked* worst = nullptr;
    std::string open;
    std::string kept_out;
    bool surely = true;
    for (const Asked& asked : all) {
        verdicts.push_back(to_json(asked.question, asked.verdict, 0));
        if (lets_in(asked.verdict)) {
            const std::string one = where(asked);
            if (kept_out.empty()) kept_out = who_is_kept_out(asked.verdict);
            surely = surely && !asked.reply_open;
            if (open.find(one) == std::string::npos) open += (open.empty() ? "" : ", ") + one;
        } else if (worst == nullptr || asked.verdict.passes == false) {
            worst = &asked;
        }
    }
    judgement.data["verdicts"] = std::move(verdicts);
    if (worst == nullptr) {
        judgement.status = surely ? P2PDIAG_PASS : P2PDIAG_WARN;
        judgement.summary = "The rules, read again, let " + described(step.opening) + " in by " +
                            open + ". " + kept_out + (kept_out.empty() ? "" : " ") +
                            "Whether a program listens there is another question";
        judge_left_out(world, step, judgement);
        return judgement;
    }
    const bool blocked = worst->verdict.passes == false;
    judgement.status = blocked ? P2PDIAG_FAIL : P2PDIAG_UNKNOWN;
    judgement.summary = described(step.opening) + " by " + where(*worst) +
                        (blocked ? " is still stopped. " : " cannot be judged. ") +
                        worst->verdict.why;
    judge_left_out(world, step, judgement);
    return judgement;
}

}  // namespace p2pdiag::firewall
