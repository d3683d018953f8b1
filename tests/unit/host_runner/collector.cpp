#include "runner/collector.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using child::Exit;
using report::Status;

namespace {

struct Fixture {
    std::vector<runner::Progress> progress;
    std::vector<runner::LogLine> log;
    std::vector<runner::FlowLine> flows;
    std::vector<json::object> data;
    std::vector<std::string> summaries;
    runner::Collector collector;

    Fixture()
        : collector({.plugin = "p", .id = "p.check", .title = "A title"},
                    {.on_progress = [this](const auto& said) { progress.push_back(said); },
                     .on_log = [this](const auto& line) { log.push_back(line); },
                     .on_flow = [this](const auto& line) { flows.push_back(line); },
                     .on_data = [this](const auto& object) { data.push_back(object); },
                     .on_summary = [this](const auto& text) { summaries.push_back(text); }}) {}

    report::CheckResult finish(Exit::How how = Exit::How::exited, int value = 0,
                               const std::string& output = {}) {
        return collector.finish(Exit{.how = how, .value = value, .output = output},
                                Milliseconds(7));
    }
};

constexpr auto finding =
    R"({"type":"finding","code":"net.no-link","severity":"error","message":"m","evidence":{"a":1}})";

}  // namespace

TEST_CASE_METHOD(Fixture, "a whole result is put together from its messages") {
    collector.take(finding);
    collector.take(R"({"type":"summary","text":"first"})");
    collector.take(R"({"type":"summary","text":"last"})");
    collector.take(R"({"type":"data","data":{"x":null}})");
    collector.take(R"({"type":"progress","fraction":7,"text":"half"})");
    collector.take(R"({"type":"log","level":"debug","text":"hm"})");
    collector.take(R"({"type":"flow","protocol":"udp","local":"0.0.0.0:1"})");
    collector.take(R"({"type":"returned","status":3})");
    const report::CheckResult result = finish();
    CHECK(result.status == Status::fail);
    REQUIRE(flows.size() == 1);
    CHECK(flows[0].check == "p.check");
    CHECK(flows[0].flow.at("local") == "0.0.0.0:1");
    CHECK(result.summary == "last");
    CHECK(result.data == json::object{{"x", nullptr}});
    REQUIRE(result.findings.size() == 1);
    CHECK(result.findings[0].check == "p.check");
    CHECK(result.findings[0].evidence.at("a") == 1);
    CHECK(progress.at(0).fraction == 1.0);
    CHECK(log.at(0).level == "debug");
    CHECK(data == std::vector{json::object{{"x", nullptr}}});
    CHECK(summaries == std::vector<std::string>{"first", "last"});
}

TEST_CASE_METHOD(Fixture, "a crash keeps what was said before, and says how it died") {
    collector.take(finding);
    const report::CheckResult result = finish(Exit::How::signalled, 11, "last words \xff");
    CHECK(result.status == Status::crashed);
    REQUIRE(result.findings.size() == 2);
    CHECK(result.findings[1].code == "host.plugin-crashed");
    CHECK(result.findings[1].message.find("SIGSEGV") != std::string::npos);
    // Never invalid UTF-8 in a report.
    CHECK(result.findings[1].evidence.at("output").as_string() == "last words \xEF\xBF\xBD");
}

TEST_CASE_METHOD(Fixture, "a crash after the result is a crash") {
    collector.take(R"({"type":"returned","status":1})");
    CHECK(finish(Exit::How::signalled, 11).status == Status::crashed);
}

TEST_CASE_METHOD(Fixture, "silence at the end is an error, not a pass") {
    CHECK(finish().status == Status::error);
}

TEST_CASE_METHOD(Fixture, "a status that came before a cancellation stands") {
    collector.take(R"({"type":"returned","status":1})");
    CHECK(finish(Exit::How::cancelled).status == Status::pass);
}

TEST_CASE_METHOD(Fixture, "a deadline, a cancellation and a flood have statuses of their own") {
    CHECK(finish(Exit::How::timed_out).status == Status::timed_out);
    CHECK(Fixture().finish(Exit::How::cancelled).status == Status::cancelled);
    CHECK(Fixture().finish(Exit::How::flooded).status == Status::error);
}

TEST_CASE("a check that was cancelled is blamed for nothing, whatever it does then") {
    Fixture obeys;
    const report::CheckResult stopped = obeys.finish(Exit::How::cancelled);
    CHECK(stopped.findings.empty());
    CHECK(stopped.summary == "cancelled before it had a result");
    Fixture ignores;
    const report::CheckResult killed = ignores.collector.finish(
        Exit{.how = Exit::How::cancelled, .value = 9, .killed = true}, Milliseconds(7));
    CHECK(killed.status == Status::cancelled);
    CHECK(killed.findings.empty());
    CHECK(killed.summary.find("it had not stopped") != std::string::npos);
    // What it waited for was broken off.
    Fixture complains;
    complains.collector.take(R"({"type":"summary","text":"Operation canceled"})");
    complains.collector.take(R"({"type":"returned","status":6})");
    CHECK(complains.finish(Exit::How::cancelled).status == Status::cancelled);
}

TEST_CASE("messages that the interface does not know make the result an error") {
    const std::string line =
        GENERATE(std::string("not json"), std::string("[]"), std::string("{}"),
                 std::string(R"({"type":"x"})"), std::string(R"({"type":"returned","status":0})"),
                 std::string(R"({"type":"returned","status":"1"})"),
                 std::string(R"({"type":"data","data":[]})"), std::string(R"({"type":"summary"})"),
                 std::string(R"({"type":"finding","code":"","severity":"info","message":"m"})"),
                 std::string(R"({"type":"finding","code":"a.b","severity":"bad","message":"m"})"),
                 std::string("{\"type\":\"summary\",\"text\":\"\xff\"}"),
                 std::string(100, '[') + std::string(100, ']'));
    CAPTURE(line);
    Fixture fixture;
    fixture.collector.take(line);
    fixture.collector.take(R"({"type":"returned","status":1})");
    const report::CheckResult result = fixture.finish();
    CHECK(result.status == Status::error);
    REQUIRE(result.findings.size() == 1);
    CHECK(result.findings[0].code == "host.plugin-crashed");
}
