#include "runner/plan.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;

namespace {

loader::Check check(const std::string& id, std::vector<std::string> needs = {}, bool deep = false) {
    loader::Check made;
    made.id = id;
    made.title = id;
    made.needs = std::move(needs);
    made.deep = deep;
    return made;
}

loader::Plugins plugins(std::vector<loader::Check> checks) {
    loader::Plugins all;
    loader::Plugin plugin;
    plugin.id = "a";
    plugin.checks = std::move(checks);
    all.loaded.push_back(std::move(plugin));
    return all;
}

using Ids = std::vector<std::string>;

Ids order(const loader::Plugins& all, const runner::Selection& selection) {
    return runner::make_plan(all, selection).order;
}

runner::Selection named(Ids checks) {
    runner::Selection selection;
    selection.checks = std::move(checks);
    return selection;
}

}  // namespace

TEST_CASE("a needed check comes first, and comes along when it was not chosen") {
    const auto all = plugins({check("a.last", {"a.middle"}), check("a.middle", {"a.first"}),
                              check("a.first"), check("a.other")});
    CHECK(order(all, named({"a.last"})) == Ids{"a.first", "a.middle", "a.last"});
}

TEST_CASE("a deep check runs with --deep or by its name, not because a glob matches") {
    const auto all = plugins({check("a.quick"), check("a.slow", {}, true)});
    CHECK(order(all, {}) == Ids{"a.quick"});
    CHECK(order(all, named({"a.*"})) == Ids{"a.quick"});
    CHECK(order(all, named({"a.slow"})) == Ids{"a.slow"});
    runner::Selection deep;
    deep.deep = true;
    CHECK(order(all, deep) == Ids{"a.quick", "a.slow"});
}

TEST_CASE("only and skip narrow the choice; what is skipped does not come along as a need either") {
    const auto all = plugins({check("a.one"), check("a.two", {"a.one"})});
    runner::Selection only;
    only.only = {"*.one"};
    CHECK(order(all, only) == Ids{"a.one"});
    runner::Selection skip;
    skip.skip = {"a.one"};
    CHECK(order(all, skip) == Ids{"a.two"});
}

TEST_CASE("a need of a plugin that is not there is no obstacle") {
    CHECK(order(plugins({check("a.one", {"elsewhere.check"})}), {}) == Ids{"a.one"});
}

TEST_CASE("a glob that matches nothing is told with the nearest name") {
    const auto all = plugins({check("a.interfaces")});
    CHECK_FALSE(runner::unmatched(all, "a.*"));
    CHECK_FALSE(runner::unmatched(all, "all"));
    const auto typo = runner::unmatched(all, "a.interface");
    REQUIRE(typo);
    CHECK(typo->message == "unknown check 'a.interface': did you mean 'a.interfaces'?");
    CHECK_FALSE(typo->absent_plugin);
    CHECK_FALSE(runner::unmatched(all, "a.zzz")->absent_plugin);
    CHECK_FALSE(runner::unmatched(all, "zzz")->absent_plugin);
    const auto elsewhere = runner::unmatched(all, "zzz.*");
    CHECK(elsewhere->message.starts_with("unknown check 'zzz.*'"));
    CHECK(elsewhere->absent_plugin);
    // It stops nothing.
    CHECK(order(all, named({"zzz.check", "a.interfaces"})) == Ids{"a.interfaces"});
}

TEST_CASE("checks that need each other in a circle are left out and named; the others run") {
    const auto all = plugins({check("a.one", {"a.two"}), check("a.two", {"a.three"}),
                              check("a.three", {"a.one"}), check("a.self", {"a.self"}),
                              check("a.leans", {"a.one"}), check("a.fine")});
    const auto plan = runner::make_plan(all, {});
    CHECK(plan.order == Ids{"a.leans", "a.fine"});
    CHECK(plan.circular == Ids{"a.one", "a.two", "a.three", "a.self"});
}
