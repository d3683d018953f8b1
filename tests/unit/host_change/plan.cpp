#include "change/plan.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace p2pdiag;
using change::Plan;
using report::Status;

namespace {

json::object data(const char* text) { return json::parse(text)->as_object(); }

// What the plugin says as its plan, with PASS.
Plan plan_of(Fixture& fixture, const char* text) {
    fixture.caller.answers["plan"].push_back({.data = {data(text)}});
    return make_plan(fixture.journal, fixture.caller, fixture.target, {{"port", 8000}});
}

Plan::Outcome outcome_of(Status status) {
    Fixture fixture;
    fixture.caller.answers["plan"].push_back({.status = status, .summary = "why"});
    return make_plan(fixture.journal, fixture.caller, fixture.target, {}).outcome;
}

std::string refusal(const char* text) {
    Fixture fixture;
    const Plan plan = plan_of(fixture, text);
    CHECK(plan.outcome == Plan::Outcome::error);
    CHECK(plan.steps.empty());
    return plan.said.summary;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a plan has steps and notes, and is made of arguments and open records") {
    carry_out({"before"});
    caller.inputs.clear();
    const Plan plan = plan_of(
        *this,
        R"({"steps":[{"title":"T","undo":"U","match":{"port":1,"via":"x"},"step":{"deep":[1]}}],"notes":["N",7]})");
    CHECK(plan.outcome == Plan::Outcome::ready);
    REQUIRE(plan.steps.size() == 1);
    CHECK(plan.steps[0].title == "T");
    CHECK(plan.steps[0].undo == "U");
    CHECK(plan.steps[0].match == json::object{{"port", 1}, {"via", "x"}});
    CHECK(plan.steps[0].step == data(R"({"deep":[1]})"));
    CHECK(plan.notes == Strings{"N"});
    const json::object& input = caller.inputs.at(0);
    CHECK(input.at("arguments") == json::value(json::object{{"port", 8000}}));
    CHECK(input.at("input") == json::value(target.input));
    REQUIRE(input.at("open").as_array().size() == 1);
    CHECK(input.at("open").at(0).at("step").at("name") == "before");
}

TEST_CASE("what the plugin says of its plan decides") {
    CHECK(outcome_of(Status::skip) == Plan::Outcome::nothing);
    CHECK(outcome_of(Status::fail) == Plan::Outcome::impossible);
    CHECK(outcome_of(Status::unknown) == Plan::Outcome::unknown);
    CHECK(outcome_of(Status::error) == Plan::Outcome::error);
    CHECK(outcome_of(Status::crashed) == Plan::Outcome::error);
    CHECK(outcome_of(Status::timed_out) == Plan::Outcome::error);
    CHECK(outcome_of(Status::warn) == Plan::Outcome::error);
}

TEST_CASE_METHOD(Fixture, "that it cannot be done because of what was typed is wrong usage") {
    const auto outcome = [&](Status status, const char* said) {
        caller.answers["plan"].push_back({.status = status, .data = {data(said)}});
        return make_plan(journal, caller, target, {}).outcome;
    };
    CHECK(outcome(Status::fail, R"({"bad_arguments":true})") == Plan::Outcome::bad_arguments);
    CHECK(outcome(Status::fail, R"({"bad_arguments":false})") == Plan::Outcome::impossible);
    CHECK(outcome(Status::fail, R"({"bad_arguments":"yes"})") == Plan::Outcome::impossible);
    CHECK(outcome(Status::skip, R"({"bad_arguments":true})") == Plan::Outcome::nothing);
}

TEST_CASE_METHOD(Fixture, "an interrupt is no answer") {
    caller.answers["plan"].push_back({.interrupts = 1});
    CHECK(make_plan(journal, caller, target, {}).outcome == Plan::Outcome::interrupted);
}

TEST_CASE("a plan that is none is the plugin's fault, and says what is wrong") {
    CHECK(refusal("{}") == "plugin p: its plan holds no steps");
    CHECK(refusal(R"({"steps":[]})") == "plugin p: its plan holds no steps");
    CHECK(refusal(R"({"steps":[7]})") == "plugin p: its plan step 1 is not an object");
    CHECK(refusal(R"({"steps":[{"undo":"u","step":{}}]})") ==
          "plugin p: its plan step 1 has no title");
    CHECK(refusal(R"({"steps":[{"title":"t","step":{}}]})") ==
          "plugin p: its plan step 1 does not say how it is taken back");
    CHECK(refusal(R"({"steps":[{"title":"t","undo":"u"}]})") ==
          "plugin p: its plan step 1 has no step");
    CHECK(refusal(R"({"steps":[{"title":"t","undo":"u","step":{},"match":{"a":[]}}]})") ==
          "plugin p: its plan step 1 has a match of other things than strings and integers");
    std::string many = R"({"title":"t","undo":"u","step":{}})";
    for (int i = 0; i < 64; ++i) many += R"(,{"title":"t","undo":"u","step":{}})";
    CHECK(refusal((R"({"steps":[)" + many + "]}").c_str()) ==
          "plugin p: its plan holds more than 64 steps");
}
