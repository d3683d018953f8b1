#include "report/markdown.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;

namespace {

std::string with_summary(const std::string& summary) {
    report::Report report;
    report.checks = {report::check("a.b", report::Status::fail, summary)};
    return report::markdown(report, {});
}

}  // namespace

TEST_CASE("text from outside is neither markup nor a link") {
    CHECK_THAT(with_summary("<b>x</b> & | *y* _z_ [l](u)"),
               Contains("| &lt;b&gt;x&lt;/b&gt; &amp; \\| \\*y\\* \\_z\\_ \\[l\\](u) |"));
    CHECK_THAT(with_summary("see http://evil.example @all #1"),
               Contains("see http&#58;//evil.example &#64;all \\#1"));
    CHECK_THAT(with_summary("one\ntwo"), Contains("| one two |"));
}

TEST_CASE("a line of its own starts no list and no heading") {
    const auto with_headline = [](const char* headline) {
        report::Report report;
        report.verdict.headline = headline;
        return report::markdown(report, {});
    };
    CHECK_THAT(with_headline("- a"), Contains("\n\\- a\n"));
    CHECK_THAT(with_headline("=== a"), Contains("\n\\=== a\n"));
    CHECK_THAT(with_headline("1. a"), Contains("\n1\\. a\n"));
    CHECK_THAT(with_headline("     # a"), Contains("\n\\# a\n"));
    CHECK_THAT(with_headline("12"), Contains("\n12\n"));
}

TEST_CASE("code stays code whatever backticks it holds") {
    report::Report report;
    report::Cause cause;
    cause.remedies = {{"r", "Run it", "echo ``x`", false, false, false},
                      {"r", "Run it", "plain", false, false, false}};
    report.causes = {cause};
    const std::string text = report::markdown(report, {});
    CHECK_THAT(text, Contains("- Run it: ``` echo ``x` ```\n"));
    CHECK_THAT(text, Contains("- Run it: `plain`\n"));
}
