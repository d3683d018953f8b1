// The STUN client against servers that work, fail, and lie; each fault must be told apart.
#include "net/stun.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <map>
#include <p2pdiag/run_until.hpp>

#include "fake/coturn.hpp"
#include "fake/stun_server.hpp"
#include "net/task_group.hpp"
#include "net/udp_socket.hpp"
#include "run_task.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using net::BindingResult;
using net::Outcome;

namespace {

const TimePoint late = Clock::now() + std::chrono::hours(1);

// For what ends with the first response: a busy machine may take its time.
net::UdpSchedule patient() {
    net::UdpSchedule schedule;
    schedule.tail = Milliseconds(60'000);
    schedule.longest_tail = schedule.tail;
    return schedule;
}

// Over UDP, from a fresh socket.
BindingResult ask(const Endpoint& server, net::UdpSchedule schedule = patient()) {
    boost::asio::io_context context;
    auto socket = net::UdpSocket::open(context.get_executor(), server.address.family());
    const auto shared = std::make_shared<net::UdpSocket>(std::move(*socket));
    const auto seen = std::make_shared<net::RoundTrips>();
    auto task = net::udp_binding(shared, server, seen, schedule);
    return run_on(context, std::move(task));
}

BindingResult ask(StunFault fault) {
    FakeStunOptions options;
    options.fault = fault;
    const FakeStunServer server(options);
    net::UdpSchedule schedule;
    schedule.sends = 2;
    schedule.interval = Milliseconds(10);
    schedule.tail = Milliseconds(3000);
    return ask(server.primary(), schedule);
}

// Each of them waits for the end of its schedule, so side by side.
std::map<StunFault, BindingResult> ask_all(std::initializer_list<StunFault> faults) {
    std::map<StunFault, std::future<BindingResult>> asked;
    for (const StunFault fault : faults) {
        asked[fault] = std::async(std::launch::async, [fault] { return ask(fault); });
    }
    std::map<StunFault, BindingResult> results;
    for (auto& [fault, result] : asked) results[fault] = result.get();
    return results;
}

BindingResult ask_tcp(const Endpoint& server, TimePoint deadline = late) {
    boost::asio::io_context context;
    return run_on(context, net::tcp_binding(server, deadline));
}

}  // namespace

TEST_CASE("UDP: a server that works") {
    const FakeStunServer server;
    net::UdpSchedule schedule = patient();
    schedule.interval = schedule.tail;
    const BindingResult result = ask(server.primary(), schedule);
    CHECK(result.outcome == Outcome::ok);
    CHECK(result.sent == 1);
    REQUIRE(result.mapped());
    CHECK(result.mapped()->port == result.local->port);
    CHECK(result.mapped()->address.to_string() == "127.0.0.1");
    REQUIRE(result.rtt);
    CHECK(result.rtt->count() >= 0);
}

TEST_CASE("UDP over IPv6") {
    if (!has_ipv6_loopback()) {
        WARN("no IPv6 on loopback here: not tested");
        return;
    }
    FakeStunOptions options;
    options.family = Family::ipv6;
    const FakeStunServer server(options);
    const BindingResult result = ask(server.primary());
    CHECK(result.outcome == Outcome::ok);
    CHECK(result.mapped()->address.to_string() == "::1");
    CHECK(ask_tcp(server.primary()).outcome == Outcome::ok);
}

TEST_CASE("UDP: each fault is told apart") {
    auto results = ask_all({StunFault::none, StunFault::silent, StunFault::wrong_transaction,
                            StunFault::wrong_source, StunFault::malformed, StunFault::garbage,
                            StunFault::huge, StunFault::no_mapped_address, StunFault::error_420,
                            StunFault::duplicate, StunFault::flood});
    CHECK(results[StunFault::none].outcome == Outcome::ok);
    const BindingResult silent = results[StunFault::silent];
    CHECK(silent.outcome == Outcome::no_answer);
    CHECK(silent.sent == 2);
    const BindingResult other = results[StunFault::wrong_transaction];
    CHECK(other.outcome == Outcome::wrong_transaction);
    CHECK(other.wrong_transaction == 2);
    const BindingResult elsewhere = results[StunFault::wrong_source];
    CHECK(elsewhere.outcome == Outcome::wrong_source);
    REQUIRE(elsewhere.answered_from);
    CHECK(elsewhere.answered_from->port != elsewhere.server.port);
    CHECK_FALSE(elsewhere.mapped());
    CHECK(results[StunFault::malformed].outcome == Outcome::malformed);
    CHECK(results[StunFault::garbage].outcome == Outcome::malformed);
    CHECK(results[StunFault::huge].outcome == Outcome::malformed);
    CHECK(results[StunFault::no_mapped_address].outcome == Outcome::malformed);
    const BindingResult refusal = results[StunFault::error_420];
    CHECK(refusal.outcome == Outcome::error_response);
    CHECK(refusal.detail == "420");
    CHECK(results[StunFault::duplicate].outcome == Outcome::ok);
    const BindingResult flood = results[StunFault::flood];
    CHECK(flood.outcome == Outcome::ok);
    CHECK(flood.malformed >= 1);
}

TEST_CASE("UDP: a rewritten address is not believed") {
    const BindingResult result = ask(StunFault::rewritten);
    CHECK(result.outcome == Outcome::ok);
    CHECK(result.mapped() == result.response->xor_mapped_address);
    CHECK(result.response->mapped_address != result.response->xor_mapped_address);
}

TEST_CASE("UDP: a closed port is refused, known after two sends") {
    net::UdpSchedule schedule = patient();
    schedule.interval = Milliseconds(1000);
    const BindingResult result = ask(closed_port(), schedule);
    CHECK(result.outcome == Outcome::refused);
    CHECK(result.refused == 2);
    CHECK(result.sent == 2);
}

TEST_CASE("an ICMP error means what its sender and its kind say") {
    using icmp::Meaning;
    const Endpoint server = *Endpoint::parse("127.0.0.2:3478");
    const auto outcome = [&](const char* by, Meaning meaning) {
        return net::outcome_of({*IpAddress::parse(by), meaning}, server);
    };
    CHECK(outcome("127.0.0.2", Meaning::port_unreachable) == Outcome::refused);
    CHECK(outcome("127.0.0.2", Meaning::prohibited) == Outcome::refused);
    // What goes to 127.0.0.2 is sent from 127.0.0.1.
    CHECK(outcome("127.0.0.1", Meaning::port_unreachable) == Outcome::not_permitted);
    CHECK(outcome("127.0.0.1", Meaning::prohibited) == Outcome::not_permitted);
    // No neighbour answers: the kernel says so in its own name.
    CHECK(outcome("127.0.0.1", Meaning::host_unreachable) == Outcome::unreachable);
    CHECK(outcome("192.0.2.1", Meaning::port_unreachable) == Outcome::unreachable);
    CHECK(outcome("192.0.2.1", Meaning::prohibited) == Outcome::unreachable);
    CHECK(outcome("192.0.2.1", Meaning::too_big) == std::nullopt);
    CHECK(ask(closed_port()).said->meaning == Meaning::port_unreachable);
}

TEST_CASE("UDP: an answer to a retransmission counts, with the round trip of that one") {
    FakeStunOptions options;
    options.lose_first = 2;
    const FakeStunServer server(options);
    const BindingResult result = ask(server.primary());
    CHECK(result.outcome == Outcome::ok);
    CHECK(result.sent >= 3);
}

TEST_CASE("UDP: the tail grows with the round trips that others have seen") {
    FakeStunOptions options;
    options.delay = Milliseconds(1500);
    const FakeStunServer server(options);
    net::UdpSchedule schedule;
    schedule.sends = 1;
    schedule.tail = Milliseconds(20);
    schedule.longest_tail = Milliseconds(60'000);
    CHECK(ask(server.primary(), schedule).outcome == Outcome::no_answer);

    boost::asio::io_context context;
    const auto socket = std::make_shared<net::UdpSocket>(
        net::UdpSocket::open(context.get_executor(), Family::ipv4).value());
    const auto seen = std::make_shared<net::RoundTrips>();
    seen->add(std::chrono::seconds(10));
    auto task = net::udp_binding(socket, server.primary(), seen, schedule);
    CHECK(run_on(context, std::move(task)).outcome == Outcome::ok);
}

TEST_CASE("UDP: 100 000 unsolicited datagrams change nothing") {
    FakeStunOptions options;
    options.delay = Milliseconds(150);
    const FakeStunServer server(options);
    boost::asio::io_context context;
    const auto socket = std::make_shared<net::UdpSocket>(
        net::UdpSocket::open(context.get_executor(), Family::ipv4).value());
    const Endpoint target{IpAddress::v4(0x7f000001), socket->local().port};
    std::thread stranger([target] {
        boost::asio::io_context own;
        auto from = net::UdpSocket::open(own.get_executor(), Family::ipv4).value();
        // As near to an answer as a stranger gets: a response with a transaction he made up.
        stun::Message lie;
        lie.message_class = stun::Class::success;
        lie.xor_mapped_address = *Endpoint::parse("203.0.113.66:6");
        const Bytes bytes = stun::encode(lie);
        for (int i = 0; i < 100'000; ++i) from.send(bytes, target);
    });
    // While the flood lasts the socket's buffer may be full whenever an answer comes.
    net::UdpSchedule schedule = patient();
    schedule.sends = 600;
    auto task = net::udp_binding(socket, server.primary(), nullptr, schedule);
    const BindingResult result = run_on(context, std::move(task));
    stranger.join();
    CHECK(result.outcome == Outcome::ok);
    CHECK(result.mapped()->port == socket->local().port);
    CHECK(result.wrong_source == 0);
}

TEST_CASE("TCP: what a server may do") {
    const auto outcome = [](StunFault fault, Milliseconds patience = std::chrono::minutes(1)) {
        FakeStunOptions options;
        options.fault = fault;
        const FakeStunServer server(options);
        return ask_tcp(server.primary(), Clock::now() + patience);
    };
    const BindingResult fine = outcome(StunFault::none);
    CHECK(fine.outcome == Outcome::ok);
    CHECK(fine.mapped()->port == fine.local->port);
    CHECK(outcome(StunFault::garbage).outcome == Outcome::malformed);
    CHECK(outcome(StunFault::malformed).outcome == Outcome::malformed);
    CHECK(outcome(StunFault::huge).outcome == Outcome::malformed);
    CHECK(outcome(StunFault::error_420).outcome == Outcome::error_response);
    const BindingResult silent = outcome(StunFault::silent, Milliseconds(1500));
    CHECK(silent.outcome == Outcome::no_answer);
    CHECK(silent.detail == "connected, but no answer in time");
    CHECK(ask_tcp(closed_port()).outcome == Outcome::refused);
}

TEST_CASE("TLS: a certificate that nobody vouches for is said so, and the server still reached") {
    CoturnOptions options;
    options.tls = true;
    const auto server = Coturn::start(options);
    REQUIRE(server);
    const auto ask_tls = [&](const std::string& host) {
        boost::asio::io_context context;
        auto task = net::tls_binding(server->tls_endpoint(), host, net::make_tls_context(), late);
        return run_on(context, std::move(task));
    };
    const BindingResult untrusted = ask_tls("localhost");
    CHECK(untrusted.outcome == Outcome::ok);
    REQUIRE(untrusted.certificate);
    CHECK_FALSE(untrusted.certificate->trusted);
    CHECK_FALSE(untrusted.certificate->problem.empty());

    ::setenv("SSL_CERT_FILE", server->certificate_path().c_str(), 1);
    const BindingResult trusted = ask_tls("localhost");
    const BindingResult other_name = ask_tls("stun.example.org");
    ::unsetenv("SSL_CERT_FILE");
    CHECK(trusted.outcome == Outcome::ok);
    CHECK(trusted.certificate->trusted);
    CHECK(other_name.outcome == Outcome::ok);
    CHECK_FALSE(other_name.certificate->trusted);
}

TEST_CASE("TLS: a server that speaks none, and one that never answers the handshake") {
    for (const StunFault fault : {StunFault::garbage, StunFault::silent}) {
        FakeStunOptions options;
        options.fault = fault;
        const FakeStunServer server(options);
        boost::asio::io_context context;
        const TimePoint deadline =
            fault == StunFault::silent ? Clock::now() + Milliseconds(100) : late;
        auto task =
            net::tls_binding(server.primary(), "localhost", net::make_tls_context(), deadline);
        const BindingResult result = run_on(context, std::move(task));
        const bool silent = fault == StunFault::silent;
        CHECK(result.outcome == (silent ? Outcome::no_answer : Outcome::tls_failed));
        CHECK_FALSE(result.certificate);
        CHECK_FALSE(result.detail.empty());
    }
}

TEST_CASE("a real server: coturn, with RESPONSE-PORT and CHANGE-REQUEST as we write them") {
    const auto server = Coturn::start();
    REQUIRE(server);
    const BindingResult udp = ask(server->endpoint());
    CHECK(udp.outcome == Outcome::ok);
    REQUIRE(udp.response->other_address);
    CHECK(udp.response->other_address->address.to_string() == "127.0.0.2");
    CHECK(ask_tcp(server->endpoint()).outcome == Outcome::ok);

    boost::asio::io_context context;
    auto asking = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    auto other = net::UdpSocket::open(context.get_executor(), Family::ipv4).value();
    stun::Message request;
    request.transaction = net::random_transaction_id();
    request.response_port = other.local().port;
    CHECK_FALSE(asking.send(stun::encode(request), server->endpoint()));
    bool answered = false;
    const net::UdpSocket::OnDatagram on_datagram = [&](const Endpoint& from, ByteView bytes) {
        CHECK(from == server->endpoint());
        answered = stun::parse(bytes)->transaction == request.transaction;
    };
    const net::UdpSocket::OnError on_error = [](const net::SendError&) {};
    CHECK(run_on(context, other.wait(Clock::now() + std::chrono::minutes(1))));
    other.receive(on_datagram, on_error);
    CHECK(answered);

    request.response_port.reset();
    request.change_request = stun::ChangeRequest{true, true};
    answered = false;
    Endpoint changed;
    const net::UdpSocket::OnDatagram note = [&](const Endpoint& from, ByteView) { changed = from; };
    CHECK_FALSE(asking.send(stun::encode(request), server->endpoint()));
    CHECK(run_on(context, asking.wait(Clock::now() + std::chrono::minutes(1))));
    asking.receive(note, on_error);
    CHECK(changed == udp.response->other_address);
}

TEST_CASE("a cancelled transaction ends at once") {
    FakeStunOptions options;
    options.fault = StunFault::silent;
    const FakeStunServer server(options);
    bool finished = false;
    const auto work = [](Endpoint target, bool* done) -> boost::asio::awaitable<void> {
        const auto executor = co_await boost::asio::this_coro::executor;
        net::TaskGroup group(executor);
        const auto one = [](Endpoint to) -> boost::asio::awaitable<void> {
            co_await net::tcp_binding(to, Clock::now() + std::chrono::hours(1));
        };
        group.spawn(one(target));
        group.spawn(one(target));
        CHECK(group.running() == 2);
        co_await group.wait_for_change(Clock::now() + Milliseconds(5));
        group.cancel();
        co_await group.wait();
        CHECK(group.running() == 0);
        *done = true;
    };
    CHECK(run_until(-1, TimePoint::max(), work(server.primary(), &finished)) == Ended::finished);
    CHECK(finished);
    // And from outside, while a group waits.
    const auto forever = [](Endpoint target) -> boost::asio::awaitable<void> {
        const auto executor = co_await boost::asio::this_coro::executor;
        net::TaskGroup group(executor);
        const auto one = [](Endpoint to) -> boost::asio::awaitable<void> {
            co_await net::tcp_binding(to, Clock::now() + std::chrono::hours(1));
        };
        group.spawn(one(target));
        co_await group.wait();
    };
    const TimePoint soon = Clock::now() + Milliseconds(20);
    CHECK(run_until(-1, soon, forever(server.primary())) == Ended::deadline);
}
