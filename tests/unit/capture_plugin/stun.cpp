#include <catch2/catch.hpp>

#include "feed.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

TEST_CASE("a request and its answer are a pair") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside), 12).later();
    const Outcome outcome = feed.finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK(outcome.messages[0].fate == Fate::answered);
    CHECK(outcome.messages[0].answered_by == 1);
    CHECK(outcome.messages[1].answers == 0);
    CHECK(outcome.messages[1].delay_ns == 12'000'000);
    CHECK(outcome.messages[1].text == "Binding success, mapped 11.22.33.7:40000");
    CHECK(outcome.mappings ==
          std::vector<capture_plugin::Mapping>{{Transport::udp, client, server, outside}});
    CHECK(outcome.findings.empty());
    CHECK(role_of(outcome, client.address) == Role::you);
    CHECK(role_of(outcome, server.address) == Role::stun_server);
}

TEST_CASE("the same again is one row, and so are its answers") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(client, server, binding(1), 100);
    feed.udp(client, server, binding(1), 100).udp(server, client, mapped(1, outside));
    feed.udp(server, client, mapped(1, outside), 50).later();
    const Outcome outcome = feed.finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK(outcome.messages[0].copies == 3);
    CHECK(outcome.messages[0].seen_again == 0);
    CHECK(outcome.messages[1].copies == 2);
}

TEST_CASE("one packet at two interfaces is no retransmission") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(client, server, binding(1), 0);
    feed.udp(server, client, mapped(1, outside)).udp(server, client, mapped(1, outside), 1).later();
    const Outcome outcome = feed.finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK((outcome.messages[0].copies == 1 && outcome.messages[0].seen_again == 1));
    CHECK((outcome.messages[1].copies == 1 && outcome.messages[1].seen_again == 1));
}

TEST_CASE("silence is a finding only when there was time for an answer") {
    Feed feed;
    feed.udp(client, other_server, binding(9)).udp(other_server, client, mapped(9, outside));
    feed.udp(client, server, binding(1));
    SECTION("there was") {
        const Outcome outcome = feed.later().finish();
        CHECK(outcome.messages[2].fate == Fate::unanswered);
        const auto found = with_code(outcome, "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::error);
        CHECK(found[0].evidence.at("to") == "11.22.33.10:3478");
        CHECK(found[0].evidence.at("packet") == 3);
    }
    SECTION("there was not") {
        const Outcome outcome = feed.finish();
        CHECK(outcome.messages[2].fate == Fate::open);
        CHECK(outcome.findings.empty());
        CHECK(outcome.open_requests == 1);
    }
    SECTION("there was, since the capture went on without a packet") {
        const Outcome outcome = feed.finish_after(10'000);
        CHECK(outcome.messages[2].fate == Fate::unanswered);
        CHECK(has(outcome, "capture.no-reply"));
        CHECK(outcome.open_requests == 0);
    }
    SECTION("there was, as packets show that nobody looks into") {
        feed.link(capture::LinkType::ethernet, ethernet(0x0806, Bytes(28)), 10'000);
        CHECK(has(feed.finish(), "capture.no-reply"));
    }
    SECTION("packets were lost") {
        const auto found = with_code(feed.later().finish(true), "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::warning);
    }
}

TEST_CASE("who has asked long enough has had no answer, however late the last try was") {
    // The times of RFC 8489 section 6.2.1, to the last packet of the capture.
    Feed feed;
    feed.udp(client, other_server, binding(9)).udp(other_server, client, mapped(9, outside));
    feed.udp(client, server, binding(1));
    for (const int after : {500, 1000, 2000}) feed.udp(client, server, binding(1), after);
    SECTION("not yet: the last two tries have had no time") {
        const Outcome outcome = feed.finish();
        CHECK(outcome.messages[2].fate == Fate::open);
        CHECK(outcome.open_requests == 1);
        CHECK_FALSE(has(outcome, "capture.no-reply"));
    }
    SECTION("the same request once more") {
        const Outcome outcome = feed.udp(client, server, binding(1), 4000).finish();
        CHECK(outcome.messages[2].fate == Fate::unanswered);
        CHECK(outcome.open_requests == 0);
        const auto found = with_code(outcome, "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::error);
        CHECK(found[0].evidence.at("sends") == 5);
    }
    SECTION("the next request to the same server, from the same port") {
        const Outcome outcome = feed.udp(client, server, binding(2), 4000).finish();
        CHECK(outcome.messages[2].fate == Fate::unanswered);
        CHECK(outcome.messages[3].fate == Fate::open);
        CHECK(outcome.open_requests == 1);
        const auto found = with_code(outcome, "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::error);
    }
    SECTION("answered in the last moment") {
        feed.udp(client, server, binding(1), 4000).udp(server, client, mapped(1, outside));
        const Outcome outcome = feed.finish();
        CHECK(outcome.messages[2].fate == Fate::answered);
        CHECK(outcome.findings.empty());
    }
}

TEST_CASE("what the filter leaves out moves the clock all the same") {
    Feed feed({.port = server.port});
    feed.udp(client, server, binding(1)).udp(client, peer, Bytes{1}, 10'000);
    CHECK(has(feed.finish(), "capture.no-reply"));
}

TEST_CASE("a filtering test without an answer is no fault") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
    feed.udp(client, server, binding(2, stun::ChangeRequest{true, true})).later();
    const auto found = with_code(feed.finish(), "capture.no-reply");
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Severity::info);
}

TEST_CASE("an answer from elsewhere is told, unless it was asked for") {
    Feed asked;
    asked.udp(client, server, binding(1, stun::ChangeRequest{true, true}));
    asked.udp(at("11.22.33.11:3479"), client, mapped(1, outside)).later();
    CHECK_FALSE(has(asked.finish(), "capture.reply-elsewhere"));

    Feed not_asked;
    not_asked.udp(client, server, binding(1)).udp(at("11.22.33.10:9"), client, mapped(1, outside));
    // The same again is told once, too.
    not_asked.udp(at("11.22.33.10:9"), client, mapped(1, outside), 100);
    const Outcome outcome = not_asked.later().finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK(outcome.messages[1].copies == 2);
    const auto found = with_code(outcome, "capture.reply-elsewhere");
    REQUIRE(found.size() == 1);
    CHECK(found[0].evidence.at("answered") == "11.22.33.10:9");
}

TEST_CASE("a symmetric NAT is told from packets alone") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
    feed.udp(client, other_server, binding(2));
    SECTION("another mapping for another server") {
        feed.udp(other_server, client, mapped(2, at("11.22.33.7:40001"))).later();
        const auto found = with_code(feed.finish(), "capture.mapping-changed");
        REQUIRE(found.size() == 1);
        CHECK(found[0].message.starts_with("Symmetric NAT"));
    }
    SECTION("told once, with all the ports that show it") {
        feed.udp(other_server, client, mapped(2, at("11.22.33.7:40001")));
        for (std::uint16_t i = 1; i <= 5; ++i) {
            const Endpoint local{client.address, static_cast<std::uint16_t>(client.port + i)};
            const auto id = static_cast<std::uint8_t>(10 * i);
            const auto port = static_cast<std::uint16_t>(outside.port + id);
            feed.udp(local, server, binding(id));
            feed.udp(server, local, mapped(id, {outside.address, port}));
            feed.udp(local, other_server, binding(id + 1));
            feed.udp(other_server, local,
                     mapped(id + 1, {outside.address, static_cast<std::uint16_t>(port + 1)}));
        }
        // Another machine is behind the same NAT, as far as anybody knows.
        const Endpoint neighbour = at("192.168.7.3:4000");
        feed.udp(neighbour, server, binding(90)).udp(server, neighbour, mapped(90, outside));
        feed.udp(neighbour, other_server, binding(91));
        feed.udp(other_server, neighbour, mapped(91, at("11.22.33.7:50001"))).later();
        const auto found = with_code(feed.finish(), "capture.mapping-changed");
        REQUIRE(found.size() == 2);
        CHECK(found[0].message.find("192.168.7.2:4000 (and ports 4001, 4002, 4003 and 2 more)") !=
              std::string::npos);
        CHECK(found[0].evidence.at("ports").as_array().size() == 6);
        CHECK(found[1].evidence.at("local") == "192.168.7.3:4000");
    }
    SECTION("another mapping for the same server is a mapping that was replaced") {
        feed.udp(other_server, client, mapped(2, outside));
        feed.udp(client, server, binding(3)).udp(server, client, mapped(3, at("11.22.33.7:7")));
        const auto found = with_code(feed.later().finish(), "capture.mapping-changed");
        REQUIRE(found.size() == 1);
        CHECK(found[0].message.find("changed while the capture ran") != std::string::npos);
    }
    SECTION("no other mapping, but a peer on the same network, who sees no NAT") {
        feed.udp(other_server, client, mapped(2, outside));
        const Endpoint neighbour = at("192.168.7.3:5000");
        feed.udp(client, neighbour, ice_check(3, "them:me"));
        feed.udp(neighbour, client, ice_answer(3, client));
        CHECK(feed.later().finish().findings.empty());
    }
    SECTION("another mapping for TCP, which has its own") {
        feed.udp(other_server, client, mapped(2, outside));
        feed.tcp(client, server, 0, {.syn = true})
            .tcp(server, client, 0, {.syn = true, .ack = true});
        feed.tcp(client, server, 1, {.ack = true}, binding(3));
        feed.tcp(server, client, 1, {.ack = true}, mapped(3, at("11.22.33.7:9")));
        const Outcome outcome = feed.later().finish();
        CHECK(outcome.mappings.size() == 3);
        CHECK(outcome.findings.empty());
    }
    SECTION("the same mapping") {
        feed.udp(other_server, client, mapped(2, outside)).later();
        CHECK(feed.finish().findings.empty());
    }
}

TEST_CASE("mappings are those of who asked, seen by whom he asked") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
    const Endpoint other_mapped = at("11.22.33.7:40001");
    SECTION("nobody asked: anybody can send that") {
        feed.udp(other_server, client, mapped(77, other_mapped));
    }
    SECTION("the right transaction from somebody else") {
        feed.udp(client, other_server, binding(2));
        feed.udp(peer, client, mapped(2, other_mapped));
    }
    SECTION("an answer that was asked for at another port tells of the port that asked") {
        stun::Message message;
        message.transaction[0] = 2;
        message.response_port = outside.port;
        feed.udp(at("192.168.7.2:4001"), server, stun::encode(message));
        feed.udp(server, client, mapped(2, other_mapped));
    }
    SECTION("an answer from the alternate address is that of the one that was asked") {
        feed.udp(client, other_server, binding(2)).udp(other_server, client, mapped(2, outside));
        feed.udp(client, server, binding(3, stun::ChangeRequest{true, true}));
        feed.udp(at("11.22.33.11:3479"), client, mapped(3, outside));
        CHECK(feed.finish().mappings.size() == 2);
        return;
    }
    SECTION("an hour later the port is another program's") {
        feed.udp(client, other_server, binding(2), 3'600'000);
        feed.udp(other_server, client, mapped(2, other_mapped));
        feed.udp(client, server, binding(3)).udp(server, client, mapped(3, other_mapped));
    }
    SECTION("a server within the provider's network sees another side of its NAT") {
        feed.udp(client, other_server, binding(2));
        feed.udp(other_server, client, mapped(2, at("100.64.7.9:4000")));
    }
    CHECK_FALSE(has(feed.later().finish(), "capture.mapping-changed"));
}

TEST_CASE("two machines with one address, in files put together, have a NAT each") {
    capture_plugin::Analysis analysis;
    std::uint64_t number = 0;
    const auto add = [&](std::uint32_t interface, const Bytes& bytes) {
        capture::Packet packet;
        packet.number = ++number;
        packet.time_ns = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(number) * 10'000'000;
        packet.interface = interface;
        packet.link_type = capture::LinkType::raw;
        packet.data = bytes;
        packet.original_size = static_cast<std::uint32_t>(bytes.size());
        analysis.add(packet);
    };
    add(0, udp_packet(client, server, binding(1)));
    add(0, udp_packet(server, client, mapped(1, outside)));
    add(1, udp_packet(client, other_server, binding(2)));
    add(1, udp_packet(other_server, client, mapped(2, at("11.22.33.200:4000"))));
    CHECK_FALSE(has(analysis.finish(false), "capture.mapping-changed"));
}

TEST_CASE("a NAT within sight: one transaction on two paths") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(outside, server, binding(1), 1);
    feed.udp(server, outside, mapped(1, outside), 5).udp(server, client, mapped(1, outside), 1);
    const Outcome outcome = feed.later().finish();
    CHECK(outcome.messages.size() == 4);
    CHECK(outcome.messages[2].answers == outcome.messages[1].sequence);
    CHECK(outcome.messages[3].answers == outcome.messages[0].sequence);
    const auto found = with_code(outcome, "capture.nat-seen");
    REQUIRE(found.size() == 1);
    CHECK(found[0].evidence.at("outside") == "11.22.33.7:40000");
    CHECK(role_of(outcome, outside.address) == Role::nat_outside);
    CHECK(role_of(outcome, client.address) == Role::you);
    CHECK_FALSE(has(outcome, "capture.no-reply"));
    CHECK_FALSE(has(outcome, "capture.mapping-changed"));
}

TEST_CASE("one id for two servers is two requests") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(client, other_server, binding(1));
    feed.udp(other_server, client, mapped(1, outside)).udp(server, client, mapped(1, outside));
    const Outcome outcome = feed.later().finish();
    REQUIRE(outcome.messages.size() == 4);
    CHECK(outcome.messages[2].answers == outcome.messages[1].sequence);
    CHECK(outcome.messages[3].answers == outcome.messages[0].sequence);
    CHECK(outcome.findings.empty());
}

TEST_CASE("an answer that the file has before its request") {
    Feed feed;
    feed.udp(server, client, mapped(1, outside)).udp(client, server, binding(1), -3).later();
    const Outcome outcome = feed.finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK(outcome.messages[0].kind == Kind::request);  // in the order of time
    CHECK(outcome.messages[0].fate == Fate::answered);
    CHECK(outcome.messages[1].delay_ns == 3'000'000);
}

TEST_CASE("a clock that is set back moves nothing before what was") {
    Feed feed;
    feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside), -3'600'000);
    const Outcome outcome = feed.later().finish();
    CHECK(outcome.messages[1].delay_ns == 0);
    CHECK(outcome.messages[1].time_ns >= outcome.messages[0].time_ns);
    CHECK(std::ranges::any_of(outcome.remarks, [](const std::string& remark) {
        return remark.find("clock was set back") != std::string::npos;
    }));
}

TEST_CASE("a clock that goes astray makes no span that nobody would believe") {
    constexpr std::int64_t years = std::int64_t{56} * 365 * 24 * 3600 * 1000;
    const auto remarks_on_clock = [](const Outcome& outcome) {
        return std::ranges::count_if(outcome.remarks, [](const std::string& remark) {
            return remark.find("clock") != std::string::npos;
        });
    };
    SECTION("a router that did not know the time when it began") {
        Feed feed;
        for (int i = 0; i < 10; ++i) feed.udp(client, peer, Bytes{1});
        feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside), years);
        const Outcome outcome = feed.finish();
        CHECK(outcome.span_known);
        CHECK(outcome.last_ns - outcome.first_ns < 1'000'000'000);
        CHECK(outcome.messages[2].delay_ns == 0);
        CHECK(remarks_on_clock(outcome) == 1);
    }
    SECTION("random times") {
        Feed feed;
        for (const std::int64_t after : {years, years, -3 * years, 2 * years, -years}) {
            feed.udp(client, peer, Bytes{1}, after);
        }
        const Outcome outcome = feed.finish();
        CHECK_FALSE(outcome.span_known);
        CHECK(outcome.last_ns - outcome.first_ns < 1'000'000'000);
        CHECK(remarks_on_clock(outcome) == 3);
    }
    SECTION("an end that is none leaves the last question open") {
        Feed feed;
        feed.udp(client, server, binding(1));
        CHECK(feed.finish_after(years).open_requests == 1);
    }
    SECTION("a capture of half a year is one") {
        Feed feed;
        feed.udp(client, peer, Bytes{1}).udp(client, peer, Bytes{1}, years / 112);
        const Outcome outcome = feed.finish();
        CHECK((outcome.span_known && outcome.remarks.empty()));
        CHECK(outcome.last_ns - outcome.first_ns == years / 112 * 1'000'000);
    }
}

TEST_CASE("of the connectivity checks of a call one has to be answered") {
    Feed feed;
    feed.udp(client, server, ice_check(1, "them:me")).udp(client, peer, ice_check(2, "them:me"));
    SECTION("one was") {
        feed.udp(peer, client, ice_answer(2, outside));
        const Outcome outcome = feed.later().finish();
        const auto found = with_code(outcome, "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::info);
        CHECK(role_of(outcome, peer.address) == Role::peer);
    }
    SECTION("one of another call was") {
        feed.udp(client, other_server, ice_check(3, "others:me"));
        feed.udp(other_server, client, ice_answer(3, outside));
        const auto found = with_code(feed.later().finish(), "capture.no-reply");
        REQUIRE(found.size() == 2);
        CHECK(found[0].severity == Severity::error);
        CHECK(found[1].severity == Severity::error);
    }
}

TEST_CASE("a TURN server that refuses, or says nothing, is a TURN server all the same") {
    stun::Message allocate;
    allocate.method = turn::allocate;
    allocate.username = "user";
    allocate.has_integrity = true;
    Feed feed;
    feed.udp(client, server, with_integrity(allocate));
    SECTION("nothing") {}
    SECTION("no") {
        stun::Message refused = allocate;
        refused.message_class = stun::Class::error;
        refused.error = stun::ErrorCodeAttribute{401, "Unauthorized"};
        feed.udp(server, client, with_integrity(refused));
    }
    CHECK(role_of(feed.later().finish(), server.address) == Role::turn_server);
}

TEST_CASE("TURN: the server, the relayed address, and data in its channel") {
    stun::Message allocate;
    allocate.method = turn::allocate;
    stun::Message granted = allocate;
    granted.message_class = stun::Class::success;
    // 11.22.33.10:49152 as XOR-RELAYED-ADDRESS.
    const Endpoint relayed = at("11.22.33.10:49152");
    ByteWriter value;
    value.u8(0);
    value.u8(1);
    value.u16(static_cast<std::uint16_t>(relayed.port ^ 0x2112));
    value.u32(relayed.address.v4_bits() ^ stun::magic_cookie);
    granted.others = {{0x0016, value.take()}};
    const Bytes channel = {0x40, 0, 0, 1, 7};
    Feed feed;
    feed.udp(client, server, stun::encode(allocate)).udp(server, client, stun::encode(granted));
    feed.udp(client, server, channel).udp(client, server, channel).later();
    const Outcome outcome = feed.finish();
    REQUIRE(outcome.messages.size() == 3);
    CHECK(outcome.messages[1].text.find("relayed 11.22.33.10:49152") != std::string::npos);
    CHECK(outcome.messages[2].protocol == Protocol::turn);
    CHECK(outcome.messages[2].copies == 2);
    CHECK(role_of(outcome, server.address) == Role::turn_server);
}

TEST_CASE("only what the filter wants") {
    const auto run = [](capture_plugin::Filter filter) {
        Feed feed(filter);
        feed.udp(client, server, binding(1)).udp(client, other_server, Bytes{9, 9});
        return feed.later().finish();
    };
    CHECK(run({.host = server.address}).messages.size() == 1);
    CHECK(run({.port = 3478}).messages.size() == 2);
    CHECK(run({.stun_only = true}).messages.size() == 1);
    CHECK(run({.stun_only = true}).conversation_count == 3);
    CHECK(run({.port = 9999}).messages.empty());
    CHECK_FALSE(run({.port = 9999}).understood);
}
