#include "report/read.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

using namespace p2pdiag;
using namespace p2pdiag::report;
using Catch::Matchers::Contains;

namespace {

std::string text_of(const Report& report) { return json::to_text(to_json(report)); }

// A small report in which `edit` changes something.
template <class Edit>
std::string why(Edit edit) {
    json::object document = to_json(all_statuses());
    edit(document);
    const auto read = read_report(json::to_text(document));
    return read.has_value() ? "" : read.error().why;
}

json::object& first(json::object& document, const char* list) {
    return document.at(list).as_array().at(0).as_object();
}

}  // namespace

TEST_CASE("what was written is read") {
    for (const auto& [name, sample] : all_samples()) {
        if (name == "hostile") continue;  // has names twice, and empty ones
        CAPTURE(name);
        const auto read = read_report(text_of(sample));
        REQUIRE(read.has_value());
        Report same = *read;
        // The diagnosis is made anew; of it, what a comparison needs is read.
        CHECK(same.causes.size() == sample.causes.size());
        same.causes = sample.causes;
        same.explained = sample.explained;
        same.changes = sample.changes;
        CHECK(text_of(same) == text_of(sample));
    }
}

TEST_CASE("what is no report is refused, with the place") {
    CHECK_THAT(read_report("").error().why, Contains("is not JSON"));
    CHECK_THAT(read_report("[]").error().why, Contains("not an object"));
    CHECK_THAT(read_report("{}").error().why, Contains("report: has no format_version"));
    CHECK_THAT(read_report(std::string(largest_report + 1, ' ')).error().why, Contains("larger"));
    CHECK_THAT(read_report(std::string(100'000, '[')).error().why, Contains("is not JSON"));
    CHECK_THAT(read_report(R"({"format_version": "1.0", "error": {"message": "no such check"}})")
                   .error()
                   .why,
               Contains("nothing had been run: \"no such check\""));
    CHECK(why([](auto&) {}).empty());
    CHECK(why([](auto& all) { all["format_version"] = "2.0"; }) ==
          "format_version: \"2.0\" is not one that this p2pdiag reads");
    CHECK(why([](auto& all) { first(all, "checks")["status"] = "fine"; }) ==
          "checks[0].status: \"fine\" is no status of a check");
    CHECK(why([](auto& all) { first(all, "checks").erase("summary"); }) ==
          "checks[0]: has no summary");
    CHECK(why([](auto& all) { first(all, "checks")["data"] = 1; }) ==
          "checks[0].data: is neither an object nor null");
    CHECK(why([](auto& all) { first(all, "checks")["duration_ms"] = -1; }) ==
          "checks[0].duration_ms: is no number of milliseconds");
    CHECK(why([](auto& all) { all["checks"].as_array().push_back(all["checks"].at(0)); }) ==
          "checks[9].id: \"network.interfaces\" is there twice");
    CHECK(why([](auto& all) { first(all, "findings")["severity"] = "bad"; }) ==
          "findings[0].severity: \"bad\" is no severity");
    CHECK(why([](auto& all) { first(all, "findings")["check"] = "no.such"; }) ==
          "findings[0].check: there is no check \"no.such\"");
    CHECK(why([](auto& all) { all["run"].as_object()["started"] = "yesterday"; }) ==
          "run.started: is no time such as 2026-01-31T12:34:56.789Z");
    CHECK(why([](auto& all) { all["run"].at("target").as_object()["port"] = 70000; }) ==
          "run.target.port: is no port");
    CHECK(why([](auto& all) { all["verdict"].as_object()["status"] = "great"; }) ==
          "verdict.status: \"great\" is no verdict");
    CHECK(why([](auto& all) { all["causes"] = json::object(); }) == "causes: is no array");
}

TEST_CASE("there is an end to what a report may hold") {
    CHECK(why([](auto& all) {
              const json::value one = all["findings"].at(0);
              all["findings"].as_array().resize(most_findings + 1, one);
          }) == "findings: has more than 20000");
    CHECK(why([](auto& all) {
              const json::value one = all["checks"].at(0);
              all["checks"].as_array().resize(most_checks + 1, one);
          }) == "checks: has more than 1000");
}

TEST_CASE("what a later minor version adds is left alone") {
    CHECK(why([](auto& all) {
              all["format_version"] = "1.7";
              all["more"] = json::array{1};
              first(all, "checks")["more"] = true;
          }).empty());
}
