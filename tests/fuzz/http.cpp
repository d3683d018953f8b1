// The HTTP client against a server on loopback that answers with the input, and closes.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "http_server.hpp"
#include "net/http.hpp"

using namespace p2pdiag;
using fuzz::require;

namespace {

constexpr net::HttpLimits limits{std::chrono::seconds(5), 64 * 1024, 4096};

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
    static fuzz::HttpServer server;
    boost::asio::io_context context;
    net::HttpRequest request;
    request.server = {server.next_address(), server.port()};
    request.host = "router";
    request.end_mark = "</root>";
    std::thread answering(
        [&] { server.answer([&](const std::string&) { return ByteView(data, size); }); });
    boost::asio::co_spawn(context, fetch(std::move(request)), [](std::exception_ptr problem) {
        if (problem) std::rethrow_exception(problem);
    });
    context.run();
    answering.join();
    return 0;
}
