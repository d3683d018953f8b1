#include "output.hpp"

#include <catch2/catch.hpp>
#include <cctype>
#include <pugixml.hpp>
#include <set>
#include <sstream>

#include "feed.hpp"
#include "ladder.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using capture_plugin::Format;

namespace {

Outcome example() {
    Feed feed;
    feed.packet(udp_packet(client, server, binding(1)), 10, capture::Direction::outbound,
                "stun.nat: <test> & \"one\"; #1");
    feed.udp(server, client, mapped(1, outside), 12);
    feed.udp(client, other_server, binding(2)).udp(client, other_server, binding(2), 100);
    feed.udp(client, at("11.22.33.9:5000"), Bytes{0xF1}, 10);
    return feed.later().finish();
}

std::string rendered(Format format, std::size_t width = 80, bool unicode = false) {
    capture_plugin::Output output;
    output.format = format;
    output.width = width;
    output.unicode = unicode;
    output.source = "call.pcapng";
    return capture_plugin::render(example(), output);
}

// In characters.
std::size_t longest_line(const std::string& text) {
    std::size_t longest = 0;
    std::size_t length = 0;
    for (const char c : text) {
        if (c == '\n') {
            length = 0;
        } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
            longest = std::max(longest, ++length);
        }
    }
    return longest;
}

}  // namespace

TEST_CASE("the console shows findings, the ladder and its legend within its width") {
    for (const std::size_t width : {24U, 26U, 40U, 49U, 50U, 60U, 80U, 120U, 200U}) {
        CAPTURE(width);
        for (const bool unicode : {false, true}) {
            const std::string text = rendered(Format::console, width, unicode);
            CHECK(longest_line(text) <= width);
            CHECK(text.find("capture.no-reply") != std::string::npos);
            CHECK(text.find("you") != std::string::npos);
            // Where there is room for lanes, they are drawn.
            const bool lanes = width >= 50;
            CHECK((text.find(unicode ? "\u25b6" : "--x") != std::string::npos) == lanes);
            CHECK((text.find("you > STUN") != std::string::npos) == !lanes);
            const bool plain = std::ranges::all_of(text, [](char c) { return c >= 0; });
            CHECK(plain == !(unicode && lanes));
        }
    }
    CHECK(longest_line(rendered(Format::console, 20)) <= 20);
    const std::string text = rendered(Format::console);
    CHECK(text.find("mapped 11.22.33.7:40000") != std::string::npos);
    CHECK(text.find("x2") != std::string::npos);
    CHECK(text.find("NO REPLY") != std::string::npos);
}

TEST_CASE("no two columns look alike, however narrow they are") {
    Feed feed;
    for (std::uint8_t i = 1; i <= 12; ++i) {
        const Endpoint one{IpAddress::v4(0x0B160000U + i), 3478};
        feed.udp(client, one, binding(i)).udp(one, client, mapped(i, outside));
        // Somebody of whom nothing is known.
        feed.udp({IpAddress::v4(0xC0A80700U + 100 + i), 9}, {IpAddress::v4(0xC0A80764U), 9},
                 Bytes{i});
    }
    const Outcome outcome = feed.later().finish();
    const capture_plugin::Ladder ladder = capture_plugin::make_ladder(outcome, 40, 100);
    REQUIRE(ladder.columns.size() == 26);
    for (const std::size_t width : {225U, 300U, 450U}) {
        const std::string text = capture_plugin::ladder_text(ladder, width, false);
        CHECK(longest_line(text) <= width);
        const std::size_t legend_end = text.find("\n\n") + 2;
        std::istringstream header(
            text.substr(legend_end, text.find('\n', legend_end) - legend_end));
        std::set<std::string> names;
        std::size_t count = 0;
        for (std::string word, name; header >> word;) {
            const bool number = std::isdigit(static_cast<unsigned char>(word.front())) != 0;
            // "STUN 3" is one name, "STUN12" and an address as well.
            if (number && word.find('.') == std::string::npos) {
                names.erase(name);
                names.insert(name + ' ' + word);
                continue;
            }
            ++count;
            name = word;
            names.insert(word);
        }
        CHECK(count == 26);
        CHECK(names.size() == 26);
    }
}

TEST_CASE("one thing is told in the singular") {
    Feed feed;
    feed.udp(client, peer, Bytes{1});
    const Outcome outcome = feed.finish();
    for (const Format format : {Format::console, Format::svg}) {
        capture_plugin::Output output;
        output.format = format;
        const std::string text = capture_plugin::render(outcome, output);
        CHECK(text.find("1 packet") != std::string::npos);
        CHECK(text.find("1 byte") != std::string::npos);
        for (const char* wrong : {"1 packets", "1 messages", "1 bytes", "1 conversations"}) {
            CHECK(text.find(wrong) == std::string::npos);
        }
    }
}

TEST_CASE("requests that are still open are said, and are no all-clear") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
    feed.udp(client, other_server, binding(2));
    const std::string text = capture_plugin::render(feed.finish(), capture_plugin::Output());
    CHECK(text.find("Nothing wrong") == std::string::npos);
    CHECK(text.find("1 request without an answer when the capture ended") != std::string::npos);
}

TEST_CASE("rows in the middle and endpoints at the end make room") {
    Feed feed;
    for (std::uint8_t i = 0; i < 100; ++i) {
        const Endpoint one{IpAddress::v4(0x0B160000U + i), 3478};
        feed.udp(client, one, binding(i)).udp(one, client, mapped(i, outside));
    }
    const Outcome outcome = feed.later().finish();
    const capture_plugin::Ladder ladder = capture_plugin::make_ladder(outcome, 4, 10);
    REQUIRE(ladder.columns.size() == 4);
    CHECK(ladder.columns[0].label == "you");
    CHECK(ladder.columns[3].addresses.size() == 98);
    REQUIRE(ladder.rows.size() == 10);
    CHECK(ladder.rows[5].left_out_before == 190);
    const std::string text = capture_plugin::ladder_text(ladder, 80, false);
    CHECK(text.find("190 more, not shown") != std::string::npos);
}

TEST_CASE("a ladder for who draws it by itself") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
    feed.udp(client, server, binding(2));
    const Outcome outcome = feed.later().finish();
    const json::object out =
        capture_plugin::ladder_json(capture_plugin::make_ladder(outcome, 4, 10));
    const json::array& columns = out.at("columns").as_array();
    const json::array& rows = out.at("rows").as_array();
    REQUIRE(columns.size() == 2);
    CHECK(columns[0].at("label").as_string() == "you");
    CHECK(columns[1].at("address").as_string() == server.address.to_string());
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].at("outcome").as_string() == "sent");
    CHECK(rows[1].at("outcome").as_string() == "answer");
    CHECK(rows[1].at("from").to_number<int>() == 1);
    CHECK(rows[1].at("to").to_number<int>() == 0);
    CHECK(rows[2].at("outcome").as_string() == "unanswered");
    CHECK(rows[0].at("since_start_us").to_number<int>() == 0);
}

TEST_CASE("the drawing is well-formed, says what it is, and needs nothing else") {
    const std::string svg = rendered(Format::svg);
    pugi::xml_document document;
    REQUIRE(document.load_string(svg.c_str()));
    const pugi::xml_node root = document.child("svg");
    CHECK(std::string(root.attribute("role").value()) == "img");
    CHECK_FALSE(std::string(root.child("title").child_value()).empty());
    CHECK(std::string(root.child("desc").child_value()).find("No reply") != std::string::npos);
    CHECK(svg.find("http://") == svg.rfind("http://"));  // the namespace alone
    CHECK(svg.find("&lt;test&gt; &amp; &quot;one&quot;") != std::string::npos);
}

TEST_CASE("the diagram cannot be broken out of") {
    const std::string text = rendered(Format::mermaid);
    CHECK(text.starts_with("sequenceDiagram\n"));
    CHECK(text.find("participant c0 as you<br/>192.168.7.2") != std::string::npos);
    CHECK(text.find("c0-xc") != std::string::npos);
    CHECK(text.find("#lt;test#gt; & \"one\"#59; #35;1") != std::string::npos);
}

TEST_CASE("the document has it all") {
    const auto parsed = json::parse(rendered(Format::json));
    REQUIRE(parsed.has_value());
    const json::object& document = parsed->get_object();
    CHECK(document.at("packets") == 6);
    const json::array& messages = document.at("messages").get_array();
    REQUIRE(messages.size() == 4);
    CHECK(messages[0].get_object().at("answered_by") == 1);
    CHECK(messages[0].get_object().at("transaction") == "010000000000000000000000");
    CHECK(messages[1].get_object().at("delay_ms") == 12.0);
    CHECK(messages[2].get_object().at("fate") == "unanswered");
    CHECK(messages[2].get_object().at("copies") == 2);
    CHECK(document.at("hosts").get_array().front().get_object().at("role") == "you");
}

TEST_CASE("exit codes") {
    const Outcome outcome = example();
    CHECK(capture_plugin::exit_code(outcome, Severity::error) == 1);
    Outcome mild = outcome;
    mild.findings = {{"capture.one-way", Severity::warning, "", {}}};
    CHECK(capture_plugin::exit_code(mild, Severity::error) == 0);
    CHECK(capture_plugin::exit_code(mild, Severity::warning) == 1);
}
