// Connections: how they begin, how they are refused or cut off, and what they carry.
#include <catch2/catch.hpp>

#include "feed.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

TEST_CASE("a connection: accepted, refused, silent, and from both sides at once") {
    Feed feed;
    SECTION("accepted") {
        const Outcome outcome = connect(feed).later().finish();
        REQUIRE(outcome.messages.size() == 2);
        CHECK(outcome.messages[0].fate == Fate::answered);
        CHECK(outcome.messages[1].answers == 0);
        CHECK(outcome.findings.empty());
        CHECK(role_of(outcome, web.address) == Role::server);
    }
    SECTION("refused") {
        feed.tcp(client, web, 1, {.syn = true}).tcp(web, client, 0, {.ack = true, .rst = true});
        const Outcome outcome = feed.later().finish();
        CHECK(outcome.messages[0].fate == Fate::refused);
        const auto found = with_code(outcome, "capture.reset");
        REQUIRE(found.size() == 1);
        CHECK(found[0].evidence.at("at") == "connect");
        CHECK_FALSE(has(outcome, "capture.no-reply"));
    }
    SECTION("silent") {
        feed.tcp(client, web, 1, {.syn = true}).tcp(client, web, 1, {.syn = true}, {}, 1000);
        feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
        const Outcome outcome = feed.later().finish();
        CHECK(outcome.messages[0].copies == 2);
        CHECK(outcome.messages[0].fate == Fate::unanswered);
        const auto found = with_code(outcome, "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].evidence.at("protocol") == "TCP");
        CHECK(found[0].evidence.at("sends") == 2);
    }
    SECTION("silent to the last packet, which is one more try") {
        feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
        feed.tcp(client, web, 1, {.syn = true});
        for (const int after : {1000, 2000}) feed.tcp(client, web, 1, {.syn = true}, {}, after);
        SECTION("too early to tell") { CHECK(feed.finish().messages[2].fate == Fate::open); }
        SECTION("long enough") {
            feed.tcp(client, web, 1, {.syn = true}, {}, 4000);
            const Outcome outcome = feed.finish();
            CHECK(outcome.messages[2].fate == Fate::unanswered);
            CHECK(has(outcome, "capture.no-reply"));
        }
    }
    SECTION("both at once") {
        feed.tcp(client, peer, 1, {.syn = true}).tcp(peer, client, 9, {.syn = true}, {}, 3);
        feed.tcp(client, peer, 1, {.syn = true, .ack = true});
        feed.tcp(peer, client, 9, {.syn = true, .ack = true});
        const Outcome outcome = feed.later().finish();
        CHECK(has(outcome, "capture.simultaneous-open"));
        CHECK_FALSE(has(outcome, "capture.no-reply"));
    }
}

TEST_CASE("a reset after the first words is told, one at the end is not") {
    Feed early;
    connect(early).tcp(client, web, 101, {.ack = true}, bytes_of("GET / HTTP/1.1\r\n\r\n"));
    early.tcp(web, client, 901, {.rst = true});
    const Outcome cut = early.later().finish();
    const auto found = with_code(cut, "capture.reset");
    REQUIRE(found.size() == 1);
    CHECK(found[0].evidence.at("at") == "first-data");

    Feed late;
    connect(late).tcp(client, web, 101, {.ack = true}, bytes_of("GET / HTTP/1.1\r\n\r\n"));
    late.tcp(web, client, 901, {.ack = true}, bytes_of("HTTP/1.1 200 OK\r\n\r\nhello"));
    late.tcp(client, web, 119, {.rst = true});
    const Outcome closed = late.later().finish();
    CHECK(closed.findings.empty());
    REQUIRE(closed.messages.size() >= 4);
    CHECK(closed.messages[2].fate == Fate::answered);
    CHECK(closed.messages[3].text == "200 OK");
}

TEST_CASE("of a frame that was cut, the beginning is read") {
    // What a network card is given to divide is larger than what a recording keeps of a packet.
    const std::string text = "GET /chat HTTP/1.1\r\n\r\n";
    Bytes packet =
        tcp_packet(client, web, 101, {.ack = true}, joined({bytes_of(text), Bytes(9000)}));
    packet.resize(1600);
    Feed feed;
    const Outcome outcome = connect(feed).packet(packet).later().finish();
    CHECK(std::ranges::count(outcome.messages, "GET /chat", &Message::text) == 1);
}

TEST_CASE("what is no reset at the first data") {
    Feed feed;
    SECTION("the client closes, to whom the server spoke first") {
        connect(feed).tcp(web, client, 901, {.ack = true}, bytes_of("220 hello\r\n"));
        feed.tcp(client, web, 101, {.rst = true});
    }
    SECTION("the end of a long upload") {
        connect(feed);
        for (std::uint32_t i = 0; i < 100; ++i) {
            feed.tcp(client, web, 101 + i * 1000, {.ack = true}, Bytes(1000, 'x'), 1);
        }
        feed.tcp(web, client, 901, {.rst = true});
    }
    SECTION("a server that has waited in vain for more") {
        connect(feed).tcp(client, web, 101, {.ack = true}, Bytes(10, 'x'));
        feed.tcp(web, client, 901, {.rst = true}, {}, 10'000);
    }
    CHECK(feed.later().finish().findings.empty());
}

TEST_CASE("the same ports carry one connection after another") {
    Feed feed;
    connect(feed).tcp(client, web, 101, {.ack = true}, bytes_of("GET / HTTP/1.1\r\n\r\n"));
    feed.tcp(web, client, 901, {.ack = true}, bytes_of("HTTP/1.1 200 OK\r\n\r\nhello"));
    feed.tcp(client, web, 119, {.rst = true});
    SECTION("the second is cut off, and known by what it says itself") {
        feed.tcp(client, web, 5000, {.syn = true}, {}, 60'000);
        feed.tcp(web, client, 7000, {.syn = true, .ack = true});
        feed.tcp(client, web, 5001, {.ack = true}, bytes_of("GET /b HTTP/1.1\r\n\r\n"));
        feed.tcp(web, client, 7001, {.rst = true});
        const Outcome outcome = feed.later().finish();
        const auto found = with_code(outcome, "capture.reset");
        REQUIRE(found.size() == 1);
        CHECK(found[0].evidence.at("at") == "first-data");
        CHECK(std::ranges::count(outcome.messages, "GET /b", &Message::text) == 1);
        CHECK_FALSE(has(outcome, "capture.simultaneous-open"));
    }
    SECTION("the second is not answered") {
        feed.tcp(client, web, 5000, {.syn = true}, {}, 60'000);
        const auto found = with_code(feed.later().finish(), "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].evidence.at("unanswered") == 1);
        CHECK(found[0].evidence.at("answered") == 1);
    }
}

TEST_CASE("two that try one after the other do not open at once") {
    Feed feed;
    feed.tcp(client, peer, 1, {.syn = true}).tcp(peer, client, 9, {.syn = true}, {}, 60'000);
    const Outcome outcome = feed.later().finish();
    CHECK_FALSE(has(outcome, "capture.simultaneous-open"));
    CHECK(with_code(outcome, "capture.no-reply").size() == 2);
}

TEST_CASE("segments out of order still make one request") {
    const std::string text = "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    Feed feed;
    connect(feed).tcp(client, web, 111, {.ack = true}, bytes_of(text.substr(10)));
    feed.tcp(client, web, 101, {.ack = true}, bytes_of(text.substr(0, 10)));
    feed.tcp(client, web, 101, {.ack = true}, bytes_of(text.substr(0, 10)));
    const Outcome outcome = feed.later().finish();
    REQUIRE(outcome.messages.size() == 3);
    CHECK(outcome.messages[2].protocol == Protocol::websocket);
    CHECK(has(outcome, "capture.no-reply"));
}
