#include "report/console.hpp"

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
