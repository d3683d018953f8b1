#include "change/execution.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace p2pdiag;
using change::Executed;
using change::State;
using report::Status;
using Outcome = Executed::Outcome;

TEST_CASE_METHOD(Fixture,
                 "steps are in the journal before they are applied, and all are applied before one "
                 "is verified") {
    const auto seen = [this](const Strings& expected) {
        return [this, expected] { CHECK(states() == expected); };
    };
    caller.answers["apply a"].push_back({.meanwhile = seen({"a planned"})});
    caller.answers["apply b"].push_back({.meanwhile = seen({"b planned", "a applied"})});
    const Executed result = carry_out({"a", "b"});
    CHECK(result.outcome == Outcome::applied);
    CHECK(caller.calls == Strings{"apply a", "apply b", "verify a", "verify b"});
    CHECK(states() == Strings{"b applied", "a applied"});
    const auto records = journal.read().records;
    CHECK(records[0].group == records[1].id);
    CHECK(records[0].verify.at("status") == "pass");
    CHECK(records[0].plugin_version == "2.0");
    CHECK(result.ids_in_force() == Strings{records[1].id, records[0].id});
}

TEST_CASE_METHOD(Fixture, "what a plugin hands over is in the journal before it goes on") {
    caller.answers["apply a"].push_back(
        {.data = {{{"stage", 1}}, {{"stage", 2}}}, .meanwhile = [this] {
             CHECK(journal.read().records.at(0).record == json::value(json::object{{"stage", 2}}));
         }});
    carry_out({"a"});
    CHECK(caller.inputs.at(0).if_contains("record") == nullptr);
    CHECK(caller.inputs.at(1).at("record") == json::value(json::object{{"stage", 2}}));
    CHECK(caller.inputs.at(1).at("step") == json::value(json::object{{"name", "a"}}));
    CHECK(caller.inputs.at(1).at("id").as_string() == journal.read().records.at(0).id);
}

TEST_CASE_METHOD(Fixture,
                 "what was done need not be what was asked for, and is called by its own name") {
    caller.answers["apply a"].push_back({.data = {{{"stage", 1},
                                                   {"told_as",
                                                    {{"title", "Put it elsewhere"},
                                                     {"undo", "Take it from there"},
                                                     {"match", {{"port", 8001}}}}}}}});
    carry_out({"a"});
    const auto record = journal.read().records.at(0);
    CHECK(record.title == "Put it elsewhere");
    CHECK(record.undo == "Take it from there");
    CHECK(record.match == json::object{{"port", 8001}});
    CHECK(record.record == json::value(json::object{{"stage", 1}}));
}

TEST_CASE_METHOD(Fixture, "a name that nobody could use leaves the one of the plan") {
    const json::object half = GENERATE(json::object{{"title", "Put it elsewhere"}},
                                       json::object{{"title", "Put it elsewhere"},
                                                    {"undo", "Take it from there"},
                                                    {"match", {{"port", nullptr}}}});
    caller.answers["apply a"].push_back({.data = {{{"told_as", half}}}});
    carry_out({"a"});
    CHECK(states() == Strings{"a applied"});
}

TEST_CASE_METHOD(Fixture,
                 "a step that cannot be applied takes back all of the command, the newest first") {
    caller.answers["apply c"].push_back({.status = Status::fail, .summary = "router says no"});
    const Executed result = carry_out({"a", "b", "c", "d"});
    CHECK(result.outcome == Outcome::not_applied);
    CHECK(caller.calls ==
          Strings{"apply a", "apply b", "apply c", "revert c", "revert b", "revert a"});
    CHECK(states() == Strings{"c undone", "b undone", "a undone"});
    CHECK_FALSE(result.any_in_force());
    CHECK_FALSE(result.steps[3].begun());
    // What had been done before by others stays.
    CHECK(carry_out({"e"}).outcome == Outcome::applied);
    caller.answers["apply f"].push_back({.status = Status::unknown});
    CHECK(carry_out({"f"}).outcome == Outcome::not_applied);
    CHECK(states().at(1) == "e applied");
}

TEST_CASE_METHOD(Fixture,
                 "a plugin that crashes is an error, and what it may have done is taken back") {
    const Status how = GENERATE(Status::crashed, Status::timed_out, Status::error);
    caller.answers["apply a"].push_back({.status = how, .data = {{{"half", true}}}});
    const Executed result = carry_out({"a"});
    CHECK(result.outcome == Outcome::error);
    CHECK(caller.calls == Strings{"apply a", "revert a"});
    CHECK(caller.inputs.at(1).at("record") == json::value(json::object{{"half", true}}));
    CHECK(states() == Strings{"a undone"});
}

TEST_CASE_METHOD(Fixture, "what cannot be taken back stays open with the reason") {
    caller.answers["apply b"].push_back({.status = Status::fail});
    caller.answers["revert b"].push_back({.status = Status::unknown, .summary = "router is gone"});
    const Executed result = carry_out({"a", "b"});
    CHECK(result.outcome == Outcome::not_applied);
    CHECK(states() == Strings{"b planned", "a undone"});
    CHECK(journal.read().records[0].error == "taking it back: router is gone");
    CHECK(result.ids_in_force() == Strings{journal.read().records[0].id});
}

TEST_CASE_METHOD(Fixture, "a verification that fails takes nothing away") {
    caller.answers["verify a"].push_back({.status = Status::fail, .summary = "no packet came"});
    const Executed result = carry_out({"a", "b"});
    CHECK(result.outcome == Outcome::verify_failed);
    CHECK(caller.calls == Strings{"apply a", "apply b", "verify a", "verify b"});
    CHECK(states() == Strings{"b applied", "a applied"});
    CHECK(journal.read().records[1].verify.at("summary") == "no packet came");
}

TEST_CASE_METHOD(Fixture,
                 "a verification that cannot tell is no failure, one that breaks is an error") {
    caller.answers["verify a"].push_back({.status = Status::unknown});
    CHECK(carry_out({"a"}).outcome == Outcome::applied);
    caller.answers["verify a"].push_back({.status = Status::crashed});
    CHECK(carry_out({"a"}).outcome == Outcome::error);
    CHECK(states() == Strings{"a applied", "a applied"});
}

TEST_CASE_METHOD(Fixture, "a verification may ask for another try, once") {
    const Answer once_more{.status = Status::fail, .data = {{{"again", true}}}};
    caller.answers["apply a"].push_back({.data = {{{"first", 1}}}});
    caller.answers["verify a"] = {once_more, {}};
    CHECK(carry_out({"a", "b"}).outcome == Outcome::applied);
    CHECK(caller.calls ==
          Strings{"apply a", "apply b", "verify a", "revert a", "apply a", "verify a", "verify b"});
    // The record of the first try is not that of the second.
    CHECK(journal.read().records[1].record.is_null());

    caller.calls.clear();
    caller.answers["verify c"] = {once_more, once_more};
    CHECK(carry_out({"c"}).outcome == Outcome::verify_failed);
    CHECK(caller.calls == Strings{"apply c", "verify c", "revert c", "apply c", "verify c"});
    CHECK(states().front() == "c applied");
}

TEST_CASE_METHOD(Fixture, "another try that cannot be applied takes back everything") {
    caller.answers["verify a"].push_back({.status = Status::fail, .data = {{{"again", true}}}});
    caller.answers["apply a"] = {{}, {.status = Status::fail}};
    CHECK(carry_out({"b", "a"}).outcome == Outcome::not_applied);
    CHECK(states() == Strings{"a undone", "b undone"});
}

TEST_CASE_METHOD(Fixture, "without taking it back there is no other try") {
    caller.answers["verify a"].push_back({.status = Status::fail, .data = {{{"again", true}}}});
    caller.answers["revert a"].push_back({.status = Status::fail});
    CHECK(carry_out({"a"}).outcome == Outcome::verify_failed);
    CHECK(caller.calls == Strings{"apply a", "verify a", "revert a"});
    CHECK(states() == Strings{"a applied"});
}

TEST_CASE_METHOD(Fixture, "an interrupt takes back all of the command") {
    const std::string when = GENERATE("apply a", "apply b", "verify a", "verify b");
    caller.answers[when].push_back({.interrupts = 1});
    const Executed result = carry_out({"a", "b"});
    CHECK(result.outcome == Outcome::interrupted);
    CHECK_FALSE(result.any_in_force());
    for (const std::string& state : states()) CHECK(state.ends_with("undone"));
    CHECK(caller.calls.back() == "revert a");
}

TEST_CASE_METHOD(Fixture, "after a second interrupt nothing more is begun, and the journal knows") {
    caller.answers["verify a"].push_back({.status = Status::cancelled, .interrupts = 2});
    const Executed result = carry_out({"a", "b"});
    CHECK(result.outcome == Outcome::interrupted);
    CHECK(caller.calls == Strings{"apply a", "apply b", "verify a"});
    CHECK(states() == Strings{"b applied", "a applied"});
    CHECK(result.ids_in_force().size() == 2);
}

TEST_CASE_METHOD(Fixture, "without a journal nothing is applied") {
    folder.write("state", "a file where the directory should be");
    const Executed result = carry_out({"a"});
    CHECK(result.outcome == Outcome::error);
    CHECK(caller.calls.empty());
    CHECK_FALSE(result.steps[0].problem.empty());
    CHECK_FALSE(result.any_in_force());
}

TEST_CASE_METHOD(
    Fixture, "when the journal is lost meanwhile the plugin is stopped and its work taken back") {
    caller.answers["apply a"].push_back({.meanwhile = [this] {
        std::filesystem::permissions(directory, std::filesystem::perms(0777));
    }});
    const Executed result = carry_out({"a", "b"});
    CHECK(result.outcome == Outcome::error);
    CHECK(caller.calls == Strings{"apply a", "revert a"});
    CHECK(result.steps[1].problem.find("can write to it") != std::string::npos);

    Fixture other;
    other.caller.answers["apply a"].push_back({.data = {{{"stage", std::string(9 << 20, 'x')}}}});
    const Executed lost = other.carry_out({"a"});
    CHECK(other.caller.stopped);
    CHECK(lost.outcome == Outcome::error);
    CHECK(other.caller.calls == Strings{"apply a", "revert a"});
}

TEST_CASE_METHOD(Fixture, "its records are held while it lasts") {
    caller.answers["verify a"].push_back({.meanwhile = [this] {
        CHECK(journal.holder(journal.read().records.at(0).id) == ::getpid());
    }});
    carry_out({"a"});
    CHECK_FALSE(journal.holder(journal.read().records.at(0).id));
}

TEST_CASE_METHOD(Fixture, "what is kept up is taken back in the end") {
    caller.answers["keep b"].push_back({.data = {{{"renewed", 1}}}, .interrupts = 1});
    const Executed result = carry_out({"a", "b"}, true);
    CHECK(result.outcome == Outcome::kept);
    CHECK(caller.calls == Strings{"apply a", "apply b", "verify a", "verify b", "keep a", "keep b",
                                  "revert b", "revert a"});
    CHECK(caller.inputs.at(6).at("record") == json::value(json::object{{"renewed", 1}}));
    CHECK_FALSE(result.any_in_force());
}

TEST_CASE_METHOD(Fixture, "what can no longer be kept up is taken back as well") {
    caller.answers["keep a"].push_back({.status = Status::fail, .summary = "the router is gone"});
    CHECK(carry_out({"a"}, true).outcome == Outcome::keep_failed);
    caller.answers["keep a"].push_back({.status = Status::crashed});
    CHECK(carry_out({"a"}, true).outcome == Outcome::error);
    caller.answers["verify a"].push_back({.status = Status::fail});
    caller.answers["keep a"].push_back({.interrupts = 1});
    CHECK(carry_out({"a"}, true).outcome == Outcome::verify_failed);
    CHECK(states() == Strings{"a undone", "a undone", "a undone"});
}

namespace {

struct ContinuingFixture : Fixture {
    // "a" is in place, and a step "a2" goes on with it.
    std::vector<change::Step> going_on() {
        caller.answers["apply a"].push_back({.data = {{{"stage", 1}}}});
        carry_out({"a"});
        id = journal.read().records.at(0).id;
        caller.calls.clear();
        caller.inputs.clear();
        std::vector<change::Step> all = steps({"new", "a2"});
        all[1].continues = id;
        return all;
    }
    std::string id;
};

}  // namespace

TEST_CASE_METHOD(ContinuingFixture, "a step goes on with an earlier one") {
    const auto all = going_on();
    caller.answers["apply a2"].push_back({.data = {{{"stage", 2}}}});
    const Executed result = carry_out_steps(all);
    CHECK(result.outcome == Outcome::applied);
    CHECK(states() == Strings{"a2 applied", "new applied"});
    const auto record = journal.read().records.at(0);
    CHECK(record.id == id);
    CHECK(record.title == "Do a2");
    CHECK(record.record == json::value(json::object{{"stage", 2}}));
    CHECK(record.group == journal.read().records.at(1).id);
    CHECK(caller.inputs.at(0).if_contains("record") == nullptr);
    CHECK(caller.inputs.at(1).at("record") == json::value(json::object{{"stage", 1}}));
    CHECK(caller.inputs.at(1).at("id") == json::value(id));
}

TEST_CASE_METHOD(ContinuingFixture, "what goes wrong takes away nothing that was there before") {
    const auto all = going_on();
    const Answer answer = GENERATE(Answer{.status = Status::fail},
                                   Answer{.status = Status::crashed}, Answer{.interrupts = 1});
    caller.answers["apply a2"].push_back(answer);
    const Executed result = carry_out_steps(all);
    CHECK(result.outcome != Outcome::applied);
    CHECK(states() == Strings{"a2 applied", "new undone"});
    CHECK(journal.read().records[0].record == json::value(json::object{{"stage", 1}}));
    CHECK(result.ids_in_force() == Strings{id});
}

TEST_CASE_METHOD(ContinuingFixture, "what is kept up is taken back at the end, whoever made it") {
    const auto all = going_on();
    caller.answers["keep a2"].push_back({.interrupts = 1});
    CHECK(carry_out_steps(all, true).outcome == Outcome::kept);
    CHECK(states() == Strings{"a2 undone", "new undone"});
}

TEST_CASE_METHOD(ContinuingFixture, "a second try begins anew") {
    const auto all = going_on();
    caller.answers["verify a2"].push_back({.status = Status::fail, .data = {{{"again", true}}}});
    caller.answers["apply a2"] = {{}, {.status = Status::fail}};
    CHECK(carry_out_steps(all).outcome == Outcome::not_applied);
    CHECK(caller.inputs.at(5).if_contains("record") == nullptr);
    CHECK(states() == Strings{"a2 undone", "new undone"});
}

TEST_CASE_METHOD(ContinuingFixture,
                 "only what is in place, and held by nobody, can be gone on with") {
    const auto all = going_on();
    {
        const auto lock = journal.lock(id);
        const Executed held = carry_out_steps(all);
        CHECK(held.outcome == Outcome::not_applied);
        CHECK(held.steps[1].problem.find("kept up") != std::string::npos);
    }
    CHECK(states() == Strings{"new undone", "a applied"});
    auto record = journal.read().records.at(1);
    record.state = State::undone;
    journal.write(record);
    const Executed gone = carry_out_steps(all);
    CHECK(gone.outcome == Outcome::error);
    CHECK(gone.steps[1].problem.find("no longer in place") != std::string::npos);
    CHECK_FALSE(gone.any_in_force());
}
