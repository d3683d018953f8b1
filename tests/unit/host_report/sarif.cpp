#include "report/sarif.hpp"

#include <catch2/catch.hpp>

#include "base/json.hpp"
#include "samples.hpp"

using namespace p2pdiag;

namespace {

json::object sarif_run_of(const report::Report& report) {
    const auto parsed = json::parse(report::sarif(report, {}));
    REQUIRE(parsed);
    return parsed->at("runs").at(0).as_object();
}

// The first result of the rule.
json::object sarif_result_of(const json::object& run, std::string_view rule) {
    for (const json::value& result : run.at("results").as_array()) {
        if (result.at("ruleId").as_string() == rule) return result.as_object();
    }
    FAIL("no result of " << rule);
    return {};
}

}  // namespace

TEST_CASE("findings and checks become results of the right kind") {
    const json::object run = sarif_run_of(report::all_statuses());
    const auto says = [&run](std::string_view rule, std::string_view kind, std::string_view level) {
        const json::object result = sarif_result_of(run, rule);
        CAPTURE(rule);
        CHECK(result.at("kind").as_string() == kind);
        CHECK(result.at("level").as_string() == level);
    };
    says("nat.udp-blocked", "fail", "error");
    says("net.dns-slow", "fail", "warning");
    says("net.ipv6-available", "informational", "none");
    says("network.interfaces", "pass", "none");
    says("upnp.router", "notApplicable", "none");
    says("stun.nat", "open", "none");
    for (const json::value& result : run.at("results").as_array()) {
        // Their findings speak for them; and what went wrong found nothing.
        const std::string_view rule = result.at("ruleId").as_string();
        CHECK(rule != "stun.servers");
        CHECK(rule != "capture.live");
    }
}

TEST_CASE("a check that fails without a finding is a result of its own") {
    report::Report report = report::empty_report();
    report.checks = {report::check("a.b", report::Status::fail, "no")};
    const json::object result = sarif_result_of(sarif_run_of(report), "a.b");
    CHECK(result.at("level").as_string() == "error");
}

TEST_CASE("a run is successful only when nothing of it went wrong") {
    const auto successful = [](const report::Report& report) {
        return sarif_run_of(report)
            .at("invocations")
            .as_array()
            .at(0)
            .at("executionSuccessful")
            .as_bool();
    };
    CHECK(successful(report::diagnosed()));
    CHECK_FALSE(successful(report::interrupted()));
    CHECK_FALSE(successful(report::all_statuses()));
}

TEST_CASE("the same finding has the same fingerprint in every run, and another one another") {
    report::Report report = report::diagnosed();
    const auto print = [](const report::Report& of) {
        return sarif_result_of(sarif_run_of(of), "nat.port-restricted-cone")
            .at("partialFingerprints")
            .at("p2pdiag/v1");
    };
    const json::value first = print(report);
    report.run_id = "another";
    report.checks[0].findings[0].message = "with another number in it";
    CHECK(print(report) == first);
    report.checks[0].findings[0].evidence["family"] = "ipv6";
    CHECK(print(report) != first);
}
