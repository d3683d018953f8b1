#include "capture/stream.hpp"

#include <catch2/catch.hpp>

#include "packets.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

ByteView text(std::string_view words) { return as_bytes(words); }

const std::string request = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";

template <class Kind>
std::optional<Kind> first(capture::StreamParser& parser) {
    const capture::StreamContent content = parser.next();
    const Kind* kind = std::get_if<Kind>(&content);
    return kind == nullptr ? std::nullopt : std::optional(*kind);
}

}  // namespace

TEST_CASE("segments in any order, more than once and overlapping, are one stream") {
    // Around the end of the sequence numbers, where they begin again at 0.
    for (const std::uint32_t start : {0U, 0xFFFFFFF0U}) {
        capture::StreamBytes stream(start);
        CHECK(stream.add(start + 5, text("fghij")));
        CHECK(stream.data().empty());
        CHECK(stream.add(start + 3, text("defg")));
        CHECK(stream.add(start, text("abc")));
        CHECK(as_text(stream.data()) == "abcdefghij");
        CHECK(stream.add(start, text("abcd")));
        CHECK(stream.add(start + 8, text("ijkl")));
        CHECK(as_text(stream.data()) == "abcdefghijkl");
        stream.consume(4);
        CHECK(as_text(stream.data()) == "efghijkl");
    }
}

TEST_CASE("a stream keeps within its bounds") {
    capture::StreamBytes far(0);
    CHECK_FALSE(far.add(1'000'000, text("x")));
    capture::StreamBytes many(0);
    bool held = true;
    for (std::uint32_t i = 0; i < 100 && held; ++i) held = many.add(2 + 2 * i, text("x"));
    CHECK_FALSE(held);
    CHECK(many.memory() < 64 * capture::StreamBytes::max_waiting);
    capture::StreamBytes large(0);
    CHECK(large.add(0, Bytes(capture::StreamBytes::max_buffer + 1)));
    CHECK(large.data().size() == capture::StreamBytes::max_buffer);
    CHECK_FALSE(large.add(capture::StreamBytes::max_buffer, Bytes(1)));
}

TEST_CASE("a request and a WebSocket answer, byte by byte") {
    capture::StreamParser parser(1);
    std::uint32_t sequence = 1;
    for (const char c : request.substr(0, request.size() - 1)) {
        CHECK(parser.add(sequence++, text(std::string(1, c))));
        CHECK_FALSE(first<capture::HttpContent>(parser));
    }
    CHECK(parser.add(sequence, text("\n")));
    const auto content = first<capture::HttpContent>(parser);
    REQUIRE(content.has_value());
    CHECK(content->head.target == "/chat");
    CHECK(content->head.is_websocket_upgrade());

    capture::StreamParser answer(1);
    answer.add(1, text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"));
    CHECK(first<capture::HttpContent>(answer)->head.status == 101);
    CHECK_FALSE(answer.alive());
}

TEST_CASE("bodies are kept where they are XML, and skipped where not") {
    capture::StreamParser parser(0);
    parser.add(0, text("POST /c HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<x/>"
                       "POST /d HTTP/1.1\r\nContent-Length: 3\r\n\r\nab"));
    CHECK(first<capture::HttpContent>(parser)->body == "<x/>");
    const auto second = first<capture::HttpContent>(parser);
    CHECK(second->head.target == "/d");
    CHECK(second->body.empty());
    CHECK_FALSE(first<capture::HttpContent>(parser));
    CHECK(parser.alive());
}

TEST_CASE("TLS hellos over several records, and what ends them") {
    ByteWriter hello;
    hello.u16(0x0303);
    hello.zeros(32);
    hello.u8(0);
    hello.u16(2);
    hello.u16(0x1301);
    hello.u8(1);
    hello.u8(0);
    const Bytes body = hello.take();
    Bytes message = {1, 0, 0, static_cast<std::uint8_t>(body.size())};
    message.insert(message.end(), body.begin(), body.end());
    ByteWriter records;
    for (std::size_t i = 0; i < message.size(); ++i) {
        records.u8(22);
        records.u16(0x0301);
        records.u16(1);
        records.u8(message[i]);
    }
    capture::StreamParser parser(0);
    parser.add(0, records.view());
    CHECK(first<tls::ClientHello>(parser)->version == 0x0303);
    CHECK(parser.alive());
    const auto size = static_cast<std::uint32_t>(records.size());
    parser.add(size, Bytes{23, 3, 3, 0, 1, 0});
    CHECK_FALSE(first<tls::ClientHello>(parser));
    CHECK_FALSE(parser.alive());

    capture::StreamParser alert(0);
    alert.add(0, Bytes{21, 3, 3, 0, 2, 2, 40});
    CHECK(first<capture::TlsAlert>(alert)->alert.text() == "handshake_failure");
}

TEST_CASE("STUN over TCP, with ChannelData between") {
    stun::Message message;
    message.transaction[0] = 7;
    const Bytes one = stun::encode(message);
    Bytes stream = one;
    for (int i = 0; i < 2000; ++i) {
        stream = joined({stream, {0x40, 0, 0, 1, 9, 0, 0, 0}});
        if (stream.size() > 8000) break;
    }
    stream = joined({stream, one});
    capture::StreamParser parser(0);
    CHECK(parser.add(0, stream));
    CHECK(first<capture::StunContent>(parser)->message.transaction[0] == 7);
    CHECK(first<capture::StunContent>(parser)->message.transaction[0] == 7);
}

TEST_CASE("what is nothing that is known is given up at once") {
    capture::StreamParser parser(0);
    parser.add(0, text("SSH-2.0-OpenSSH_9.2p1 Debian"));
    CHECK_FALSE(first<capture::HttpContent>(parser));
    CHECK_FALSE(parser.alive());
}
