#include "net/tcp_trial.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <memory>

#include "base/text.hpp"
#include "net/deadline.hpp"
#include "net/endpoint.hpp"
#include "net/error.hpp"
#include "net/flow.hpp"
#include "net/routes.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;
namespace errc = boost::system::errc;
using asio::ip::tcp;

namespace {

constexpr std::size_t longest_answer = 256;

// Shared with the coroutine that is given up at a deadline.
struct Attempt {
    Attempt(TcpTrial asked, const asio::any_io_executor& executor)
        : trial(std::move(asked)), socket(executor) {
        result.server = trial.server;
    }

    TcpTrial trial;
    tcp::socket socket;
    TcpResult result;
    std::array<char, longest_answer> buffer{};
};

TcpOutcome tcp_outcome_of(const ErrorCode& error) {
    if (!error) return TcpOutcome::connected;
    if (error == errc::connection_refused || error == errc::connection_reset) {
        return TcpOutcome::refused;
    }
    if (error == errc::timed_out) return TcpOutcome::no_answer;
    if (error == errc::host_unreachable || error == errc::network_unreachable ||
        error == errc::no_protocol_option) {
        return TcpOutcome::unreachable;
    }
    if (error == errc::operation_not_permitted || error == errc::permission_denied) {
        return TcpOutcome::not_permitted;
    }
    return TcpOutcome::local_error;
}

asio::awaitable<void> try_to_connect(std::shared_ptr<Attempt> attempt) {
    const TimePoint start = Clock::now();
    ErrorCode error;
    attempt->socket.open(to_tcp(attempt->trial.server).protocol(), error);
    if (!error) {
        tell_flow({Transport::tcp, std::nullopt, attempt->trial.server});
        co_await attempt->socket.async_connect(to_tcp(attempt->trial.server),
                                               asio::redirect_error(asio::use_awaitable, error));
    }
    throw_if_cancelled(error);
    TcpResult& result = attempt->result;
    result.outcome = tcp_outcome_of(error);
    result.error = error;
    if (!error) {
        result.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    }
}

TcpTalk talk_of(const ErrorCode& error) {
    if (error == asio::error::connection_reset || error == asio::error::broken_pipe) {
        return TcpTalk::reset;
    }
    return error ? TcpTalk::closed : TcpTalk::answered;
}

asio::awaitable<void> talk(std::shared_ptr<Attempt> attempt) {
    ErrorCode error;
    co_await asio::async_write(attempt->socket, asio::buffer(attempt->trial.line),
                               asio::redirect_error(asio::use_awaitable, error));
    throw_if_cancelled(error);
    std::size_t size = 0;
    if (!error) {
        size = co_await attempt->socket.async_read_some(
            asio::buffer(attempt->buffer), asio::redirect_error(asio::use_awaitable, error));
    }
    throw_if_cancelled(error);
    attempt->result.talk = talk_of(error);
    std::string_view answer(attempt->buffer.data(), size);
    answer = answer.substr(0, answer.find_first_of("\r\n"));
    attempt->result.answer = printable(answer, longest_answer);
}

}  // namespace

std::string_view to_string(TcpOutcome outcome) {
    switch (outcome) {
        case TcpOutcome::connected: return "connected";
        case TcpOutcome::refused: return "refused";
        case TcpOutcome::no_answer: return "no-answer";
        case TcpOutcome::unreachable: return "unreachable";
        case TcpOutcome::no_route: return "no-route";
        case TcpOutcome::not_permitted: return "not-permitted";
        case TcpOutcome::local_error: break;
    }
    return "local-error";
}

std::string_view to_string(TcpTalk talk) {
    switch (talk) {
        case TcpTalk::none: return "none";
        case TcpTalk::answered: return "answered";
        case TcpTalk::silent: return "silent";
        case TcpTalk::closed: return "closed";
        case TcpTalk::reset: break;
    }
    return "reset";
}

asio::awaitable<TcpResult> try_tcp(TcpTrial trial) {
    const auto executor = co_await asio::this_coro::executor;
    const auto attempt = std::make_shared<Attempt>(std::move(trial), executor);
    // Else a missing route looks like a router that refuses.
    const auto route = route_to(attempt->trial.server.address);
    if (!route && is_no_route(route.error())) {
        attempt->result.outcome = TcpOutcome::no_route;
        attempt->result.error = route.error();
        co_return attempt->result;
    }
    auto connecting = try_to_connect(attempt);
    co_await in_time(attempt->trial.connect_until, std::move(connecting));
    const bool connected = attempt->result.outcome == TcpOutcome::connected;
    if (!connected || attempt->trial.line.empty()) co_return attempt->result;
    attempt->result.talk = TcpTalk::silent;
    auto talking = talk(attempt);
    co_await in_time(Clock::now() + attempt->trial.answer_patience, std::move(talking));
    co_return attempt->result;
}

}  // namespace p2pdiag::net
