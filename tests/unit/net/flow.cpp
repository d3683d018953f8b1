// What is told of sockets that are opened.
#include "net/flow.hpp"

#include <catch2/catch.hpp>

#include "net/udp_socket.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net;

TEST_CASE("a flow as members of a message") {
    CHECK(to_members({Transport::udp, Endpoint::parse("0.0.0.0:40000"), std::nullopt}) ==
          R"("protocol":"udp","local":"0.0.0.0:40000")");
    CHECK(to_members({Transport::tcp, std::nullopt, Endpoint::parse("[::1]:80")}) ==
          R"("protocol":"tcp","remote":"[::1]:80")");
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
