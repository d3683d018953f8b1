// What is told of sockets that are opened.
#include "net/flow.hpp"

#include <catch2/catch.hpp>

#include "net/dns_query.hpp"
#include "net/echo.hpp"
#include "net/tcp_trial.hpp"
#include "net/udp_socket.hpp"
#include "run_task.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net;

TEST_CASE("a flow as members of a message") {
    CHECK(to_members({Transport::udp, Endpoint::parse("0.0.0.0:40000"), std::nullopt}) ==
          R"("protocol":"udp","local":"0.0.0.0:40000")");
    CHECK(to_members({Transport::tcp, std::nullopt, Endpoint::parse("[::1]:80")}) ==
          R"("protocol":"tcp","remote":"[::1]:80")");
    CHECK(to_members({.local = Endpoint::parse("0.0.0.0:7"), .remote = {}, .echo = true}) ==
          R"("protocol":"icmp","local":"0.0.0.0:7")");
}

TEST_CASE("sockets are told to the watch that is there, and the one before it comes back") {
    boost::asio::io_context context;
    std::vector<std::string> outer;
    std::vector<std::string> inner;
    const auto open = [&] {
        auto socket = UdpSocket::open(context.get_executor(), Family::ipv4);
        REQUIRE(socket.has_value());
        return to_members({Transport::udp, socket->local(), std::nullopt});
    };
    open();
    std::vector<std::string> expected;
    {
        const FlowWatch first([&](const Flow& flow) { outer.push_back(to_members(flow)); });
        expected.push_back(open());
        {
            const FlowWatch second([&](const Flow& flow) { inner.push_back(to_members(flow)); });
            CHECK(std::vector<std::string>{open()} == inner);
        }
        expected.push_back(open());
    }
    open();
    CHECK(outer == expected);
}

TEST_CASE("a connection that is tried and a question to a name server are told") {
    boost::asio::io_context context;
    std::vector<Flow> told;
    const FlowWatch watch([&](const Flow& flow) { told.push_back(flow); });
    TcpTrial trial;
    // Nobody listens there: it is told before anything comes of it.
    trial.server = *Endpoint::parse("127.0.0.1:1");
    trial.connect_until = Clock::now() + Milliseconds(120'000);
    testing::run_on(context, try_tcp(trial));
    REQUIRE(told.size() == 1);
    CHECK(told[0].protocol == Transport::tcp);
    CHECK(told[0].remote == trial.server);

    DnsQuestion question;
    question.server.address = IpAddress::v4(0x7F000001);
    question.server.port = 1;
    question.name = "one.example";
    testing::run_on(context, ask_name_server(question, Clock::now() + Milliseconds(120'000)));
    REQUIRE(told.size() >= 2);
    CHECK(told[1].protocol == Transport::udp);
    REQUIRE(told[1].local.has_value());
    CHECK(told[1].local->address == question.server.address);
    CHECK(told[1].local->port != 0);
}

TEST_CASE("a socket for pings is told by the identifier of its echoes") {
    boost::asio::io_context context;
    std::vector<Flow> told;
    const FlowWatch watch([&](const Flow& flow) { told.push_back(flow); });
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        told.clear();
        const auto socket = EchoSocket::open(context.get_executor(), family);
        if (!socket) {
            // Who may not ping sends none.
            REQUIRE(EchoSocket::not_permitted(socket.error()));
            CHECK(told.empty());
            continue;
        }
        REQUIRE(told.size() == 1);
        CHECK(told[0].echo);
        REQUIRE(told[0].local.has_value());
        CHECK(told[0].local->address.family() == family);
    }
}
