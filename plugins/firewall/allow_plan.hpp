// What `firewall allow` would do. Pure: the machine is handed in.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <optional>
#include <string>
#include <vector>

#include "allow_step.hpp"
#include "model.hpp"

namespace p2pdiag::firewall {

struct AllowWanted {
    std::uint16_t port = 0;
    std::vector<std::uint8_t> protocols;  // IANA numbers
    std::optional<SourceNet> source;
    bool persistent = false;  // also after a reboot

    // The options of the command; nothing, with why, when they cannot be.
    static std::optional<AllowWanted> parse(const json::object& arguments, std::string& why);

    std::string command() const;  // that asks for it, without sudo
};

struct AllowPlan {
    std::vector<AllowStep> steps;
    std::vector<std::string> notes;
    // Where no step helps: PASS with steps, SKIP, FAIL or UNKNOWN; findings and summary.
    Judgement judgement;

    void count_steps();  // PASS; there are some
    void fail(p2pdiag_status status, std::string text);
};

AllowPlan make_allow_plan(const World& world, const AllowWanted& wanted);

// For people, one line each.
std::string title_of(const AllowStep& step);
std::string undo_of(const AllowStep& step);
// "ufw allow 8000/udp": what a person would type. Of nft and iptables the rule alone. `id`: of the
// journal's record, for the comment; a plan has none yet.
std::string words_of(const AllowStep& step, std::string_view id = "ID");

// As the host wants it: the judgement with data {"steps", "notes"}.
Judgement to_judgement(AllowPlan plan);

// What becomes open by `after` besides `opening`, in words; empty when nothing was found.
std::string opened_besides(const World& before, const World& after, const Opening& opening);

}  // namespace p2pdiag::firewall
