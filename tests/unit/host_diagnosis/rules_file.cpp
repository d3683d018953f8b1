#include "diagnosis/rules_file.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;
using Catch::Matchers::Contains;

TEST_CASE("a whole rule is read") {
    const Rules rules = rules_of(R"(
[[cause]]
id = "cause.x"
title = "Title"
place = "carrier"
impact = "no-calls"
explanation = ["One", "Two {a.b}"]
explains = ["a.c", "cause.y"]
needs = [{ check = "a.check", settle = "do this" }]
[[cause.when]]
confidence = 0.75
impact = "note"
all = [{ code = "a.b", severity = "warning", check = "a.check", evidence = { n = { above = 1, at_most = 2.5 }, "d.e" = ["x", "y"], m = { measured = true }, k = { not = false } } }]
any = [{ check = "a.check", status = ["pass", "warn"] }]
none = [{ check = "a.other", could_tell = false, data = { v = 1 } }]
[[cause.remedy]]
id = "r"
title = "Do"
verb = "forward add"
arguments = { port = "{port}", keep = true }
needs_root = true
reversible = true
any = [{ code = "a.b" }]
[[no_cause]]
codes = ["a.z", "a.w"]
why = "because"
)");
    REQUIRE(rules.causes.size() == 1);
    const Rule& rule = rules.causes[0];
    CHECK(rule.id == "cause.x");
    CHECK(rule.place == report::Place::carrier);
    CHECK(rule.impact == report::Impact::no_calls);
    CHECK(rule.explanation == std::vector<std::string>{"One", "Two {a.b}"});
    CHECK(rule.explains.size() == 2);
    CHECK(rule.needs.at(0).settle == "do this");
    const When& when = rule.when.at(0);
    CHECK(when.confidence == 0.75);
    CHECK(when.impact == report::Impact::note);
    const Condition& condition = when.all.at(0);
    CHECK(condition.at.line == 13);
    CHECK(condition.severity == report::Severity::warning);
    REQUIRE(condition.tests.size() == 4);
    CHECK(condition.tests[0].path == "d.e");
    CHECK(condition.tests[0].one_of.size() == 2);
    CHECK(condition.tests[1].is_not == std::vector<json::value>{false});
    CHECK(condition.tests[2].measured == true);
    CHECK(condition.tests[3].above == 1.0);
    CHECK(condition.tests[3].at_most == 2.5);
    CHECK(when.any.at(0).status.size() == 2);
    CHECK(when.none.at(0).could_tell == false);
    CHECK(rule.remedies.at(0).arguments.size() == 2);
    REQUIRE(rules.no_causes.size() == 2);
    CHECK(rules.no_causes[1].code == "a.w");
}

TEST_CASE("a name stands for several codes, with what the condition says of each") {
    const std::string some = "\n[codes]\nsome = [\"a.b\", \"a.c\"]\n";
    const Rules rules = rules_of(
        rule("x",
             "any = [{ code = \"some\", severity = \"error\" }]\nnone = [{ code = \"some\" }]") +
        some);
    const When& when = rules.causes.at(0).when.at(0);
    REQUIRE(when.any.size() == 2);
    CHECK(when.any[0].code == "a.b");
    CHECK(when.any[1].code == "a.c");
    CHECK(when.any[1].severity == report::Severity::error);
    CHECK(when.none.size() == 2);
    CHECK_THAT(problems_of(rule("x", "all = [{ code = \"some\" }]") + some),
               Contains("\"some\" stands for several codes, which 'any' and 'none' take"));
    CHECK_THAT(problems_of("[codes]\n\"a.b\" = \"a.c\"\n"), Contains("has no '.' in it"));
    CHECK_THAT(problems_of("codes = 1\n"), Contains("expected a table"));
    std::string many = "\"a.b\"";
    for (int i = 0; i < 40; ++i) many += ", \"a.b\"";
    CHECK_THAT(problems_of("[codes]\nmany = [" + many + "]\n"), Contains("more codes than"));
}

TEST_CASE("a mistake is told with its line and what was meant") {
    const auto [text, said] = GENERATE(table<std::string, std::string>(
        {{"[[cuase]]\n", "f:1:3: unknown key \"cuase\"; did you mean \"cause\"?"},
         {"[[cause]]\n", "has no id"},
         {rule("x", "all = [{ cod = \"a.b\" }]"),
          "f:10:10: unknown key \"cod\"; did you mean \"code\"?"},
         {rule("x", "all = [{ severity = \"error\" }]"),
          "f:10:8: condition: has neither code nor check"},
         {rule("x", "all = [{ code = \"a.b\", severity = \"eror\" }]"),
          "severity: \"eror\" is none of info, warning, error; did you mean \"error\"?"},
         {rule("x", "all = [{ code = \"a.b\", status = \"pass\" }]"),
          "status: is for a check without a code"},
         {rule("x", "all = [{ check = \"a.b\", evidence = { a = 1 } }]"),
          "evidence: is for a condition with a code"},
         {rule("x", "all = [{ check = \"a.b\" }]"), "has no finding to stand on"},
         {rule("x", "any = [{ code = \"a.b\" }, { check = \"c.d\" }]"),
          "may hold without any finding"},
         {rule("x", "none = [{ code = \"a.b\" }]"), "has no finding to stand on"},
         {rule("x", "all = []"), "all: expected conditions"},
         {rule("x", "all = [{ code = \"a.b\", evidence = { n = { abve = 1 } } }]"),
          "unknown key \"abve\"; did you mean \"above\"?"},
         {rule("x", "all = [{ code = \"a.b\", evidence = { n = { above = \"1\" } } }]"),
          "above: expected a number"},
         {rule("x", "all = [{ code = \"a.b\", evidence = { n = [] } }]"), "no value is named"},
         {rule("x", "all = [{ code = \"a.b\", evidence = { port = \"{prot}\" } }]"),
          "port: the one placeholder here is \"{port}\""},
         {rule("x", "all = [{ code = \"a.b\" }]", "", 1.5),
          "confidence: is not above 0 and at most 1"},
         {rule("X", "all = [{ code = \"a.b\" }]"), "small letters"},
         {rule("x", "all = [{ code = \"a.b\" }]", "needs = [{ check = \"a\" }]"), "has no settle"},
         {rule("x",
               "all = [{ code = \"a.b\" }]\n[[cause.remedy]]\nid = \"r\"\ntitle = \"t\"\n"
               "verb = \"v\"\ncommand = \"c\""),
          "has a command and a verb"},
         {"[[no_cause]]\nwhy = \"x\"\n", "f:1:1: has no codes"},
         {"cause = 1\n", "cause: expected tables"},
         {"[[cause]\n", "not valid TOML"}}));
    CAPTURE(text);
    CHECK_THAT(problems_of(text), Contains(said));
}

TEST_CASE("there is an end to how many rules there may be") {
    std::string text;
    for (int i = 0; i < 2001; ++i)
        text += rule("x" + std::to_string(i), "all = [{ code = \"a.b\" }]");
    Rules rules;
    Problems problems;
    read_rules(text, "f", rules, problems);
    CHECK(rules.causes.size() == most_rules);
    CHECK_THAT(text_of(problems), Contains("more causes than there may be"));
}
