// Which datagram is the answer to a question, and what it means. No socket, no clock.
#include "net/portmap/exchange.hpp"

#include <catch2/catch.hpp>
#include <functional>

using namespace p2pdiag;
using namespace p2pdiag::net::portmap;
using Kind = Question::Kind;

namespace {

const IpAddress router = *IpAddress::parse("192.168.7.1");
const Endpoint server{router, 5351};

Question question(Protocol protocol, Kind kind) {
    Question asked;
    asked.kind = kind;
    asked.service.protocol = protocol;
    asked.service.router = router;
    asked.service.local = *IpAddress::parse("192.168.7.2");
    asked.request.transport = Transport::tcp;
    asked.request.internal_port = 8000;
    asked.request.external_port = 8001;
    asked.request.lifetime = Seconds(600);
    asked.request.nonce = {1, 2, 3};
    return asked;
}

natpmp::Response natpmp_grant() {
    natpmp::Response response;
    response.opcode = natpmp::Opcode::map_tcp;
    response.epoch = 77;
    response.internal_port = 8000;
    response.external_port = 8001;
    response.lifetime = 600;
    return response;
}

pcp::Response pcp_grant() {
    pcp::Response response;
    response.opcode = pcp::Opcode::map;
    response.epoch = 77;
    response.lifetime = 600;
    response.map = pcp::MapData{{1, 2, 3}, 6, 8000, 8001, *IpAddress::parse("203.0.113.5")};
    return response;
}

template <class Response>
Exchange after(Protocol protocol, Kind kind, const Response& response) {
    Exchange exchange(question(protocol, kind));
    exchange.on_datagram(server, encode(response));
    return exchange;
}

Problem problem_of(const Exchange& exchange) {
    const auto verdict = exchange.verdict();
    REQUIRE(verdict.has_error());
    CHECK_FALSE(verdict.error().text.empty());
    return verdict.error().problem;
}

}  // namespace

TEST_CASE("NAT-PMP: what is sent") {
    const auto sent = [](Kind kind, const std::function<void(MapRequest&)>& change = nullptr) {
        Question asked = question(Protocol::natpmp, kind);
        if (change) change(asked.request);
        const Exchange exchange(asked);
        CHECK(exchange.server() == server);
        return natpmp::parse_request(exchange.request()).value();
    };
    CHECK(sent(Kind::status).opcode == natpmp::Opcode::external_address);
    const natpmp::Request map = sent(Kind::map);
    CHECK(map == natpmp::Request{natpmp::Opcode::map_tcp, 8000, 8001, 600});
    CHECK(sent(Kind::unmap) == natpmp::Request{natpmp::Opcode::map_tcp, 8000, 0, 0});
    // Permanent is not to be had; 0 on the wire would remove.
    CHECK(sent(Kind::map, [](MapRequest& r) { r.lifetime = Seconds(0); }).lifetime == 7200);
    CHECK(sent(Kind::map, [](MapRequest& r) { r.lifetime = Seconds(-1); }).lifetime == 7200);
    CHECK(sent(Kind::map, [](MapRequest& r) { r.lifetime = Seconds::max(); }).lifetime ==
          0xFFFFFFFF);
}

TEST_CASE("PCP: what is sent") {
    const auto sent = [](Kind kind, const std::function<void(Question&)>& change = nullptr) {
        Question asked = question(Protocol::pcp, kind);
        if (change) change(asked);
        return pcp::parse_request(Exchange(asked).request()).value();
    };
    const pcp::Request announce = sent(Kind::status);
    CHECK(announce.opcode == pcp::Opcode::announce);
    CHECK(announce.client_address.to_string() == "192.168.7.2");
    const pcp::Request map = sent(Kind::map);
    REQUIRE(map.map);
    CHECK(map.lifetime == 600);
    CHECK(map.map->protocol == 6);
    CHECK(map.map->internal_port == 8000);
    CHECK(map.map->external_port == 8001);
    CHECK(map.map->external_address.to_string() == "0.0.0.0");
    CHECK_FALSE(map.prefer_failure);
    const pcp::Request unmap = sent(Kind::unmap, [](Question& q) { q.request.exact = true; });
    CHECK(unmap.lifetime == 0);
    CHECK(unmap.map->external_port == 0);
    CHECK(unmap.map->nonce == map.map->nonce);
    CHECK_FALSE(unmap.prefer_failure);
    CHECK(sent(Kind::map, [](Question& q) { q.request.exact = true; }).prefer_failure);
    // PREFER_FAILURE without a port to prefer is an error of the client.
    const auto whichever = [](Question& q) {
        q.request.exact = true;
        q.request.external_port = 0;
    };
    CHECK_FALSE(sent(Kind::map, whichever).prefer_failure);
    const auto v6 = [](Question& q) {
        q.service.router = *IpAddress::parse("fe80::1");
        q.service.local = *IpAddress::parse("2001:db8::2");
    };
    CHECK(sent(Kind::map, v6).map->external_address.to_string() == "::");
    CHECK(sent(Kind::map, v6).client_address.to_string() == "2001:db8::2");
}

TEST_CASE("what must not be asked ends before anything is sent") {
    const auto refused = [](Protocol protocol, const std::function<void(Question&)>& change) {
        Question asked = question(protocol, Kind::unmap);
        change(asked);
        const Exchange exchange(asked);
        CHECK(exchange.done());
        return problem_of(exchange);
    };
    // Of port 0, a removal takes every mapping of this machine.
    const auto port_0 = [](Question& q) { q.request.internal_port = 0; };
    CHECK(refused(Protocol::natpmp, port_0) == Problem::failed);
    CHECK(refused(Protocol::pcp, port_0) == Problem::failed);
    const auto v6 = [](Question& q) { q.service.router = *IpAddress::parse("fe80::1"); };
    CHECK(refused(Protocol::natpmp, v6) == Problem::unsupported);
    CHECK(refused(Protocol::pcp, v6) == Problem::no_route);
    CHECK(refused(Protocol::upnp, [](Question&) {}) == Problem::unsupported);
}

TEST_CASE("a status") {
    natpmp::Response address;
    address.epoch = 5;
    address.external_address = *IpAddress::parse("203.0.113.5");
    const auto natpmp = after(Protocol::natpmp, Kind::status, address).verdict();
    REQUIRE(natpmp.has_value());
    CHECK(natpmp->epoch == 5);
    CHECK(natpmp->external_address->to_string() == "203.0.113.5");
    // C1: a router without an address on its WAN side.
    address.external_address = IpAddress();
    CHECK(after(Protocol::natpmp, Kind::status, address).verdict()->external_address ==
          IpAddress());

    pcp::Response announce;
    announce.epoch = 6;
    const auto pcp = after(Protocol::pcp, Kind::status, announce).verdict();
    REQUIRE(pcp.has_value());
    CHECK(pcp->epoch == 6);
    CHECK_FALSE(pcp->external_address);
    // No ANNOUNCE, yet PCP.
    announce.result = pcp::ResultCode::unsupp_opcode;
    CHECK(after(Protocol::pcp, Kind::status, announce).verdict().has_value());
}

TEST_CASE("a grant") {
    const auto natpmp = after(Protocol::natpmp, Kind::map, natpmp_grant()).verdict();
    REQUIRE(natpmp.has_value());
    CHECK(natpmp->grant.internal_port == 8000);
    CHECK(natpmp->grant.external_port == 8001);
    CHECK(natpmp->grant.lifetime == Seconds(600));
    CHECK(natpmp->grant.epoch == 77U);
    CHECK_FALSE(natpmp->grant.external_address);

    pcp::Response response = pcp_grant();
    // C4, E6, E7: other than what was asked. That is the caller's to judge.
    response.map->external_port = 1024;
    response.lifetime = 120;
    const auto pcp = after(Protocol::pcp, Kind::map, response).verdict();
    REQUIRE(pcp.has_value());
    CHECK(pcp->grant.external_port == 1024);
    CHECK(pcp->grant.lifetime == Seconds(120));
    CHECK(pcp->grant.external_address->to_string() == "203.0.113.5");
    // C1: whichever zeros it writes.
    for (const char* none : {"0.0.0.0", "::"}) {
        response.map->external_address = *IpAddress::parse(none);
        CHECK(after(Protocol::pcp, Kind::map, response).verdict()->grant.external_address ==
              IpAddress());
    }
}

TEST_CASE("a grant of nothing is none") {
    natpmp::Response natpmp = natpmp_grant();
    natpmp.external_port = 0;
    CHECK(problem_of(after(Protocol::natpmp, Kind::map, natpmp)) == Problem::malformed);
    natpmp = natpmp_grant();
    natpmp.lifetime = 0;
    CHECK(problem_of(after(Protocol::natpmp, Kind::map, natpmp)) == Problem::malformed);
    pcp::Response pcp = pcp_grant();
    pcp.lifetime = 0;
    CHECK(problem_of(after(Protocol::pcp, Kind::map, pcp)) == Problem::malformed);
}

TEST_CASE("NAT-PMP: each result") {
    const std::pair<natpmp::ResultCode, Problem> all[] = {
        {natpmp::ResultCode::unsupported_version, Problem::unsupported},
        {natpmp::ResultCode::not_authorized, Problem::refused},
        {natpmp::ResultCode::network_failure, Problem::no_external_address},
        {natpmp::ResultCode::out_of_resources, Problem::full},
        {natpmp::ResultCode::unsupported_opcode, Problem::unsupported},
        {static_cast<natpmp::ResultCode>(6), Problem::failed},
    };
    for (const auto& [result, problem] : all) {
        natpmp::Response response = natpmp_grant();
        response.result = result;
        response.external_port = 0;
        response.lifetime = 0;
        for (const bool payload : {true, false}) {
            response.has_payload = payload;
            const Exchange exchange = after(Protocol::natpmp, Kind::map, response);
            CHECK(problem_of(exchange) == problem);
            CHECK(exchange.verdict().error().code == static_cast<int>(result));
        }
    }
}

TEST_CASE("PCP: each result, and how long it holds") {
    const std::pair<int, Problem> all[] = {
        {1, Problem::unsupported},
        {2, Problem::refused},
        {3, Problem::failed},
        {4, Problem::unsupported},
        {5, Problem::unsupported},
        {6, Problem::failed},
        {7, Problem::no_external_address},
        {8, Problem::full},
        {9, Problem::unsupported},
        {10, Problem::full},
        {11, Problem::port_not_available},
        {12, Problem::address_mismatch},
        {13, Problem::full},
        {99, Problem::failed},
    };
    for (const auto& [code, problem] : all) {
        pcp::Response response = pcp_grant();
        response.result = static_cast<pcp::ResultCode>(code);
        response.lifetime = 1800;
        const Exchange exchange = after(Protocol::pcp, Kind::map, response);
        CHECK(problem_of(exchange) == problem);
        CHECK(exchange.verdict().error().code == code);
        CHECK(exchange.verdict().error().retry_after == Seconds(1800));
        response.map.reset();
        CHECK(problem_of(after(Protocol::pcp, Kind::map, response)) == problem);
    }
}

TEST_CASE("the other protocol's server is told from one that is broken") {
    // RFC 6887 section 9 and RFC 6886 section 3.5.
    natpmp::Response old;
    old.result = natpmp::ResultCode::unsupported_version;
    old.has_payload = false;
    const Exchange pcp = after(Protocol::pcp, Kind::map, old);
    CHECK(problem_of(pcp) == Problem::unsupported);
    CHECK(pcp.verdict().error().code == 1);
    pcp::Response modern;
    modern.result = pcp::ResultCode::unsupp_version;
    CHECK(problem_of(after(Protocol::natpmp, Kind::map, modern)) == Problem::unsupported);
    modern.version = 1;
    CHECK(problem_of(after(Protocol::pcp, Kind::status, modern)) == Problem::unsupported);
}

TEST_CASE("a removal") {
    natpmp::Response removed = natpmp_grant();
    removed.external_port = 0;
    removed.lifetime = 0;
    CHECK(after(Protocol::natpmp, Kind::unmap, removed).verdict().has_value());
    // "I removed it, for ten minutes."
    CHECK(problem_of(after(Protocol::natpmp, Kind::unmap, natpmp_grant())) == Problem::failed);
    removed.result = natpmp::ResultCode::not_authorized;
    CHECK(problem_of(after(Protocol::natpmp, Kind::unmap, removed)) == Problem::refused);

    pcp::Response gone = pcp_grant();
    gone.lifetime = 0;
    CHECK(after(Protocol::pcp, Kind::unmap, gone).verdict().has_value());
    CHECK(problem_of(after(Protocol::pcp, Kind::unmap, pcp_grant())) == Problem::failed);
    // E8: the second removal.
    gone.result = pcp::ResultCode::no_resources;
    gone.lifetime = 30;
    CHECK(after(Protocol::pcp, Kind::unmap, gone).verdict().has_value());
    // What is there may be ours, though the router no longer knows: never told as gone.
    gone.result = pcp::ResultCode::not_authorized;
    const Exchange kept = after(Protocol::pcp, Kind::unmap, gone);
    CHECK(problem_of(kept) == Problem::refused);
    CHECK(kept.verdict().error().text.find("somebody else's") != std::string::npos);
    gone.result = pcp::ResultCode::network_failure;
    CHECK(problem_of(after(Protocol::pcp, Kind::unmap, gone)) == Problem::no_external_address);
}

TEST_CASE("only the router's address and port count") {
    for (const char* const from : {"192.168.7.1:5350", "192.168.7.3:5351", "[fe80::1]:5351"}) {
        Exchange exchange(question(Protocol::pcp, Kind::map));
        exchange.on_datagram(*Endpoint::parse(from), encode(pcp_grant()));
        CHECK_FALSE(exchange.done());
        CHECK(exchange.ignored() == 1);
        // From elsewhere, even nonsense says nothing about the router.
        CHECK(problem_of(exchange) == Problem::no_answer);
        exchange.on_datagram(server, encode(pcp_grant()));
        CHECK(exchange.verdict().has_value());
    }
}

TEST_CASE("an answer to another question is waited out, and named when nothing else comes") {
    const auto wrong = [](Protocol protocol, const auto& response) {
        Exchange exchange(question(protocol, Kind::map));
        exchange.on_datagram(server, encode(response));
        CHECK_FALSE(exchange.done());
        CHECK(exchange.ignored() == 1);
        CHECK(problem_of(exchange) == Problem::malformed);
        const std::string text = exchange.verdict().error().text;
        if (protocol == Protocol::pcp) {
            exchange.on_datagram(server, encode(pcp_grant()));
        } else {
            exchange.on_datagram(server, encode(natpmp_grant()));
        }
        CHECK(exchange.verdict().has_value());
        return text;
    };
    pcp::Response pcp = pcp_grant();
    pcp.map->nonce[11] = 9;
    CHECK(wrong(Protocol::pcp, pcp).find("nonce") != std::string::npos);
    // An error with another nonce is somebody else's as well.
    pcp.result = pcp::ResultCode::no_resources;
    wrong(Protocol::pcp, pcp);
    pcp = pcp_grant();
    pcp.map->internal_port = 8000 & 0xFF;
    wrong(Protocol::pcp, pcp);
    pcp = pcp_grant();
    pcp.map->protocol = 17;
    wrong(Protocol::pcp, pcp);
    pcp.opcode = pcp::Opcode::announce;
    pcp.map.reset();
    wrong(Protocol::pcp, pcp);

    // C5, the port cut to eight bits.
    natpmp::Response natpmp = natpmp_grant();
    natpmp.internal_port &= 0xFF;
    CHECK(wrong(Protocol::natpmp, natpmp) == "an answer for internal port 64 where 8000 was asked");
    natpmp = natpmp_grant();
    natpmp.opcode = natpmp::Opcode::map_udp;
    wrong(Protocol::natpmp, natpmp);
}

TEST_CASE("the first word counts") {
    Exchange exchange(question(Protocol::natpmp, Kind::status));
    exchange.on_absent("connection refused");
    natpmp::Response address;
    exchange.on_datagram(server, encode(address));
    exchange.on_no_route("no route");
    CHECK(problem_of(exchange) == Problem::absent);

    Exchange answered(question(Protocol::natpmp, Kind::status));
    answered.on_datagram(server, encode(address));
    answered.on_absent("late");
    CHECK(answered.verdict().has_value());
}
