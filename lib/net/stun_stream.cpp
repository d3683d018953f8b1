#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include "net/deadline.hpp"
#include "net/endpoint.hpp"
#include "net/error.hpp"
#include "net/error_queue.hpp"
#include "net/flow.hpp"
#include "net/routes.hpp"
#include "net/stun.hpp"
#include "net/tls_context_impl.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;

namespace {

// RFC 8489 section 6.2.2 lets responses come in any order; a server that says more than this before
// it answers is not one.
constexpr int max_messages = 4;

void fail(BindingResult& result, Outcome outcome, std::string detail) {
    result.outcome = outcome;
    result.detail = std::move(detail);
}

Outcome outcome_of_connect(const ErrorCode& error) {
    namespace errc = boost::system::errc;
    if (error == errc::connection_refused || error == errc::connection_reset) {
        return Outcome::refused;
    }
    if (error == errc::host_unreachable) return Outcome::unreachable;
    if (is_no_route(error)) return Outcome::no_route;
    if (error == errc::operation_not_permitted) return Outcome::not_permitted;
    if (error == errc::timed_out) return Outcome::no_answer;
    return Outcome::local_error;
}

// Whether this is the response; fills the result when it is, or when it is nonsense.
bool take_message(BindingResult& result, ByteView bytes, const stun::TransactionId& asked) {
    auto message = stun::parse(bytes);
    if (!message) {
        fail(result, Outcome::malformed, message.error().message());
        return true;
    }
    if (message->transaction != asked) {
        fail(result, Outcome::wrong_transaction, {});
        return false;
    }
    switch (stun::as_binding_response(*message)) {
        case stun::BindingResponse::success: fail(result, Outcome::ok, {}); break;
        case stun::BindingResponse::error:
            fail(result, Outcome::error_response, std::to_string(message->error->code));
            break;
        case stun::BindingResponse::invalid:
            fail(result, Outcome::malformed, "not a valid response with an address");
            return true;
    }
    result.response = std::move(*message);
    return true;
}

// One request and its response on a connected stream, which the caller keeps alive.
template <class Stream>
asio::awaitable<void> exchange(Stream* stream, std::shared_ptr<BindingResult> result) {
    stun::Message request;
    request.transaction = random_transaction_id();
    const Bytes wire = stun::encode(request);
    const TimePoint sent = Clock::now();
    ErrorCode error;
    co_await asio::async_write(*stream, asio::buffer(wire),
                               asio::redirect_error(asio::use_awaitable, error));
    ++result->sent;

    Bytes message(stun::header_size);
    for (int count = 0; !error && count < max_messages; ++count) {
        message.resize(stun::header_size);
        co_await asio::async_read(*stream, asio::buffer(message),
                                  asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        const auto size = stun::size_on_stream(message);
        if (!size) {
            fail(*result, Outcome::malformed, "the answer is not STUN");
            co_return;
        }
        message.resize(*size);
        const auto body = asio::buffer(message) + stun::header_size;
        co_await asio::async_read(*stream, body, asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        if (take_message(*result, message, request.transaction)) {
            result->rtt = std::chrono::duration_cast<Microseconds>(Clock::now() - sent);
            co_return;
        }
    }
    throw_if_cancelled(error);
    if (error) fail(*result, Outcome::closed, error.message());
}

// Who ended the attempt by ICMP, where it was so and the kernel tells (Linux since 5.9).
void blame_icmp(BindingResult& result, int socket) {
    std::optional<SendError> problem;
    while (take_error(socket, problem)) {
        const auto said = problem ? problem->said() : std::nullopt;
        const auto outcome = said ? outcome_of(*said, result.server) : std::nullopt;
        if (!outcome) continue;
        result.outcome = *outcome;
        result.said = said;
    }
}

asio::awaitable<bool> connect_stream(tcp::socket* socket, std::shared_ptr<BindingResult> result) {
    ErrorCode error;
    result->detail = "no connection in time";
    const tcp::endpoint server = to_tcp(result->server);
    const Family family = result->server.address.family();
    socket->open(server.protocol(), error);
    if (!error) {
        // Only while it connects: later it would make every passing trouble an error.
        keep_errors(socket->native_handle(), family, true);
        tell_flow({Transport::tcp, std::nullopt, result->server});
        co_await socket->async_connect(server, asio::redirect_error(asio::use_awaitable, error));
    }
    throw_if_cancelled(error);
    if (error) {
        fail(*result, outcome_of_connect(error), error.message());
        if (socket->is_open()) blame_icmp(*result, socket->native_handle());
        co_return false;
    }
    keep_errors(socket->native_handle(), family, false);
    result->detail = "connected, but no answer in time";
    ErrorCode ignored;
    result->local = from_asio(socket->local_endpoint(ignored));
    socket->set_option(tcp::no_delay(true), ignored);
    co_return true;
}

asio::awaitable<void> over_tcp(std::shared_ptr<BindingResult> result) {
    tcp::socket socket(co_await asio::this_coro::executor);
    if (!co_await connect_stream(&socket, result)) co_return;
    co_await exchange(&socket, result);
}

void expect_name(SSL* session, const std::string& host) {
    if (IpAddress::parse(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str());
    } else {
        SSL_set1_host(session, host.c_str());
        SSL_set_tlsext_host_name(session, host.c_str());
    }
}

Certificate judge_certificate(SSL* session) {
    const long verdict = SSL_get_verify_result(session);
    if (verdict == X509_V_OK) return {true, {}};
    return {false, X509_verify_cert_error_string(verdict)};
}

asio::awaitable<void> over_tls(std::shared_ptr<BindingResult> result, std::string host,
                               std::shared_ptr<TlsContext> context) {
    const auto executor = co_await asio::this_coro::executor;
    ssl::stream<tcp::socket> stream(executor, context->ssl);
    if (!co_await connect_stream(&stream.next_layer(), result)) co_return;
    // Not verify_peer: the handshake shall succeed, and the verdict be known, whatever it is.
    ErrorCode error;
    stream.set_verify_mode(ssl::verify_none, error);
    expect_name(stream.native_handle(), host);
    result->detail = "connected, but no TLS handshake in time";
    co_await stream.async_handshake(ssl::stream_base::client,
                                    asio::redirect_error(asio::use_awaitable, error));
    throw_if_cancelled(error);
    if (error) {
        fail(*result, Outcome::tls_failed, error.message());
        co_return;
    }
    result->certificate = judge_certificate(stream.native_handle());
    result->detail = "TLS session, but no answer in time";
    co_await exchange(&stream, result);
}

// Runs `work`, which fills `result` as it goes, up to the deadline.
asio::awaitable<BindingResult> until(TimePoint deadline, asio::awaitable<void> work,
                                     std::shared_ptr<BindingResult> result) {
    const bool ended = co_await in_time(deadline, std::move(work));
    if (!ended) result->outcome = Outcome::no_answer;
    co_return *result;
}

}  // namespace

asio::awaitable<BindingResult> tcp_binding(Endpoint server, TimePoint deadline) {
    const auto result = std::make_shared<BindingResult>();
    result->server = server;
    auto work = over_tcp(result);
    co_return co_await until(deadline, std::move(work), result);
}

asio::awaitable<BindingResult> tls_binding(Endpoint server, std::string host,
                                           std::shared_ptr<TlsContext> context,
                                           TimePoint deadline) {
    const auto result = std::make_shared<BindingResult>();
    result->server = server;
    auto work = over_tls(result, host, context);
    co_return co_await until(deadline, std::move(work), result);
}

}  // namespace p2pdiag::net
