#include "change/undo.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace p2pdiag;
using change::Record;
using change::Undone;
using report::Status;

namespace {

struct UndoFixture : Fixture {
    std::vector<Undone> take_back(const std::vector<Record>& records) {
        caller.calls.clear();
        return change::take_back(journal, caller, plugins,
                                 [](const loader::Plugin&) {
                                     return json::object{{"now", 1}};
                                 },
                                 records, {});
    }
    std::vector<Undone> take_back_all() { return take_back(journal.read().open()); }

    std::size_t matches(const json::object& given) const {
        return matching(journal.read(), "p.change", given).size();
    }
};

}  // namespace

TEST_CASE_METHOD(UndoFixture, "everything open is taken back, the newest first") {
    carry_out({"a", "b"});
    carry_out({"c"});
    const auto done = take_back_all();
    CHECK(caller.calls == Strings{"revert c", "revert b", "revert a"});
    CHECK(done.at(0).outcome == Undone::Outcome::undone);
    CHECK(states() == Strings{"c undone", "b undone", "a undone"});
    CHECK(caller.inputs.back().at("input") == json::value(json::object{{"now", 1}}));
    CHECK(take_back_all().empty());
}

TEST_CASE_METHOD(UndoFixture,
                 "the last command is all of its steps, and those that are still open") {
    carry_out({"a"});
    carry_out({"b", "c"});
    auto last = last_command(journal.read());
    REQUIRE(last.size() == 2);
    take_back({last[0]});
    last = last_command(journal.read());
    REQUIRE(last.size() == 1);
    CHECK(last[0].step.at("name") == "b");
    take_back(last);
    CHECK(last_command(journal.read()).at(0).step.at("name") == "a");
}

TEST_CASE_METHOD(UndoFixture, "options choose what they agree with") {
    carry_out({"a", "b"});
    CHECK(matches({}) == 2);
    CHECK(matches({{"name", "a"}}) == 1);
    CHECK(matches({{"port", 7}}) == 2);
    CHECK(matches({{"port", "7"}}) == 0);
    CHECK(matches({{"name", "a"}, {"port", 8}}) == 0);
    CHECK(matches({{"name", json::array{"b", "x"}}}) == 1);
    CHECK(matches({{"colour", "red"}}) == 0);
    CHECK(matching(journal.read(), "p.other", {}).empty());
    take_back_all();
    CHECK(matches({}) == 0);
}

TEST_CASE_METHOD(UndoFixture, "what cannot be taken back stays open, and the others go on") {
    carry_out({"a", "b", "c"});
    caller.answers["revert c"].push_back({.status = Status::fail, .summary = "no"});
    caller.answers["revert b"].push_back({.status = Status::crashed, .summary = "was killed"});
    const auto done = take_back_all();
    CHECK(done.at(0).outcome == Undone::Outcome::failed);
    CHECK(done.at(0).problem == "no");
    CHECK(done.at(1).outcome == Undone::Outcome::error);
    CHECK(done.at(2).outcome == Undone::Outcome::undone);
    CHECK(states() == Strings{"c applied", "b applied", "a undone"});
    CHECK(journal.read().records[0].error == "taking it back: no");
    // The next time it works.
    CHECK(take_back_all().size() == 2);
    CHECK(journal.read().open().empty());
    CHECK(journal.read().records[0].error.empty());
}

TEST_CASE_METHOD(UndoFixture, "what is gone already is not tried a second time") {
    caller.answers["apply a"].push_back({.data = {{{"holes", json::array{1, 2, 3}}}}});
    carry_out({"a"});
    caller.answers["revert a"].push_back(
        {.status = Status::timed_out,
         .summary = "took too long",
         .data = {{{"holes", json::array{2, 3}}}, {{"holes", json::array{3}}}}});
    take_back_all();
    const json::value left = json::object{{"holes", json::array{3}}};
    CHECK(journal.read().records[0].record == left);
    CHECK(journal.read().records[0].error == "taking it back: took too long");
    CHECK(states() == Strings{"a applied"});
    CHECK_FALSE(caller.stopped);
    take_back_all();
    CHECK(caller.inputs.back().at("record") == left);
    CHECK(states() == Strings{"a undone"});
}

TEST_CASE_METHOD(UndoFixture, "what was begun and never finished is taken back") {
    caller.answers["apply a"].push_back({.status = Status::cancelled, .interrupts = 2});
    carry_out({"a"});
    CHECK(states() == Strings{"a planned"});
    caller.pressed = 0;
    take_back_all();
    CHECK(states() == Strings{"a undone"});
}

TEST_CASE_METHOD(UndoFixture, "a record that somebody holds is left to them") {
    carry_out({"a"});
    const auto held = journal.lock(journal.read().records[0].id);
    REQUIRE(held.lock);
    const auto done = take_back_all();
    CHECK(done.at(0).outcome == Undone::Outcome::held);
    CHECK(done.at(0).holder == ::getpid());
    CHECK(done.at(0).problem.find("process " + std::to_string(::getpid())) == 0);
    CHECK(caller.calls.empty());
}

TEST_CASE_METHOD(UndoFixture, "who was slower does nothing") {
    carry_out({"a"});
    const auto seen = journal.read().open();
    take_back(seen);
    CHECK(take_back(seen).at(0).outcome == Undone::Outcome::already);
    CHECK(caller.calls.empty());
}

TEST_CASE_METHOD(UndoFixture, "without the plugin, or its change, a record is left alone") {
    carry_out({"a"});
    plugins.loaded[0].changes.clear();
    CHECK(take_back_all().at(0).problem == "the plugin p 2.0 no longer knows the change p.change");
    plugins.loaded.clear();
    const auto done = take_back_all();
    CHECK(done.at(0).outcome == Undone::Outcome::no_plugin);
    CHECK(done.at(0).problem == "the plugin p 2.0 that made it is not loaded");
    CHECK(states() == Strings{"a applied"});
}

TEST_CASE_METHOD(UndoFixture,
                 "after an interrupt the one that was begun is finished, and no other begun") {
    carry_out({"a", "b"});
    caller.answers["revert b"].push_back({.interrupts = 1});
    const auto done = take_back_all();
    CHECK(done.at(0).outcome == Undone::Outcome::undone);
    CHECK(done.at(1).outcome == Undone::Outcome::interrupted);
    CHECK(states() == Strings{"b undone", "a applied"});
}

TEST_CASE_METHOD(UndoFixture,
                 "what is forgotten is no longer open, and may be named all the same") {
    carry_out({"a", "b"});
    const auto open = journal.read().open();
    {
        const auto lock = journal.lock(open[0].id);
        CHECK(change::forget(journal, {open[0]}).at(0).outcome == Undone::Outcome::held);
    }
    CHECK(states() == Strings{"b applied", "a applied"});
    caller.calls.clear();
    CHECK(change::forget(journal, {open[0]}).at(0).outcome == Undone::Outcome::forgotten);
    CHECK(caller.calls.empty());
    CHECK(states() == Strings{"b forgotten", "a applied"});
    CHECK(journal.read().open().size() == 1);
    CHECK(matches({}) == 1);
    caller.answers["revert b"].push_back({.status = Status::fail, .summary = "gone"});
    auto again = take_back({journal.read().records[0]});
    CHECK(again.at(0).outcome == Undone::Outcome::failed);
    CHECK_FALSE(again.at(0).settled());
    CHECK(states() == Strings{"b forgotten", "a applied"});
    again = take_back({journal.read().records[0]});
    CHECK(again.at(0).outcome == Undone::Outcome::undone);
    CHECK(change::forget(journal, {journal.read().records[0]}).at(0).outcome ==
          Undone::Outcome::already);
    CHECK(states() == Strings{"b undone", "a applied"});
}
