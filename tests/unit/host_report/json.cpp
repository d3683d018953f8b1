#include <catch2/catch.hpp>
#include <sstream>

#include "base/utf8.hpp"
#include "report/formats.hpp"
#include "report/jsonl.hpp"
#include "report/report_json.hpp"
#include "samples.hpp"

using namespace p2pdiag;
using report::Status;

TEST_CASE("every status and severity has its word") {
    const std::pair<Status, const char*> words[] = {
        {Status::pass, "pass"},          {Status::warn, "warn"},
        {Status::fail, "fail"},          {Status::skip, "skip"},
        {Status::unknown, "unknown"},    {Status::error, "error"},
        {Status::crashed, "crashed"},    {Status::timed_out, "timed_out"},
        {Status::cancelled, "cancelled"}};
    for (const auto& [status, word] : words) CHECK(to_string(status) == word);
    for (const char* word : {"info", "warning", "error"}) {
        CHECK(to_string(report::parse_severity(word).value()) == word);
    }
    CHECK_FALSE(report::parse_severity("fatal").has_value());
}

TEST_CASE("times are RFC 3339 in UTC with milliseconds") {
    using std::chrono::milliseconds;
    const auto at = [](std::int64_t ms) {
        return report::timestamp(std::chrono::system_clock::time_point(milliseconds(ms)));
    };
    CHECK(at(0) == "1970-01-01T00:00:00.000Z");
    CHECK(at(1'700'000'000'042) == "2023-11-14T22:13:20.042Z");
    CHECK(at(951'782'400'999) == "2000-02-29T00:00:00.999Z");
    CHECK(at(-1) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("the whole report as JSON") {
    const json::value out = report::to_json(report::diagnosed());
    CHECK(out.at("format_version") == json::value("1.0"));
    CHECK(out.at("tool").at("plugins").at(1).at("name") == json::value("stun"));
    CHECK(out.at("run") == json::value({{"id", "6f9c2b1d"},
                                        {"started", "2023-11-14T22:13:20.042Z"},
                                        {"duration_ms", 1234},
                                        {"profile", "default"},
                                        {"target", {{"port", 8000}}},
                                        {"interrupted", false}}));
    CHECK(out.at("verdict").at("status") == json::value("direct-after-fix"));
    CHECK(out.at("checks").at(0).at("duration_ms") == json::value(56));
    CHECK(out.at("checks").at(0).at("started_ms") == json::value(100));
    CHECK(out.at("checks").at(0).at("data").is_null());
    CHECK(out.at("findings").at(0).at("check") == json::value("stun.nat"));
    CHECK(out.at("causes").at(0).at("confidence") == json::value(0.925));
    CHECK(out.at("causes").at(0).at("remedies").at(0).at("automatic") == json::value(true));
}

TEST_CASE("findings of the host come first and belong to no check") {
    const json::value out = report::to_json(report::all_statuses());
    CHECK(out.at("findings").as_array().size() == 5);
    CHECK(out.at("findings").at(0).at("code") == json::value("host.plugin-rejected"));
    CHECK(out.at("findings").at(0).at("check").is_null());
    CHECK(out.at("findings").at(3).at("evidence").at("sent") == json::value(10));
}

TEST_CASE("every format has a name, an extension and help, and ends its last line") {
    CHECK(report::formats().size() == 10);
    for (const report::Format& format : report::formats()) {
        CHECK(report::find_format(format.name) == &format);
        CHECK(format.extension.starts_with('.'));
        CHECK_FALSE(format.help.empty());
        for (const auto& [name, report] : report::all_samples()) {
            CAPTURE(format.name, name);
            const std::string text = format.render(report, {});
            CHECK(text.ends_with('\n'));
            CHECK(is_utf8(text));
        }
    }
    CHECK(report::find_format("yaml") == nullptr);
}

TEST_CASE("what our own parser reads back is the report") {
    const report::Format* format = report::find_format("json");
    for (const auto& [name, report] : report::all_samples()) {
        CAPTURE(name);
        const auto parsed = json::parse(format->render(report, {}));
        REQUIRE(parsed.has_value());
        CHECK(*parsed == json::value(report::to_json(report)));
    }
}

TEST_CASE("JSON lines, one by one, are the whole") {
    const report::Report report = report::all_statuses();
    std::istringstream stream(report::jsonl(report, {}));
    std::vector<std::string> types;
    for (std::string line; std::getline(stream, line);) {
        const auto parsed = json::parse(line);
        REQUIRE(parsed.has_value());
        types.emplace_back(parsed->at("type").as_string());
    }
    CHECK(types == std::vector<std::string>{"run", "finding", "check", "finding", "check",
                                            "finding", "check", "finding", "finding", "check",
                                            "check", "check", "check", "check", "check", "verdict",
                                            "end"});
    const json::value end = json::parse(report::jsonl_end(report)).value();
    CHECK(end.at("checks").at("pass") == json::value(1));
    CHECK(end.at("checks").as_object().size() == 9);
}

TEST_CASE("JSON lines hold the diagnosis and what changed") {
    std::istringstream stream(report::jsonl(report::compared(), {}));
    std::vector<std::string> types;
    for (std::string line; std::getline(stream, line);) {
        types.emplace_back(json::parse(line)->at("type").as_string());
    }
    CHECK(types == std::vector<std::string>{"run", "check", "finding", "cause", "explained",
                                            "changes", "verdict", "end"});
}

TEST_CASE("no line of JSON lines is broken by what it holds") {
    const report::Report report = report::hostile();
    for (const std::string& line :
         {report::jsonl_run(report), report::jsonl_check(report.checks[0]),
          report::jsonl_finding(report.checks[0].findings[0]),
          report::jsonl_cause(report.causes[0]), report::jsonl_verdict(report.verdict),
          report::jsonl_end(report)}) {
        CHECK(line.find('\n') == line.size() - 1);
        CHECK(json::parse(line).has_value());
    }
}
