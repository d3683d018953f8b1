// Rules of nftables: put in, found and deleted by their comment, each in one transaction. nft gets
// JSON, in which no name can be anything but a name.
#include "allow_tools.hpp"
#include "nft_pieces.hpp"
#include "nft_text.hpp"

namespace p2pdiag::firewall {

namespace {

json::object in_chain(std::string_view family, const std::string& table, const std::string& chain) {
    return {{"family", family}, {"table", table}, {"chain", chain}};
}

std::vector<std::string> nft(const std::vector<std::string>& options, json::array commands) {
    std::vector<std::string> argv = {"nft", "-j"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back(json::to_text(json::object{{"nftables", std::move(commands)}}));
    return argv;
}

json::array insertion(const AllowStep& step, const std::string& comment) {
    const RulePlace& place = step.place;
    json::object rule = in_chain(place.family, place.table, place.chain);
    if (place.handle != 0) rule["handle"] = place.handle;
    rule["comment"] = comment;
    rule["expr"] = nft_statements(step.opening, place.for_this_machine);
    const char* how = place.handle == 0 ? "add" : "insert";
    return {json::object{{how, json::object{{"rule", std::move(rule)}}}}};
}

Trouble prepare_nft(AllowStep& step, const Sight& sight) {
    const Answer answer = sight.run(nft({"-c"}, insertion(step, comment_of("check"))));
    if (answer.good()) return {};
    return is_denied(answer) ? "only root may change the rules" : why_failed("nft", answer);
}

// Rules with our comment, as commands that delete them, and the handle of one of them.
struct Ours {
    json::array deletions;
    std::optional<std::int64_t> handle;
};

Trouble find_ours(const Job& job, Ours& ours) {
    Answer answer;
    const Reading reading = list_nft(job.sight, answer);
    if (!reading) return reading.error().message;
    const std::string comment = comment_of(job.id);
    for (const Chain& chain : reading->chains) {
        for (const Rule& rule : chain.rules) {
            if (rule.comment != comment || rule.handle == 0) continue;
            const Table& table = reading->tables[chain.table];
            json::object named = in_chain(to_string(table.family), table.name, chain.name);
            named["handle"] = rule.handle;
            ours.deletions.push_back(
                json::object{{"delete", json::object{{"rule", std::move(named)}}}});
            ours.handle = rule.handle;
        }
    }
    return {};
}

bool is_at(const Table& table, const Chain& chain, const RulePlace& place) {
    return chain.name == place.chain && table.name == place.table &&
           to_string(table.family) == place.family;
}

// The handle alone may mean another rule by the time it is used: the ruleset may be a new one.
Trouble find_place(const RulePlace& place, const Sight& sight) {
    if (place.handle == 0) return {};
    Answer answer;
    const Reading reading = list_nft(sight, answer);
    if (!reading) return reading.error().message;
    for (const Chain& chain : reading->chains) {
        if (!is_at(reading->tables[chain.table], chain, place)) continue;
        for (const Rule& rule : chain.rules) {
            if (rule.handle == place.handle && rule.text == place.text) return {};
        }
    }
    return "The rules have changed since the plan was made (`" + place.text +
           "` is not where it was): try again";
}

Trouble apply_nft(Job& job) {
    const Trouble moved = find_place(job.step.place, job.sight);
    if (!moved.empty()) return moved;
    AllowRecord record{true, std::nullopt};
    job.keep(record);
    const Answer answer = job.sight.run(nft({}, insertion(job.step, comment_of(job.id))));
    if (!answer.good()) {
        const bool gone = answer.error.find("No such file") != std::string::npos;
        return why_failed("nft", answer) +
               (gone ? ". The rules have changed since the plan was made: try again" : "");
    }
    Ours ours;
    const Trouble trouble = find_ours(job, ours);
    if (!trouble.empty()) return trouble;
    if (!ours.handle) return "nft said that the rule is in, but it is not there";
    record.handle = ours.handle;
    job.keep(record);
    return {};
}

Trouble revert_nft(const Job& job, bool& found) {
    Ours ours;
    const Trouble trouble = find_ours(job, ours);
    if (!trouble.empty()) return trouble;
    found = !ours.deletions.empty();
    if (!found) return {};
    const Answer answer = job.sight.run(nft({}, std::move(ours.deletions)));
    return answer.good() ? Trouble() : why_failed("nft", answer);
}

Trouble find_alike_nft(const Job& job) {
    const RulePlace& place = job.step.place;
    Answer answer;
    const Reading reading = list_nft(job.sight, answer);
    if (!reading) return reading.error().message;
    const std::string text =
        nft::text_of_rule(nft_statements(job.step.opening, place.for_this_machine));
    for (const Chain& chain : reading->chains) {
        if (!is_at(reading->tables[chain.table], chain, place)) continue;
        for (const Rule& rule : chain.rules) {
            if (rule.text != text || rule.comment.starts_with(comment_of(""))) continue;
            return left_to_people(rule.text, job.step,
                                  "sudo nft delete rule " + place.family + ' ' + place.table + ' ' +
                                      place.chain + " handle " + std::to_string(rule.handle));
        }
    }
    return {};
}

}  // namespace

const Hand nft_hand = {prepare_nft, apply_nft, revert_nft, find_alike_nft};

}  // namespace p2pdiag::firewall
