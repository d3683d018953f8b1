// The HTTP client against a server on loopback that answers with the input, and closes.
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <thread>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "net/endpoint.hpp"
#include "net/http.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

constexpr net::HttpLimits limits{std::chrono::seconds(5), 64 * 1024, 4096};

// Answers one request at a time, with what it was told.
class Server {
public:
    Server() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_storage storage;
        socklen_t size = net::to_sockaddr({IpAddress(), 0}, storage);
        auto* address = reinterpret_cast<sockaddr*>(&storage);
        require(::bind(listener_.get(), address, size) == 0);
        require(::listen(listener_.get(), 16) == 0);
        size = sizeof storage;
        require(::getsockname(listener_.get(), address, &size) == 0);
        port_ = net::from_sockaddr(address)->port;
    }

    std::uint16_t port() const { return port_; }

    void answer(ByteView bytes) const {
        const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        char buffer[4096];
        if (::recv(connection.get(), buffer, sizeof buffer, 0) <= 0) return;
        while (!bytes.empty()) {
            const ssize_t sent = ::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }

private:
    Fd listener_;
    std::uint16_t port_ = 0;
};

boost::asio::awaitable<void> fetch(net::HttpRequest request) {
    const auto answer = co_await net::http_fetch(std::move(request), limits);
    if (!answer) {
        require(answer.error().kind != net::HttpProblem::Kind::refused);
        require(!answer.error().text.empty());
        co_return;
    }
    require(answer->status >= 100 && answer->status <= 999);
    require(answer->body.size() <= limits.body);
    require(answer->reason.size() <= 128);
    require(answer->server.size() <= 128);
    require(answer->date.size() <= 128 && answer->age.size() <= 128);
    require(answer->location.size() <= 512);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Server server;
    static std::uint32_t next = 0;
    boost::asio::io_context context;
    net::HttpRequest request;
    // Another address each time: ports of closed connections stay taken for a while.
    request.server = {IpAddress::v4(0x7f000001 + next++ % 0x10000), server.port()};
    request.host = "router";
    request.end_mark = "</root>";
    std::thread answering([&] { server.answer(ByteView(data, size)); });
    boost::asio::co_spawn(context, fetch(std::move(request)), [](std::exception_ptr problem) {
        if (problem) std::rethrow_exception(problem);
    });
    context.run();
    answering.join();
    return 0;
}
