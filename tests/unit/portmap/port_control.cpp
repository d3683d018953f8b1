// The client against a server on loopback that misbehaves as told.
#include "net/portmap/port_control.hpp"

#include <catch2/catch.hpp>

#include "../net/run_task.hpp"
#include "fake/port_control_server.hpp"
#include "fake/stun_server.hpp"
#include "p2pdiag/run_until.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net::portmap;
using namespace p2pdiag::testing;
using Fault = PortControlFault;

namespace {

const IpAddress loopback = IpAddress::v4(0x7f000001);

Service service(const PortControlServer& server, Protocol protocol) {
    Service found;
    found.protocol = protocol;
    found.router = server.address();
    found.local = server.address().is_v4() ? loopback : *IpAddress::parse("::1");
    return found;
}

MapRequest request(std::uint16_t internal_port = 8000) {
    MapRequest asked;
    asked.internal_port = internal_port;
    asked.external_port = internal_port;
    asked.lifetime = Seconds(600);
    asked.nonce = random_nonce();
    return asked;
}

// The time to wait is that of a machine under load. Where silence is the point, a short one is
// told.
RetrySchedule patient() { return {{Milliseconds(20), Milliseconds(40), Milliseconds(20000)}}; }
RetrySchedule hasty() { return {{Milliseconds(20), Milliseconds(300)}}; }

Outcome<PortControlStatus> status(const Service& target, RetrySchedule schedule = patient()) {
    boost::asio::io_context context;
    return run_on(context, ask_status(target, std::move(schedule)));
}

Outcome<MapGrant> map(const Service& target, const MapRequest& asked,
                      RetrySchedule schedule = patient()) {
    boost::asio::io_context context;
    return run_on(context, port_control_map(target, asked, std::move(schedule)));
}

Outcome<void> unmap(const Service& target, const MapRequest& asked) {
    boost::asio::io_context context;
    return run_on(context, port_control_unmap(target, asked, patient()));
}

constexpr Protocol both[] = {Protocol::natpmp, Protocol::pcp};

}  // namespace

TEST_CASE("a mapping is made, renewed and removed") {
    for (const Protocol protocol : both) {
        const PortControlServer server;
        const Service target = service(server, protocol);
        const auto before = status(target);
        REQUIRE(before.has_value());
        CHECK(before->epoch == 1000);
        CHECK(before->rtt.count() > 0);
        CHECK(before->external_address.has_value() == (protocol == Protocol::natpmp));

        const MapRequest asked = request();
        const auto made = map(target, asked);
        REQUIRE(made.has_value());
        CHECK(made->external_port == 8000);
        CHECK(made->lifetime == Seconds(600));
        REQUIRE(server.mappings().size() == 1);
        CHECK(int(server.mappings()[0].protocol) == 17);
        if (protocol == Protocol::pcp) CHECK(server.mappings()[0].nonce == asked.nonce);

        REQUIRE(map(target, asked).has_value());
        CHECK(server.mappings().size() == 1);
        CHECK(unmap(target, asked).has_value());
        CHECK(server.mappings().empty());
        CHECK(unmap(target, asked).has_value());  // E8
    }
}

TEST_CASE("another port and another lifetime than asked are reported as granted") {
    PortControlOptions options;
    options.taken = {8000};
    options.shortest_lifetime = 120;
    const PortControlServer server(options);
    for (const Protocol protocol : both) {
        MapRequest asked = request();
        asked.transport = protocol == Protocol::pcp ? Transport::tcp : Transport::udp;
        asked.lifetime = Seconds(60);
        const auto made = map(service(server, protocol), asked);
        REQUIRE(made.has_value());
        CHECK(made->external_port == 8001);
        CHECK(made->lifetime == Seconds(120));
    }
    MapRequest exact = request(8002);
    exact.external_port = 8000;
    exact.exact = true;
    const auto refused = map(service(server, Protocol::pcp), exact);
    REQUIRE(refused.has_error());
    CHECK(refused.error().problem == Problem::port_not_available);
    CHECK(server.mappings().size() == 2);
}

TEST_CASE("IPv6: PCP opens the port for this machine's own address") {
    if (!has_ipv6_loopback()) return;
    PortControlOptions options;
    options.family = Family::ipv6;
    const PortControlServer server(options);
    const auto made = map(service(server, Protocol::pcp), request());
    REQUIRE(made.has_value());
    CHECK(made->external_address->to_string() == "::1");
    CHECK(status(service(server, Protocol::pcp)).has_value());
}

TEST_CASE("nobody listens: absent, at once") {
    PortControlOptions options;
    options.fault = Fault::refused;
    const PortControlServer server(options);
    for (const Protocol protocol : both) {
        // A client that waited would not come back for an hour.
        const auto answer = status(service(server, protocol), {{Milliseconds(3'600'000)}});
        REQUIRE(answer.has_error());
        CHECK(answer.error().problem == Problem::absent);
        CHECK(answer.error().text.find(server.address().to_string()) != std::string::npos);
    }
}

TEST_CASE("a machine that cannot send says so") {
    const PortControlServer server;
    Service target = service(server, Protocol::pcp);
    target.local = *IpAddress::parse("192.0.2.1");  // not an address of this machine
    const auto answer = status(target);
    REQUIRE(answer.has_error());
    CHECK(answer.error().problem == Problem::no_route);
}

TEST_CASE("silence, and what is as good as silence") {
    const auto problem = [](Fault fault, Protocol protocol) {
        PortControlOptions options;
        options.fault = fault;
        const PortControlServer server(options);
        const auto answer = map(service(server, protocol), request(), hasty());
        REQUIRE(answer.has_error());
        CHECK(server.requests() == 2);
        return answer.error().problem;
    };
    for (const Protocol protocol : both) {
        CHECK(problem(Fault::silent, protocol) == Problem::no_answer);
        CHECK(problem(Fault::wrong_source, protocol) == Problem::no_answer);
        CHECK(problem(Fault::foreign_source, protocol) == Problem::no_answer);
        CHECK(problem(Fault::garbage, protocol) == Problem::malformed);
        CHECK(problem(Fault::oversize, protocol) == Problem::malformed);
        CHECK(problem(Fault::truncated, protocol) == Problem::malformed);
        CHECK(problem(Fault::garbled_port, protocol) == Problem::malformed);
        CHECK(problem(Fault::wrong_opcode, protocol) == Problem::malformed);
    }
    CHECK(problem(Fault::wrong_nonce, Protocol::pcp) == Problem::malformed);
}

TEST_CASE("what comes beside the answer is ignored and counted") {
    PortControlOptions options;
    options.fault = Fault::flood;
    const PortControlServer server(options);
    for (const Protocol protocol : both) {
        const auto answer = status(service(server, protocol), {{Milliseconds(20000)}});
        REQUIRE(answer.has_value());
        CHECK(answer->ignored == 100);
    }
}

TEST_CASE("lost and late answers") {
    for (const Protocol protocol : both) {
        PortControlOptions options;
        options.lose_first = 2;
        const PortControlServer lossy(options);
        CHECK(map(service(lossy, protocol), request()).has_value());
        CHECK(lossy.requests() == 3);
        options = {};
        options.delay = Milliseconds(200);
        const PortControlServer slow(options);
        CHECK(map(service(slow, protocol), request()).has_value());
        CHECK(slow.mappings().size() == 1);
    }
}

TEST_CASE("E1: a server that knows only the other protocol") {
    PortControlOptions options;
    options.pcp = false;
    const PortControlServer old(options);
    const auto pcp = status(service(old, Protocol::pcp));
    REQUIRE(pcp.has_error());
    CHECK(pcp.error().problem == Problem::unsupported);
    CHECK(pcp.error().code == 1);
    CHECK(status(service(old, Protocol::natpmp)).has_value());

    options = {};
    options.natpmp = false;
    options.announce = false;
    const PortControlServer modern(options);
    const auto natpmp = status(service(modern, Protocol::natpmp));
    REQUIRE(natpmp.has_error());
    CHECK(natpmp.error().problem == Problem::unsupported);
    CHECK(status(service(modern, Protocol::pcp)).has_value());
}

TEST_CASE("B4: a NAT between this machine and the router") {
    PortControlOptions options;
    options.pcp_result = pcp::ResultCode::address_mismatch;
    options.error_lifetime = 1800;
    const PortControlServer behind(options);
    const auto answer = map(service(behind, Protocol::pcp), request());
    REQUIRE(answer.has_error());
    CHECK(answer.error().problem == Problem::address_mismatch);
    CHECK(answer.error().retry_after == Seconds(1800));
}

TEST_CASE("a restarted router is noticed by its epoch") {
    PortControlServer server;
    const Service target = service(server, Protocol::natpmp);
    EpochWatch watch;
    CHECK_FALSE(watch.restarted(status(target)->epoch, Clock::now()));
    CHECK_FALSE(watch.restarted(status(target)->epoch, Clock::now()));
    server.restart();
    CHECK(watch.restarted(status(target)->epoch, Clock::now()));
}

TEST_CASE("a cancelled question ends at once") {
    PortControlOptions options;
    options.fault = Fault::silent;
    const PortControlServer server(options);
    const auto forever = [](Service target) -> boost::asio::awaitable<void> {
        RetrySchedule schedule;
        schedule.waits = {Milliseconds(3'600'000)};
        co_await ask_status(target, schedule);
    };
    const TimePoint soon = Clock::now() + Milliseconds(20);
    CHECK(run_until(-1, soon, forever(service(server, Protocol::pcp))) == Ended::deadline);
}

TEST_CASE("the words of the contract") {
    for (const Protocol one : {Protocol::upnp, Protocol::natpmp, Protocol::pcp}) {
        CHECK(parse_protocol(to_string(one)) == one);
    }
    CHECK_FALSE(parse_protocol("UPnP"));
    CHECK(to_string(Problem::no_external_address) == "no-external-address");
    CHECK(random_nonce() != random_nonce());
    const Outcome<int> failed = Failure{Problem::refused, 2, "no", {}};
    CHECK_THROWS_AS(failed.value(), std::logic_error);
}
