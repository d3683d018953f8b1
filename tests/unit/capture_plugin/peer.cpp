// p2pdiag's own probes and chat handshake, as an analysis tells them.
#include <catch2/catch.hpp>

#include "feed.hpp"
#include "ladder.hpp"
#include "output.hpp"
#include "wire/peer/chat.hpp"
#include "wire/peer/probe.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

const Endpoint second = at("11.22.33.9:5001");
const Endpoint third = at("192.168.9.2:5000");
const envelope::SessionId session{1, 2, 3};
const Bytes secret(40, 0x5A);

probe::Probe probe_of(std::uint8_t id, const envelope::SessionId& of = session) {
    static std::uint64_t counter = 0;
    probe::Probe probe;
    probe.session = of;
    probe.transaction[0] = id;
    probe.counter = ++counter;
    probe.tag[0] = static_cast<std::uint8_t>(counter);
    return probe;
}
Bytes ping(std::uint8_t id, std::size_t size = probe::size) {
    probe::Probe probe = probe_of(id);
    probe.total_size = size;
    return probe::encode(probe);
}
Bytes pong(std::uint8_t id, const Endpoint& seen) {
    probe::Probe probe = probe_of(id);
    probe.observed = seen;
    return probe::encode(probe);
}
Bytes chat_of(const chat::Body& body) { return chat::encode({session, body}); }
Bytes init(std::optional<chat::Cookie> cookie = {}) { return chat_of(chat::Init{cookie, secret}); }
Bytes of_version(Bytes bytes, std::uint8_t version) {
    bytes[4] = version;
    return bytes;
}

std::vector<std::string> texts(const Outcome& outcome) {
    std::vector<std::string> all;
    for (const Message& message : outcome.messages) all.push_back(message.text);
    return all;
}

}  // namespace

TEST_CASE("peer: a ping and its pong are a pair, and its peer is one") {
    Feed feed;
    feed.udp(client, peer, ping(1)).udp(peer, client, pong(1, outside), 12).later();
    const Outcome outcome = feed.finish();
    CHECK(texts(outcome) == std::vector<std::string>{"ping", "pong, seen as 11.22.33.7:40000"});
    CHECK(outcome.messages[0].protocol == Protocol::probe);
    CHECK(outcome.messages[0].fate == Fate::answered);
    CHECK(outcome.messages[0].transaction == "010000000000000000000000");
    CHECK(outcome.messages[1].answers == 0);
    CHECK(outcome.messages[1].delay_ns == 12'000'000);
    CHECK(outcome.findings.empty());
    CHECK(outcome.mappings ==
          std::vector<capture_plugin::Mapping>{{Transport::udp, client, peer, outside}});
    CHECK(role_of(outcome, client.address) == Role::you);
    CHECK(role_of(outcome, peer.address) == Role::peer);
}

TEST_CASE("peer: a ping that is sent again is one row, with any counter and tag") {
    Feed feed;
    for (const int after : {0, 20, 20, 40}) feed.udp(client, peer, ping(1), after);
    feed.udp(client, peer, ping(2, 1400)).udp(peer, client, pong(1, outside));
    feed.udp(peer, client, pong(1, outside), 60).udp(peer, client, pong(2, outside)).later();
    const Outcome outcome = feed.finish();
    REQUIRE(outcome.messages.size() == 4);
    CHECK(outcome.messages[0].copies == 4);
    CHECK(outcome.messages[1].text == "ping of 1400 bytes");
    CHECK(outcome.messages[2].copies == 2);
    CHECK(outcome.messages[3].answers == 1);
    CHECK(outcome.findings.empty());
}

TEST_CASE("peer: pings that nobody answers are told once, with all addresses") {
    Feed feed;
    const auto ping_all = [&feed] {
        feed.udp(client, peer, ping(1)).udp(client, second, ping(2)).udp(client, third, ping(3));
    };
    ping_all();
    SECTION("and nothing of the peer came in") {
        ping_all();
        const Outcome outcome = feed.later().finish();
        REQUIRE(outcome.findings.size() == 1);
        const Finding& found = outcome.findings[0];
        CHECK(found.code == "capture.one-way");
        CHECK(found.severity == Severity::error);
        CHECK(found.message.starts_with(
            "192.168.7.2 sent 6 pings to 3 addresses of its peer, and no probe of the peer"));
        CHECK(found.evidence.at("addresses").as_array().size() == 3);
        CHECK(found.evidence.at("packet") == 1);
        for (const Message& message : outcome.messages) CHECK(message.fate == Fate::unanswered);
    }
    SECTION("though its own pings came in") {
        feed.udp(second, client, ping(9)).later();
        const auto found = with_code(feed.finish(), "capture.no-reply");
        REQUIRE(found.size() == 2);
        CHECK(found[0].message.find("probes of the peer are in the capture") != std::string::npos);
        CHECK(found[0].evidence.at("from") == "11.22.33.9");
        CHECK(found[1].evidence.at("from") == "192.168.7.2");
    }
    SECTION("though they are answered") {
        feed.udp(second, client, ping(9)).udp(client, second, pong(9, second)).later();
        const Outcome outcome = feed.finish();
        REQUIRE(outcome.findings.size() == 1);
        CHECK(outcome.findings[0].code == "capture.no-reply");
        CHECK(outcome.findings[0].severity == Severity::error);
        CHECK(outcome.findings[0].evidence.at("from") == "192.168.7.2");
    }
    SECTION("in a capture that has lost packets") {
        const Outcome outcome = feed.later().finish(true);
        REQUIRE(outcome.findings.size() == 1);
        CHECK(outcome.findings[0].severity == Severity::warning);
    }
    SECTION("too early to tell") {
        const Outcome outcome = feed.finish();
        CHECK(outcome.findings.empty());
        CHECK(outcome.open_requests == 3);
    }
    SECTION("at one address only: one way is enough") {
        const Outcome outcome = feed.udp(second, client, pong(2, outside)).later().finish();
        CHECK(outcome.findings.size() == 2);
        for (const Finding& one : outcome.findings) {
            CHECK(one.code == "capture.no-reply");
            CHECK(one.severity == Severity::info);
            CHECK(one.message.ends_with("others of the same session were answered"));
        }
    }
}

TEST_CASE("peer: sessions are judged each by itself") {
    Feed feed;
    feed.udp(client, peer, ping(1)).udp(peer, client, pong(1, outside));
    probe::Probe other = probe_of(1, {7});
    feed.udp(client, third, probe::encode(other)).later();
    const Outcome outcome = feed.finish();
    CHECK(outcome.messages[0].fate == Fate::answered);
    CHECK(outcome.messages[2].fate == Fate::unanswered);
    REQUIRE(outcome.findings.size() == 1);
    CHECK(outcome.findings[0].code == "capture.one-way");
    CHECK(outcome.findings[0].message.starts_with("192.168.7.2 sent 1 ping to 192.168.9.2:5000"));
}

TEST_CASE("peer: the NAT itself is seen by the transaction") {
    Feed feed;
    feed.udp(client, peer, ping(1)).udp(outside, peer, ping(1), 1);
    SECTION("and the pong comes back through it") {
        feed.udp(peer, outside, pong(1, outside)).udp(peer, client, pong(1, outside), 1).later();
        const Outcome outcome = feed.finish();
        REQUIRE(outcome.findings.size() == 1);
        CHECK(outcome.findings[0].code == "capture.nat-seen");
        CHECK(outcome.findings[0].evidence.at("outside") == "11.22.33.7:40000");
        CHECK(outcome.messages[2].answers == 1);
        CHECK(outcome.messages[3].answers == 0);
        CHECK(role_of(outcome, outside.address) == Role::nat_outside);
    }
    SECTION("and it is not taken for the other side of the session") {
        const Outcome outcome = feed.later().finish();
        const auto silent = with_code(outcome, "capture.one-way");
        REQUIRE(silent.size() == 1);
        CHECK(silent[0].evidence.at("from") == "192.168.7.2");
        CHECK(silent[0].evidence.at("sends") == 1);
        CHECK_FALSE(has(outcome, "capture.no-reply"));
    }
}

TEST_CASE("peer: a pong tells the mapping, as an answer of a STUN server does") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
    feed.udp(client, peer, ping(1));
    SECTION("another one: symmetric") {
        feed.udp(peer, client, pong(1, at("11.22.33.7:40001"))).later();
        const auto found = with_code(feed.finish(), "capture.mapping-changed");
        REQUIRE(found.size() == 1);
        CHECK(found[0].message.starts_with("Symmetric NAT: 192.168.7.2:4000 looks different"));
        CHECK(found[0].message.find("11.22.33.7:40001 to 11.22.33.9:5000") != std::string::npos);
    }
    SECTION("the same") {
        CHECK(feed.udp(peer, client, pong(1, outside)).later().finish().findings.empty());
    }
    SECTION("a side that is not the outside says nothing of it") {
        feed.udp(peer, client, pong(1, at("100.64.0.7:40001"))).later();
        CHECK(feed.finish().findings.empty());
    }
    SECTION("another one for the same peer: it was replaced") {
        feed.udp(peer, client, pong(1, outside)).udp(client, peer, ping(2));
        feed.udp(peer, client, pong(2, at("11.22.33.7:7"))).later();
        const auto found = with_code(feed.finish(), "capture.mapping-changed");
        REQUIRE(found.size() == 1);
        CHECK(found[0].message.find("one and the same destination") != std::string::npos);
    }
}

TEST_CASE("peer: a pong from elsewhere, and an ICMP error about a ping") {
    Feed elsewhere;
    elsewhere.udp(client, peer, ping(1)).udp(second, client, pong(1, outside)).later();
    CHECK(has(elsewhere.finish(), "capture.reply-elsewhere"));

    Feed refused;
    refused.udp(client, peer, ping(1)).udp(client, peer, ping(2));
    // As little as a router has to quote and still name it: up to the transaction.
    Bytes quoted = udp_packet(client, peer, ping(1));
    quoted.resize(20 + 8 + 28);
    refused.packet(icmp_error(peer.address, client.address, 3, 3, quoted)).later();
    const Outcome outcome = refused.finish();
    CHECK(outcome.messages[0].fate == Fate::refused);
    CHECK(outcome.messages[1].fate == Fate::unanswered);
    CHECK(has(outcome, "capture.unreachable"));
}

TEST_CASE("peer: the handshake of the chat, with its cookie") {
    const chat::Cookie cookie{5};
    Feed feed;
    feed.udp(client, peer, init()).udp(client, peer, init(), 100);
    feed.udp(peer, client, chat_of(chat::CookieReply{cookie}));
    feed.udp(client, peer, init(cookie)).udp(peer, client, chat_of(chat::Response{secret}));
    feed.udp(client, peer, chat_of(chat::Finish{secret}));
    feed.udp(client, peer, chat_of(chat::Finish{secret}), 100);
    for (std::uint64_t i = 0; i < 5; ++i) feed.udp(client, peer, chat_of(chat::Data{i, secret}));
    feed.udp(peer, client, chat_of(chat::Close{1, secret})).later();
    const Outcome outcome = feed.finish();
    CHECK(texts(outcome) == std::vector<std::string>{"init", "cookie", "init with cookie",
                                                     "response", "finish", "data, 320 bytes",
                                                     "close"});
    CHECK(outcome.messages[0].copies == 2);
    CHECK(outcome.messages[0].answered_by == 1);
    CHECK(outcome.messages[2].answered_by == 3);
    CHECK(outcome.messages[4].copies == 2);
    CHECK(outcome.messages[5].copies == 5);
    CHECK(outcome.findings.empty());
}

TEST_CASE("peer: a handshake that nobody answers") {
    Feed feed;
    // That pings of the same session are answered excuses nothing.
    feed.udp(client, peer, ping(1)).udp(peer, client, pong(1, outside));
    feed.udp(client, peer, init()).udp(client, peer, init(), 1000).later();
    const auto found = with_code(feed.finish(), "capture.no-reply");
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Severity::error);
    CHECK(found[0].message.starts_with(
        "No reply: chat handshakes from 192.168.7.2 to 11.22.33.9:5000: 1 request, sent 2 times"));
}

TEST_CASE("peer: a handshake that stops half-way") {
    const chat::Cookie cookie{5};
    const Bytes response = chat_of(chat::Response{secret});
    Feed feed;
    feed.udp(client, peer, init());
    SECTION("after the response, which is sent again") {
        feed.udp(peer, client, response).udp(client, peer, init(), 500);
        const auto found =
            with_code(feed.udp(peer, client, response).later().finish(), "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::error);
        CHECK(found[0].message.starts_with(
            "The chat handshake of 192.168.7.2:4000 with 11.22.33.9:5000 stops after the response, "
            "sent 2 times: the response does not arrive there, or it is not accepted"));
        CHECK(found[0].evidence.at("stops_after") == "response");
        CHECK(found[0].evidence.at("packet") == 2);
    }
    SECTION("after the cookie") {
        feed.udp(peer, client, chat_of(chat::CookieReply{cookie}));
        SECTION("that nobody brings back") {
            const auto found = with_code(feed.later().finish(), "capture.no-reply");
            REQUIRE(found.size() == 1);
            CHECK(found[0].evidence.at("stops_after") == "cookie");
        }
        SECTION("that is brought back: then that is what nobody answers") {
            const auto found = with_code(feed.udp(client, peer, init(cookie)).later().finish(),
                                         "capture.no-reply");
            REQUIRE(found.size() == 1);
            CHECK_FALSE(found[0].evidence.contains("stops_after"));
        }
        SECTION("and a copy of it comes after the response") {
            feed.udp(client, peer, init(cookie)).udp(peer, client, response);
            feed.udp(peer, client, chat_of(chat::CookieReply{cookie}));
            const auto found = with_code(feed.later().finish(), "capture.no-reply");
            REQUIRE(found.size() == 1);
            CHECK(found[0].evidence.at("stops_after") == "response");
        }
    }
    SECTION("too early to tell") {
        const Outcome outcome = feed.udp(peer, client, response).finish_after(1000);
        CHECK(outcome.findings.empty());
        CHECK(outcome.open_requests == 1);
    }
    SECTION("in a capture that has lost packets") {
        const auto found =
            with_code(feed.udp(peer, client, response).later().finish(true), "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::warning);
    }
    SECTION("or does not: the finish is missing, the chat goes on") {
        feed.udp(peer, client, response).udp(peer, client, chat_of(chat::Data{1, secret}));
        CHECK(feed.later().finish().findings.empty());
    }
    SECTION("or does not: another session") {
        feed.udp(peer, client, response);
        feed.udp(client, peer, chat::encode({{9}, chat::Finish{secret}}));
        CHECK(has(feed.later().finish(), "capture.no-reply"));
    }
}

TEST_CASE("peer: a handshake on a stream that stops, and one that goes on unread") {
    const auto after_response = [](const Bytes& more, std::uint32_t sequence) {
        Feed feed;
        connect(feed);
        feed.tcp(client, web, 101, {.ack = true}, init());
        feed.tcp(web, client, 901, {.ack = true}, chat_of(chat::Response{secret}));
        if (!more.empty()) feed.tcp(client, web, sequence, {.ack = true}, more);
        return with_code(feed.later().finish(), "capture.no-reply");
    };
    constexpr std::uint32_t next = 101 + chat::init_size;
    REQUIRE(after_response({}, 0).size() == 1);
    CHECK(after_response({}, 0)[0].evidence.at("stops_after") == "response");
    CHECK(after_response(chat_of(chat::Finish{secret}), next).empty());
    // The packet with the finish is not in the capture, what follows it is.
    CHECK(after_response(chat_of(chat::Data{1, secret}), next + 60).empty());
}

TEST_CASE("peer: two versions do not understand each other") {
    Feed feed;
    feed.udp(client, peer, init());
    SECTION("and one says so") {
        feed.udp(peer, client, chat_of(chat::Unsupported{2})).later();
        const Outcome outcome = feed.finish();
        CHECK(outcome.messages[1].text == "refused: speaks version 2");
        CHECK(outcome.messages[1].kind == Kind::error);
        CHECK(outcome.messages[0].fate == Fate::answered);
        REQUIRE(outcome.findings.size() == 1);
        CHECK(outcome.findings[0].code == "capture.version-mismatch");
        CHECK(outcome.findings[0].severity == Severity::error);
        CHECK(outcome.findings[0].message.starts_with(
            "192.168.7.2 speaks version 1 of p2pdiag's protocol, and 11.22.33.9 version 2"));
    }
    SECTION("and each only tries") {
        for (int i = 0; i < 3; ++i) feed.udp(peer, client, of_version(init(), 3));
        const Outcome outcome = feed.later().finish();
        REQUIRE(with_code(outcome, "capture.version-mismatch").size() == 1);
        REQUIRE(outcome.messages.size() == 2);
        CHECK(outcome.messages[1].text == "version 3, which is not understood here, 3600 bytes");
        CHECK(outcome.messages[1].copies == 3);
        CHECK(outcome.remarks ==
              std::vector<std::string>{
                  "3 messages of p2pdiag in a version that is not understood here"});
    }
}

TEST_CASE("peer: two that speak another version are no mismatch") {
    Feed feed;
    feed.udp(client, peer, of_version(init(), 2)).udp(peer, client, of_version(init(), 2)).later();
    const Outcome outcome = feed.finish();
    CHECK(outcome.findings.empty());
    CHECK(outcome.remarks.size() == 1);
}

TEST_CASE("peer: the handshake on a stream, in any pieces") {
    const Bytes out = joined({init(), chat_of(chat::Finish{secret}), chat_of(chat::Data{1, secret}),
                              chat_of(chat::Close{2, secret})});
    for (const std::size_t piece : {std::size_t{1}, std::size_t{700}, out.size()}) {
        Feed feed;
        connect(feed);
        std::uint32_t sequence = 101;
        for (std::size_t begin = 0; begin < out.size(); begin += piece) {
            const ByteView part = ByteView(out).subspan(begin, std::min(piece, out.size() - begin));
            feed.tcp(client, web, sequence, {.ack = true}, part, 0);
            sequence += static_cast<std::uint32_t>(part.size());
        }
        feed.tcp(web, client, 901, {.ack = true}, chat_of(chat::Response{secret}), 30).later();
        const Outcome outcome = feed.finish();
        CHECK(texts(outcome) == std::vector<std::string>{"connect (SYN)", "accepted (SYN, ACK)",
                                                         "init", "finish", "response"});
        CHECK(outcome.messages[2].fate == Fate::answered);
        CHECK(outcome.findings.empty());
        CHECK(role_of(outcome, web.address) == Role::server);
    }
}

TEST_CASE("peer: what is nearly ours is not taken for it") {
    Feed feed;
    feed.udp(client, peer, ping(1)).udp(peer, client, pong(1, outside));
    Bytes hidden = ping(2);
    hidden[40] = 1;
    Bytes longer = ping(3);
    longer.push_back(0);
    Bytes unpadded = chat_of(chat::Finish{secret});
    unpadded[5] = static_cast<std::uint8_t>(envelope::Kind::init);
    for (const Bytes& bytes : {hidden, longer, unpadded, of_version(ping(4), 0),
                               of_version(longer, 2), Bytes{0x0E, 'p', 'd', 'i'}}) {
        feed.udp(client, peer, bytes, 1);
    }
    const Outcome outcome = feed.later().finish();
    REQUIRE(outcome.messages.size() == 3);
    CHECK(outcome.messages[2].protocol == Protocol::data);
    CHECK(outcome.messages[2].copies == 6);
    CHECK(outcome.remarks.empty());
}

TEST_CASE("peer: every format shows it, and the filter for STUN keeps it") {
    Feed feed({.stun_only = true});
    feed.udp(client, peer, ping(1)).udp(peer, client, pong(1, outside)).udp(client, peer, init());
    const Outcome outcome = feed.later().finish();
    for (const auto format : {capture_plugin::Format::console, capture_plugin::Format::json,
                              capture_plugin::Format::mermaid, capture_plugin::Format::svg}) {
        capture_plugin::Output output;
        output.format = format;
        output.width = 132;
        const std::string text = render(outcome, output);
        INFO(text);
        CHECK(text.find("pong, seen as 11.22.33.7:40000") != std::string::npos);
        CHECK(text.find("peer") != std::string::npos);
        const bool json = format == capture_plugin::Format::json;
        CHECK(text.find(json ? "\"protocol\": \"chat\"" : "chat init") != std::string::npos);
        if (!json) CHECK(text.find("probe ping") != std::string::npos);
        if (json) CHECK(text.find("\"fate\": \"unanswered\"") != std::string::npos);
    }
}

TEST_CASE("peer: however many sessions and messages, what is kept is bounded") {
    Feed feed;
    for (unsigned i = 0; i < 6'000; ++i) {
        probe::Probe probe = probe_of(1);
        probe.session[0] = static_cast<std::uint8_t>(i);
        probe.session[1] = static_cast<std::uint8_t>(i >> 8);
        feed.udp(client, peer, probe::encode(probe), 0);
        chat::Message finish{probe.session, chat::Finish{secret}};
        feed.udp(client, peer, chat::encode(finish), 0);
    }
    const Outcome outcome = feed.later().finish();
    CHECK(outcome.messages_left_out > 0);
    CHECK(outcome.findings.size() <= 16);
    CHECK(std::ranges::any_of(outcome.remarks, [](const std::string& remark) {
        return remark.find("more than are kept") != std::string::npos;
    }));
}
