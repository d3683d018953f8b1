// Everything but STUN and TCP: port mapping, DNS, ICMP, data.
#include <catch2/catch.hpp>

#include "feed.hpp"
#include "wire/natpmp/message.hpp"
#include "wire/pcp/message.hpp"
#include "wire/ssdp/message.hpp"
#include "wire/upnp/soap.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

Bytes granted() {
    natpmp::Response response;
    response.opcode = natpmp::Opcode::map_udp;
    response.internal_port = 8000;
    response.external_port = 8001;
    response.lifetime = 60;
    return natpmp::encode(response);
}

}  // namespace

TEST_CASE("NAT-PMP: pairs by opcode, and a mapping that nobody used") {
    natpmp::Request request;
    request.opcode = natpmp::Opcode::map_udp;
    request.internal_port = 8000;
    request.lifetime = 60;
    Feed feed;
    feed.udp(client, router, natpmp::encode(request)).udp(router, client, granted());
    SECTION("nobody") {
        const Outcome outcome = feed.later().finish();
        CHECK(outcome.messages[1].answers == 0);
        CHECK(role_of(outcome, router.address) == Role::router);
        CHECK(has(outcome, "capture.mapped-no-inbound"));
    }
    SECTION("the capture ends too early to tell") {
        CHECK_FALSE(has(feed.finish_after(4'999), "capture.mapped-no-inbound"));
    }
    SECTION("the capture goes on for just long enough") {
        CHECK(has(feed.finish_after(5'000), "capture.mapped-no-inbound"));
    }
    SECTION("somebody") {
        const Endpoint inside{client.address, 8000};
        const Outcome outcome = feed.udp(peer, inside, Bytes{1}).later().finish();
        CHECK_FALSE(has(outcome, "capture.mapped-no-inbound"));
    }
    SECTION("a renewal is the same mapping") {
        feed.udp(client, router, natpmp::encode(request), 60'000).udp(router, client, granted());
        const auto found = with_code(feed.later().finish(), "capture.mapped-no-inbound");
        REQUIRE(found.size() == 1);
        CHECK(found[0].evidence.at("packet") == 2);
        CHECK(found[0].evidence.at("watched_ms") == 70'010);
        CHECK(found[0].message.find("nobody began a conversation") != std::string::npos);
    }
    SECTION("an answer to our own question is not somebody") {
        const Endpoint inside{client.address, 8000};
        feed.udp(inside, peer, Bytes{1}).udp(peer, inside, Bytes{1});
        CHECK(has(feed.later().finish(), "capture.mapped-no-inbound"));
    }
}

TEST_CASE("PCP pairs by nonce, and says what the router refuses") {
    pcp::Request request;
    request.opcode = pcp::Opcode::map;
    request.client_address = client.address;
    request.lifetime = 60;
    request.map = pcp::MapData{{5}, 17, 8000, 0, {}};
    pcp::Response response;
    response.opcode = pcp::Opcode::map;
    response.result = pcp::ResultCode::not_authorized;
    response.map = request.map;
    Feed feed;
    feed.udp(client, router, pcp::encode(request)).udp(router, client, pcp::encode(response));
    const Outcome outcome = feed.later().finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK(outcome.messages[1].answers == 0);
    CHECK(outcome.messages[1].kind == Kind::error);
    CHECK(outcome.messages[1].text == "MAP NOT_AUTHORIZED");
}

TEST_CASE("SSDP: everybody may answer a search") {
    const ssdp::Search search{"239.255.255.250:1900", "upnp:rootdevice", 1};
    ssdp::Announcement answer;
    answer.target = "upnp:rootdevice";
    answer.location = "http://192.168.7.1:5000/desc.xml";
    const Endpoint group = at("239.255.255.250:1900");
    Feed feed;
    feed.udp(client, group, ssdp::encode(search));
    feed.udp(at("192.168.7.1:1900"), client, ssdp::encode(answer));
    feed.udp(at("192.168.7.8:50000"), client, ssdp::encode(answer)).later();
    const Outcome outcome = feed.finish();
    REQUIRE(outcome.messages.size() == 3);
    CHECK(outcome.messages[0].fate == Fate::answered);
    CHECK(outcome.messages[2].answers == 0);
    CHECK(outcome.findings.empty());
    CHECK(role_of(outcome, group.address) == Role::group);
}

TEST_CASE("DNS pairs by id and question, and a refusal is an error") {
    const Endpoint resolver = at("192.168.7.1:53");
    const Bytes name = {1, 'a', 0, 0, 1, 0, 1};
    const Bytes query = joined({{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, name});
    const Bytes refused = joined({{0, 7, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0}, name});
    Feed feed;
    feed.udp(client, resolver, query).udp(resolver, client, refused).later();
    const Outcome outcome = feed.finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK(outcome.messages[1].text == "A a: NXDOMAIN");
    CHECK(outcome.messages[1].answers == 0);
    CHECK(role_of(outcome, resolver.address) == Role::dns_server);
}

TEST_CASE("DNS: multicast is told by where it goes to, not by the port of who asks") {
    const Endpoint resolver = at("192.168.7.1:53");
    const Endpoint group = at("224.0.0.251:5353");
    const Bytes question = {1, 'a', 0, 0, 1, 0, 1};
    const Bytes query = joined({{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, question});
    const Bytes refused = joined({{0, 7, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0}, question});
    const Endpoint from{client.address, 5353};
    Feed feed;
    SECTION("from 5353 to a name server, which is silent") {
        const Outcome outcome = feed.udp(from, resolver, query).later().finish();
        CHECK(outcome.messages[0].protocol == Protocol::dns);
        CHECK(outcome.messages[0].fate == Fate::unanswered);
        CHECK(has(outcome, "capture.no-reply"));
    }
    SECTION("and one that answers") {
        const Outcome outcome =
            feed.udp(from, resolver, query).udp(resolver, from, refused).later().finish();
        CHECK(outcome.messages[1].protocol == Protocol::dns);
        CHECK(outcome.messages[1].answers == 0);
        CHECK(role_of(outcome, resolver.address) == Role::dns_server);
    }
    SECTION("to the group, from any port; and the answer to that") {
        for (const std::uint16_t port : {std::uint16_t{5353}, std::uint16_t{53}, client.port}) {
            feed.udp({client.address, port}, group, query);
        }
        feed.udp(at("192.168.7.8:5353"), client, refused).later();
        const Outcome outcome = feed.finish();
        REQUIRE(outcome.messages.size() == 4);
        for (const Message& message : outcome.messages) {
            CHECK(message.protocol == Protocol::mdns);
            CHECK(message.kind == Kind::notice);
        }
        CHECK(outcome.findings.empty());
    }
}

TEST_CASE("DNS: an answer without a question, or in other letters, is an answer") {
    const Endpoint resolver = at("192.168.7.1:53");
    const auto message = [](std::uint8_t flags, std::uint8_t code, char letter, std::uint8_t type) {
        const Bytes head = {0, 7, flags, code, 0, 1, 0, 0, 0, 0, 0, 0};
        return joined({head, {1, static_cast<std::uint8_t>(letter), 0, 0, type, 0, 1}});
    };
    Feed feed;
    feed.udp(client, resolver, message(1, 0, 'a', 1));
    SECTION("without a question") {
        feed.udp(resolver, client, Bytes{0, 7, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0});
        const Outcome outcome = feed.later().finish();
        REQUIRE(outcome.messages.size() == 2);
        CHECK(outcome.messages[1].answers == 0);
        REQUIRE(outcome.findings.size() == 1);
        CHECK(outcome.findings[0].code == "capture.refused");
    }
    SECTION("in other letters") {
        feed.udp(resolver, client, message(0x81, 0x80, 'A', 1));
        const Outcome outcome = feed.later().finish();
        CHECK(outcome.messages[1].answers == 0);
        CHECK(outcome.findings.empty());
    }
    SECTION("to another question") {
        feed.udp(resolver, client, message(0x81, 0x80, 'b', 1));
        CHECK(has(feed.later().finish(), "capture.no-reply"));
    }
    SECTION("another question with the same id is a request of its own") {
        feed.udp(client, resolver, message(1, 0, 'a', 28), 3000);
        feed.udp(resolver, client, message(0x81, 0x80, 'a', 28));
        const Outcome outcome = feed.later().finish();
        REQUIRE(outcome.messages.size() == 3);
        CHECK(outcome.messages[0].fate == Fate::unanswered);
        CHECK(outcome.messages[2].answers == 1);
    }
}

TEST_CASE("a router that has only the other port mapping protocol has answered") {
    natpmp::Request map;
    map.opcode = natpmp::Opcode::map_udp;
    map.internal_port = 8000;
    pcp::Request pcp_map;
    pcp_map.opcode = pcp::Opcode::map;
    pcp_map.client_address = client.address;
    pcp_map.map = pcp::MapData{{5}, 17, 8000, 0, {}};
    Feed feed;
    feed.udp(client, router, pcp::encode(pcp_map)).udp(client, router, natpmp::encode(map));
    SECTION("NAT-PMP alone") {
        feed.udp(router, client, Bytes{0, 0x81, 0, 1, 0, 0, 0, 9}).udp(router, client, granted());
        const Outcome outcome = feed.later().finish();
        REQUIRE(outcome.messages.size() == 4);
        CHECK(outcome.messages[2].answers == 0);
        CHECK(outcome.messages[3].answers == 1);
        CHECK_FALSE(has(outcome, "capture.no-reply"));
    }
    SECTION("PCP alone") {
        Bytes refusal(24);
        refusal[0] = 2;
        refusal[1] = 0x81;
        refusal[3] = 1;
        pcp::Response response;
        response.opcode = pcp::Opcode::map;
        response.result = pcp::ResultCode::not_authorized;
        response.map = pcp_map.map;
        feed.udp(router, client, pcp::encode(response)).udp(router, client, refusal);
        const Outcome outcome = feed.later().finish();
        REQUIRE(outcome.messages.size() == 4);
        CHECK(outcome.messages[2].answers == 0);
        CHECK(outcome.messages[3].answers == 1);
        CHECK_FALSE(has(outcome, "capture.no-reply"));
    }
}

TEST_CASE("findings are the same whatever the ladder shows") {
    const auto run = [](bool stun_only) {
        Feed feed({.stun_only = stun_only});
        feed.tcp(client, web, 1, {.syn = true}).tcp(web, client, 0, {.ack = true, .rst = true});
        feed.tcp(client, peer, 1, {.syn = true}, {}, 10);
        const Bytes query = {0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};
        const Bytes datagram = udp_packet(client, at("192.168.7.1:53"), query);
        feed.packet(datagram).packet(icmp_error(router.address, client.address, 3, 1, datagram));
        return feed.later().finish();
    };
    const Outcome all = run(false);
    const Outcome stun = run(true);
    CHECK(all.findings.size() == 3);
    REQUIRE(stun.findings.size() == all.findings.size());
    for (std::size_t i = 0; i < all.findings.size(); ++i) {
        CHECK(stun.findings[i].message == all.findings[i].message);
    }
    // The ICMP error is shown, without what it answers.
    REQUIRE(stun.messages.size() == 1);
    CHECK_FALSE(stun.messages[0].answers.has_value());
}

TEST_CASE("SOAP: a mapping is asked for, granted, refused") {
    upnp::Call call;
    call.service_type = "urn:schemas-upnp-org:service:WANIPConnection:1";
    call.action = "AddPortMapping";
    call.arguments = {{"NewRemoteHost", ""},
                      {"NewExternalPort", "8001"},
                      {"NewProtocol", "TCP"},
                      {"NewInternalPort", "8000"},
                      {"NewInternalClient", "192.168.7.2"}};
    const std::string body = upnp::encode(call);
    const std::string request =
        "POST /ctl HTTP/1.1\r\nSOAPAction: " + call.soap_action() +
        "\r\nContent-Type: text/xml\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    const auto answered = [&](const std::string& status, const std::string& xml,
                              const std::string& type = "Content-Type: text/xml\r\n") {
        Feed feed;
        connect(feed).tcp(client, web, 101, {.ack = true}, bytes_of(request));
        feed.tcp(web, client, 901, {.ack = true},
                 bytes_of("HTTP/1.1 " + status + "\r\n" + type +
                          "Content-Length: " + std::to_string(xml.size()) + "\r\n\r\n" + xml));
        return feed.later().finish();
    };
    const Outcome granted_it =
        answered("200 OK", "<Envelope><Body><AddPortMappingResponse/></Body></Envelope>");
    REQUIRE(granted_it.messages.size() == 4);
    CHECK(granted_it.messages[2].protocol == Protocol::soap);
    CHECK(granted_it.messages[2].text == "AddPortMapping 8001 TCP 8000 192.168.7.2");
    CHECK(granted_it.messages[3].answers == granted_it.messages[2].sequence);
    const auto found = with_code(granted_it, "capture.mapped-no-inbound");
    REQUIRE(found.size() == 1);
    CHECK(found[0].evidence.at("external_port") == 8001);
    CHECK(role_of(granted_it, web.address) == Role::router);

    const std::string fault =
        "<Envelope><Body><Fault><detail><UPnPError><errorCode>718</errorCode><errorDescription>"
        "ConflictInMappingEntry</errorDescription></UPnPError></detail></Fault></Body></Envelope>";
    const Outcome refused = answered("500 Internal Server Error", fault);
    REQUIRE(refused.messages.size() == 4);
    CHECK(refused.messages[3].kind == Kind::error);
    CHECK(refused.messages[3].text.find("error 718 ConflictInMappingEntry") != std::string::npos);
    CHECK_FALSE(has(refused, "capture.mapped-no-inbound"));
    const auto no = with_code(refused, "capture.refused");
    REQUIRE(no.size() == 1);
    CHECK(no[0].severity == Severity::warning);
    CHECK(no[0].evidence.at("code") == 718);
    CHECK(no[0].evidence.at("what") == "AddPortMapping TCP 8000 192.168.7.2");
    // Some routers do not say that a fault is XML.
    const auto untyped = with_code(answered("500 Oops", fault, ""), "capture.refused");
    REQUIRE(untyped.size() == 1);
    CHECK(untyped[0].evidence.at("name") == "ConflictInMappingEntry");
}

TEST_CASE("ICMP errors belong to the request that caused them") {
    const Bytes request = udp_packet(client, server, binding(1));
    const IpAddress hop = *IpAddress::parse("10.0.0.1");
    const auto answered_by = [&](std::uint8_t type, std::uint8_t code) {
        Feed feed;
        feed.packet(request).packet(icmp_error(hop, client.address, type, code, request));
        return feed.later().finish();
    };
    const Outcome prohibited = answered_by(3, 13);
    REQUIRE(prohibited.messages.size() == 2);
    CHECK(prohibited.messages[0].fate == Fate::refused);
    CHECK(prohibited.messages[1].answers == 0);
    const auto found = with_code(prohibited, "capture.icmp-prohibited");
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Severity::error);
    CHECK(found[0].evidence.at("reporter") == "10.0.0.1");
    CHECK_FALSE(has(prohibited, "capture.no-reply"));
    CHECK(role_of(prohibited, hop) == Role::hop);
    CHECK(has(answered_by(3, 3), "capture.unreachable"));
    // Traceroute and the discovery of the path's MTU are no faults, and answer nothing.
    for (const auto& [type, code] :
         {std::pair<std::uint8_t, std::uint8_t>{11, 0}, {3, 4}, {12, 0}}) {
        const Outcome notice = answered_by(type, code);
        REQUIRE(notice.messages.size() == 2);
        CHECK(notice.messages[0].fate == Fate::unanswered);
        CHECK(notice.messages[1].kind == Kind::notice);
        CHECK_FALSE(notice.messages[1].answers.has_value());
        CHECK(notice.findings.size() == 1);
        CHECK(has(notice, "capture.no-reply"));
    }
}

TEST_CASE("what comes in unasked is something that came in") {
    const auto nothing_came_in = [](const Outcome& outcome) {
        const auto found = with_code(outcome, "capture.one-way");
        return std::ranges::any_of(found, [](const Finding& finding) {
            return finding.evidence.contains("conversations_both_ways");
        });
    };
    Feed feed;
    feed.tcp(client, web, 100, {.syn = true}).udp(client, server, binding(1));
    SECTION("nothing") { CHECK(nothing_came_in(feed.later().finish())); }
    SECTION("somebody knocks") {
        feed.tcp(peer, at("192.168.7.2:8000"), 7, {.syn = true});
        CHECK_FALSE(nothing_came_in(feed.later().finish()));
    }
}

TEST_CASE("an ICMP error does not outweigh the answers that come after it") {
    const Bytes request = udp_packet(client, server, binding(1));
    const auto error = icmp_error(peer.address, client.address, 3, 13, request);
    const auto severity = [](Feed& feed) {
        const auto found = with_code(feed.later().finish(), "capture.icmp-prohibited");
        REQUIRE(found.size() == 1);
        return found[0].severity;
    };
    Feed feed;
    feed.packet(request);
    SECTION("an answer to that very request") {
        feed.packet(error).udp(server, client, mapped(1, outside));
        CHECK(severity(feed) == Severity::info);
    }
    SECTION("the errors go on, and so do the answers") {
        feed.packet(error).udp(client, server, binding(2), 3'000);
        feed.udp(server, client, mapped(2, outside)).packet(error);
        CHECK(severity(feed) == Severity::info);
    }
    SECTION("a filter that was set meanwhile is no such thing") {
        feed.udp(server, client, mapped(1, outside)).udp(client, server, binding(2), 3'000);
        feed.packet(error);
        CHECK(severity(feed) == Severity::error);
    }
}

TEST_CASE("closed ports of discovery, and of tests that want them closed, are normal") {
    const auto refused = [](const Endpoint& to, std::string_view comment) {
        const Bytes request = udp_packet(client, to, binding(1));
        Feed feed;
        feed.packet(request);
        feed.packet(icmp_error(to.address, client.address, 3, 3, request), 10,
                    capture::Direction::unknown, comment);
        const auto found = with_code(feed.later().finish(), "capture.unreachable");
        REQUIRE(found.size() == 1);
        return found[0].severity;
    };
    CHECK(refused(router, "") == Severity::info);
    CHECK(refused({router.address, 1900}, "") == Severity::info);
    CHECK(refused({server.address, 50000}, "") == Severity::warning);
    CHECK(refused({server.address, 50000},
                  "stun.nat: does UDP to any port get out?, send 1 (an error about it)") ==
          Severity::info);
}

TEST_CASE("a search that is refused now and then is not lost") {
    const Bytes search = bytes_of(
        "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
        "MX: 1\r\nST: upnp:rootdevice\r\n\r\n");
    Feed feed;
    for (std::uint16_t i = 0; i < 6; ++i) {
        const Endpoint from{client.address, static_cast<std::uint16_t>(4000 + i)};
        const Bytes packet = udp_packet(from, {router.address, 1900}, search);
        feed.packet(packet);
        if (i < 4) feed.packet(icmp_error(router.address, client.address, 3, 3, packet));
    }
    for (const Finding& finding : feed.later().finish().findings) {
        CHECK(finding.severity == Severity::info);
    }
}

TEST_CASE("an ICMP error belongs to the request that it quotes, not to the newest") {
    const Bytes first = udp_packet(client, server, binding(1));
    const Bytes second = udp_packet(client, server, binding(2));
    Feed feed;
    feed.packet(first).packet(second);
    SECTION("all of it") { feed.packet(icmp_error(router.address, client.address, 3, 1, first)); }
    SECTION("the header of the message alone, as much as some routers quote") {
        const Bytes little(first.begin(), first.begin() + 28 + 20);
        feed.packet(icmp_error(router.address, client.address, 3, 1, little));
    }
    const Outcome outcome =
        feed.packet(icmp_error(router.address, client.address, 3, 1, first)).later().finish();
    REQUIRE(outcome.messages.size() == 3);
    CHECK(outcome.messages[0].fate == Fate::refused);
    CHECK(outcome.messages[1].fate == Fate::unanswered);
    CHECK(outcome.messages[2].answers == 0);
}

TEST_CASE("a host that has no program on a port is no hop") {
    const Bytes packet = udp_packet(client, peer, Bytes{1});
    Feed feed;
    feed.packet(packet).packet(icmp_error(peer.address, client.address, 3, 3, packet));
    CHECK(role_of(feed.later().finish(), peer.address) != Role::hop);
}

TEST_CASE("one side speaks and nobody answers") {
    Feed feed;
    SECTION("to a peer, while others do answer") {
        feed.udp(client, server, binding(1)).udp(server, client, mapped(1, outside));
        for (int i = 0; i < 5; ++i) feed.udp(client, peer, Bytes{0xF1}, 250);
        const auto found = with_code(feed.later().finish(), "capture.one-way");
        REQUIRE(found.size() == 1);
        CHECK(found[0].evidence.at("packets") == 5);
        CHECK(found[0].evidence.at("to") == "11.22.33.9:5000");
    }
    SECTION("the peer answers from another port: its NAT is symmetric") {
        const Endpoint other{peer.address, 5001};
        for (int i = 0; i < 5; ++i)
            feed.udp(client, peer, Bytes{0xF1}, 250).udp(other, client, Bytes{0xF1}, 250);
        const Outcome outcome = feed.later().finish();
        CHECK_FALSE(has(outcome, "capture.one-way"));
        const auto found = with_code(outcome, "capture.reply-elsewhere");
        REQUIRE(found.size() == 1);
        CHECK(found[0].evidence.at("asked") == "11.22.33.9:5000");
        CHECK(found[0].evidence.at("answered") == "11.22.33.9:5001");
    }
    SECTION("to a group") {
        for (int i = 0; i < 5; ++i) feed.udp(client, at("239.1.1.1:5000"), Bytes{0xF1}, 250);
        CHECK(feed.later().finish().findings.empty());
    }
    SECTION("to all of a network") {
        // An Ethernet broadcast to 192.168.7.255, as games and discovery send it.
        const Bytes datagram = udp_packet(client, at("192.168.7.255:5000"), Bytes{0xF1});
        Bytes frame = ethernet(0x0800, datagram);
        std::fill_n(frame.begin(), 6, std::uint8_t{0xFF});
        for (int i = 0; i < 5; ++i) feed.link(capture::LinkType::ethernet, frame, 250);
        CHECK(feed.later().finish().findings.empty());
    }
    SECTION("nobody at all") {
        feed.udp(client, server, binding(1)).udp(client, other_server, binding(2));
        const auto found = with_code(feed.later().finish(), "capture.one-way");
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::error);
    }
    SECTION("the capture shows one direction of what goes on") {
        feed.tcp(client, web, 101, {.ack = true}, Bytes{1}).tcp(client, web, 102, {.ack = true});
        feed.udp(client, server, binding(1)).udp(client, other_server, binding(2));
        const Outcome outcome = feed.later().finish();
        CHECK(has(outcome, "capture.incomplete"));
        CHECK_FALSE(has(outcome, "capture.no-reply"));
        CHECK_FALSE(has(outcome, "capture.one-way"));
        CHECK(outcome.messages.back().fate == Fate::open);
    }
}

TEST_CASE("one direction of the internet, and all of the own network") {
    // As a router sees it that sends through one line and receives through another.
    const Endpoint resolver = at("192.168.7.1:5000");
    Feed feed;
    feed.udp(client, resolver, Bytes{1}).udp(resolver, client, Bytes{1});
    const auto half = [&feed](const Endpoint& far) {
        feed.tcp(client, far, 101, {.ack = true}, Bytes{1}).tcp(client, far, 102, {.ack = true});
    };
    half(web);
    feed.udp(client, {web.address, 3478}, binding(1)).udp(client, server, binding(2));
    SECTION("mostly") {
        half(peer);
        const Outcome outcome = feed.later().finish();
        CHECK(has(outcome, "capture.incomplete"));
        CHECK_FALSE(has(outcome, "capture.no-reply"));
    }
    SECTION("of one host") {
        feed.udp(client, peer, Bytes{1}).udp(peer, client, Bytes{1});
        const Outcome outcome = feed.later().finish();
        CHECK(has(outcome, "capture.incomplete"));
        const auto found = with_code(outcome, "capture.no-reply");
        REQUIRE(found.size() == 1);
        CHECK(found[0].evidence.at("to") == "11.22.33.10:3478");
    }
}

TEST_CASE("data that goes both ways is a row for each, with its size") {
    Feed feed;
    for (int i = 0; i < 4; ++i) feed.udp(client, peer, Bytes(100)).udp(peer, client, Bytes(50));
    const Outcome outcome = feed.later().finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK((outcome.messages[0].copies == 4 && outcome.messages[0].text == "data, 400 bytes"));
    REQUIRE_FALSE(outcome.conversations.empty());
    CHECK(outcome.conversations[0].from == client);
    CHECK(outcome.conversations[0].bytes_in == 200);
    CHECK(outcome.findings.empty());
}

TEST_CASE("who is who, where the capture marks it") {
    Feed feed;
    feed.packet(udp_packet(client, server, binding(1)), 10, capture::Direction::outbound);
    feed.packet(udp_packet(peer, server, binding(2)), 10, capture::Direction::inbound);
    feed.packet(udp_packet(peer, server, binding(3)), 10, capture::Direction::inbound);
    const Outcome outcome = feed.finish();
    CHECK(role_of(outcome, client.address) == Role::you);
    // Two that ask equally much, and no mark: nobody is called you.
    Feed equal;
    equal.udp(client, server, binding(1)).udp(peer, server, binding(2));
    const Outcome unclear = equal.finish();
    CHECK(role_of(unclear, client.address) == Role::unknown);
}
