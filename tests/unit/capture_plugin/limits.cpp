// However much there is: bounded, and said what was left out.
#include <catch2/catch.hpp>

#include "feed.hpp"
#include "output.hpp"
#include "streams.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

Endpoint numbered(std::uint32_t number) {
    return {IpAddress::v4(0x0B000000 + number), static_cast<std::uint16_t>(1 + number % 60000)};
}

bool remarked(const Outcome& outcome, const std::string& part) {
    return std::ranges::any_of(outcome.remarks, [&](const std::string& remark) {
        return remark.find(part) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("more conversations than the table holds") {
    constexpr std::uint32_t count = 1'000'000;
    Feed feed;
    // Made once and numbered: making a million is slower than looking at them.
    Bytes packet = udp_packet(numbered(0), server, Bytes{1, 2});
    for (std::uint32_t i = 0; i < count; ++i) {
        constexpr std::size_t source = 12;
        for (std::size_t byte = 0; byte < 3; ++byte) {
            packet[source + 3 - byte] = static_cast<std::uint8_t>(i >> 8 * byte);
        }
        feed.packet(packet, 0);
    }
    const Outcome outcome = feed.later().finish();
    CHECK(outcome.conversation_count == count + 1);
    CHECK(remarked(outcome, "conversations put away early"));
    CHECK(outcome.messages.size() ==
          capture_plugin::Messages::max_first + capture_plugin::Messages::max_latest);
    CHECK(outcome.messages_left_out == count - outcome.messages.size());
    CHECK(outcome.conversations.size() == 1000);
}

TEST_CASE("a conversation that is used stays, whatever passes") {
    Feed feed;
    for (std::uint32_t i = 0; i < 150'000; ++i) {
        feed.udp(numbered(i), server, Bytes{1, 2}, 0);
        if (i % 1000 == 0) feed.udp(client, other_server, Bytes{1}, 0);
    }
    const Outcome outcome = feed.finish();
    CHECK(outcome.conversations.front().from == client);
    CHECK(outcome.conversations.front().packets_out == 150);
}

TEST_CASE("more requests than are remembered, and none of them answered") {
    Feed feed;
    for (std::uint32_t i = 0; i < 40'000; ++i) {
        stun::Message message;
        message.transaction = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8),
                               static_cast<std::uint8_t>(i >> 16)};
        feed.udp(client, server, stun::encode(message), 1);
    }
    const Outcome outcome = feed.later().finish();
    CHECK(remarked(outcome, "requests put away early"));
    const auto found = with_code(outcome, "capture.no-reply");
    REQUIRE(found.size() == 1);
    CHECK(found[0].evidence.at("unanswered") == 40'000);
}

TEST_CASE("one transaction id from everybody") {
    Feed feed;
    for (std::uint32_t i = 0; i < 20'000; ++i) feed.udp(numbered(i), server, binding(1), 700);
    const Outcome outcome = feed.later().finish();
    CHECK_FALSE(has(outcome, "capture.nat-seen"));
    CHECK(outcome.conversation_count == 20'001);
}

TEST_CASE("of thousands of findings of a kind a few are listed") {
    Feed feed;
    for (std::uint32_t i = 0; i < 300; ++i) {
        feed.tcp(client, numbered(i), 1, {.syn = true}, {}, 1);
        feed.tcp(numbered(i), client, 0, {.ack = true, .rst = true}, {}, 1);
    }
    const Outcome outcome = feed.later().finish();
    const auto found = with_code(outcome, "capture.reset");
    CHECK(found.size() == 8);
    CHECK(found[0].message.find("248 more like it") != std::string::npos);
    CHECK(remarked(outcome, "observations more than are kept"));
}

TEST_CASE("streams without end stay within their memory") {
    Feed feed;
    for (std::uint32_t i = 0; i < 3000; ++i) {
        const Endpoint from = numbered(i);
        feed.tcp(from, server, 0, {.syn = true}, {}, 0);
        std::string text = "GET /";
        text.resize(8000, 'x');
        feed.tcp(from, server, 1, {.ack = true}, as_bytes(text), 0);
    }
    CHECK(feed.later().finish().conversation_count == 3001);
}

TEST_CASE("what is not looked into is counted and said") {
    Feed feed;
    feed.link(capture::LinkType::ethernet, ethernet(0x0806, Bytes(28)));
    feed.packet(ipv4(client.address, server.address, 132, Bytes(20)));  // SCTP
    const Outcome outcome = feed.finish();
    CHECK(remarked(outcome, "1 packet without IP"));
    CHECK(remarked(outcome, "1 IP packet of other protocols"));
}

TEST_CASE("the budget of streams holds what TLS has put together, too") {
    capture_plugin::Streams streams;
    // A handshake message of 15000 bytes, in records of which the last never comes.
    const Bytes record = joined({{22, 3, 1, 0x3A, 0x98, 1, 0, 0x3B, 0}, Bytes(14'996)});
    std::size_t held = 0;
    for (std::size_t i = 0; i < 2 * capture_plugin::Streams::max_streams; ++i) {
        const auto id = streams.open(0);
        capture::StreamParser* parser = streams.find(id);
        REQUIRE(parser->add(0, record));
        CHECK(std::holds_alternative<std::monostate>(parser->next()));
        REQUIRE(parser->alive());
        CHECK(parser->memory() >= 15'000);
        held = std::max(held, parser->memory());
        streams.settle(id);
        CHECK(streams.memory() <= capture_plugin::Streams::max_memory);
    }
    CHECK(streams.memory() + held > capture_plugin::Streams::max_memory);
}

TEST_CASE("nothing at all") {
    Feed feed;
    const Outcome outcome = feed.finish();
    CHECK_FALSE(outcome.understood);
    CHECK(capture_plugin::exit_code(outcome, Severity::error) == 3);
    for (const char* name : {"console", "json", "mermaid", "svg"}) {
        capture_plugin::Output output;
        output.format = *capture_plugin::parse_format(name);
        CHECK_FALSE(capture_plugin::render(outcome, output).empty());
    }
}
