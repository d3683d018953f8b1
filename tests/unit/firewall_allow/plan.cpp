// Which rule is put where: nftables and iptables.
#include <catch2/catch.hpp>

#include "allow_verify.hpp"
#include "ask.hpp"
#include "rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

std::vector<std::string> places(const AllowPlan& plan) {
    std::vector<std::string> all;
    for (const AllowStep& step : plan.steps) {
        const RulePlace& place = step.place;
        std::string text = std::string(to_string(step.tool)) + ": " + place.family + ' ' +
                           place.table + ' ' + place.chain;
        if (step.tool == Tool::nft && place.handle != 0)
            text += " before " + std::to_string(place.handle);
        if (step.tool != Tool::nft && place.line != 0)
            text += " line " + std::to_string(place.line);
        if (place.for_this_machine) text += " local";
        all.push_back(text);
    }
    return all;
}

using Places = std::vector<std::string>;

const std::string drop_udp = is("udp", "dport", "4000") + ',' + drop_it;
const std::string accept_udp = is("udp", "dport", "4000") + ',' + accept_it;

}  // namespace

TEST_CASE("a policy: one rule at the end of the chain, for both families") {
    const World world =
        with(home(), Rules()
                         .base("input", "input", "drop")
                         .rule("input", 5, established)
                         .rule("input", 6, is("tcp", "dport", "22") + ',' + accept_it)
                         .read());
    const AllowPlan plan = make_allow_plan(world, wanted());
    CHECK(plan.judgement.status == P2PDIAG_PASS);
    CHECK(places(plan) == Places{"nft: inet t input"});
    REQUIRE(plan.steps.size() == 1);
    CHECK(plan.steps[0].aims == std::vector<Aim>{{Family::ipv4, "vb"}, {Family::ipv6, "vb"}});
    CHECK(title_of(plan.steps[0]) ==
          "Let in UDP port 4000 by the rule `udp dport 4000 accept` (nft) at the end of the chain "
          "input of the table inet t");
    CHECK(says(plan, "not a listening program"));

    CHECK(make_allow_plan(world, wanted("both")).steps.size() == 2);
    const AllowPlan ssh = make_allow_plan(world, wanted("tcp", "", 22));
    CHECK(ssh.judgement.status == P2PDIAG_SKIP);
    CHECK(ssh.steps.empty());
}

TEST_CASE("a drop in the middle: right before it, behind what stands there with a reason") {
    const World world =
        with(home(), Rules()
                         .base("input", "input", "accept")
                         .rule("input", 5, is("ip", "saddr", "\"45.67.89.91\"") + ',' + drop_it)
                         .rule("input", 6, is("tcp", "dport", "22") + ',' + accept_it)
                         .rule("input", 7, reject_it)
                         .read());
    // The stranger of the tests is the one who is kept out: his is a rule of its own.
    const AllowPlan plan = make_allow_plan(world, wanted("udp", "10.9.0.0/24"));
    CHECK(places(plan) == Places{"nft: inet t input before 7"});
    CHECK(nft_rule_text(plan.steps.at(0).opening, false) ==
          "ip saddr 10.9.0.0/24 udp dport 4000 accept");
}

TEST_CASE("a chain that other packets come through too") {
    const World world = with(home(), Rules()
                                         .base("input", "input", "accept")
                                         .base("forward", "forward", "accept")
                                         .chain("common")
                                         .rule("input", 5, jump("common"))
                                         .rule("forward", 6, jump("common"))
                                         .rule("common", 7, established)
                                         .rule("common", 8, drop_it)
                                         .read());
    const AllowPlan plan = make_allow_plan(world, wanted());
    CHECK(places(plan) == Places{"nft: inet t common before 8 local"});
    CHECK(title_of(plan.steps.at(0)).find("fib daddr type local") != std::string::npos);
}

TEST_CASE("a policy that is come to behind a goto or a return") {
    const World gone = with(home(), Rules()
                                        .base("input", "input", "drop")
                                        .chain("c")
                                        .rule("input", 5, go("c"))
                                        .rule("c", 6, is("tcp", "dport", "22") + ',' + accept_it)
                                        .read());
    CHECK(places(make_allow_plan(gone, wanted())) == Places{"nft: inet t c"});

    const World returned =
        with(home(), Rules()
                         .base("input", "input", "drop")
                         .rule("input", 5, is("tcp", "dport", "22") + ',' + accept_it)
                         .rule("input", 6, R"({"return":null})")
                         .rule("input", 7, accept_it)
                         .read());
    CHECK(places(make_allow_plan(returned, wanted())) == Places{"nft: inet t input before 6"});
}

TEST_CASE("several in a row") {
    const World raw = with(home(), Rules()
                                       .base("early", "prerouting", "accept", -300)
                                       .base("input", "input", "drop")
                                       .rule("early", 5, drop_udp)
                                       .read());
    CHECK(places(make_allow_plan(raw, wanted())) ==
          Places{"nft: inet t early before 5 local", "nft: inet t input"});

    World mixed = with(home(), Rules().base("input", "input", "drop").read());
    mixed.rulesets.push_back(
        saved("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
              ":OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp -j ACCEPT\n"
              "-A INPUT -j DROP\nCOMMIT\n"));
    CHECK(places(make_allow_plan(mixed, wanted())) ==
          Places{"nft: inet t input", "iptables-legacy: ip filter INPUT line 2"});
}

TEST_CASE("each family where it has rules of its own") {
    const World v4 = with(home(), Rules("ip").base("input", "input", "drop").read());
    const AllowPlan one = make_allow_plan(v4, wanted());
    CHECK(places(one) == Places{"nft: ip t input"});
    CHECK(one.steps.at(0).aims == std::vector<Aim>{{Family::ipv4, "vb"}});
    CHECK(says(one, "by IPv6 on vb is open already"));

    World both = with(home(), Rules("ip").base("input", "input", "drop").read());
    both.rulesets.push_back(Rules("ip6").base("input", "input", "drop").read());
    CHECK(places(make_allow_plan(both, wanted())) == Places{"nft: ip t input", "nft: ip6 t input"});
    // Nobody asked for IPv6.
    CHECK(places(make_allow_plan(both, wanted("udp", "10.9.0.1"))) == Places{"nft: ip t input"});
}

TEST_CASE("iptables-nft is spoken to in its own words") {
    const World world =
        with(home(), Rules("ip", "filter")
                         .base("INPUT", "input", "accept")
                         .base("FORWARD", "forward", "drop")
                         .chain("MINE")
                         .rule("INPUT", 5, established)
                         .rule("INPUT", 6, jump("MINE"))
                         .rule("MINE", 7, is("tcp", "dport", "22") + ',' + accept_it)
                         .rule("MINE", 8, drop_it)
                         .read());
    const AllowPlan plan = make_allow_plan(world, wanted());
    CHECK(places(plan) == Places{"iptables-nft: ip filter MINE line 2"});
    CHECK(plan.steps.at(0).place.handle == 8);
}

TEST_CASE("a line of iptables that says 'or' is one line") {
    const World world =
        with(home(), saved("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n"
                           ":OUTPUT ACCEPT [0:0]\n"
                           "-A INPUT -p tcp -m multiport --ports 22,80 -j ACCEPT\n"
                           "-A INPUT -p udp -m multiport --ports 4000,5000 -j DROP\n"
                           "COMMIT\n"));
    const AllowPlan plan = make_allow_plan(world, wanted());
    CHECK(places(plan) == Places{"iptables-legacy: ip filter INPUT line 2"});
    CHECK(plan.steps.at(0).place.text == "-A INPUT -p udp -m multiport --ports 4000,5000 -j DROP");
}

TEST_CASE("a verdict map is a rule like any other") {
    const World world =
        with(home(), Rules()
                         .base("input", "input", "accept")
                         .rule("input", 5,
                               R"({"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},)"
                               R"("data":{"set":[[4000,{"drop":null}],[53,{"accept":null}]]}}})")
                         .read());
    CHECK(places(make_allow_plan(world, wanted())) == Places{"nft: inet t input before 5"});
}

TEST_CASE("what is open, unknown or no rule's doing is left alone") {
    CHECK(make_allow_plan(home(), wanted()).judgement.status == P2PDIAG_SKIP);

    World blind = home();
    blind.unseen.push_back(
        {"the nftables rules", "only root may read it", {}, Unseen::Cause::rights});
    const AllowPlan unseen = make_allow_plan(blind, wanted("both", "10.9.0.0/24"));
    CHECK(unseen.judgement.status == P2PDIAG_UNKNOWN);
    CHECK(says(unseen,
               "sudo p2pdiag firewall allow --port 4000 --protocol both --source "
               "10.9.0.0/24"));

    const std::string limited = R"({"limit":{"rate":1,"burst":1,"per":"minute"}},)" + accept_it;
    const World depends =
        with(home(), Rules().base("input", "input", "drop").rule("input", 5, limited).read());
    const AllowPlan open = make_allow_plan(depends, wanted());
    CHECK(open.judgement.status == P2PDIAG_UNKNOWN);
    CHECK(open.steps.empty());
    CHECK(says(open, "Nothing is changed on a guess"));

    World strict = home();
    strict.sysctls.rp_filter_all = 1;
    strict.routes->erase(strict.routes->end() - 2);  // the way to IPv4's internet
    Route elsewhere;
    elsewhere.destination = ip("45.0.0.0");
    elsewhere.prefix = 8;
    elsewhere.interface = 3;
    strict.routes->push_back(elsewhere);
    const AllowPlan filtered = make_allow_plan(strict, wanted("udp", "45.67.89.91"));
    CHECK(filtered.judgement.status == P2PDIAG_FAIL);
    CHECK(says(filtered, "rp_filter"));

    World idle = home();
    for (net::Interface& interface : idle.interfaces) interface.up = false;
    CHECK(make_allow_plan(idle, wanted()).judgement.status == P2PDIAG_UNKNOWN);
}

TEST_CASE("one family that stays shut does not keep the other from being opened") {
    World world = with(home(), Rules("ip").base("input", "input", "drop").read());
    const std::string limited = R"({"limit":{"rate":1,"burst":1,"per":"minute"}},)" + accept_it;
    world.rulesets.push_back(
        Rules("ip6").base("input", "input", "drop").rule("input", 5, limited).read());
    const AllowPlan plan = make_allow_plan(world, wanted());
    CHECK(plan.judgement.status == P2PDIAG_PASS);
    CHECK(places(plan) == Places{"nft: ip t input"});
    CHECK(says(plan, "by IPv6 on vb cannot be judged"));
    // It was asked for as well, so the end says that it is not done.
    const std::vector<LeftOut> v6 = {{{Family::ipv6, "vb"}, protocol_udp}};
    REQUIRE(plan.steps.at(0).left_out == v6);
    insert_rule(world, {0, 0, std::nullopt}, plan.steps[0].opening, false);
    const Judgement half = judge_opening(world, plan.steps[0]);
    CHECK(half.status == P2PDIAG_FAIL);
    CHECK(half.summary.find("let UDP port 4000 in by IPv4 on vb") != std::string::npos);
    CHECK(half.summary.find("UDP port 4000 by IPv6 on vb cannot be judged") != std::string::npos);
    // Somebody opened it meanwhile.
    world.rulesets.pop_back();
    CHECK(judge_opening(world, plan.steps[0]).status == P2PDIAG_PASS);
}

TEST_CASE("a family or protocol that another program keeps shut is told in the end, too") {
    World world = with(home(), Rules("ip").base("input", "input", "drop").read());
    world.rulesets.push_back(
        saved("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
              ":OUTPUT ACCEPT [0:0]\n:LIBVIRT_INP - [0:0]\n"
              "-A INPUT -j LIBVIRT_INP\n-A LIBVIRT_INP -j DROP\nCOMMIT\n",
              Family::ipv6));
    const AllowPlan plan = make_allow_plan(world, wanted("both"));
    CHECK(plan.judgement.status == P2PDIAG_PASS);
    REQUIRE(plan.steps.size() == 2);
    CHECK(plan.steps[0].left_out.empty());
    const std::vector<LeftOut> both = {{{Family::ipv6, "vb"}, protocol_udp},
                                       {{Family::ipv6, "vb"}, protocol_tcp}};
    CHECK(plan.steps[1].left_out == both);
    for (const AllowStep& step : plan.steps)
        insert_rule(world, {0, 0, std::nullopt}, step.opening, false);
    CHECK(judge_opening(world, plan.steps[0]).status == P2PDIAG_PASS);
    const Judgement last = judge_opening(world, plan.steps[1]);
    CHECK(last.status == P2PDIAG_FAIL);
    CHECK(last.summary.find("But UDP port 4000 by IPv6 on vb stays closed.") != std::string::npos);
    CHECK(last.summary.find("And TCP port 4000 by IPv6 on vb stays closed.") != std::string::npos);
    CHECK(last.data.at("verdicts").as_array().size() == 3);
}

TEST_CASE("a port that is sent on elsewhere is not opened there") {
    World world = with(home(), Rules("ip").base("input", "input", "drop").read());
    world.rulesets.push_back(
        saved("*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n"
              ":OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
              "-A PREROUTING -p udp -m udp --dport 4000 -j REDIRECT --to-ports 5000\n"
              "COMMIT\n"));
    const AllowPlan plan = make_allow_plan(world, wanted());
    CHECK(plan.steps.empty());
    CHECK(says(plan, "on to port 5000"));
    // To another machine, which no rule and no forwarding lets it reach.
    World away = with(home(), Rules("ip").base("input", "input", "drop").read());
    away.rulesets.push_back(
        saved("*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n"
              ":OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
              "-A PREROUTING -p udp -m udp --dport 4000 -j DNAT --to-destination 10.9.0.77:9000\n"
              "COMMIT\n"));
    away.sysctls.ipv4_forwarding = false;
    CHECK(says(make_allow_plan(away, wanted()),
               "or container. They do not get there: it is for another machine, and this one does "
               "not forward."));
}

TEST_CASE("what becomes open besides is found") {
    const World before = with(home(), Rules().base("input", "input", "drop").read());
    Opening opening{4000, protocol_udp, std::nullopt};
    World exact = before;
    insert_rule(exact, {0, 0, std::nullopt}, opening, false);
    CHECK(opened_besides(before, exact, opening).empty());

    const World broad = with(home(), Rules().base("input", "input", "accept").read());
    CHECK(opened_besides(before, broad, opening).find("would be opened too") != std::string::npos);

    const World shut = with(home(), Rules().base("f", "forward", "drop").read());
    World wide = shut;
    insert_rule(wide, {0, 0, std::nullopt}, opening, false);
    CHECK(opened_besides(shut, wide, opening).find("behind this one") != std::string::npos);

    std::string why;
    Opening narrow = opening;
    narrow.source = SourceNet::parse("10.9.0.0/24", why);
    CHECK(opened_besides(before, exact, narrow).find("from everywhere") != std::string::npos);
}

TEST_CASE("lists of senders and limits stay in force: the place is where most are stopped") {
    const std::string from = "\"203.0.113.66\"";
    const std::string banned = is("ip", "saddr", from) + ',' + drop_it;
    const std::string trusted =
        R"({"match":{"op":"!=","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":)" +
        from + "}}," + drop_it;
    const std::string too_fast =
        R"({"limit":{"rate":10,"burst":5,"per":"second","inv":true}},)" + drop_it;
    const auto rules = [&](const std::string& first, const std::string& last = "") {
        Rules all;
        all.base("input", "input", "drop").rule("input", 5, established).rule("input", 6, first);
        if (!last.empty()) all.rule("input", 7, last);
        return with(home(), all.read());
    };

    for (const std::string& first : {banned, is("udp", "dport", "4000") + ',' + too_fast}) {
        const World world = rules(first);
        const AllowPlan plan = make_allow_plan(world, wanted());
        CHECK(plan.judgement.status == P2PDIAG_PASS);
        CHECK(places(plan) == Places{"nft: inet t input"});
        CHECK(says(plan, "Some packets are stopped as before"));
        // The rule that decides is the policy, whatever comes before it for a few.
        const auto asked = ask_inbound(world, find_entrances(world), {4000, {protocol_udp}});
        const Verdict& verdict = asked.front().verdict;
        CHECK(verdict.kind == VerdictKind::reply_only);
        REQUIRE(verdict.deciding_rule);
        CHECK(verdict.deciding_rule->text == "policy drop");
    }
    CHECK(places(make_allow_plan(rules(banned, drop_it), wanted())) ==
          Places{"nft: inet t input before 7"});
    CHECK(says(make_allow_plan(rules(banned, drop_it), wanted()),
               "`drop` and whatever stands behind it"));
    // Who is not on the list of the trusted is stopped by that very rule.
    CHECK(places(make_allow_plan(rules(trusted), wanted())) ==
          Places{"nft: inet t input before 6"});

    const AllowPlan open = make_allow_plan(rules(banned, accept_udp), wanted());
    CHECK(open.judgement.status == P2PDIAG_SKIP);
    CHECK(says(open, "Some packets are stopped as before"));
}

TEST_CASE("what is let in is not logged as dropped") {
    const std::string log =
        R"({"limit":{"rate":5,"burst":5,"per":"minute"}},{"log":{"prefix":"x"}})";
    const auto place = [&](const std::vector<std::string>& rules) {
        Rules all;
        all.base("input", "input", "drop").rule("input", 5, established);
        int handle = 6;
        for (const std::string& rule : rules) all.rule("input", handle++, rule);
        const AllowPlan plan = make_allow_plan(with(home(), all.read()), wanted());
        CHECK(plan.judgement.status == P2PDIAG_PASS);
        return places(plan);
    };
    CHECK(place({log}) == Places{"nft: inet t input before 6"});
    CHECK(place({R"({"counter":{"packets":0,"bytes":0}})", log, drop_it}) ==
          Places{"nft: inet t input before 6"});
    CHECK(place({is("udp", "dport", "53") + R"(,{"accept":null})", log}) ==
          Places{"nft: inet t input before 7"});
    World world = with(
        home(), saved("*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m limit "
                      "--limit 5/min -j LOG --log-prefix x\nCOMMIT\n"));
    std::erase_if(world.interfaces[1].addresses,
                  [](const net::InterfaceAddress& own) { return !own.address.is_v4(); });
    const AllowPlan plan = make_allow_plan(world, wanted());
    REQUIRE(plan.steps.size() == 1);
    CHECK(plan.steps[0].place.line == 2);
}

TEST_CASE("of a network, who is banned in it stays so, and that is said") {
    const std::string set =
        R"({"set":{"family":"inet","table":"t","name":"banned","handle":9,"type":"ipv4_addr",)"
        R"("elem":["203.0.113.1"]}})";
    const auto net = [](const std::string& address, int prefix) {
        return R"({"prefix":{"addr":")" + address + R"(","len":)" + std::to_string(prefix) + "}}";
    };
    const auto allowed = [&](const std::string& sender, const std::string& first_verdict) {
        World world =
            with(home(), Rules()
                             .other(set)
                             .base("input", "input", "drop")
                             .rule("input", 5, is("ip", "saddr", sender) + ',' + first_verdict)
                             .rule("input", 6, established)
                             .read());
        return make_allow_plan(world, wanted("udp", "203.0.113.0/24"));
    };
    for (const std::string& banned :
         {std::string("\"@banned\""), std::string("\"203.0.113.66\""),
          std::string("\"203.0.113.254\""), net("203.0.113.0", 25), net("203.0.113.128", 25)}) {
        CAPTURE(banned);
        const AllowPlan plan = allowed(banned, drop_it);
        CHECK(plan.judgement.status == P2PDIAG_PASS);
        CHECK(places(plan) == Places{"nft: inet t input"});
        REQUIRE(plan.steps.size() == 1);
        CHECK(plan.steps[0].place.handle == 0);
        CHECK(says(plan, "Some packets are stopped as before, depending on the sender's address"));
    }
    // One who is let in already is not all of them.
    const AllowPlan one = allowed("\"203.0.113.1\"", accept_it);
    CHECK(one.steps.size() == 1);
    // Of another network nothing is to be said.
    const AllowPlan other = allowed(net("10.0.0.0", 8), drop_it);
    CHECK(other.steps.size() == 1);
    CHECK_FALSE(says(other, "stopped as before"));
    // The whole of it is banned: that is what was asked to be lifted.
    const AllowPlan whole = allowed(net("203.0.113.0", 24), drop_it);
    REQUIRE(whole.steps.size() == 1);
    CHECK(whole.steps[0].place.handle == 5);
}

TEST_CASE("lists and limits of iptables, and a ban by fail2ban") {
    const auto plan_of = [](const std::string& rules, const std::string& source = "") {
        World world = with(
            home(), saved("*filter\n:INPUT DROP [0:0]\n:f2b-all - [0:0]\n" + rules + "COMMIT\n"));
        std::erase_if(world.interfaces[1].addresses,
                      [](const net::InterfaceAddress& own) { return !own.address.is_v4(); });
        return make_allow_plan(world, wanted("udp", source));
    };
    const std::string limited =
        "-A INPUT -s 10.0.0.0/8 -j DROP\n-A INPUT -p udp -m hashlimit --hashlimit-above 50/sec "
        "--hashlimit-name x -j DROP\n";
    CHECK(places(plan_of(limited)) == Places{"iptables-legacy: ip filter INPUT"});
    CHECK(places(plan_of(limited, "203.0.113.0/24")) == Places{"iptables-legacy: ip filter INPUT"});
    const AllowPlan banned = plan_of("-A INPUT -j f2b-all\n-A f2b-all -s 203.0.113.66 -j DROP\n");
    CHECK(places(banned) == Places{"iptables-legacy: ip filter INPUT"});
}

TEST_CASE("a port that is sent on to the opened one would be opened too") {
    const World world = with(
        with(home(), Rules().base("input", "input", "drop").read()),
        Rules("ip", "n")
            .other(R"({"chain":{"family":"ip","table":"n","name":"pre","handle":1,"type":"nat",)"
                   R"("hook":"prerouting","prio":-100,"policy":"accept"}})")
            .rule("pre", 3, is("udp", "dport", "9000") + R"(,{"redirect":{"port":4000}})")
            .read());
    const AllowPlan plan = make_allow_plan(world, wanted());
    CHECK(plan.judgement.status == P2PDIAG_FAIL);
    CHECK(says(plan, "UDP port 9000 would be opened too"));
}

TEST_CASE("what comes in and cannot be answered is not open") {
    const World world = with(home(), Rules().base("output", "output", "drop").read());
    const auto asked = ask_inbound(world, find_entrances(world), {4000});
    REQUIRE(asked.size() == 4);
    for (const Asked& one : asked) {
        CHECK(one.verdict.kind == VerdictKind::drop);
        CHECK(one.reply_stopped);
        CHECK(one.verdict.why.find("no answer to it leaves") != std::string::npos);
    }
    const AllowPlan plan = make_allow_plan(world, wanted());
    CHECK(plan.judgement.status == P2PDIAG_FAIL);
    CHECK(says(plan, "no answer to it leaves"));

    const World answers = with(
        home(), Rules().base("output", "output", "drop").rule("output", 5, established).read());
    CHECK(make_allow_plan(answers, wanted()).judgement.status == P2PDIAG_SKIP);
}

TEST_CASE("no opening is promised where neighbour discovery stays shut") {
    World world = with(home(), Rules().base("input", "input", "drop").read());
    world.interfaces[1].kind = net::LinkKind::ethernet;
    const AllowPlan plan = make_allow_plan(world, wanted());
    REQUIRE(plan.steps.size() == 1);
    CHECK(plan.steps[0].aims == std::vector<Aim>{{Family::ipv4, "vb"}});
    REQUIRE(plan.judgement.findings.size() == 1);
    CHECK(plan.judgement.findings[0].message.find("neighbour solicitation") != std::string::npos);
}
