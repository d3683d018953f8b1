#include "fix/task.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using fix::Task;
using fix::tasks_of;
using report::Place;

namespace {

report::Remedy remedy(const std::string& id, const std::string& verb, json::object arguments = {}) {
    report::Remedy out;
    out.id = id;
    out.automatic = !verb.empty();
    out.verb = verb;
    out.arguments = std::move(arguments);
    return out;
}

report::Cause cause(const std::string& code, Place place, std::vector<report::Remedy> remedies) {
    report::Cause out;
    out.code = code;
    out.place = place;
    out.remedies = std::move(remedies);
    return out;
}

loader::Plugins plugins() {
    loader::Plugin plugin;
    plugin.id = "p";
    plugin.changes.emplace_back().id = "p.change";
    loader::Verb verb;
    verb.name = "door";
    const auto option = [](const char* name, options::Type type) {
        options::Option made;
        made.name = name;
        made.type = type;
        return made;
    };
    options::Option port = option("port", options::Type::integer);
    port.min = 1;
    port.max = 65535;
    options::Option lease = option("lease", options::Type::string);
    lease.default_value = json::value("2h");
    options::Option names = option("name", options::Type::string);
    names.repeat = true;
    const auto command = [&](const char* name, std::vector<options::Option> its) {
        verb.schema.commands.emplace_back();
        verb.schema.commands.back().name = name;
        verb.schema.commands.back().options = std::move(its);
        return &verb.schema.commands.back();
    };
    command("open", {port, lease, names})->change = "p.change";
    command("shut", {port})->undo = "p.change";
    command("look", {});
    plugin.verbs.push_back(std::move(verb));
    loader::Plugins all;
    all.loaded.push_back(std::move(plugin));
    return all;
}

// "id: problem", in the order of the tasks.
std::vector<std::string> problems(const report::Report& report, const loader::Plugins& known,
                                  const std::vector<std::string>& only = {}) {
    std::vector<std::string> out;
    for (const Task& task : tasks_of(report, known, only)) {
        out.push_back(task.remedy.id + ": " + task.problem);
    }
    return out;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("the automatic remedies, the nearest first and each once") {
    report::Report report;
    report.causes = {
        cause("cause.far", Place::router, {remedy("open", "door open", {{"port", 1}})}),
        cause("cause.near", Place::you,
              {remedy("read", ""), remedy("shut", "door shut", {{"port", 2}})}),
        cause("cause.too", Place::carrier, {remedy("also-open", "door open", {{"port", 1}})}),
        cause("cause.other", Place::carrier, {remedy("open-other", "door open", {{"port", 3}})}),
    };
    const auto known = plugins();
    CHECK(problems(report, known) == Strings{"shut: ", "open: ", "open-other: "});
    const auto tasks = tasks_of(report, known, {});
    CHECK(tasks.at(0).takes_back);
    CHECK_FALSE(tasks.at(1).takes_back);
    CHECK(tasks.at(1).causes.size() == 2);
    CHECK(tasks.at(1).change->id == "p.change");
    CHECK(problems(report, known, {"open-other"}) == Strings{"open-other: "});
    CHECK(problems(report, known, {"read"}).empty());
}

TEST_CASE("what everything else depends on comes first") {
    report::Report report;
    report.causes = {
        cause("cause.far", Place::router, {remedy("open", "door open", {{"port", 1}})}),
        cause("cause.near", Place::you, {remedy("shut", "door shut", {{"port", 2}})}),
    };
    report.causes[0].remedies[0].alone = true;
    const auto known = plugins();
    CHECK(problems(report, known) == Strings{"open: ", "shut: "});
    CHECK(problems(report, known, {"shut"}) == Strings{"shut: "});
}

TEST_CASE("arguments are those of the command, with its defaults") {
    report::Report report;
    report.causes = {
        cause("cause.a", Place::you, {remedy("open", "door open", {{"port", 1}, {"name", "x"}})})};
    const auto known = plugins();
    const auto tasks = tasks_of(report, known, {});
    CHECK(tasks.at(0).arguments ==
          json::object{{"lease", "2h"}, {"port", 1}, {"name", json::array{"x"}}});
    CHECK(tasks.at(0).given == json::object{{"port", 1}, {"name", json::array{"x"}}});
}

TEST_CASE("a remedy that cannot be begun says why") {
    const auto problem_of = [](const std::string& verb, json::object arguments) {
        report::Report report;
        report.causes = {cause("cause.a", Place::you, {remedy("r", verb, std::move(arguments))})};
        return problems(report, plugins()).at(0);
    };
    CHECK_THAT(problem_of("window open", {}), Catch::Contains("no plugin that is loaded"));
    CHECK_THAT(problem_of("door", {}), Catch::Contains("no plugin that is loaded"));
    CHECK_THAT(problem_of("door look", {}), Catch::Contains("changes nothing"));
    CHECK_THAT(problem_of("door open", {{"port", 70000}}), Catch::Contains("--port: 70000"));
    CHECK_THAT(problem_of("door open", {{"colour", 1}}), Catch::Contains("no option --colour"));
}
