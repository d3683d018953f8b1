#include "diagnosis/words.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace p2pdiag;
using namespace p2pdiag::diagnosis;
using namespace p2pdiag::diagnosis::test;

namespace {

struct Spoken {
    report::Report report = report_of({check("a.check", report::Status::pass,
                                             {finding("a.b", report::Severity::info,
                                                      {{"n", 1400},
                                                       {"half", 0.5},
                                                       {"yes", true},
                                                       {"none", nullptr},
                                                       {"hop", "192.0.2.1:80"},
                                                       {"list", json::array{"a", "b"}},
                                                       {"evil", "x; rm -rf /"},
                                                       {"option", "-rf"},
                                                       {"quote", "$(id)"},
                                                       {"object", json::object{{"inner", "v"}}}})},
                                             json::object{{"seen", "data"}})});
    Facts facts{report};
    std::vector<Found> first;
    Words words{facts, first};
};

}  // namespace

TEST_CASE("placeholders are filled") {
    const Spoken spoken;
    CHECK(spoken.words.text("no braces") == "no braces");
    CHECK(spoken.words.text("p {port}.") == "p 8000.");
    CHECK(spoken.words.text("{a.b}") == "message of a.b");
    CHECK(spoken.words.text("{a.b|n} {a.b|half} {a.b|yes} {a.b|list}") == "1400 0.5 yes a, b");
    CHECK(spoken.words.text("{a.b|object.inner} {a.check|seen}") == "v data");
}

TEST_CASE("what is missing leaves nothing") {
    const Spoken spoken;
    for (const char* text : {"{a.c}", "{a.b|none}", "{a.b|missing}", "{a.b|object}", "{a.check}",
                             "{other|x}", "{open", "close}", "{}", "{{port}}"}) {
        CAPTURE(text);
        CHECK_FALSE(spoken.words.text(text));
    }
    CHECK_FALSE(placeholders("{open"));
    CHECK(placeholders("{a|b.c} {d}")->size() == 2);
}

TEST_CASE("nothing from the network steers a shell") {
    const Spoken spoken;
    CHECK(spoken.words.command("x --port {port} {a.b|hop}") == "x --port 8000 192.0.2.1:80");
    for (const char* path : {"evil", "option", "quote", "list"}) {
        CAPTURE(path);
        CHECK_FALSE(spoken.words.command(std::string("x {a.b|") + path + '}'));
    }
}

TEST_CASE("a long value is cut between characters") {
    auto report = report_of({check("a.check", report::Status::pass, {finding("a.b")})});
    std::string& message = report.checks[0].findings[0].message;
    message.clear();
    for (int i = 0; i < 1000; ++i) message += "\xC3\xBC";
    const Facts facts(report);
    const std::vector<Found> first;
    const auto text = Words(facts, first).text("{a.b}");
    REQUIRE(text);
    CHECK(text->size() < 320);
    CHECK(text->ends_with("\xC3\xBC..."));
}
