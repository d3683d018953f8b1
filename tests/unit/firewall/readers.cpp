// Reading a machine: the programs and files are made up, but for the last cases.
#include "readers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <map>

#include "machine.hpp"
#include "nft_pieces.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

// Programs and files by what they answer; what is not there is missing.
struct Made {
    std::map<std::string, Answer> programs;
    std::map<std::string, FileText> files;
    std::vector<std::string> asked;

    void prints(const std::string& command, std::string output) {
        programs[command] = {Answer::Kind::ended, 0, std::move(output), {}};
    }
    void fails(const std::string& command, int code, std::string error) {
        programs[command] = {Answer::Kind::ended, code, {}, std::move(error)};
    }

    Sight sight() {
        Sight made;
        made.run = [this](const std::vector<std::string>& argv) {
            std::string line;
            for (const std::string& word : argv) line += (line.empty() ? "" : " ") + word;
            asked.push_back(line);
            const auto found = programs.find(line);
            Answer missing;
            missing.kind = Answer::Kind::missing;
            return found == programs.end() ? missing : found->second;
        };
        made.read_file = [this](const std::string& path) {
            const auto found = files.find(path);
            return found == files.end() ? FileText{ENOENT, {}} : found->second;
        };
        return made;
    }

    World read() {
        World world = machine();
        read_rulesets(sight(), world);
        return world;
    }
    bool was_asked(const std::string& command) const {
        return std::find(asked.begin(), asked.end(), command) != asked.end();
    }
};

const std::string empty_list = R"({"nftables":[{"metainfo":{"version":"1.0.6"}}]})";
const std::string nft = "nft -j list ruleset";
const std::string query_panic = "firewall-cmd --query-panic";

Made root() {
    Made made;
    made.files["/proc/self/uid_map"] = {0, "         0          0 4294967295\n"};
    made.prints(nft, empty_list);
    return made;
}

}  // namespace

TEST_CASE("an empty ruleset is believed where it is that of the machine") {
    Made made = root();
    World world = made.read();
    CHECK(world.unseen.empty());
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::accept);

    made.files["/proc/self/uid_map"] = {0, "         0       1000          1\n"};
    world = made.read();
    REQUIRE(world.unseen.size() == 1);
    CHECK(world.unseen[0].why.find("user namespace") != std::string::npos);
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::undecided);
    // Rules that are there are this network's own.
    made.prints(nft, fixture_text("03-early-drop-late-accept"));
    CHECK(made.read().unseen.empty());
}

TEST_CASE("no permission, no program, no end, no sense: never open") {
    const auto why = [](const Answer& answer) {
        Made made = root();
        made.programs[nft] = answer;
        const World world = made.read();
        CHECK(assess_inbound(world, packet()).kind == VerdictKind::undecided);
        REQUIRE(world.unseen.size() == 1);
        const bool by_rights = world.unseen[0].why == "only root may read it";
        const bool by_interrupt = answer.kind == Answer::Kind::interrupted;
        CHECK((world.unseen[0].cause == Unseen::Cause::rights) == by_rights);
        CHECK((world.unseen[0].cause == Unseen::Cause::interrupted) == by_interrupt);
        return world.unseen[0].why;
    };
    CHECK(why({Answer::Kind::ended, 1, {}, "Operation not permitted (you must be root)\nmore"}) ==
          "only root may read it");
    CHECK(why({Answer::Kind::ended, 1, {}, "internal:0:0-0: \x1b[31mError"}) ==
          "nft failed: internal:0:0-0: ?[31mError");
    CHECK(why({Answer::Kind::missing, 0, {}, {}}) == "the program nft is not installed");
    CHECK(why({Answer::Kind::late, 0, {}, {}}) == "nft did not answer in time");
    CHECK(why({Answer::Kind::interrupted, 0, {}, {}}) == "nft was interrupted");
    CHECK(why({Answer::Kind::large, 0, {}, {}}) == "nft printed more than can be read");
    CHECK(why({Answer::Kind::ended, 0, "{", {}}).find("not JSON") == 0);
}

TEST_CASE("a kernel without nf_tables needs no nft") {
    Made made = root();
    made.programs.erase(nft);
    made.files["/proc/sys/kernel/osrelease"] = {0, "6.1.0\n"};
    made.files["/proc/modules"] = {0, "x_tables 1 0 - Live 0x0\n"};
    CHECK(made.read().unseen.size() == 1);
    made.files["/lib/modules/6.1.0/modules.builtin"] = {0, "kernel/net/ipv4/tcp.ko\n"};
    CHECK(made.read().unseen.empty());
    made.files["/proc/modules"].text += "nf_tables 200704 0 - Live 0x0\n";
    CHECK(made.read().unseen.size() == 1);
}

TEST_CASE("legacy tables are asked for only where the kernel has some") {
    const std::string save = "iptables-legacy-save";
    Made made = root();
    made.prints(save, "*filter\n:INPUT DROP [0:0]\nCOMMIT\n");
    made.files["/proc/net/ip_tables_names"] = {0, ""};
    CHECK(assess_inbound(made.read(), packet()).kind == VerdictKind::accept);
    CHECK_FALSE(made.was_asked(save));

    made.files["/proc/net/ip_tables_names"].text = "filter\n";
    const Verdict verdict = assess_inbound(made.read(), packet());
    CHECK(verdict.kind == VerdictKind::drop);
    REQUIRE(verdict.deciding_rule);
    CHECK(verdict.deciding_rule->owner == "iptables-legacy");

    made.files["/proc/net/ip_tables_names"] = {EACCES, {}};
    REQUIRE(made.read().unseen.size() == 1);
    CHECK(made.read().unseen[0].cause == Unseen::Cause::rights);
    made.files["/proc/net/ip_tables_names"] = {0, "filter\n"};
    made.fails(save, 4, "Fatal: can't open lock file /run/xtables.lock: Permission denied");
    CHECK(made.read().unseen.size() == 1);
}

TEST_CASE("the one iptables of an old system is the legacy one, unless it says otherwise") {
    Made made = root();
    made.files["/proc/net/ip6_tables_names"] = {0, "filter\n"};
    made.prints("ip6tables-save", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n");
    made.prints("ip6tables --version", "ip6tables v1.6.0\n");
    CHECK(assess_inbound(made.read(), packet(4000, Family::ipv6)).kind == VerdictKind::drop);
    made.prints("ip6tables --version", "ip6tables v1.8.9 (nf_tables)\n");
    CHECK(assess_inbound(made.read(), packet(4000, Family::ipv6)).kind == VerdictKind::undecided);
}

TEST_CASE("what the JSON lacks is looked up where it stands") {
    Made made = root();
    made.prints(nft, fixture_text("11-dormant"));
    CHECK(assess_inbound(made.read(), packet()).kind == VerdictKind::undecided);
    made.prints("nft list ruleset",
                "table inet xyz {\n\tflags dormant\n\n\tchain input {\n\t}\n}\n");
    CHECK(assess_inbound(made.read(), packet()).kind == VerdictKind::accept);

    made.prints(nft, fixture_text("22-iptables-nft"));
    CHECK(assess_inbound(made.read(), packet()).kind == VerdictKind::undecided);
    made.prints(
        "iptables-nft-save",
        "*filter\n:INPUT DROP [0:0]\n"
        "-A INPUT -p udp -m multiport --dports 4000,4001 -m conntrack --ctstate NEW -j ACCEPT\n"
        "-A INPUT -p udp --dport 4002 -j REJECT --reject-with icmp-host-prohibited\n"
        "-A INPUT -p udp --dport 4003 -m limit --limit 1/min -j ACCEPT\n"
        "-A INPUT -i v+ -p udp --dport 4004 -j ACCEPT\nCOMMIT\n");
    const World world = made.read();
    CHECK(assess_inbound(world, packet()).kind == VerdictKind::accept);
    CHECK(assess_inbound(world, packet(4002)).reject_kind == "icmp host-prohibited");
    CHECK(assess_inbound(world, packet(4003)).kind == VerdictKind::depends);
    CHECK(assess_inbound(world, packet(4005)).kind == VerdictKind::drop);
}

TEST_CASE("a listing that nft breaks off at a table's flags is put together from pieces") {
    Made made = root();
    const auto listing = [](const std::string& entries) {
        return R"({"nftables": [{"metainfo": {"version": "1.0.6"}})" +
               (entries.empty() ? "" : ", " + entries) + "]}\n";
    };
    const std::string broken =
        R"({"nftables": [{"metainfo": {"version": "1.0.6"}}, {"table": {"family": "inet", "name": "own", "handle": 2, "flags": )";
    made.prints(nft, broken + "\n");
    CHECK(broken_off_at(broken + "\n") == "inet own");
    CHECK(broken_off_at(listing("")).empty());
    CHECK(broken_off_at(R"("flags": )").empty());
    const auto why = [&] {
        const World world = made.read();
        return world.unseen.empty() ? "" : world.unseen.front().why;
    };
    CHECK(why().find("broke off at the table inet own") != std::string::npos);

    const std::string rules =
        "table inet own { # progname keeper\n\tflags owner\n\n\tchain input {\n\t}\n}\n";
    const std::string chain =
        R"({"chain": {"family": "inet", "table": "own", "name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}})";
    made.prints("nft -s list ruleset", rules);
    made.prints("nft list ruleset", rules);
    made.prints("nft list tables", "table inet own\n");
    made.prints("nft -j list sets", listing(""));
    made.prints("nft -j list maps", listing(""));
    made.prints("nft -j list chains", listing(chain));
    const std::string of_chain = "nft -j list chain inet own input";
    made.prints(
        of_chain,
        listing(
            chain +
            R"(, {"rule": {"family": "inet", "table": "own", "chain": "input", "handle": 3, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 4000}}, {"drop": null}]}})"));
    CHECK(why().empty());
    CHECK(assess_inbound(made.read(), packet()).kind == VerdictKind::drop);
    CHECK(assess_inbound(made.read(), packet(4001)).kind == VerdictKind::accept);
    // Not owned any more, and dormant.
    std::string dormant = rules;
    made.prints("nft list ruleset", dormant.replace(dormant.find("owner"), 5, "dormant"));
    CHECK(assess_inbound(made.read(), packet()).kind == VerdictKind::accept);
    // Any piece may be missing.
    made.fails(of_chain, 1, "Error: No such file or directory");
    CHECK(why().find("broke off") != std::string::npos);
}

TEST_CASE("sysctls, and those that are missing") {
    Made made;
    made.files["/proc/sys/net/ipv4/conf/all/rp_filter"] = {0, "2\n"};
    made.files["/proc/sys/net/ipv4/conf/vb/rp_filter"] = {0, "1\n"};
    made.files["/proc/sys/net/ipv4/conf/all/forwarding"] = {0, "1\n"};
    made.files["/proc/sys/net/ipv6/conf/all/forwarding"] = {0, "junk\n"};
    World world = machine();
    world.sysctls = {};
    read_sysctls(made.sight(), world);
    CHECK(world.sysctls.rp_filter_all == 2U);
    CHECK(world.sysctls.rp_filter == std::map<std::string, unsigned>{{"vb", 1}});
    CHECK(world.sysctls.ipv4_forwarding == true);
    CHECK_FALSE(world.sysctls.ipv6_forwarding);
}

TEST_CASE("programs are run with bounds") {
    using Clock = std::chrono::steady_clock;
    const Answer said =
        run_command({"sh", "-c", "echo out; echo err >&2; exit 3"}, Clock::time_point::max(), -1);
    CHECK(said.kind == Answer::Kind::ended);
    CHECK(said.exit_code == 3);
    CHECK(said.output == "out\n");
    CHECK(said.error == "err\n");
    CHECK_FALSE(said.good());
    CHECK(run_command({"no-such-program"}, Clock::time_point::max(), -1).kind ==
          Answer::Kind::missing);
    CHECK(run_command({"sleep", "1000"}, Clock::now(), -1).kind == Answer::Kind::late);
    CHECK(run_command({"sh", "-c", "kill -9 $$"}, Clock::time_point::max(), -1).kind ==
          Answer::Kind::failed);
    CHECK(
        run_command({"head", "-c", "200000000", "/dev/zero"}, Clock::time_point::max(), -1).kind ==
        Answer::Kind::large);
}

TEST_CASE("this machine's links are there") {
    World world;
    read_links(world);
    REQUIRE(world.find_interface("lo") != nullptr);
    CHECK(world.routes.has_value());
}

TEST_CASE("firewalld is asked whether it is in panic mode, where it has the table for that") {
    Made made;
    made.prints(nft, empty_list);
    made.read();
    CHECK_FALSE(made.was_asked(query_panic));
    made.prints(nft, R"({"nftables":[{"metainfo":{"version":"1.0.6"}},)"
                     R"({"table":{"family":"inet","name":"firewalld_policy_drop","handle":1}}]})");
    CHECK(made.read().panic == std::nullopt);
    CHECK(made.was_asked(query_panic));
    made.programs[query_panic] = {Answer::Kind::ended, 252, {}, "FirewallD is not running"};
    CHECK(made.read().panic == std::nullopt);
    made.prints(query_panic, "yes\n");
    CHECK(made.read().panic == true);
    made.programs[query_panic] = {Answer::Kind::ended, 1, "no\n", {}};
    CHECK(made.read().panic == false);
}
