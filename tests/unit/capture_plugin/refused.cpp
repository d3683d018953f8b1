// Answers that say no are findings, unless that is how the protocol goes.
#include <catch2/catch.hpp>

#include "feed.hpp"
#include "wire/natpmp/message.hpp"
#include "wire/pcp/message.hpp"
#include "wire/turn/message.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

Finding only_refusal(const Outcome& outcome) {
    const auto found = with_code(outcome, "capture.refused");
    REQUIRE(found.size() == 1);
    return found[0];
}

Bytes map_udp(std::uint16_t external) {
    natpmp::Request request;
    request.opcode = natpmp::Opcode::map_udp;
    request.internal_port = 8000;
    request.external_port = external;
    request.lifetime = 60;
    return natpmp::encode(request);
}

Bytes map_answer(natpmp::ResultCode result) {
    natpmp::Response response;
    response.opcode = natpmp::Opcode::map_udp;
    response.result = result;
    response.internal_port = 8000;
    response.external_port = 8001;
    response.lifetime = 60;
    return natpmp::encode(response);
}

Bytes allocate(std::uint8_t id, bool credentials) {
    stun::Message message;
    message.method = turn::allocate;
    message.transaction[0] = id;
    return credentials ? with_integrity(message) : stun::encode(message);
}

Bytes refusal(std::uint8_t id, int code, stun::Method method = turn::allocate) {
    stun::Message message;
    message.method = method;
    message.message_class = stun::Class::error;
    message.transaction[0] = id;
    message.error = stun::ErrorCodeAttribute{code, ""};
    return stun::encode(message);
}

Bytes allocated(std::uint8_t id) {
    stun::Message message;
    message.method = turn::allocate;
    message.message_class = stun::Class::success;
    message.transaction[0] = id;
    message.xor_mapped_address = outside;
    return stun::encode(message);
}

Bytes dns_message(std::uint8_t id, std::uint8_t flags, std::uint8_t code, char name) {
    return {0, id, flags, code, 0, 1, 0, 0, 0, 0, 0, 0, 1, static_cast<std::uint8_t>(name),
            0, 0,  1,     0,    1};
}

}  // namespace

TEST_CASE("a router that refuses a mapping is told") {
    Feed feed;
    SECTION("NAT-PMP") {
        feed.udp(client, router, map_udp(8000));
        feed.udp(router, client, map_answer(natpmp::ResultCode::not_authorized));
        SECTION("for good") {
            const Finding found = only_refusal(feed.later().finish());
            CHECK(found.severity == Severity::warning);
            CHECK(found.evidence.at("protocol") == "NAT-PMP");
            CHECK(found.evidence.at("what") == "map UDP 8000");
            CHECK(found.evidence.at("code") == 2);
            CHECK(found.evidence.at("from") == "192.168.7.1:5351");
            CHECK(found.evidence.at("packet") == 2);
            CHECK(found.message ==
                  "192.168.7.1:5351 refused NAT-PMP map UDP 8000 of 192.168.7.2: 2 not authorized");
        }
        SECTION("and agrees to another outer port") {
            feed.udp(client, router, map_udp(0), 1000);
            feed.udp(router, client, map_answer(natpmp::ResultCode::success));
            const Finding found = only_refusal(feed.later().finish());
            CHECK(found.severity == Severity::info);
            CHECK(found.evidence.at("agreed_later") == true);
        }
    }
    SECTION("PCP") {
        pcp::Request request;
        request.opcode = pcp::Opcode::map;
        request.client_address = client.address;
        request.map = pcp::MapData{{5}, 17, 8000, 0, {}};
        pcp::Response response;
        response.opcode = pcp::Opcode::map;
        response.result = pcp::ResultCode::no_resources;
        response.map = request.map;
        feed.udp(client, router, pcp::encode(request)).udp(router, client, pcp::encode(response));
        feed.udp(client, router, pcp::encode(request), 1000);
        feed.udp(router, client, pcp::encode(response));
        const Finding found = only_refusal(feed.later().finish());
        CHECK(found.severity == Severity::warning);
        CHECK(found.evidence.at("what") == "MAP UDP 8000");
        CHECK(found.evidence.at("name") == "NO_RESOURCES");
        CHECK(found.evidence.at("count") == 2);
    }
}

TEST_CASE("a router without PCP is no matter once NAT-PMP works") {
    pcp::Request request;
    request.opcode = pcp::Opcode::map;
    request.client_address = client.address;
    request.map = pcp::MapData{{5}, 17, 8000, 0, {}};
    Feed feed;
    feed.udp(client, router, pcp::encode(request));
    feed.udp(router, client, Bytes{0, 0x81, 0, 1, 0, 0, 0, 9});
    SECTION("it does") {
        feed.udp(client, router, map_udp(8000));
        feed.udp(router, client, map_answer(natpmp::ResultCode::success));
        CHECK_FALSE(has(feed.later().finish(), "capture.refused"));
    }
    SECTION("nobody tried it") {
        const Finding found = only_refusal(feed.later().finish());
        CHECK(found.evidence.at("protocol") == "PCP");
        CHECK(found.evidence.at("name") == "unsupported version");
    }
}

TEST_CASE("TURN: a challenge is how it begins, and a refusal how it ends") {
    Feed feed;
    feed.udp(client, server, allocate(1, false)).udp(server, client, refusal(1, 401));
    SECTION("let in") {
        feed.udp(client, server, allocate(2, true)).udp(server, client, allocated(2));
        CHECK(feed.later().finish().findings.empty());
    }
    SECTION("let in after an old nonce") {
        feed.udp(client, server, allocate(2, true)).udp(server, client, refusal(2, 438));
        feed.udp(client, server, allocate(3, true)).udp(server, client, allocated(3));
        CHECK(feed.later().finish().findings.empty());
    }
    SECTION("no room") {
        feed.udp(client, server, allocate(2, true)).udp(server, client, refusal(2, 486));
        const Finding found = only_refusal(feed.later().finish());
        CHECK(found.severity == Severity::warning);
        CHECK(found.evidence.at("code") == 486);
        CHECK(found.evidence.at("name") == "Allocation Quota Reached");
        CHECK(found.evidence.at("what") == "Allocate");
    }
    SECTION("wrong credentials") {
        feed.udp(client, server, allocate(2, true)).udp(server, client, refusal(2, 401));
        const Finding found = only_refusal(feed.later().finish());
        CHECK(found.severity == Severity::warning);
        CHECK(found.message.find("although it had credentials") != std::string::npos);
    }
    SECTION("the client has none") {
        const Finding found = only_refusal(feed.later().finish());
        CHECK(found.severity == Severity::info);
        CHECK(found.message.find("wants credentials") != std::string::npos);
    }
}

TEST_CASE("STUN: an error without a request in the capture is told too") {
    Feed feed;
    feed.udp(server, client, refusal(1, 400, stun::Method::binding));
    const Finding found = only_refusal(feed.later().finish());
    CHECK(found.evidence.at("code") == 400);
    CHECK(found.evidence.at("what") == "");
}

TEST_CASE("DNS: a server that fails is a finding, a name that is not there hardly") {
    const Endpoint resolver = at("192.168.7.1:53");
    Feed feed;
    SECTION("SERVFAIL") {
        feed.udp(client, resolver, dns_message(1, 1, 0, 'a'));
        feed.udp(resolver, client, dns_message(1, 0x81, 0x82, 'a'));
        const Finding found = only_refusal(feed.later().finish());
        CHECK(found.severity == Severity::warning);
        CHECK(found.evidence.at("what") == "A a");
        CHECK(found.evidence.at("name") == "SERVFAIL");
    }
    SECTION("NXDOMAIN, of all names once") {
        for (const char name : {'a', 'b', 'c'}) {
            const auto id = static_cast<std::uint8_t>(name);
            feed.udp(client, resolver, dns_message(id, 1, 0, name));
            feed.udp(resolver, client, dns_message(id, 0x81, 0x83, name));
        }
        const Finding found = only_refusal(feed.later().finish());
        CHECK(found.severity == Severity::info);
        CHECK(found.evidence.at("count") == 3);
        CHECK(found.evidence.at("what") == "A a");
    }
}

TEST_CASE("TLS: a fatal alert is told, the end of a connection is none") {
    const auto alerted = [](std::uint8_t level, std::uint8_t description) {
        Feed feed;
        connect(feed).tcp(web, client, 901, {.ack = true},
                          Bytes{21, 3, 3, 0, 2, level, description});
        return feed.later().finish();
    };
    const Finding found = only_refusal(alerted(2, 40));
    CHECK(found.severity == Severity::warning);
    CHECK(found.evidence.at("code") == 40);
    CHECK(found.evidence.at("name") == "alert handshake_failure");
    CHECK_FALSE(has(alerted(1, 0), "capture.refused"));
}
