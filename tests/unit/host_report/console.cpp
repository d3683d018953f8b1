#include "report/console.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "base/utf8.hpp"
#include "report/text.hpp"
#include "samples.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;
using report::Status;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

}  // namespace

TEST_CASE("nothing from the network reaches the terminal as a command") {
    for (const bool unicode : {true, false}) {
        report::RenderOptions options;
        options.unicode = unicode;
        options.verbose = true;
        const std::string shown = report::console(report::hostile(), options);
        std::string_view text = shown;
        CHECK(is_utf8(text));
        while (!text.empty()) {
            const Utf8Char next = decode_utf8(text);
            CHECK((next.code == '\n' || !is_unsafe_to_show(next.code)));
            if (!unicode) CHECK(next.code < 0x7F);
            text.remove_prefix(next.size);
        }
    }
}

TEST_CASE("escape sequences are there only when colour is asked for") {
    report::RenderOptions options;
    CHECK(report::console(report::all_statuses(), options).find('\x1b') == std::string::npos);
    options.colour = true;
    CHECK(report::console(report::all_statuses(), options).find('\x1b') != std::string::npos);
}

TEST_CASE("lines keep to the width, ids and commands excepted") {
    const std::size_t id = report::columns("  E holepunch.a-check-with-a-very-long-name");
    for (const unsigned width : {0U, 40U, 60U, 80U, 132U}) {
        report::RenderOptions options;
        options.width = width;
        for (const std::string& line : lines_of(report::console(report::all_statuses(), options))) {
            CAPTURE(width, line);
            CHECK(report::columns(line) <= std::max<std::size_t>(width, id));
            CHECK_FALSE(line.ends_with(' '));
        }
    }
    CHECK_THAT(report::console(report::diagnosed(), {}),
               Contains("        p2pdiag forward add --port 8000 --protocol udp --description 'a "
                        "rather long one'\n"));
}

TEST_CASE("the headline is the first line, and what was not measured is said to be unknown") {
    CHECK(lines_of(report::console(report::all_statuses(), {}))[0] ==
          "Peers reach you through a relay only.");
    report::Report report;
    CHECK(lines_of(report::console(report, {}))[0] == "Verdict: unknown");
    report.checks = {report::check("stun.nat", Status::unknown, "no server answered")};
    CHECK_THAT(report::console(report, {}), Contains("? stun.nat  unknown: no server answered"));
}

TEST_CASE("information is for those who ask for it") {
    CHECK_THAT(report::console(report::all_statuses(), {}), !Contains("net.ipv6-available"));
    report::RenderOptions options;
    options.verbose = true;
    CHECK_THAT(report::console(report::all_statuses(), options), Contains("net.ipv6-available"));
}

TEST_CASE("a check is one line, and what is cut off is said") {
    report::Report report;
    const std::string summary = "The first of many words" + std::string(80, 'x') + " and the last";
    report.checks = {report::check("stun.nat", Status::warn, summary)};
    const auto folded = lines_of(report::console(report, {}));
    const auto line = std::ranges::find_if(
        folded, [](const std::string& one) { return one.starts_with("  ! stun.nat  The first"); });
    REQUIRE(line != folded.end());
    CHECK(line->ends_with("x…"));
    CHECK(report::columns(*line) == 80);
    CHECK_THAT(folded.back(), Contains("--verbose shows what is cut off here."));

    report::RenderOptions options;
    options.verbose = true;
    const std::string whole = report::console(report, options);
    CHECK_THAT(whole, Contains("and the last"));
    CHECK_THAT(whole, !Contains("cut off"));

    report.checks[0].summary = "Short";
    CHECK_THAT(report::console(report, {}), !Contains("cut off"));
}

TEST_CASE("a possible cause does not look like a likely one") {
    report::Report report = report::diagnosed();
    report::RenderOptions options;
    options.colour = true;
    for (const auto& [confidence, title] :
         {std::pair{0.51, "\x1b[1mA title [cause.x]"}, {0.5, "  Possible: A title [cause.x]"}}) {
        report.causes[0].code = "cause.x";
        report.causes[0].title = "A title";
        report.causes[0].confidence = confidence;
        CAPTURE(confidence);
        CHECK_THAT(report::console(report, options), Contains(title));
    }
}

TEST_CASE("the path stands under the headline, as wide as there is room") {
    report::Report report = report::recorded();
    report::RenderOptions options;
    const auto lines = lines_of(report::console(report, options));
    CHECK(lines[2] == "  you ───── firewall ──!── router ───── carrier ───── internet");
    CHECK(lines[3] == "  Limited: firewall to router (nat.symmetric).");
    for (unsigned width = 40; width < 90; ++width) {
        options.width = width;
        for (const std::string& line : lines_of(report::console(report, options))) {
            CAPTURE(width, line);
            CHECK(report::columns(line) <= width);
        }
    }
    options.verbose = true;
    CHECK_THAT(report::console(report, options),
               Contains("router to carrier: Answers from the internet come back across it."));
    // Of nothing but names the way is not drawn.
    report.checks = {report::check("network.dns", Status::pass, "answers")};
    CHECK_THAT(report::console(report, {}), !Contains("firewall"));
}
