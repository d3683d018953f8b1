#include "router_turn.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <string>

#include "base/clock.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds longest_wait{5};
constexpr Milliseconds between_tries{20};

// A name that one socket alone can have. It is in no directory, so nothing is left of it (unix(7),
// abstract sockets).
bool take(const Fd& socket, const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t size = std::min(name.size(), sizeof address.sun_path - 1);
    std::copy_n(name.data(), size, address.sun_path + 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + size);
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

}  // namespace

asio::awaitable<Fd> take_turn(net::portmap::Service service) {
    const std::string name = "p2pdiag asks " + service.router.to_string() + " on link " +
                             std::to_string(service.interface);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const TimePoint end = Clock::now() + longest_wait;
    Fd turn(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    while (turn.open() && !take(turn, name)) {
        if (errno != EADDRINUSE || Clock::now() >= end) co_return Fd();
        timer.expires_after(between_tries);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return turn;
}

}  // namespace p2pdiag::upnp_plugin
