#include "net/http.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>
#include <memory>

#include "base/result.hpp"
#include "base/text.hpp"
#include "net/deadline.hpp"
#include "net/endpoint.hpp"
#include "net/error.hpp"
#include "net/flow.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Kind = HttpProblem::Kind;

namespace {

using Parser = http::response_parser<http::string_body>;

// One request and what has come of it. `problem` says at any time why there is no answer yet.
struct Exchange {
    Exchange(HttpRequest asked, HttpLimits bounds, const asio::any_io_executor& executor)
        : request(std::move(asked)),
          limits(bounds),
          socket(executor),
          // Holds a line, and what the parser has not taken yet of the body.
          buffer(bounds.headers + 4096) {
        parser.header_limit(static_cast<std::uint32_t>(limits.headers));
        parser.body_limit(limits.body);
    }

    HttpRequest request;
    HttpLimits limits;
    tcp::socket socket;
    boost::beast::flat_buffer buffer;
    Parser parser;
    HttpProblem problem{Kind::no_answer, "no connection in time"};
    bool connected = false;
    bool answered = false;
};

HttpProblem problem_of_connect(const ErrorCode& error) {
    namespace errc = boost::system::errc;
    if (error == errc::connection_refused || error == errc::connection_reset) {
        return {Kind::refused, error.message()};
    }
    if (error == errc::timed_out || error == errc::host_unreachable) {
        return {Kind::no_answer, error.message()};
    }
    return {Kind::no_route, error.message()};
}

bool is_http_error(const ErrorCode& error) {
    return error.category() == ErrorCode(http::error::bad_version).category();
}

HttpProblem problem_of_reading(const ErrorCode& error, bool begun) {
    if (error == http::error::body_limit || error == http::error::header_limit ||
        error == http::error::buffer_overflow) {
        return {Kind::too_large, "the answer is larger than any that makes sense"};
    }
    if (error == http::error::end_of_stream || error == asio::error::eof ||
        error == asio::error::connection_reset || error == asio::error::broken_pipe) {
        return {Kind::no_answer, begun ? "closed the connection within its answer"
                                       : "closed the connection without an answer"};
    }
    if (error == http::error::partial_message) {
        return {Kind::no_answer, "closed the connection within its answer"};
    }
    if (is_http_error(error)) {
        return {Kind::malformed, "not HTTP: " + error.message()};
    }
    return {Kind::no_answer, error.message()};
}

bool is_header_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_sound(const HttpRequest& request) {
    const bool path = request.target.starts_with('/') && is_header_text(request.target) &&
                      request.target.find(' ') == std::string::npos;
    return path && is_header_text(request.host) &&
           std::all_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
               return is_header_text(header.first) && is_header_text(header.second);
           });
}

http::request<http::string_body> to_beast(const HttpRequest& request) {
    http::request<http::string_body> message;
    message.version(11);
    message.method(request.post ? http::verb::post : http::verb::get);
    message.target(request.target);
    message.set(http::field::host, request.host);
    // UPnP Device Architecture 1.1, section 2.1: OS/version UPnP/1.1 product/version. Some routers
    // look for it.
    message.set(http::field::user_agent, "Linux UPnP/1.1 p2pdiag/1");
    message.set(http::field::connection, "close");
    for (const auto& [name, value] : request.headers) message.set(name, value);
    message.body() = request.body;
    if (request.post) message.prepare_payload();
    return message;
}

asio::awaitable<bool> connect(std::shared_ptr<Exchange> exchange) {
    const HttpRequest& request = exchange->request;
    const tcp::endpoint server = to_tcp(request.server, request.interface);
    ErrorCode error;
    exchange->socket.open(server.protocol(), error);
    const bool bound = request.local && request.local->family() == request.server.address.family();
    if (!error && bound) {
        exchange->socket.bind(to_tcp({*request.local, 0}, request.interface), error);
    }
    if (!error) {
        tell_flow({Transport::tcp, std::nullopt, request.server});
        co_await exchange->socket.async_connect(server,
                                                asio::redirect_error(asio::use_awaitable, error));
    }
    throw_if_cancelled(error);
    if (error) exchange->problem = problem_of_connect(error);
    co_return !error;
}

bool ends_with(std::string_view text, std::string_view mark) {
    text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
    return !mark.empty() && text.ends_with(mark);
}

// Whether all has come that will come.
bool is_whole(const Exchange& exchange) {
    if (exchange.parser.is_done()) return true;
    return exchange.parser.is_header_done() && exchange.parser.need_eof() &&
           ends_with(exchange.parser.get().body(), exchange.request.end_mark);
}

asio::awaitable<void> run(std::shared_ptr<Exchange> exchange) {
    exchange->connected = co_await connect(exchange);
    if (!exchange->connected) co_return;
    exchange->problem.text = "connected, but no answer in time";
    // Kept in a variable: it has to outlive the writing.
    const auto message = to_beast(exchange->request);
    ErrorCode error;
    co_await http::async_write(exchange->socket, message,
                               asio::redirect_error(asio::use_awaitable, error));
    throw_if_cancelled(error);
    // A server may answer, and close, before it has read all: what it said is there to be read.
    error = {};
    Parser& parser = exchange->parser;
    while (!error && !is_whole(*exchange)) {
        co_await http::async_read_some(exchange->socket, exchange->buffer, parser,
                                       asio::redirect_error(asio::use_awaitable, error));
        if (parser.is_header_done()) exchange->problem.text = "no whole answer in time";
    }
    throw_if_cancelled(error);
    // A length that is more than what follows is common; the reader of the body will see whether
    // something is missing.
    const bool cut = error == http::error::partial_message && parser.is_header_done();
    exchange->answered = !error || cut;
    if (!exchange->answered) exchange->problem = problem_of_reading(error, parser.got_some());
    // RFC 9110 section 15: "The status code of a response is a three-digit integer code" from 100
    // on.
    if (exchange->answered && parser.get().result_int() < 100) {
        exchange->answered = false;
        exchange->problem = {Kind::malformed, "not HTTP: a status below 100"};
    }
}

HttpResponse to_response(Exchange& exchange) {
    auto message = exchange.parser.release();
    HttpResponse response;
    response.status = message.result_int();
    response.reason = printable(message.reason());
    response.server = printable(message[http::field::server]);
    response.date = printable(message[http::field::date]);
    response.age = printable(message[http::field::age]);
    response.location = printable(message[http::field::location], 512);
    response.body = std::move(message.body());
    return response;
}

}  // namespace

asio::awaitable<boost::system::result<HttpResponse, HttpProblem>> http_fetch(HttpRequest request,
                                                                             HttpLimits limits) {
    if (!is_sound(request)) {
        co_return HttpProblem{Kind::bad_request, "no HTTP request can be made of it"};
    }
    const auto executor = co_await asio::this_coro::executor;
    const auto exchange = std::make_shared<Exchange>(std::move(request), limits, executor);
    const TimePoint deadline = Clock::now() + limits.whole;
    auto work = run(exchange);
    co_await in_time(deadline, std::move(work));
    if (!exchange->answered) {
        exchange->problem.mute = exchange->connected && !exchange->parser.got_some();
        co_return exchange->problem;
    }
    co_return to_response(*exchange);
}

}  // namespace p2pdiag::net
