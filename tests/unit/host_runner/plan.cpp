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
    const auto plan = runner::make_plan(all, selection);
    REQUIRE(plan.has_value());
    return plan->order;
}

std::string refusal(const loader::Plugins& all, const runner::Selection& selection) {
    const auto plan = runner::make_plan(all, selection);
    REQUIRE(plan.has_error());
    return plan.error().message;
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

TEST_CASE("a pattern that matches nothing is an error with the nearest name") {
    const auto all = plugins({check("a.interfaces")});
    CHECK(refusal(all, named({"a.interface"})) ==
          "unknown check 'a.interface': did you mean 'a.interfaces'?");
    CHECK(refusal(all, named({"zzz.*"})).find("unknown check 'zzz.*'") == 0);
}

TEST_CASE("a check of a plugin that was refused was meant all the same") {
    auto all = plugins({check("a.one")});
    all.rejected.push_back({"/somewhere/gone.so", "why"});
    CHECK(order(all, named({"gone.check", "a.one"})) == Ids{"a.one"});
    CHECK(order(all, named({"gone.check"})).empty());
    CHECK(runner::wrong_glob(all, "gone.*") == std::nullopt);
    CHECK(runner::wrong_glob(all, "gome.*"));
}

TEST_CASE("checks that need each other in a circle are left out and named; the others run") {
    const auto all = plugins({check("a.one", {"a.two"}), check("a.two", {"a.three"}),
                              check("a.three", {"a.one"}), check("a.self", {"a.self"}),
                              check("a.leans", {"a.one"}), check("a.fine")});
    const auto plan = runner::make_plan(all, {});
    REQUIRE(plan.has_value());
    CHECK(plan->order == Ids{"a.leans", "a.fine"});
    CHECK(plan->circular == Ids{"a.one", "a.two", "a.three", "a.self"});
}
