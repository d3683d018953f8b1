// What the programs are told, and how their answers are taken. They are made up: the real ones are
// in tests/firewall.
#include "allow_tools.hpp"

#include <catch2/catch.hpp>

#include <deque>

#include "rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

Answer prints(std::string output, int code = 0, std::string error = "") {
    return {Answer::Kind::ended, code, std::move(output), std::move(error)};
}

// Answers by the beginning of the command line, in the order of the script.
struct Programs {
    std::deque<std::pair<std::string, Answer>> script;
    std::vector<std::vector<std::string>> asked;

    Sight sight() {
        Sight made;
        made.run = [this](const std::vector<std::string>& argv) {
            asked.push_back(argv);
            std::string line;
            for (const std::string& word : argv) line += (line.empty() ? "" : " ") + word;
            Answer missing;
            missing.kind = Answer::Kind::missing;
            if (script.empty()) return missing;
            const auto [start, answer] = script.front();
            INFO(line);
            CHECK(line.substr(0, start.size()) == start);
            script.pop_front();
            return answer;
        };
        made.read_file = [](const std::string&) { return FileText{0, "filter\nraw\n"}; };
        return made;
    }
    std::string line(std::size_t index) const {
        std::string text;
        for (const std::string& word : asked.at(index)) text += (text.empty() ? "" : " ") + word;
        return text;
    }
};

struct Trial {
    Programs programs;
    Sight sight = programs.sight();
    Job job{{}, "0123abcd", std::nullopt, sight, {}};
    std::vector<AllowRecord> kept;

    explicit Trial(Tool tool) {
        job.step.tool = tool;
        job.step.opening = {8000, protocol_udp, std::nullopt};
        job.keep = [this](const AllowRecord& record) { kept.push_back(record); };
    }
    void answers(const std::string& start, Answer answer) {
        programs.script.emplace_back(start, std::move(answer));
    }
};

std::string table(const std::string& rules) {
    return "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" + rules +
           "COMMIT\n";
}

const std::string ours =
    "-A INPUT -p udp -m udp --dport 8000 -m comment --comment \"p2pdiag "
    "0123abcd\" -j ACCEPT\n";

}  // namespace

TEST_CASE("nft: names are names, whatever is in them") {
    Trial trial(Tool::nft);
    trial.job.step.place = {"inet", "a\"; flush ruleset", "in\nput", 7, 0, "drop", true};
    trial.answers("nft -j -c", prints(""));
    CHECK(prepare(trial.job.step, trial.sight).empty());
    const auto command = json::parse(trial.programs.asked[0].at(3));
    REQUIRE(command);
    const json::object& rule = command->at("nftables").at(0).at("insert").at("rule").get_object();
    CHECK(json::find_string(rule, "table") == "a\"; flush ruleset");
    CHECK(json::find_string(rule, "chain") == "in\nput");
    CHECK(json::find_integer(rule, "handle") == 7);
}

TEST_CASE("nft: the record is kept before the rule is made, and the handle after") {
    Trial trial(Tool::nft);
    trial.job.step.place = {"inet", "t", "input", 0, 0, "", false};
    const std::string listed = Rules()
                                   .base("input", "input", "drop")
                                   .rule("input", 9, accept_it, "p2pdiag 0123abcd")
                                   .text();
    trial.answers("nft -j {", prints(""));
    trial.answers("nft -j list ruleset", prints(listed));
    CHECK(apply(trial.job).empty());
    REQUIRE(trial.kept.size() == 2);
    CHECK(trial.kept[0].done);
    CHECK_FALSE(trial.kept[0].handle);
    CHECK(trial.kept[1].handle == 9);
    CHECK(trial.programs.line(0).find("\"add\"") != std::string::npos);

    bool found = false;
    trial.answers("nft -j list ruleset", prints(listed));
    trial.answers("nft -j {\"nftables\":[{\"delete\"", prints(""));
    CHECK(revert(trial.job, found).empty());
    CHECK(found);

    found = false;
    trial.answers("nft -j list ruleset", prints(Rules().text()));
    CHECK(revert(trial.job, found).empty());
    CHECK_FALSE(found);
}

TEST_CASE("nft: another rule has the handle by now") {
    for (const std::string& there : {accept_it, drop_it}) {
        Trial trial(Tool::nft);
        trial.job.step.place = {"inet", "t", "input", 7, 0, "drop", false};
        trial.answers(
            "nft -j list ruleset",
            prints(Rules().base("input", "input", "drop").rule("input", 7, there).text()));
        const std::string trouble = apply(trial.job);
        const bool same = there == drop_it;
        CHECK((trouble.find("changed since the plan") == std::string::npos) == same);
        CHECK(trial.kept.empty() != same);
    }
}

TEST_CASE("iptables: a table that it does not show any more is not called empty") {
    Trial trial(Tool::iptables_nft);
    trial.job.step.place = {"ip", "filter", "INPUT", 0, 0, "", false};
    trial.answers("iptables-nft --version", prints("iptables v1.8.9 (nf_tables)"));
    trial.answers("iptables-nft-save -t filter",
                  prints("# Table `filter' is incompatible, use 'nft' tool.\n"));
    bool found = false;
    const std::string trouble = revert(trial.job, found);
    CHECK(trouble.find("nft delete rule ip filter INPUT") != std::string::npos);
}

TEST_CASE("nft: what goes wrong") {
    Trial trial(Tool::nft);
    trial.job.step.place = {"inet", "t", "input", 0, 0, "", false};
    trial.answers("nft -j {",
                  prints("", 1, "Error: Could not process rule: No such file or directory\n"));
    CHECK(apply(trial.job).find("changed since the plan") != std::string::npos);
    trial.answers("nft -j -c", prints("", 1, "Operation not permitted (you must be root)\n"));
    CHECK(prepare(trial.job.step, trial.sight).find("only root") != std::string::npos);
    CHECK(prepare(trial.job.step, trial.sight).find("not installed") != std::string::npos);
    bool found = false;
    trial.answers("nft -j list ruleset", prints("{"));
    CHECK_FALSE(revert(trial.job, found).empty());
}

TEST_CASE("iptables: the line is where it is now") {
    Trial trial(Tool::iptables_legacy);
    trial.job.step.place = {"ip", "filter", "INPUT", 0, 1, "-A INPUT -p udp -j DROP", false};
    const std::string before = "-A INPUT -p tcp -j ACCEPT\n-A INPUT -p udp -j DROP\n";
    trial.answers("iptables-legacy --version", prints("iptables v1.8.9 (legacy)"));
    trial.answers("iptables-legacy-save -t filter", prints(table(before)));
    trial.answers(
        "iptables-legacy -w 5 -t filter -I INPUT 2 -p udp -m udp --dport 8000 -m comment "
        "--comment p2pdiag 0123abcd -j ACCEPT",
        prints(""));
    CHECK(apply(trial.job).empty());
    CHECK(trial.kept.size() == 1);

    // Gone, or there twice: nobody can say which was meant.
    for (const std::string& rules :
         {std::string("-A INPUT -j DROP\n"), "-A INPUT -j LOG\n" + before + before}) {
        trial.answers("iptables-legacy --version", prints("iptables v1.8.9 (legacy)"));
        trial.answers("iptables-legacy-save -t filter", prints(table(rules)));
        CHECK(apply(trial.job).find("changed since the plan") != std::string::npos);
    }
    CHECK(trial.kept.size() == 1);
}

TEST_CASE("iptables: ours is found by its comment, also where somebody has rewritten it") {
    Trial trial(Tool::iptables_nft);
    trial.job.step.place = {"ip6", "filter", "INPUT", 0, 0, "", false};
    const std::string version = "ip6tables-nft --version";
    const std::string save = "ip6tables-nft-save -t filter";
    bool found = false;
    trial.answers(version, prints("ip6tables v1.8.9 (nf_tables)"));
    trial.answers(save, prints(table("-A INPUT -j LOG\n" + ours)));
    trial.answers("ip6tables-nft -w 5 -t filter -D INPUT -p udp", prints("", 1, "Bad rule"));
    trial.answers("ip6tables-nft -w 5 -t filter -D INPUT 2", prints(""));
    trial.answers(save, prints(table("-A INPUT -j LOG\n")));
    CHECK(revert(trial.job, found).empty());
    CHECK(found);

    found = false;
    trial.answers(version, prints("ip6tables v1.8.9 (nf_tables)"));
    trial.answers(save,
                  prints(table("-A INPUT -m comment --comment \"p2pdiag 0123abce\" -j LOG\n")));
    CHECK(revert(trial.job, found).empty());
    CHECK_FALSE(found);
}

TEST_CASE("a rule of the same text that lost our comment is not called gone") {
    for (const std::string comment : {"", "game", "p2pdiag 0123abce"}) {
        CAPTURE(comment);
        const bool of_another = comment.starts_with("p2pdiag");
        Trial trial(Tool::nft);
        trial.job.step.place = {"inet", "t", "input", 0, 0, "", false};
        trial.job.record = AllowRecord{true, 9};
        const std::string listed =
            Rules()
                .base("input", "input", "drop")
                .rule("input", 9, is("udp", "dport", "8000") + ',' + accept_it, comment)
                .text();
        bool found = false;
        trial.answers("nft -j list ruleset", prints(listed));
        trial.answers("nft -j list ruleset", prints(listed));
        const std::string said = revert(trial.job, found);
        const bool told =
            said.find("sudo nft delete rule inet t input handle 9") != std::string::npos;
        CHECK(told != of_another);
        CHECK(said.empty() == of_another);

        Trial other(Tool::iptables_legacy);
        other.job.step.place = {"ip", "filter", "INPUT", 0, 0, "", false};
        other.job.record = AllowRecord{true, std::nullopt};
        const std::string quoted = of_another ? '"' + comment + '"' : comment;
        const std::string line = "-A INPUT -p udp -m udp --dport 8000" +
                                 (comment.empty() ? "" : " -m comment --comment " + quoted) +
                                 " -j ACCEPT\n";
        for (int i = 0; i < 2; ++i) {
            other.answers("iptables-legacy --version", prints("iptables v1.8.9 (legacy)"));
            other.answers("iptables-legacy-save -t filter",
                          prints(table("-A INPUT -j LOG\n" + line)));
        }
        const std::string by_line = revert(other.job, found);
        CHECK((by_line.find("sudo iptables-legacy -t filter -D INPUT 2") != std::string::npos) !=
              of_another);
        CHECK_FALSE(found);
    }
    // Nothing was done yet: it is somebody's.
    Trial trial(Tool::nft);
    trial.job.step.place = {"inet", "t", "input", 0, 0, "", false};
    bool found = false;
    trial.answers("nft -j list ruleset",
                  prints(Rules()
                             .base("input", "input", "drop")
                             .rule("input", 9, is("udp", "dport", "8000") + ',' + accept_it)
                             .text()));
    CHECK(revert(trial.job, found).empty());
}

TEST_CASE("the words of a rule of iptables have the comment that it gets") {
    AllowStep step;
    step.tool = Tool::iptables_nft;
    step.opening = {8000, protocol_udp, std::nullopt};
    step.place = {"ip", "filter", "INPUT", 0, 0, "", false};
    CHECK(words_of(step).ends_with("--comment 'p2pdiag ID' -j ACCEPT"));
    CHECK(words_of(step, "0123abcd").ends_with("--comment 'p2pdiag 0123abcd' -j ACCEPT"));
}

TEST_CASE("iptables: the kind of old that has no name of its own, and none") {
    Trial trial(Tool::iptables_legacy);
    trial.job.step.place = {"ip", "filter", "INPUT", 0, 0, "", false};
    Answer missing;
    missing.kind = Answer::Kind::missing;
    trial.answers("iptables-legacy --version", missing);
    trial.answers("iptables --version", prints("iptables v1.6.1"));
    trial.answers("iptables-save -t filter", prints(table("")));
    CHECK(prepare(trial.job.step, trial.sight).empty());

    trial.answers("iptables-legacy --version", missing);
    trial.answers("iptables --version", prints("iptables v1.8.9 (nf_tables)"));
    CHECK(prepare(trial.job.step, trial.sight).find("iptables-legacy is not installed") !=
          std::string::npos);
}

TEST_CASE("ufw: a rule of somebody's is neither replaced nor deleted") {
    Trial trial(Tool::ufw);
    const std::string show = "ufw show added";
    trial.answers(show, prints("Added user rules (see 'ufw status' for running firewall):\n"
                               "ufw allow 22/tcp\nufw deny 8000/udp comment 'no'\n"));
    CHECK(apply(trial.job).find("sudo ufw delete deny 8000/udp") != std::string::npos);
    CHECK(trial.kept.empty());

    bool found = false;
    trial.answers(show, prints("ufw allow 8000/udp comment 'mine'\n"));
    CHECK(revert(trial.job, found).empty());
    CHECK_FALSE(found);

    // ufw calls it a success when there was nothing to delete.
    trial.answers(show, prints("ufw allow 8000/udp comment 'p2pdiag 0123abcd'\n"));
    trial.answers("ufw delete allow 8000/udp", prints("Could not delete non-existent rule\n"));
    trial.answers(show, prints("ufw allow 8000/udp comment 'p2pdiag 0123abcd'\n"));
    CHECK(revert(trial.job, found).find("did not delete") != std::string::npos);

    trial.answers(show, prints("", 1, "ERROR: You need to be root to run this script\n"));
    CHECK(prepare(trial.job.step, trial.sight).find("only root") != std::string::npos);
}

TEST_CASE("firewalld: what was there before is not ours") {
    Trial trial(Tool::firewalld);
    trial.job.step.zone = "public";
    const std::string query = "firewall-cmd --zone=public --query-port=8000/udp";
    trial.answers(query, prints("yes\n"));
    CHECK(apply(trial.job).empty());
    CHECK(trial.kept.empty());
    bool found = false;
    CHECK(revert(trial.job, found).empty());
    CHECK_FALSE(found);

    trial.answers(query, prints("no\n", 1));
    trial.answers("firewall-cmd --zone=public --add-port=8000/udp", prints("success\n"));
    CHECK(apply(trial.job).empty());
    REQUIRE(trial.kept.size() == 1);
    trial.job.record = trial.kept[0];
    trial.answers("firewall-cmd --state", prints("running\n"));
    trial.answers(query, prints("yes\n"));
    trial.answers("firewall-cmd --zone=public --remove-port=8000/udp", prints("success\n"));
    CHECK(revert(trial.job, found).empty());
    CHECK(found);

    trial.answers("firewall-cmd --state", prints("not running\n", 252));
    CHECK(revert(trial.job, found).empty());
    trial.job.step.permanent = true;
    trial.answers("firewall-cmd --state", prints("not running\n", 252));
    CHECK(revert(trial.job, found).find("does not run") != std::string::npos);

    trial.answers("firewall-cmd --state", prints("running\n"));
    trial.answers("firewall-cmd --permanent --zone=public --query-port",
                  prints("", 112, "INVALID_ZONE: public\n"));
    CHECK(revert(trial.job, found).find("INVALID_ZONE") != std::string::npos);
}
