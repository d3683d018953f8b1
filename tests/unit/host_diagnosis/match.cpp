#include "diagnosis/match.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;
using report::Severity;
using report::Status;

namespace {

const json::object evidence{{"n", 5},
                            {"text", "x"},
                            {"none", nullptr},
                            {"deep", json::object{{"owner", "ufw"}}},
                            {"list", json::array{1, 2, json::object{{"port", 8000}}}}};

// Of what a match says, that which outlives the report.
struct Said {
    bool holds = false;
    bool certain = false;
    std::vector<std::string> doubtful;
};

Said matched(const std::string& condition, Status status = Status::warn) {
    const auto report =
        report_of({check("a.check", status, {finding("a.b", Severity::warning, evidence)},
                         json::object{{"kind", "nat"}}),
                   check("a.blind", Status::unknown)});
    const Rules rules = rules_of(rule("x", "all = [{ code = \"a.b\" }, " + condition + "]"));
    const Facts facts(report);
    const Match match = diagnosis::match(rules.causes.at(0).when.at(0), facts);
    return {match.holds, match.certain, {match.doubtful.begin(), match.doubtful.end()}};
}

bool holds(const std::string& test) {
    return matched("{ code = \"a.b\", evidence = { " + test + " } }").holds;
}

}  // namespace

TEST_CASE("findings by code, severity and check") {
    CHECK(matched("{ code = \"a.b\" }").holds);
    CHECK_FALSE(matched("{ code = \"a.c\" }").holds);
    CHECK(matched("{ code = \"a.b\", severity = \"info\" }").holds);
    CHECK(matched("{ code = \"a.b\", severity = \"warning\" }").holds);
    CHECK_FALSE(matched("{ code = \"a.b\", severity = \"error\" }").holds);
    CHECK(matched("{ code = \"a.b\", check = \"a.check\" }").holds);
    CHECK_FALSE(matched("{ code = \"a.b\", check = \"a.other\" }").holds);
}

TEST_CASE("values of the evidence") {
    CHECK(holds("n = 5"));
    CHECK(holds("n = 5.0"));
    CHECK_FALSE(holds("n = \"5\""));
    CHECK(holds("text = [\"y\", \"x\"]"));
    CHECK(holds("n = { above = 4, below = 6 }"));
    CHECK_FALSE(holds("n = { above = 5 }"));
    CHECK(holds("n = { at_least = 5, at_most = 5 }"));
    CHECK_FALSE(holds("text = { above = 1 }"));
    CHECK(holds("\"deep.owner\" = \"ufw\""));
    CHECK_FALSE(holds("\"deep.owner.more\" = \"ufw\""));
    CHECK(holds("list = 2"));
    CHECK(holds("\"list.port\" = 8000"));
    CHECK(holds("\"list.port\" = \"{port}\""));
    CHECK_FALSE(holds("n = \"{port}\""));
}

TEST_CASE("what was not measured is nothing") {
    for (const std::string path : {"none", "missing"}) {
        CHECK_FALSE(holds(path + " = 0"));
        CHECK_FALSE(holds(path + " = { below = 1 }"));
        CHECK_FALSE(holds(path + " = { measured = true }"));
        CHECK(holds(path + " = { measured = false }"));
        CHECK(holds(path + " = { not = \"x\" }"));
    }
    CHECK_FALSE(holds("n = { measured = false }"));
    CHECK_FALSE(holds("text = { not = \"x\" }"));
}

TEST_CASE("checks by status, data and whether they could tell") {
    CHECK(matched("{ check = \"a.check\", status = [\"pass\", \"warn\"] }").holds);
    CHECK_FALSE(matched("{ check = \"a.check\", status = \"pass\" }").holds);
    CHECK(matched("{ check = \"a.check\", data = { kind = \"nat\" } }").holds);
    CHECK_FALSE(matched("{ check = \"a.check\", data = { kind = \"none\" } }").holds);
    CHECK(matched("{ check = \"a.check\", could_tell = true }").holds);
    CHECK(matched("{ check = \"a.blind\", could_tell = false }").holds);
    CHECK(matched("{ check = \"a.never\", could_tell = false }").holds);
    CHECK_FALSE(matched("{ check = \"a.never\", could_tell = true }").holds);
    CHECK_FALSE(matched("{ check = \"a.never\" }").holds);
}

TEST_CASE("what hangs on a check that could not tell is not certain") {
    CHECK(matched("{ code = \"a.b\" }").certain);
    for (const Status status : {Status::unknown, Status::skip, Status::error, Status::crashed,
                                Status::timed_out, Status::cancelled}) {
        const Said match = matched("{ code = \"a.b\" }", status);
        CHECK(match.holds);
        CHECK_FALSE(match.certain);
        CHECK(match.doubtful.at(0) == "a.check");
    }
    CHECK_FALSE(matched("{ check = \"a.blind\", could_tell = false }").certain);
    // That it found nothing says nothing.
    const auto report = report_of(
        {check("a.check", Status::warn, {finding("a.b")}), check("a.blind", Status::unknown)});
    const Rules rules = rules_of(
        rule("x", "all = [{ code = \"a.b\" }]\nnone = [{ code = \"a.c\", check = \"a.blind\" }]"));
    const Facts facts(report);
    const Match match = diagnosis::match(rules.causes.at(0).when.at(0), facts);
    CHECK(match.holds);
    CHECK_FALSE(match.certain);
}

TEST_CASE("one of any that is certain is enough") {
    const auto report = report_of({check("a.blind", Status::unknown, {finding("a.b")}),
                                   check("a.check", Status::warn, {finding("a.c")})});
    const Rules rules =
        rules_of(rule("x", "any = [{ code = \"a.b\" }, { code = \"a.c\" }, { code = \"a.d\" }]"));
    const Facts facts(report);
    const Match match = diagnosis::match(rules.causes.at(0).when.at(0), facts);
    CHECK(match.certain);
    REQUIRE(match.findings.size() == 1);
    CHECK(match.findings[0].finding->code == "a.c");
}
