#include "carrier_hop.hpp"

#include <boost/asio/this_coro.hpp>

#include "net/stun.hpp"
#include "net/udp_socket.hpp"
#include "stun_targets.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

// The first router is one's own.
constexpr int nearest = 2;
constexpr int furthest = 5;
constexpr Milliseconds patience{700};

}  // namespace

asio::awaitable<std::optional<IpAddress>> find_carrier_hop(std::vector<std::string> stun_servers) {
    const auto executor = co_await asio::this_coro::executor;
    const auto targets = co_await stun_targets(std::move(stun_servers), Family::ipv4);
    auto socket = net::UdpSocket::open(executor, Family::ipv4);
    if (!socket || targets.empty()) co_return std::nullopt;
    for (int ttl = nearest; ttl <= furthest; ++ttl) {
        // A question that the destination understands, should it be that near.
        stun::Message request;
        request.transaction = net::random_transaction_id();
        const Bytes datagram = stun::encode(request);
        socket->send(datagram, targets.front(), ttl);
    }
    std::optional<IpAddress> found;
    const auto on_datagram = [](const Endpoint&, ByteView) {};
    const auto on_error = [&found](const net::SendError& error) {
        const bool carrier =
            error.reporter && error.reporter->scope() == AddressScope::carrier_grade;
        if (carrier && !found) found = error.reporter;
    };
    const TimePoint until = Clock::now() + patience;
    while (!found) {
        const bool arrived = co_await socket->wait(until);
        if (!arrived) break;
        socket->receive(on_datagram, on_error);
    }
    co_return found;
}

}  // namespace p2pdiag::upnp_plugin
