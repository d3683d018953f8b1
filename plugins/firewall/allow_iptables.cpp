// Rules of iptables, of both kinds. A place is known by the number and the text of the line there:
// the number alone may mean another rule by the time it is used.
#include <algorithm>
#include <cerrno>

#include "allow_plan.hpp"
#include "allow_tools.hpp"
#include "iptables_save.hpp"

namespace p2pdiag::firewall {

namespace {

// Seconds to wait for another iptables.
constexpr const char* patience = "5";

struct Programs {
    std::string change;  // "iptables-nft"
    std::string save;
};

Trouble find_programs(const AllowStep& step, const Sight& sight, Programs& programs) {
    const std::string old_name = step.place.family == "ip6" ? "ip6tables" : "iptables";
    const bool wants_nft = step.tool == Tool::iptables_nft;
    programs.change = old_name + (wants_nft ? "-nft" : "-legacy");
    const Answer asked = sight.run({programs.change, "--version"});
    if (asked.kind == Answer::Kind::missing) {
        // Before there were two kinds, the legacy one had no name of its own.
        const Answer version = sight.run({old_name, "--version"});
        const bool is_nft = version.output.find("nf_tables") != std::string::npos;
        if (!version.good() || is_nft != wants_nft) return why_failed(programs.change, asked);
        programs.change = old_name;
    }
    programs.save = programs.change + "-save";
    return {};
}

// iptables-legacy makes the tables that it is asked for: so only those are that are there.
bool is_there(const AllowStep& step, const Sight& sight) {
    if (step.tool == Tool::iptables_nft) return true;
    const bool v6 = step.place.family == "ip6";
    const FileText names =
        sight.read_file(v6 ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names");
    if (names.error == ENOENT) return false;
    const std::string lines = '\n' + names.text;
    return names.error != 0 || lines.find('\n' + step.place.table + '\n') != std::string::npos;
}

// iptables leaves a table alone, and does not show it, that has a rule which only nft can write.
bool is_left_alone(const Answer& answer) {
    return answer.output.find("is incompatible, use 'nft' tool") != std::string::npos;
}

struct Listing {
    Ruleset table;
    bool left_alone = false;
};

Trouble read_table(const AllowStep& step, const Sight& sight, const Programs& programs,
                   Listing& listing) {
    if (!is_there(step, sight)) return {};
    const Answer answer = sight.run({programs.save, "-t", step.place.table});
    if (!answer.good())
        return is_denied(answer) ? "only root may change the rules"
                                 : why_failed(programs.save, answer);
    listing.left_alone = is_left_alone(answer);
    const Family family = step.place.family == "ip6" ? Family::ipv6 : Family::ipv4;
    Reading reading = read_iptables_save(answer.output, family, Source::iptables_nft);
    if (!reading) return reading.error().message;
    listing.table = std::move(*reading);
    return {};
}

const Chain* find_chain(const Ruleset& table, const std::string& name) {
    const auto found = std::find_if(table.chains.begin(), table.chains.end(),
                                    [&](const Chain& chain) { return chain.name == name; });
    return found == table.chains.end() ? nullptr : &*found;
}

// The number of the line now; 0 when it is not there, or is there more than once.
std::int64_t find_line(const Chain& chain, const RulePlace& place) {
    std::int64_t found = 0;
    for (const Rule& rule : chain.rules) {
        if (rule.text != place.text || rule.handle == found) continue;
        if (rule.handle == place.line) return rule.handle;
        if (found != 0) return 0;
        found = rule.handle;
    }
    return found;
}

Trouble prepare_iptables(AllowStep& step, const Sight& sight) {
    Programs programs;
    Trouble trouble = find_programs(step, sight, programs);
    if (!trouble.empty()) return trouble;
    Listing listing;
    trouble = read_table(step, sight, programs, listing);
    if (!trouble.empty()) return trouble;
    const Chain* chain = find_chain(listing.table, step.place.chain);
    if (listing.left_alone || (chain == nullptr && step.tool == Tool::iptables_nft)) {
        step.tool = Tool::nft;
        step.place.line = 0;
        return nft_hand.prepare(step, sight);
    }
    if (chain == nullptr) return programs.save + " does not show the chain " + step.place.chain;
    if (step.place.line == 0) return {};
    // nft's words for the line give way to iptables' own.
    if (!step.place.text.starts_with("-A ")) {
        const auto line =
            std::find_if(chain->rules.begin(), chain->rules.end(),
                         [&](const Rule& rule) { return rule.handle == step.place.line; });
        if (line != chain->rules.end()) step.place.text = line->text;
    }
    step.place.line = find_line(*chain, step.place);
    return step.place.line == 0 ? "the rule `" + step.place.text + "` is not where it was" : "";
}

Trouble apply_iptables(Job& job) {
    const AllowStep& step = job.step;
    Programs programs;
    Trouble trouble = find_programs(step, job.sight, programs);
    if (!trouble.empty()) return trouble;
    std::vector<std::string> argv = {programs.change, "-w", patience, "-t", step.place.table};
    if (step.place.line == 0) {
        argv.insert(argv.end(), {"-A", step.place.chain});
    } else {
        Listing listing;
        trouble = read_table(step, job.sight, programs, listing);
        if (!trouble.empty()) return trouble;
        const Chain* chain = find_chain(listing.table, step.place.chain);
        const std::int64_t line = chain == nullptr ? 0 : find_line(*chain, step.place);
        if (line == 0) {
            return "The rules have changed since the plan was made (`" + step.place.text +
                   "` is not there any more): try again";
        }
        argv.insert(argv.end(), {"-I", step.place.chain, std::to_string(line)});
    }
    const auto words =
        iptables_words(step.opening, step.place.for_this_machine, comment_of(job.id));
    argv.insert(argv.end(), words.begin(), words.end());
    job.keep({true, std::nullopt});
    const Answer answer = job.sight.run(argv);
    return answer.good() ? Trouble() : why_failed(programs.change, answer);
}

// Where a rule of ours is; the chain's name is empty when there is none.
struct FoundRule {
    std::string chain;
    std::int64_t line = 0;
};

Trouble find_ours(const Job& job, const Programs& programs, FoundRule& found) {
    Listing listing;
    const Trouble trouble = read_table(job.step, job.sight, programs, listing);
    if (!trouble.empty()) return trouble;
    if (listing.left_alone) {
        // nft shows the rule, but not the comment that says that it is ours.
        const std::string where = job.step.place.family + ' ' + job.step.place.table;
        return "the table " + where +
               " has rules by now that only nft can write, and iptables does not show it any more. "
               "Look for `" +
               words_of(job.step, job.id) + "` in 'sudo nft -a list table " + where +
               "' and delete it: sudo nft delete rule " + where + ' ' + job.step.place.chain +
               " handle NUMBER";
    }
    found = {};
    for (const Chain& chain : listing.table.chains) {
        for (const Rule& rule : chain.rules) {
            if (rule.comment == comment_of(job.id)) found = {chain.name, rule.handle};
        }
    }
    return {};
}

Trouble revert_iptables(const Job& job, bool& found) {
    constexpr int most_copies = 8;
    Programs programs;
    Trouble trouble = find_programs(job.step, job.sight, programs);
    if (!trouble.empty()) return trouble;
    const auto words =
        iptables_words(job.step.opening, job.step.place.for_this_machine, comment_of(job.id));
    for (int i = 0; i < most_copies; ++i) {
        FoundRule ours;
        trouble = find_ours(job, programs, ours);
        if (!trouble.empty() || ours.chain.empty()) return trouble;
        found = true;
        const std::vector<std::string> start = {programs.change,      "-w", patience,  "-t",
                                                job.step.place.table, "-D", ours.chain};
        std::vector<std::string> by_words = start;
        by_words.insert(by_words.end(), words.begin(), words.end());
        if (job.sight.run(by_words).good()) continue;
        // Somebody has written it differently.
        std::vector<std::string> by_number = start;
        by_number.push_back(std::to_string(ours.line));
        const Answer answer = job.sight.run(by_number);
        if (!answer.good()) return why_failed(programs.change, answer);
    }
    return "there is more than can be deleted of it";
}

// The line without its comment, which iptables-save puts in quotes only where it must.
std::string without_comment(const Rule& rule) {
    std::string text = rule.text;
    for (const std::string quote : {"\"", ""}) {
        const std::string part = " -m comment --comment " + quote + rule.comment + quote;
        const std::size_t at = rule.comment.empty() ? std::string::npos : text.find(part);
        if (at != std::string::npos) return text.erase(at, part.size());
    }
    return text;
}

Trouble find_alike_iptables(const Job& job) {
    const RulePlace& place = job.step.place;
    Programs programs;
    Trouble trouble = find_programs(job.step, job.sight, programs);
    if (!trouble.empty()) return trouble;
    Listing listing;
    trouble = read_table(job.step, job.sight, programs, listing);
    const Chain* chain = find_chain(listing.table, place.chain);
    if (!trouble.empty() || chain == nullptr) return trouble;
    Rule ours;
    ours.comment = comment_of(job.id);
    ours.text = "-A " + place.chain;
    for (const std::string& word :
         iptables_words(job.step.opening, place.for_this_machine, ours.comment))
        ours.text += ' ' + word;
    for (const Rule& rule : chain->rules) {
        const bool of_another = rule.comment.starts_with(comment_of(""));
        if (of_another || without_comment(rule) != without_comment(ours)) continue;
        return left_to_people(rule.text, job.step,
                              "sudo " + programs.change + " -t " + place.table + " -D " +
                                  place.chain + ' ' + std::to_string(rule.handle));
    }
    return {};
}

}  // namespace

const Hand iptables_hand = {prepare_iptables, apply_iptables, revert_iptables, find_alike_iptables};

}  // namespace p2pdiag::firewall
