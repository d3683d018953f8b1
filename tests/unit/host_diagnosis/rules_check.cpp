#include "diagnosis/rules_check.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;
using Catch::Matchers::Contains;

namespace {

const Known known{{"net.no-link", "net.dns-slow", "nat.symmetric"},
                  {"stun.nat", "network.dns"},
                  {{"forward add", {"port", "protocol"}}}};

const std::string on_link = "all = [{ code = \"net.no-link\" }]";

}  // namespace

TEST_CASE("rules in which nothing is wrong") {
    CHECK(problems_of(rule("x", on_link), known).empty());
    CHECK(problems_of(rule("x", on_link, "explains = [\"cause.y\"]") +
                          rule("y", "all = [{ code = \"net.dns-slow\" }]"),
                      known)
              .empty());
    // A plugin of somebody else.
    CHECK(problems_of(rule("x", "all = [{ code = \"mine.broken\" }]"), known).empty());
}

TEST_CASE("names that nobody knows") {
    CHECK_THAT(problems_of(rule("x", "all = [{ code = \"net.no-lnik\" }]"), known),
               Contains("f:10:8: unknown code \"net.no-lnik\"; did you mean \"net.no-link\"?"));
    CHECK_THAT(problems_of(rule("x", "all = [{ code = \"net.whatever-else\" }]"), known),
               Contains("unknown code"));
    CHECK_THAT(problems_of(rule("x", on_link + "\nnone = [{ check = \"stun.nta\" }]"), known),
               Contains("unknown check \"stun.nta\"; did you mean \"stun.nat\"?"));
    CHECK_THAT(problems_of(rule("x", on_link, "explains = [\"cause.z\"]"), known),
               Contains("f:7:13: unknown cause \"cause.z\""));
    CHECK_THAT(problems_of(rule("x", on_link, "explains = [\"cause.x\"]"), known),
               Contains("explains itself"));
    const auto explaining = [](const char* what) {
        return problems_of(rule("x", on_link, std::string("explains = [") + what + ']'), known);
    };
    CHECK(explaining(R"({ code = "net.dns-slow", evidence = { by = "x" } })").empty());
    CHECK_THAT(explaining(R"({ code = "net.no-lnik" })"), Contains("unknown code"));
    CHECK_THAT(explaining(R"({ code = "cause.y", evidence = { by = "x" } })"),
               Contains("explains: only findings have conditions"));
    CHECK_THAT(explaining(R"({ check = "stun.nat" })"),
               Contains("explains: only findings have conditions"));
    const std::string remedy = "\n[[cause.remedy]]\nid = \"r\"\ntitle = \"t\"\n";
    CHECK_THAT(problems_of(rule("x", on_link + remedy + "verb = \"forward ad\""), known),
               Contains("unknown verb \"forward ad\"; did you mean \"forward add\"?"));
    CHECK_THAT(problems_of(rule("x", on_link + remedy + "verb = \"forward add\"\n" +
                                         "arguments = { prot = 1 }"),
                           known),
               Contains("'forward add' has no option \"prot\"; did you mean \"port\"?"));
    CHECK_THAT(problems_of(rule("x", on_link + remedy + "command = \"c {net.no-link}\""), known),
               Contains("a message is no part of a command"));
    CHECK_THAT(problems_of(rule("x", on_link + remedy + "command = \"c {net.no-link|a\""), known),
               Contains("a brace without its partner"));
    CHECK_THAT(problems_of(rule("x", on_link + remedy + "command = \"c {net.no-lin|a}\""), known),
               Contains("{net.no-lin}: no such code or check; did you mean \"net.no-link\"?"));
}

TEST_CASE("the same cause twice") {
    CHECK_THAT(problems_of(rule("x", on_link) + rule("x", on_link), known),
               Contains("f:11:1: the cause \"cause.x\" is there already: f:1"));
}

TEST_CASE("a code that makes no cause and is stood on") {
    CHECK_THAT(
        problems_of(rule("x", on_link) + "[[no_cause]]\ncodes = \"net.no-link\"\nwhy = \"w\"\n",
                    known),
        Contains("is said to make no cause, and cause.x stands on it"));
}

TEST_CASE("circles, by ids and by findings") {
    const std::string slow = "all = [{ code = \"net.dns-slow\" }]";
    CHECK_THAT(problems_of(rule("x", on_link, "explains = [\"cause.y\"]") +
                               rule("y", slow, "explains = [\"cause.x\"]"),
                           known),
               Contains("f:1:1: causes explain each other in a circle: "
                        "cause.x explains cause.y explains cause.x"));
    CHECK_THAT(problems_of(rule("x", on_link, "explains = [\"net.dns-slow\"]") +
                               rule("y", slow, "explains = [\"net.no-link\"]"),
                           known),
               Contains("in a circle"));
}

TEST_CASE("causes that can never come about") {
    const auto [conditions, said] = GENERATE(table<std::string, std::string>(
        {{on_link + "\nnone = [{ code = \"net.no-link\" }]", "net.no-link is in all and in none"},
         {"all = [{ code = \"net.no-link\", severity = \"error\" }]\n"
          "none = [{ code = \"net.no-link\", severity = \"warning\" }]",
          "is in all and in none"},
         {"any = [{ code = \"net.no-link\" }]\nnone = [{ code = \"net.no-link\" }]",
          "all of any is in none"},
         {"all = [{ code = \"net.no-link\", evidence = { n = { above = 3, below = 3 } } }]",
          "n cannot lie between what is asked for"},
         {"all = [{ code = \"net.no-link\", evidence = { n = { is = 1, not = [1, 2] } } }]",
          "n may be nothing of what it has to be"},
         {"all = [{ code = \"net.no-link\", evidence = { n = { above = 1, measured = false } } }]",
          "n has to be something and not to be measured"},
         {"all = [{ code = \"net.no-link\" }, { check = \"stun.nat\", status = \"pass\" },\n"
          "{ check = \"stun.nat\", could_tell = false }]",
          "stun.nat cannot be both"},
         {"all = [{ code = \"net.no-link\" }, "
          "{ check = \"stun.nat\", status = [\"unknown\"], could_tell = true }]",
          "none of these statuses goes with could_tell"}}));
    CAPTURE(conditions);
    CHECK_THAT(problems_of(rule("x", conditions), known),
               Contains("f:8:1: cause.x can never come about this way") && Contains(said));
}

TEST_CASE("what is no contradiction is not called one") {
    for (const std::string conditions :
         {"all = [{ code = \"net.no-link\" }]\nnone = [{ code = \"net.no-link\", severity = "
          "\"error\" }]",
          "all = [{ code = \"net.no-link\", evidence = { f = \"a\" } }]\n"
          "none = [{ code = \"net.no-link\", evidence = { f = \"b\" } }]",
          "all = [{ code = \"net.no-link\", evidence = { n = { at_least = 3, at_most = 3 } } }]"}) {
        CHECK(problems_of(rule("x", conditions), known).empty());
    }
}

TEST_CASE("a cause that another one always hides") {
    const std::string both = "all = [{ code = \"net.no-link\" }, { code = \"net.dns-slow\" }]";
    CHECK_THAT(
        problems_of(rule("x", on_link, "explains = [\"cause.y\"]") + rule("y", both), known),
        Contains("f:11:1: cause.y would never be shown: wherever it holds, cause.x explains it"));
    // Not where the other one asks for more, or is never likely.
    CHECK(problems_of(rule("x", both, "explains = [\"cause.y\"]") + rule("y", on_link), known)
              .empty());
    CHECK(problems_of(rule("x", on_link, "explains = [\"cause.y\"]", 0.5) + rule("y", both), known)
              .empty());
}

TEST_CASE("codes that nobody looks at") {
    const Rules rules = rules_of(rule("x", on_link + "\nnone = [{ code = \"nat.symmetric\" }]") +
                                 "[[no_cause]]\ncodes = \"net.dns-slow\"\nwhy = \"w\"\n");
    CHECK(uncovered(rules, known.codes) == std::vector<std::string>{"nat.symmetric"});
}
