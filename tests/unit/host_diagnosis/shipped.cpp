// The rules that p2pdiag comes with: right in themselves, and complete.
#include "shipped.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;
using report::Severity;
using report::Status;

namespace {

// A value that passes the test.
json::value fitting(const Test& test) {
    if (!test.one_of.empty()) {
        const json::value& first = test.one_of.front();
        return first == json::value("{port}") ? json::value(8000) : first;
    }
    if (test.above) return *test.above + 1;
    if (test.at_least) return *test.at_least;
    if (test.below) return *test.below - 1;
    if (test.at_most) return *test.at_most;
    return test.measured == false || !test.is_not.empty() ? json::value() : json::value("measured");
}

json::object fitting(const std::vector<Test>& tests) {
    json::object out;
    for (const Test& test : tests) {
        json::object* place = &out;
        std::string_view path = test.path;
        for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
            json::value& next = (*place)[path.substr(0, dot)];
            if (!next.is_object()) next = json::object();
            place = &next.get_object();
            path.remove_prefix(dot + 1);
        }
        (*place)[path] = fitting(test);
    }
    return out;
}

report::CheckResult& check_in(Checks& checks, const std::string& id, Status status) {
    for (auto& each : checks) {
        if (each.id == id) return each;
    }
    return checks.emplace_back(check(id, status));
}

// The least report in which `when` holds.
Checks fitting(const When& when, Status status) {
    Checks checks;
    std::vector<Condition> conditions = when.all;
    if (!when.any.empty()) conditions.push_back(when.any.front());
    for (const Condition& condition : conditions) {
        if (condition.code.empty()) {
            auto& result = check_in(checks, condition.check, status);
            if (!condition.status.empty()) result.status = condition.status.front();
            if (!condition.tests.empty()) result.data = fitting(condition.tests);
            continue;
        }
        const std::string id = condition.check.empty() ? "t.check" : condition.check;
        check_in(checks, id, status)
            .findings.push_back(
                finding(condition.code, condition.severity.value_or(W), fitting(condition.tests)));
    }
    return checks;
}

}  // namespace

TEST_CASE("the rules are right") {
    CHECK(text_of(shipped().problems).empty());
    CHECK(shipped().rules.causes.size() >= 40);
}

TEST_CASE("the example of the manual is right") {
    std::ifstream file(fs::path(DOCS_DIR) / "user" / "diagnosis.md");
    std::string toml;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("```")) {
            inside = line == "```toml";
        } else if (inside) {
            toml += line + '\n';
        }
    }
    Rules rules = shipped().rules;
    Problems problems;
    read_rules(toml, "diagnosis.md", rules, problems);
    CHECK(rules.causes.size() == shipped().rules.causes.size() + 1);
    Known known = shipped().known;
    known.checks.emplace_back("mydhcp.pool");
    for (auto& problem : check_rules(rules, known)) problems.push_back(problem);
    CHECK(text_of(problems).empty());
}

TEST_CASE("every code makes a cause or is said to make none") {
    CHECK(shipped().known.codes.size() > 60);
    CHECK(uncovered(shipped().rules, shipped().known.codes) == std::vector<std::string>{});
}

TEST_CASE("every cause has a page") {
    const auto all = pages();
    for (const Rule& rule : shipped().rules.causes) {
        CAPTURE(rule.id);
        CHECK(std::ranges::find(all, rule.id) != all.end());
    }
}

TEST_CASE("every way to every cause can come about") {
    for (const Rule& rule : shipped().rules.causes) {
        for (const When& when : rule.when) {
            CAPTURE(rule.id, when.at.line);
            Checks checks = fitting(when, Status::warn);
            for (const Need& need : rule.needs) check_in(checks, need.check, Status::pass);
            const auto report = diagnosed(checks);
            const report::Cause* cause = find(report, rule.id);
            REQUIRE(cause != nullptr);
            CHECK(cause->confidence >= when.confidence);
            CHECK_FALSE(cause->explanation.empty());
        }
    }
}

TEST_CASE("no check that could not tell makes a cause likely") {
    for (const Status status : {Status::unknown, Status::skip, Status::error, Status::crashed,
                                Status::timed_out, Status::cancelled}) {
        for (const Rule& rule : shipped().rules.causes) {
            for (const When& when : rule.when) {
                CAPTURE(rule.id, when.at.line);
                Checks checks = fitting(when, status);
                for (auto& each : checks) each.status = status;
                const auto report = diagnosed(checks);
                for (const report::Cause& cause : report.causes) {
                    CHECK(cause.confidence <= likely);
                    CHECK_FALSE(cause.settle.empty());
                }
            }
        }
    }
}
