// Lines of ours in files of others: put in at one place, taken out without a trace.
#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "allow_file_edit.hpp"
#include "allow_file_write.hpp"
#include "readers.hpp"
#include "rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

const std::string id = "0123abcd";

AllowStep step_at(Tool tool, std::string text) {
    AllowStep step;
    step.tool = tool;
    step.opening = {8000, protocol_udp, std::nullopt};
    step.place = {"inet", "filter", "input", 0, 0, std::move(text), false};
    if (tool != Tool::nft) step.place = {"ip", "filter", "INPUT", 0, 0, step.place.text, false};
    if (!step.place.text.empty()) (tool == Tool::nft ? step.place.handle : step.place.line) = 7;
    return step;
}

const std::string script = R"(#!/usr/sbin/nft -f
# Ours.
flush ruleset

table inet other {
	chain input {
		drop
	}
}
table inet filter {
	set s { type ipv4_addr; }
	chain input {
		type filter hook input priority 0; policy accept;
		tcp dport 22  accept # ssh
		counter packets 12 bytes 700 drop;
	}
	chain output {
		drop
	}
}
)";

const std::string saved_text =
    "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DROP\nCOMMIT\n"
    "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    "-A INPUT -p tcp -j ACCEPT\n-A INPUT -j DROP\n-A FORWARD -j DROP\nCOMMIT\n# end\n";

const std::string line =
    "-A INPUT -p udp -m udp --dport 8000 -m comment --comment \"p2pdiag "
    "0123abcd\" -j ACCEPT\n";

struct Folder {
    std::string path;
    Folder() {
        char name[] = "/tmp/p2pdiag-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

std::string put(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
    return path;
}

std::string fine(const std::string&) { return {}; }

}  // namespace

TEST_CASE("nft: before a line of that chain, in the hand of the file") {
    const auto edited = add_nft_line(script, step_at(Tool::nft, "counter drop"), id);
    REQUIRE(edited);
    const std::string added = "\t\tudp dport 8000 accept comment \"p2pdiag 0123abcd\"\n";
    CHECK(edited->find(" # ssh\n" + added + "\t\tcounter packets 12") != std::string::npos);
    CHECK(remove_lines(*edited, id) == script);
    CHECK(remove_lines(*edited, "0123abc") == *edited);

    const auto at_end = add_nft_line(script, step_at(Tool::nft, ""), id);
    REQUIRE(at_end);
    CHECK(at_end->find("drop;\n" + added + "\t}\n\tchain output") != std::string::npos);
    CHECK(remove_lines(*at_end, id) == script);
}

TEST_CASE("nft: a place that is not surely the one") {
    CHECK_FALSE(add_nft_line(script, step_at(Tool::nft, "reject"), id));
    CHECK_FALSE(add_nft_line(script + script, step_at(Tool::nft, ""), id));
    CHECK_FALSE(add_nft_line("", step_at(Tool::nft, ""), id));
    CHECK_FALSE(add_nft_line("add rule inet filter input drop\n", step_at(Tool::nft, ""), id));
    AllowStep strange = step_at(Tool::nft, "");
    strange.place.chain = "a {\n flush ruleset";
    CHECK_FALSE(add_nft_line(script, strange, id));
    std::string twice = script;
    twice.insert(twice.find("\t\ttcp dport 22"), "\t\tcounter drop\n");
    CHECK_FALSE(add_nft_line(twice, step_at(Tool::nft, "counter drop"), id));
}

TEST_CASE(
    "nft: what is in quotes is no comment of the file, and the rule's comment is no part of it") {
    const auto with = [](const std::string& line) {
        return "table inet filter {\n\tchain input {\n\t\t" + line + "\n\t}\n}\n";
    };
    const auto finds = [&](const std::string& line, const std::string& rule) {
        return add_nft_line(with(line), step_at(Tool::nft, rule), id).has_value();
    };
    CHECK(finds("counter packets 3 bytes 9 drop comment \"all  # else\"", "counter drop"));
    CHECK(finds("drop comment \"a\"; # b", "drop"));
    CHECK(finds("drop  comment\t\"p2pdiag \"", "drop"));
    const std::string logs = R"(log prefix "a # b  c" level info drop)";
    CHECK(finds(logs, logs));
    CHECK(finds(logs + " comment \"x\" # y", logs));
    CHECK_FALSE(finds(logs, R"(log prefix "a)"));
    CHECK_FALSE(finds(logs, R"(log prefix "a # b c" level info drop)"));
    // A prefix that looks like a comment is none.
    CHECK(finds(R"(log prefix "x comment " drop)", R"(log prefix "x comment " drop)"));
    CHECK(finds(R"(log prefix " comment ")", R"(log prefix " comment ")"));
    // Two rules that differ by their comment alone.
    CHECK_FALSE(finds("drop comment \"a\"\n\t\tdrop comment \"b\"", "drop"));
}

TEST_CASE("iptables: before a line of that table and chain") {
    const auto edited =
        add_iptables_line(saved_text, step_at(Tool::iptables_nft, "-A INPUT -j DROP"), id);
    REQUIRE(edited);
    CHECK(edited->find("-p tcp -j ACCEPT\n" + line + "-A INPUT -j DROP\n") != std::string::npos);
    CHECK(remove_lines(*edited, id) == saved_text);

    const auto at_end = add_iptables_line(saved_text, step_at(Tool::iptables_nft, ""), id);
    REQUIRE(at_end);
    CHECK(at_end->find("-A INPUT -j DROP\n" + line + "-A FORWARD") != std::string::npos);

    CHECK_FALSE(add_iptables_line(saved_text, step_at(Tool::iptables_nft, "-A INPUT -j LOG"), id));
    CHECK_FALSE(add_iptables_line("*filter\n", step_at(Tool::iptables_nft, ""), id));
}

TEST_CASE("what is loaded afterwards is compared, not believed") {
    const AllowStep step = step_at(Tool::iptables_nft, "-A INPUT -j DROP");
    const Ruleset before = saved(saved_text);
    CHECK(is_exact_insertion(before, saved(*add_iptables_line(saved_text, step, id)), step, id));
    CHECK_FALSE(is_exact_insertion(before, before, step, id));
    std::string elsewhere = saved_text;
    elsewhere.insert(elsewhere.find("-A INPUT -p tcp"), line);
    CHECK_FALSE(is_exact_insertion(before, saved(elsewhere), step, id));
    std::string less = *add_iptables_line(saved_text, step, id);
    less.erase(less.find("-A FORWARD"), 19);
    CHECK_FALSE(is_exact_insertion(before, saved(less), step, id));
    std::string open = *add_iptables_line(saved_text, step, id);
    open.replace(open.find(":FORWARD ACCEPT"), 15, ":FORWARD DROP");
    CHECK_FALSE(is_exact_insertion(before, saved(open), step, id));
}

TEST_CASE("a file is replaced whole, or stays") {
    const Folder folder;
    const std::string path = put(folder.path + "/rules", "old");
    ::chmod(path.c_str(), 0640);
    CHECK(replace_file(path, "old", "new", fine).empty());
    CHECK(read_small_file(path).text == "new");
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0640);

    CHECK(replace_file(path, "old", "newer", fine).find("changed in between") != std::string::npos);
    CHECK(replace_file(path, "new", "newer", [](const std::string& temporary) {
              CHECK(read_small_file(temporary).text == "newer");
              return std::string("no");
          }) == "no");
    CHECK(read_small_file(path).text == "new");
    // Nothing else is left beside it.
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a file that is more than a file is left alone") {
    const Folder folder;
    const std::string path = put(folder.path + "/rules", "old");
    CHECK(distrust_file(path).empty());
    ::chmod(path.c_str(), 0666);
    CHECK_FALSE(distrust_file(path).empty());
    ::chmod(path.c_str(), 0644);
    const std::string link = folder.path + "/link";
    std::filesystem::create_symlink(path, link);
    CHECK_FALSE(distrust_file(link).empty());
    CHECK_FALSE(replace_file(link, "old", "new", fine).empty());
    std::filesystem::create_hard_link(path, folder.path + "/second");
    CHECK_FALSE(distrust_file(path).empty());
    CHECK_FALSE(distrust_file(folder.path + "/none").empty());
}
