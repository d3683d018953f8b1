#include "report/html.hpp"

#include <catch2/catch.hpp>

#include "base/utf8.hpp"
#include "report/delays.hpp"
#include "report/html/text.hpp"
#include "samples.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;

namespace {

// Its data are what others said, in every place that is drawn.
report::Report hostile_page() {
    report::Report report = report::hostile();
    const std::string nasty = report.verdict.headline;
    report::CheckResult path = report::check("network.path", report::Status::pass, nasty);
    const json::object delay = {{"address", nasty}, {"server", nasty}, {"rtt_ms", 1.5}};
    path.data = json::object{
        {"ipv4", json::object{{"gateway", delay}, {"targets", json::array{delay, delay}}}}};
    path.findings = {report::finding("net.loss-high", report::Severity::warning, nasty, nasty)};
    report.checks.push_back(path);
    report::CheckResult firewall =
        report::check("firewall.inbound", report::Status::unknown, nasty);
    report.checks.push_back(firewall);
    return report;
}

}  // namespace

TEST_CASE("no text of others becomes a part of the page") {
    const std::string page = report::html_document(hostile_page(), {});
    CHECK_THAT(page, Contains("&lt;script&gt;alert(&#39;&amp;amp;&#39;)&lt;/script&gt;"));
    CHECK_THAT(page, !Contains("<script"));
    CHECK_THAT(page, !Contains("\x1b"));
    std::string_view rest = page;
    std::size_t bad = 0;
    while (!rest.empty()) {
        const Utf8Char next = decode_utf8(rest);
        if (!next.valid || (next.code != '\n' && is_unsafe_to_show(next.code))) ++bad;
        rest.remove_prefix(next.size);
    }
    CHECK(bad == 0);
}

TEST_CASE("text ends neither a tag nor an attribute") {
    CHECK(report::html::text("a<b>&\"'\n\tc") == "a&lt;b&gt;&amp;&quot;&#39;  c");
    CHECK(report::html::text("\xEF\xBF\xBE\xFF\xE2\x80\xAE") ==
          "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("the page names nothing outside of it and runs nothing") {
    const std::string page = report::html_document(report::recorded(), {});
    for (const char* outside :
         {"http://", "https://", "src=", "url(", "@import", "<script", "<link"}) {
        CHECK_THAT(page, !Contains(outside));
    }
    CHECK_THAT(page, Contains("default-src 'none'"));
}

TEST_CASE("what was not measured is not drawn") {
    const std::string page = report::html_document(report::empty_report(), {});
    CHECK_THAT(page, !Contains("id=\"delay\""));
    CHECK_THAT(page, !Contains("id=\"handshakes\""));
    CHECK_THAT(page, !Contains("leg works"));
    CHECK_THAT(page, Contains("No check was run."));
    CHECK_THAT(report::html_document(report::interrupted(), {}), Contains("was ended early"));
}

TEST_CASE("a check that never started has no bar") {
    report::Report report = report::empty_report();
    report.checks = {report::check("a.b", report::Status::cancelled, "not started")};
    report.checks[0].started = std::nullopt;
    const std::string page = report::html_document(report, {});
    CHECK_THAT(page, Contains("never started"));
    CHECK_THAT(page, !Contains("class=\"bar"));
}

TEST_CASE("delays are read as the checks describe them, near ones first") {
    const auto delays = report::delays_of(report::recorded());
    REQUIRE(delays.size() == 2);
    CHECK(delays[0].where == "router");
    CHECK(delays[0].address == "192.168.1.1");
    CHECK(delays[0].rtt_min_ms == 0.9);
    CHECK(delays[1].where == "server");
    CHECK(delays[1].family == "IPv4");
    CHECK(delays[1].loss_percent == 6.25);
}

TEST_CASE("a hop that is the router or the server is not listed twice") {
    report::Report report = report::recorded();
    json::object& path = report.checks[2].data.as_object()["ipv4"].as_object();
    path["hops"] = json::array{json::object{{"ttl", 1}, {"address", "192.168.1.1"}, {"rtt_ms", 1}},
                               json::object{{"ttl", 2}, {"address", "100.64.0.1"}, {"rtt_ms", 7}},
                               json::object{{"ttl", 3}, {"address", nullptr}, {"rtt_ms", nullptr}},
                               json::object{{"ttl", 4}, {"server", true}, {"rtt_ms", 18}}};
    const auto delays = report::delays_of(report);
    REQUIRE(delays.size() == 3);
    CHECK(delays[1].where == "hop 2");
    CHECK(delays[1].address == "100.64.0.1");
}

TEST_CASE("without a measured path the STUN servers' delays are shown") {
    report::Report report = report::empty_report();
    report.checks = {report::check("stun.nat", report::Status::pass, "")};
    report.checks[0].data = json::object{
        {"ipv4", json::object{{"servers", json::array{json::object{{"address", "198.51.100.1:3478"},
                                                                   {"rtt_ms", 18}}}}}}};
    const auto delays = report::delays_of(report);
    REQUIRE(delays.size() == 1);
    CHECK(delays[0].address == "198.51.100.1:3478");
    CHECK_FALSE(delays[0].jitter_ms);
}

TEST_CASE("how far the internet is, by the nearest server of each family") {
    report::Report report = report::recorded();
    json::object& data = report.checks[2].data.as_object();
    const auto server = [](const char* name, int rtt) {
        return json::object{{"server", name}, {"rtt_ms", rtt}};
    };
    data["ipv4"].as_object()["targets"] =
        json::array{server("a", 30), server("b", 20), server("c", 25)};
    data["ipv6"] = json::object{{"targets", json::array{server("d", 40)}}};
    const auto nearest = report::nearest_servers(report);
    REQUIRE(nearest.size() == 2);
    CHECK(nearest[0].address == "b");
    CHECK(nearest[1].address == "d");
    CHECK(nearest[1].family == "IPv6");
    CHECK(report::nearest_servers(report::all_statuses()).empty());
}

TEST_CASE("delays that make no sense are left out, and there is an end to them") {
    report::Report report = report::recorded();
    json::object& path = report.checks[2].data.as_object()["ipv4"].as_object();
    json::array many;
    for (int i = 0; i < 1000; ++i) many.push_back(json::object{{"server", "s"}, {"rtt_ms", i}});
    path["targets"] = many;
    CHECK(report::delays_of(report).size() <= 32);
    path["targets"] = json::array{json::object{{"server", "s"}, {"rtt_ms", -1}},
                                  json::object{{"server", "s"}, {"rtt_ms", 1e300}},
                                  json::object{{"server", "s"}, {"rtt_ms", "7"}}, 7};
    CHECK(report::delays_of(report).size() == 1);
}

TEST_CASE("a ladder that leads to nowhere is not drawn") {
    report::Report report = report::recorded();
    json::object& ladder = report.recording.as_object()["data"].as_object()["ladder"].as_object();
    ladder["rows"] = json::array{
        json::object{{"from", 0}, {"to", 99}, {"text", "astray"}},
        json::object{{"from", -1}, {"to", 0}, {"text", "astray"}}, "text",
        json::object{{"from", 0}, {"to", 1}, {"text", "there"}, {"outcome", "x\" onload=\"y"}}};
    const std::string page = report::html_document(report, {});
    CHECK_THAT(page, !Contains("astray"));
    CHECK_THAT(page, !Contains("onload"));
}
