#include "drive_tcp.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <memory>

#include "net/endpoint.hpp"
#include "net/flow.hpp"
#include "net/stun.hpp"
#include "net/task_group.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::nat {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr Milliseconds connection_pace{50};
// The kernel sends a second SYN after one second (RFC 6298 section 2.1); this gives that one a
// chance.
constexpr Milliseconds connection_patience{1200};
constexpr std::size_t most_bytes = 64 * 1024;

struct Connection {
    explicit Connection(const asio::any_io_executor& executor)
        : socket(executor), timer(executor) {}
    tcp::socket socket;
    asio::steady_timer timer;
    TcpHandlers handlers;
    std::map<stun::TransactionId, TimePoint> sent;
    bool answered = false;
    bool broken = false;

    void end() {
        broken = true;
        ErrorCode ignored;
        socket.close(ignored);
        timer.cancel();
    }
};

// Takes the complete messages off the front; false where what follows is no message.
bool take_answers(Connection& connection, Bytes& received) {
    while (received.size() >= stun::header_size) {
        const auto size = stun::size_on_stream(received);
        if (!size) return false;
        if (received.size() < *size) return true;
        const auto message = stun::parse(ByteView(received).first(*size));
        received.erase(received.begin(), received.begin() + static_cast<std::ptrdiff_t>(*size));
        if (!message || message->message_class != stun::Class::success) continue;
        const auto sent = connection.sent.find(message->transaction);
        if (sent == connection.sent.end()) continue;
        const TimePoint when = sent->second;
        connection.sent.erase(sent);
        connection.answered = true;
        connection.handlers.on_answer(when);
    }
    return true;
}

asio::awaitable<void> read_answers(std::shared_ptr<Connection> connection) {
    const auto token = asio::as_tuple(asio::use_awaitable);
    Bytes received;
    std::array<std::uint8_t, 2048> buffer{};
    for (std::size_t total = 0; total < most_bytes;) {
        const auto target = asio::buffer(buffer);
        const auto [error, size] = co_await connection->socket.async_read_some(target, token);
        if (error) break;
        total += size;
        received.insert(received.end(), buffer.begin(),
                        buffer.begin() + static_cast<std::ptrdiff_t>(size));
        if (!take_answers(*connection, received)) break;
    }
    connection->end();
}

}  // namespace

asio::awaitable<void> ask_over_tcp(Endpoint server, TcpHandlers handlers) {
    const auto executor = co_await asio::this_coro::executor;
    const auto connection = std::make_shared<Connection>(executor);
    connection->handlers = std::move(handlers);
    connection->timer.expires_after(connection_patience);
    const auto give_up = [connection](ErrorCode error) {
        if (!error) connection->end();
    };
    connection->timer.async_wait(give_up);
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto peer = net::to_tcp(server);
    net::tell_flow({Transport::tcp, std::nullopt, server});
    const auto [refused] = co_await connection->socket.async_connect(peer, token);
    if (!refused || refused == asio::error::connection_refused) connection->handlers.on_alive();
    if (refused) {
        connection->end();
        co_return;
    }
    ErrorCode ignored;
    connection->socket.set_option(tcp::no_delay(true), ignored);

    const TimePoint give_up_at = Clock::now() + connection_patience;
    net::TaskGroup reader(executor);
    reader.spawn(read_answers(connection));
    while (!connection->broken && connection->handlers.wanted()) {
        if (!connection->answered && Clock::now() >= give_up_at) break;
        stun::Message request;
        request.transaction = net::random_transaction_id();
        const Bytes bytes = stun::encode(request);
        connection->sent[request.transaction] = Clock::now();
        const auto source = asio::buffer(bytes);
        const auto [failed, written] =
            co_await asio::async_write(connection->socket, source, token);
        if (failed || written != bytes.size()) break;
        connection->timer.expires_after(connection_pace);
        co_await connection->timer.async_wait(token);
    }
    connection->end();
}

}  // namespace p2pdiag::nat
