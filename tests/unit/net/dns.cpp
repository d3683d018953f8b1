// Lookups against a name server in a namespace of its own: each way to fail is told apart.
#include <catch2/catch.hpp>

#include "fake/dns_server.hpp"
#include "fake/sandbox.hpp"
#include "net/resolve.hpp"
#include "net/task_group.hpp"
#include "run_task.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

std::string text_of(const Result<std::vector<IpAddress>>& result) {
    if (result) return result->front().to_string();
    return std::string(net::to_string(static_cast<net::ResolveError>(result.error().value())));
}

std::string look_up(const std::string& host, Family family, Milliseconds patience) {
    boost::asio::io_context context;
    return text_of(run_on(context, net::resolve(host, family, Clock::now() + patience)));
}

constexpr Milliseconds long_enough{120'000};

// Runs in a sandbox whose name server is at 127.0.0.1, or nowhere.
std::optional<std::string> with_dns(const std::function<std::string()>& work, bool server = true) {
    SandboxOptions options;
    options.resolv_conf = "nameserver 127.0.0.1\noptions timeout:3 attempts:1\n";
    const auto result = in_sandbox(options, [&] {
        if (!server) return work();
        const FakeDnsServer dns;
        return work();
    });
    if (!result) WARN("no namespaces here: not tested");
    return result;
}

void check(std::string_view host, Family family, std::string_view expected) {
    INFO(host);
    const auto result = with_dns([&] { return look_up(std::string(host), family, long_enough); });
    if (result) CHECK(*result == expected);
}

}  // namespace

TEST_CASE("what a name server says is told apart") {
    check("both.test", Family::ipv4, "192.0.2.1");
    check("both.test", Family::ipv6, "2001:db8::1");
    check("v4only.test", Family::ipv4, "192.0.2.1");
    check("v4only.test", Family::ipv6, "no-address");
    check("nx.test", Family::ipv4, "not-found");
    check("nx.test", Family::ipv6, "not-found");
    check("broken.test", Family::ipv4, "temporary-failure");
    check("silent.test", Family::ipv4, "temporary-failure");
}

TEST_CASE("a name server that is not there, and one that takes too long") {
    const auto refused =
        with_dns([] { return look_up("both.test", Family::ipv4, long_enough); }, false);
    if (refused) CHECK(*refused == "temporary-failure");
    const auto late =
        with_dns([] { return look_up("silent.test", Family::ipv4, Milliseconds(50)); });
    if (late) CHECK(*late == "timed-out");
}

TEST_CASE("a slow answer for IPv6 does not hold up the one for IPv4") {
    const auto result = with_dns([] {
        boost::asio::io_context context;
        std::string order;
        const auto one = [](Family family, std::string* out) -> boost::asio::awaitable<void> {
            auto found = co_await net::resolve("slow6.test", family, Clock::now() + long_enough);
            *out += text_of(found) + ' ';
        };
        const auto both = [&]() -> boost::asio::awaitable<int> {
            const auto executor = co_await boost::asio::this_coro::executor;
            net::TaskGroup group(executor);
            group.spawn(one(Family::ipv6, &order));
            group.spawn(one(Family::ipv4, &order));
            co_await group.wait();
            co_return 0;
        };
        run_on(context, both());
        return order;
    });
    if (result) CHECK(*result == "192.0.2.1 temporary-failure ");
}
