#include "allow_plan.hpp"

#include <algorithm>

#include "allow_remedy.hpp"
#include "allow_verify.hpp"
#include "ask.hpp"
#include "blind.hpp"

namespace p2pdiag::firewall {

namespace {

// Rules that stand in the way one behind the other: drops in raw, in mangle, in several tables.
constexpr int most_obstacles = 8;

class Planner {
public:
    Planner(const World& world, const AllowWanted& wanted)
        : world_(world), wanted_(wanted), after_(world) {}

    AllowPlan run() {
        entrances_ = find_entrances(world_);
        if (wanted_.source) {
            std::erase_if(entrances_, [&](const Entrance& entrance) {
                return entrance.address.family() != wanted_.source->address.family();
            });
        }
        if (!world_.unseen.empty()) {
            become_blind(world_, "sudo " + wanted_.command(), plan_.judgement);
        } else if (entrances_.empty()) {
            plan_.fail(P2PDIAG_UNKNOWN,
                       "No working link with such an address: there is nothing to let anybody in "
                       "by");
        } else {
            for (const std::uint8_t protocol : wanted_.protocols) open(protocol);
            conclude();
        }
        return std::move(plan_);
    }

private:
    void open(std::uint8_t protocol) {
        const Opening opening{wanted_.port, protocol, wanted_.source};
        const std::size_t first = plan_.steps.size();
        const World before = after_;
        std::vector<Aim> aims;
        for (const Entrance& entrance : entrances_) {
            const Aim aim{entrance.address.family(), entrance.interface};
            const Opened opened = open_at(entrance, opening);
            if (opened == Opened::no) leave_out(aim, protocol);
            if (opened != Opened::by_a_step) continue;
            if (std::find(aims.begin(), aims.end(), aim) == aims.end()) aims.push_back(aim);
        }
        if (plan_.steps.size() == first) return;
        const std::string more = opened_besides(before, after_, opening);
        if (!more.empty()) {
            plan_.steps.resize(first);
            after_ = before;
            for (const Aim& aim : aims) leave_out(aim, protocol);
            blocked(described(opening) + " cannot be opened alone: " + more, {});
            return;
        }
        for (std::size_t i = first; i < plan_.steps.size(); ++i) {
            plan_.steps[i].aims = aims;
            const RulePlace& place = plan_.steps[i].place;
            if (place.text.empty()) continue;
            note("`" + place.text + "` and whatever stands behind it in the chain " + place.chain +
                 " is not asked any more about " + described(opening) + '.');
        }
    }

    enum class Opened { already, by_a_step, no };

    Opened open_at(const Entrance& entrance, const Opening& opening) {
        World trial = after_;
        std::vector<AllowStep> steps;
        for (int i = 0; i <= most_obstacles; ++i) {
            const Inquiry inquiry = Inquiry::from(opening);
            const Asked asked = ask_inbound(trial, {entrance}, inquiry).front();
            if (lets_in(asked.verdict)) {
                // As many questions as entrances may be answered by the same step.
                const bool by_others = steps.empty() && was_blocked(entrance, opening);
                if (steps.empty() && !by_others) already_open(asked);
                note(who_is_kept_out(asked.verdict));
                const bool helps = !steps.empty() || by_others;
                if (!steps.empty()) after_ = std::move(trial);
                plan_.steps.insert(plan_.steps.end(), steps.begin(), steps.end());
                return helps ? Opened::by_a_step : Opened::already;
            }
            if (asked.verdict.passes != false) {
                undecided(asked);
                return Opened::no;
            }
            Packet packet = asked.packet;
            Stopped stopped;
            // Who of a network is banned stays so: what stops the others is in the way.
            if (inquiry.within) {
                packet = first_packet(entrance, opening.protocol, inquiry).packet;
                stopped = find_obstacles(trial, packet);
                if (stopped.obstacles.empty()) packet = asked.packet;
            }
            if (stopped.obstacles.empty()) stopped = find_obstacles(trial, packet);
            if (stopped.obstacles.empty()) {
                blocked(spelled(asked.question) + " cannot be opened by a rule that lets it in. " +
                            asked.verdict.why,
                        to_json(asked.question, asked.verdict, 0));
                return Opened::no;
            }
            auto remedy = find_remedy(trial, packet, stopped, opening);
            if (const auto* refusal = std::get_if<Refusal>(&remedy)) {
                blocked(spelled(asked.question) + " stays closed. " + refusal->text + '.',
                        to_json(asked.question, asked.verdict, 0));
                return Opened::no;
            }
            steps.push_back(std::get<Remedy>(remedy).step);
            trial = std::move(std::get<Remedy>(remedy).after);
        }
        blocked("There are more than " + std::to_string(most_obstacles) +
                    " rules in the way, one behind the other",
                {});
        return Opened::no;
    }

    bool was_blocked(const Entrance& entrance, const Opening& opening) const {
        if (plan_.steps.empty()) return false;
        Inquiry inquiry = Inquiry::from(opening);
        inquiry.of_most = false;
        return ask_inbound(world_, {entrance}, inquiry).front().verdict.passes == false;
    }

    void leave_out(const Aim& aim, std::uint8_t protocol) {
        const LeftOut left{aim, protocol};
        if (std::find(left_out_.begin(), left_out_.end(), left) == left_out_.end())
            left_out_.push_back(left);
    }

    void note(std::string text) {
        auto& notes = plan_.notes;
        if (!text.empty() && std::find(notes.begin(), notes.end(), text) == notes.end())
            notes.push_back(std::move(text));
    }

    void already_open(const Asked& asked) {
        ++open_;
        std::string text = spelled(asked.question) + " is open already";
        const auto& delivery = asked.verdict.delivery;
        if (delivery && (!delivery->local || delivery->port != wanted_.port)) {
            text += ", and sent on to ";
            text += delivery->is_exact()
                        ? Endpoint{delivery->destination, delivery->port}.to_string()
                        : "port " + std::to_string(delivery->port);
        }
        note(text + '.');
    }

    void undecided(const Asked& asked) {
        ++undecided_;
        const std::string text = spelled(asked.question) + " cannot be judged. " +
                                 asked.verdict.why + " Nothing is changed on a guess.";
        add("firewall.undecided", Severity::warning, text,
            to_json(asked.question, asked.verdict, 0));
    }

    void blocked(std::string text, json::object evidence) {
        ++blocked_;
        add("firewall.inbound-blocked", Severity::error, std::move(text), std::move(evidence));
    }

    void add(std::string code, Severity severity, std::string text, json::object evidence) {
        if (first_problem_.empty()) first_problem_ = text;
        plan_.judgement.findings.push_back(
            {std::move(code), severity, std::move(text), std::move(evidence)});
    }

    void conclude() {
        Judgement& judgement = plan_.judgement;
        if (!plan_.steps.empty()) {
            plan_.steps.back().left_out = left_out_;
            plan_.count_steps();
            note(
                "An open firewall is not a listening program: one must listen on the port, and "
                "not on 127.0.0.1 alone.");
        } else if (blocked_ > 0 || undecided_ > 0) {
            plan_.fail(blocked_ > 0 ? P2PDIAG_FAIL : P2PDIAG_UNKNOWN, first_problem_);
        } else {
            judgement.status = P2PDIAG_SKIP;
            judgement.summary = "Nothing to do: this machine's firewall lets it in already";
        }
    }

    const World& world_;
    const AllowWanted& wanted_;
    World after_;  // with the steps so far in place
    std::vector<Entrance> entrances_;
    AllowPlan plan_;
    std::vector<LeftOut> left_out_;
    std::size_t open_ = 0;
    std::size_t undecided_ = 0;
    std::size_t blocked_ = 0;
    std::string first_problem_;
};

}  // namespace

void AllowPlan::count_steps() {
    judgement.status = P2PDIAG_PASS;
    judgement.summary = steps.size() == 1 ? "One step" : std::to_string(steps.size()) + " steps";
}

void AllowPlan::fail(p2pdiag_status status, std::string text) {
    steps.clear();
    judgement.status = status;
    judgement.summary = std::move(text);
}

std::optional<AllowWanted> AllowWanted::parse(const json::object& arguments, std::string& why) {
    AllowWanted wanted;
    const auto port = json::find_integer(arguments, "port");
    const auto protocol = json::find_string(arguments, "protocol");
    if (!port || *port < 1 || *port > 65535 || !protocol) {
        why = "the host handed over arguments that cannot be";
        return std::nullopt;
    }
    wanted.port = static_cast<std::uint16_t>(*port);
    if (*protocol != "tcp") wanted.protocols.push_back(protocol_udp);
    if (*protocol != "udp") wanted.protocols.push_back(protocol_tcp);
    if (const auto source = json::find_string(arguments, "source")) {
        wanted.source = SourceNet::parse(*source, why);
        if (!wanted.source) {
            why = "--source: " + why;
            return std::nullopt;
        }
    }
    wanted.persistent = json::find_bool(arguments, "persistent").value_or(false);
    return wanted;
}

std::string AllowWanted::command() const {
    std::string text = "p2pdiag firewall allow --port " + std::to_string(port) + " --protocol ";
    text += protocols.size() == 2 ? "both" : std::string(protocol_word(protocols.front()));
    if (source) text += " --source " + source->to_string();
    if (persistent) text += " --persistent";
    return text;
}

AllowPlan make_allow_plan(const World& world, const AllowWanted& wanted) {
    return Planner(world, wanted).run();
}

}  // namespace p2pdiag::firewall
