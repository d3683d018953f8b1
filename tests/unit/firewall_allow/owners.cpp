// Rules that a program wrote are changed by that program, or not at all.
#include <catch2/catch.hpp>

#include <cerrno>

#include "allow_persist.hpp"
#include "rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

World ufw(const std::string& more = "") {
    World world = home();
    std::string text = recorded_text("ufw.iptables");
    if (!more.empty()) {
        const std::size_t commit = text.rfind("COMMIT");
        text.insert(commit, more + '\n');
    }
    world.rulesets.push_back(saved(text, Family::ipv4));
    world.rulesets.push_back(saved(recorded_text("ufw.ip6tables"), Family::ipv6));
    return world;
}

World owned(const std::string& chain) {
    return with(home(), saved("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
                              ":OUTPUT ACCEPT [0:0]\n:" +
                              chain + " - [0:0]\n-A INPUT -j " + chain + "\n-A " + chain +
                              " -p udp -j DROP\nCOMMIT\n"));
}

}  // namespace

TEST_CASE("ufw: one rule for both families") {
    const AllowPlan plan = make_allow_plan(ufw(), wanted("udp", "", 5000));
    CHECK(plan.judgement.status == P2PDIAG_PASS);
    REQUIRE(plan.steps.size() == 1);
    CHECK(plan.steps[0].tool == Tool::ufw);
    CHECK(words_of(plan.steps[0]) == "ufw allow 5000/udp");
    CHECK(plan.steps[0].aims.size() == 2);

    const AllowPlan near = make_allow_plan(ufw(), wanted("tcp", "10.9.0.0/24", 5000));
    REQUIRE(near.steps.size() == 1);
    CHECK(words_of(near.steps[0]) == "ufw allow from 10.9.0.0/24 to any port 5000 proto tcp");
    CHECK(near.steps[0].aims.size() == 1);
}

TEST_CASE("ufw: what stops it earlier is the person's to change") {
    const AllowPlan plan =
        make_allow_plan(ufw("-I ufw-user-input -p udp -m udp --dport 5000 -j DROP"),
                        wanted("udp", "10.9.0.0/24", 5000));
    CHECK(plan.judgement.status == P2PDIAG_FAIL);
    CHECK(plan.steps.empty());
    CHECK(says(plan, "ufw status numbered"));
}

TEST_CASE("firewalld: the zone that the packet comes through") {
    const World world = with(home(), parsed(recorded_text("firewalld.json")));
    const AllowPlan plan = make_allow_plan(world, wanted("udp", "", 5000));
    INFO(plan.judgement.summary);
    REQUIRE(plan.steps.size() == 1);
    CHECK(words_of(plan.steps[0]) == "firewall-cmd --zone=public --add-port=5000/udp");
    CHECK(plan.steps[0].aims.size() == 2);

    AllowPlan near = make_allow_plan(world, wanted("udp", "10.9.0.0/24", 5000));
    REQUIRE(near.steps.size() == 1);
    CHECK(words_of(near.steps[0]) ==
          "firewall-cmd --zone=public '--add-rich-rule=rule family=\"ipv4\" source "
          "address=\"10.9.0.0/24\" port port=\"5000\" protocol=\"udp\" accept'");

    Sight sight;
    sight.run = [](const std::vector<std::string>& argv) {
        const bool state = argv.at(1) == "--state";
        return Answer{Answer::Kind::ended, state ? 0 : 1, state ? "running\n" : "no\n", {}};
    };
    add_persistence(near, sight);
    REQUIRE(near.steps.size() == 2);
    CHECK(near.judgement.summary == "2 steps");
    CHECK_FALSE(near.steps[0].permanent);
    CHECK(near.steps[1].permanent);
}

TEST_CASE("firewalld: panic mode is ended by firewalld, and its table alone is not that") {
    World world = with(home(), Rules("inet", "firewalld_policy_drop")
                                   .base("raw_prerouting", "prerouting", "drop", -290)
                                   .read());
    const auto plan = [&] { return make_allow_plan(world, wanted("udp", "", 5000)); };
    CHECK(says(plan(), "--query-panic` tells whether"));
    CHECK_FALSE(says(plan(), "panic mode is on,"));
    world.panic = true;
    CHECK(plan().judgement.status == P2PDIAG_FAIL);
    CHECK(says(plan(),
               "panic mode is on, which drops everything in both directions; `sudo "
               "firewall-cmd --panic-off` ends it."));
    world.panic = false;
    CHECK(says(plan(), "not in panic mode. Ask again."));
}

TEST_CASE("a table that a running program owns is nobody else's to change") {
    Ruleset rules = Rules().base("input", "input", "drop").read();
    rules.tables.front().owned = true;
    const AllowPlan plan = make_allow_plan(with(home(), rules), wanted());
    CHECK(plan.judgement.status == P2PDIAG_FAIL);
    CHECK(says(plan, "A running program owns that table"));
}

TEST_CASE("rules of other programs: who they belong to, and what to do") {
    for (const auto& [chain, word] : {std::pair("DOCKER-ISOLATION", "docker run"),
                                      {"NETAVARK_INPUT", "podman run"},
                                      {"LIBVIRT_INP", "libvirt"},
                                      {"f2b-all", "fail2ban-client"},
                                      {"MINIUPNPD", "p2pdiag forward add"},
                                      {"ts-input", "tailscale"}}) {
        const AllowPlan plan = make_allow_plan(owned(chain), wanted("udp", "10.9.0.0/24"));
        INFO(chain);
        CHECK(plan.judgement.status == P2PDIAG_FAIL);
        CHECK(plan.steps.empty());
        CHECK(says(plan, word));
    }
}

TEST_CASE("what lasts beyond a reboot") {
    Sight nobody;
    nobody.run = [](const std::vector<std::string>&) { return Answer(); };
    nobody.read_file = [](const std::string&) { return FileText{ENOENT, {}}; };

    AllowPlan plan = make_allow_plan(ufw(), wanted("udp", "", 5000));
    add_persistence(plan, nobody);
    CHECK(plan.steps.size() == 1);
    CHECK(plan.judgement.status == P2PDIAG_PASS);
    CHECK(plan.judgement.summary == "One step");

    // Nothing to do, and nothing to make last.
    AllowPlan none =
        make_allow_plan(with(home(), Rules().base("input", "input", "accept").read()), wanted());
    add_persistence(none, nobody);
    CHECK(none.judgement.status == P2PDIAG_SKIP);

    // Nobody knows which file the rules come from.
    const World world = with(home(), Rules().base("input", "input", "drop").read());
    AllowPlan by_hand = make_allow_plan(world, wanted());
    add_persistence(by_hand, nobody);
    CHECK(by_hand.judgement.status == P2PDIAG_FAIL);
    CHECK(by_hand.steps.empty());
    CHECK(says(by_hand, "nftables.service is not enabled"));
    CHECK(
        says(by_hand, "the rule `udp dport 4000 accept` into the chain input of the table inet t"));
}
