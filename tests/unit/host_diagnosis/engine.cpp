#include "diagnosis/engine.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"
#include "report/read.hpp"

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;
using report::Severity;
using report::Status;

namespace {

const std::string no_link =
    rule("link", "all = [{ code = \"net.no-link\", severity = \"error\" }]",
         "explains = [\"net.no-internet\", \"nat.stun-unreachable\"]", 0.95);
const std::string internet =
    rule("internet", "all = [{ code = \"net.no-internet\", severity = \"error\" }]",
         "explains = [\"nat.stun-unreachable\"]", 0.8);
const std::string server =
    rule("server", "all = [{ code = \"nat.stun-unreachable\", severity = \"error\" }]", "", 0.7);

report::Report offline() {
    return report_of(
        {check("a.link", Status::fail, {finding("net.no-link", Severity::error)}),
         check("a.internet", Status::fail, {finding("net.no-internet", Severity::error)}),
         check("a.stun", Status::fail, {finding("nat.stun-unreachable", Severity::error)})});
}

report::Report diagnosed(report::Report report, const std::string& rules) {
    diagnose(report, rules_of(rules));
    return report;
}

const report::Finding& first_of(const report::Report& report, std::size_t check) {
    return report.checks.at(check).findings.at(0);
}

}  // namespace

TEST_CASE("one cause explains the others, which are kept apart") {
    const auto report = diagnosed(offline(), server + internet + no_link);
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.link"});
    CHECK(report.causes[0].confidence == 0.95);
    CHECK(report.causes[0].findings == std::vector<std::string>{"net.no-link"});
    CHECK(codes(report.explained) == std::vector<std::string>{"cause.internet", "cause.server"});
    for (const auto& cause : report.explained) CHECK(cause.explained_by == "cause.link");
}

TEST_CASE("what follows from another error is a warning, and says from which") {
    const auto report = diagnosed(offline(), server + internet + no_link);
    CHECK(first_of(report, 0).severity == Severity::error);
    CHECK(first_of(report, 0).message == "message of net.no-link");
    CHECK(first_of(report, 1).severity == Severity::warning);
    CHECK(first_of(report, 1).message == "message of net.no-internet (follows from net.no-link)");
    CHECK(first_of(report, 1).evidence.at("follows_from") == "net.no-link");
    CHECK(report.checks[1].status == Status::fail);
}

TEST_CASE("a diagnosis of a diagnosed report is the same, also by way of a file") {
    const auto once = diagnosed(offline(), server + internet + no_link);
    const auto twice = diagnosed(once, server + internet + no_link);
    CHECK(json::to_text(to_json(twice)) == json::to_text(to_json(once)));
    const auto read = report::read_report(json::to_text(to_json(once)));
    REQUIRE(read.has_value());
    const auto again = diagnosed(*read, server + internet + no_link);
    CHECK(json::to_text(to_json(again)) == json::to_text(to_json(once)));
    // By other rules another one.
    CHECK(codes(diagnosed(once, server).causes) == std::vector<std::string>{"cause.server"});
}

TEST_CASE("what is not likely explains nothing") {
    auto report = offline();
    report.checks[0].status = Status::unknown;
    report = diagnosed(report, no_link + internet);
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.internet", "cause.link"});
    CHECK(report.causes[1].confidence == 0.5);
    CHECK(report.causes[1].settle ==
          std::vector<std::string>{"a.link could not tell: summary of a.link"});
    CHECK(first_of(report, 1).severity == Severity::error);
}

TEST_CASE("one family explains nothing of the other") {
    const auto of = [](const char* cause, const char* follower) {
        auto report = offline();
        report.checks.erase(report.checks.begin());
        if (*cause != 0) report.checks[0].findings[0].evidence["family"] = cause;
        if (*follower != 0) report.checks[1].findings[0].evidence["family"] = follower;
        report = diagnosed(report, internet + server);
        return report.explained.size() == 1 && first_of(report, 1).severity == Severity::warning;
    };
    CHECK(of("ipv4", "ipv4"));
    CHECK(of("", "ipv4"));
    CHECK(of("ipv4", ""));
    CHECK_FALSE(of("ipv4", "ipv6"));
}

TEST_CASE("a cause may explain some findings of a code, and not the others") {
    const std::string some = rule(
        "link", "all = [{ code = \"net.no-link\" }]",
        "explains = [{ code = \"nat.stun-unreachable\", evidence = { by = \"routes\" } }]", 0.9);
    const auto follows = [&](const char* by) {
        auto report = offline();
        report.checks[2].findings[0].evidence["by"] = by;
        report = diagnosed(report, some + server);
        return first_of(report, 2).severity == Severity::warning;
    };
    CHECK(follows("routes"));
    CHECK_FALSE(follows("rules"));
}

TEST_CASE("a cause that has something else to stand on stays") {
    const std::string two =
        rule("two", "all = [{ code = \"nat.stun-unreachable\" }, { code = \"net.dns-slow\" }]");
    auto report = offline();
    report.checks.push_back(check("a.dns", Status::warn, {finding("net.dns-slow")}));
    CHECK(codes(diagnosed(report, no_link + two).causes) ==
          std::vector<std::string>{"cause.link", "cause.two"});
}

TEST_CASE("a circle in what is found leaves one of them") {
    const std::string a =
        rule("a", "any = [{ code = \"net.no-link\" }]", "explains = [\"cause.b\"]");
    const std::string b =
        rule("b", "any = [{ code = \"net.no-internet\" }]", "explains = [\"cause.a\"]");
    const auto report = diagnosed(offline(), a + b);
    CHECK(codes(report.causes) == std::vector<std::string>{"cause.a"});
    CHECK(codes(report.explained) == std::vector<std::string>{"cause.b"});
}

TEST_CASE("a check that is needed and could not tell caps the certainty") {
    const std::string needs =
        rule("x", "all = [{ code = \"net.no-link\" }]",
             "needs = [{ check = \"a.needed\", settle = \"run it as root\" }]", 0.9);
    auto report = offline();
    CHECK(diagnosed(report, needs).causes.at(0).confidence == 0.5);
    CHECK(diagnosed(report, needs).causes[0].settle == std::vector<std::string>{"run it as root"});
    report.checks.push_back(check("a.needed", Status::unknown));
    CHECK(diagnosed(report, needs).causes.at(0).confidence == 0.5);
    report.checks.back().status = Status::pass;
    CHECK(diagnosed(report, needs).causes.at(0).confidence == 0.9);
    CHECK(diagnosed(report, needs).causes[0].settle.empty());
}

TEST_CASE("likely causes first, the worst of them at the front") {
    const auto one = [](const std::string& id, const std::string& impact, double confidence) {
        std::string text = rule(id, "all = [{ code = \"net.no-link\" }]", "", confidence);
        const std::string quality = "impact = \"quality\"";
        return text.replace(text.find(quality), quality.size(), "impact = \"" + impact + '"');
    };
    const auto report =
        diagnosed(offline(), one("a", "note", 1) + one("b", "offline", 0.4) +
                                 one("c", "no-direct", 0.6) + one("d", "no-direct", 0.7));
    CHECK(codes(report.causes) ==
          std::vector<std::string>{"cause.d", "cause.c", "cause.a", "cause.b"});
}

TEST_CASE("the most certain way to a cause counts, with its own impact") {
    const std::string two = rule("x", "all = [{ code = \"net.no-link\" }]", "", 0.4) +
                            "[[cause.when]]\nconfidence = 0.9\nimpact = \"offline\"\nall = [{ code "
                            "= \"net.no-internet\" }]\n";
    const auto report = diagnosed(offline(), two);
    CHECK(report.causes.at(0).confidence == 0.9);
    CHECK(report.causes[0].impact == report::Impact::offline);
    CHECK(report.causes[0].findings == std::vector<std::string>{"net.no-internet"});
}

TEST_CASE("explanations are made of what is known") {
    std::string text = rule("x", "all = [{ code = \"net.no-link\" }]");
    text.replace(text.find("\"E\""), 3,
                 "[\"{net.no-link}\", \"Lost {net.loss-high|lost}\", \"Done!\", \"End\"]");
    CHECK(diagnosed(offline(), text).causes.at(0).explanation ==
          "message of net.no-link. Done! End.");
    std::string nothing = rule("x", "all = [{ code = \"net.no-link\" }]");
    nothing.replace(nothing.find("\"E\""), 3, "\"{net.loss-high}\"");
    CHECK(diagnosed(offline(), nothing).causes.at(0).explanation == "T x.");
}

TEST_CASE("remedies are offered where they fit, as commands to paste") {
    const std::string text = rule("x", "all = [{ code = \"net.no-link\" }]") + R"(
[[cause.remedy]]
id = "forward"
title = "Forward {port}"
verb = "forward add"
arguments = { port = "{port}", keep = true, no = false, protocol = "udp" }
needs_root = true
reversible = true
[[cause.remedy]]
id = "other"
title = "Other"
command = "x {port}"
any = [{ code = "net.no-internet" }]
[[cause.remedy]]
id = "not-offered"
title = "Not"
none = [{ code = "net.no-internet" }]
[[cause.remedy]]
id = "half"
title = "Half"
verb = "firewall allow"
arguments = { port = "{net.no-link|missing}" }
)";
    const auto remedies = diagnosed(offline(), text).causes.at(0).remedies;
    REQUIRE(remedies.size() == 3);
    CHECK(remedies[0].title == "Forward 8000");
    CHECK(remedies[0].command == "sudo p2pdiag forward add --keep --port 8000 --protocol udp");
    CHECK(remedies[0].automatic);
    CHECK(remedies[0].arguments.at("port") == 8000);
    CHECK(remedies[0].arguments.at("no") == false);
    CHECK(remedies[0].reversible);
    CHECK(remedies[1].command == "x 8000");
    CHECK_FALSE(remedies[1].automatic);
    CHECK(remedies[2].id == "half");
    CHECK_FALSE(remedies[2].automatic);
    CHECK(remedies[2].command.empty());
    CHECK(remedies[2].arguments.empty());
}

TEST_CASE(
    "a cause of the user's own rules that is surest is named in the headline, whatever it breaks") {
    const std::string link = rule("link", "all = [{ code = \"net.loss-high\" }]", "", 0.8);
    const auto headline = [&](double own, bool is_own) {
        Rules rules =
            rules_of(rule("own", "all = [{ code = \"net.latency-high\" }]", "", own) + link);
        rules.causes[0].own = is_own;
        auto report = report_of({check("a.nat", Status::pass,
                                       {finding("nat.full-cone", Severity::info),
                                        finding("net.latency-high"), finding("net.loss-high")})});
        diagnose(report, rules);
        CHECK(report.verdict.status == "direct");
        return report.verdict.headline;
    };
    const std::string named = "T own. Apart from that: You are behind";
    CHECK(headline(0.9, true).starts_with(named));
    CHECK(headline(0.8, true).starts_with(named));
    CHECK(headline(0.9, false).starts_with("You are behind"));
    CHECK(headline(0.7, true).starts_with("You are behind"));
    CHECK(headline(0.5, true).starts_with("You are behind"));
}
