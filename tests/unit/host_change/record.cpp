#include "change/record.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using change::Record;

namespace {

Record sample() {
    Record record;
    record.id = "0a1b2c3d";
    record.group = "0a1b2c3d";
    record.sequence = 9;
    record.change = "p.change";
    record.plugin = "p";
    record.plugin_version = "1.0";
    record.title = "Do it";
    record.undo = "undo it";
    record.match = {{"port", 8000}};
    record.step = {{"any", json::array{1, nullptr, "x"}}};
    record.record = json::object{{"lease", 60}};
    record.verify = json::object{{"status", "pass"}};
    record.state = change::State::applied;
    record.created = "2026-01-31T12:34:56.789Z";
    record.updated = "2026-01-31T12:34:57.789Z";
    record.error = "no luck";
    return record;
}

std::string problem_with(const char* member, json::value value) {
    json::object document = to_json(sample());
    document[member] = std::move(value);
    const auto parsed = change::parse_record(json::to_text(document));
    return parsed ? "" : parsed.error().what;
}

}  // namespace

TEST_CASE("a record comes back as it was written") {
    const auto back = change::parse_record(json::to_pretty_text(to_json(sample())));
    REQUIRE(back.has_value());
    CHECK(to_json(*back) == to_json(sample()));
    Record bare = sample();
    bare.record = nullptr;
    bare.error.clear();
    const auto without = change::parse_record(json::to_text(to_json(bare)));
    REQUIRE(without.has_value());
    CHECK(without->record.is_null());
    CHECK(without->error.empty());
}

TEST_CASE("what is missing or wrong in a record is named") {
    CHECK(problem_with("id", "0A1B2C3D") == "has no usable member \"id\"");
    CHECK(problem_with("id", "../../xy") == "has no usable member \"id\"");
    CHECK(problem_with("group", 7) == "has no usable member \"group\"");
    CHECK(problem_with("sequence", -1) == "has no usable member \"sequence\"");
    CHECK(problem_with("sequence", std::int64_t{1} << 60) == "has no usable member \"sequence\"");
    CHECK(problem_with("state", "done") == "has no usable member \"state\"");
    CHECK(problem_with("step", json::array{}) == "has no usable member \"step\"");
    CHECK(problem_with("plugin", json::object{}) == "has no usable member \"plugin.id\"");
    CHECK(problem_with("title", nullptr) == "has no usable member \"title\"");
    CHECK(change::parse_record("{").error().what == "is not valid JSON");
    CHECK(change::parse_record("[]").error().what == "is not a JSON object");
    CHECK(change::parse_record("{}").error().what == "has no format_version");
}

TEST_CASE("whatever a member holds, a record is read whole or not at all") {
    for (const auto& member : to_json(sample())) {
        for (const json::value& wrong :
             {json::value(nullptr), json::value(true), json::value(-1), json::value(1e300),
              json::value(std::uint64_t{1} << 63), json::value(""), json::value("x"),
              json::value(json::array{1}), json::value(json::object{{"id", 1}})}) {
            json::object document = to_json(sample());
            document[member.key()] = wrong;
            CAPTURE(json::to_text(document));
            const auto parsed = change::parse_record(json::to_text(document));
            if (!parsed) continue;
            const auto again = change::parse_record(json::to_text(to_json(*parsed)));
            REQUIRE(again.has_value());
            CHECK(to_json(*again) == to_json(*parsed));
        }
    }
}

TEST_CASE("a record of another version is refused") {
    for (const char* version : {"1.1", "2.0"}) {
        CHECK(problem_with("format_version", version).find("update p2pdiag") != std::string::npos);
    }
}

TEST_CASE("the words that take changes back") {
    CHECK(change::undo_command_of({}).empty());
    CHECK(change::undo_command_of({"00000001", "ffffffff"}) == "p2pdiag undo 00000001 ffffffff");
}
