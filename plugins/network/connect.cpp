// network.connect: docs/checks/network.connect.md. Here is what is sent, and how long it waits.
#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <p2pdiag/run_until.hpp>

#include "base/text.hpp"
#include "checks.hpp"
#include "input.hpp"
#include "net/echo.hpp"
#include "net/icmp_watch.hpp"
#include "net/resolve.hpp"
#include "net/routes.hpp"
#include "net/task_group.hpp"
#include "net/udp_socket.hpp"
#include "peer.hpp"

namespace p2pdiag::network_plugin {

namespace asio = boost::asio;
namespace errc = boost::system::errc;
using namespace std::chrono_literals;

namespace {

constexpr Milliseconds lookup_patience = 2500ms;
// Three SYNs: Linux sends them at 0, 1 and 3 s.
constexpr Milliseconds connect_patience = 3500ms;
constexpr Milliseconds answer_patience = 1000ms;
constexpr unsigned datagrams = 3;
constexpr Milliseconds datagram_interval = 400ms;
constexpr Milliseconds datagram_tail = 1200ms;
constexpr std::size_t addresses_each_family = 2;
constexpr std::size_t longest_answer = 256;

struct Session {
    PeerReport report;
    std::string line;
};
using SessionPtr = std::shared_ptr<Session>;
using AddressPtr = std::shared_ptr<PeerAddress>;

// What stun.nat saw of this machine from outside.
void read_nat(const json::object& input, std::string_view family, OwnAddresses& own) {
    const json::object* needs = json::find_object(input, "needs");
    const json::object* nat = needs == nullptr ? nullptr : json::find_object(*needs, "stun.nat");
    const json::object* data = nat == nullptr ? nullptr : json::find_object(*nat, "data");
    const json::object* part = data == nullptr ? nullptr : json::find_object(*data, family);
    if (part == nullptr) return;
    const auto text = json::find_string(*part, "public");
    const auto seen = text ? Endpoint::parse(*text) : std::nullopt;
    if (seen) own.seen_outside.push_back(seen->address);
    if (const auto hairpin = json::find_bool(*part, "hairpinning")) own.hairpin = *hairpin;
}

asio::awaitable<void> ping_peer(AddressPtr address) {
    net::PingPlan plan;
    plan.count = 4;
    plan.interval = 200ms;
    plan.tail = 1000ms;
    auto result = co_await net::ping(address->peer.address, 0, plan);
    address->pings = {result.sent, std::move(result.round_trips)};
    if (result.error) {
        address->ping_why_not = net::EchoSocket::not_permitted(*result.error)
                                    ? "not-permitted"
                                    : printable(result.error->message());
    }
}

asio::awaitable<void> watch_icmp(SessionPtr session, AddressPtr address, TimePoint until) {
    const Family family = address->peer.address.family();
    auto watch = net::IcmpWatch::open(co_await asio::this_coro::executor, family);
    if (!watch) co_return;
    session->report.sees_icmp = true;
    constexpr std::uint8_t tcp = 6;
    const auto on_error = [&](const IpAddress& from, const icmp::Error& error) {
        if (error.protocol != tcp || error.destination != address->peer) return;
        if (address->tcp_said) return;
        address->tcp_said = Said{from, icmp::meaning(family, error.type, error.code)};
    };
    for (;;) {
        const bool arrived = co_await watch->wait(until);
        if (!arrived) break;
        watch->receive(on_error);
    }
}

asio::awaitable<void> connect_tcp(SessionPtr session, AddressPtr address) {
    net::TaskGroup watching(co_await asio::this_coro::executor);
    const TimePoint until = Clock::now() + connect_patience;
    watching.spawn(watch_icmp(session, address, until + 1s));
    net::TcpTrial trial;
    trial.server = address->peer;
    trial.connect_until = until;
    trial.line = session->line;
    trial.answer_patience = answer_patience;
    auto result = co_await net::try_tcp(std::move(trial));
    address->tcp = std::move(result);
    // The error came in before the socket learnt of it; its reader may not have had its turn.
    if (address->tcp->outcome != net::TcpOutcome::connected) {
        co_await watching.wait_for_change(Clock::now() + 50ms);
    }
}

UdpOutcome outcome_of(const Said& said) {
    switch (said.meaning) {
        case icmp::Meaning::port_unreachable: return UdpOutcome::refused;
        case icmp::Meaning::prohibited: return UdpOutcome::prohibited;
        default: return UdpOutcome::unreachable;
    }
}

UdpOutcome outcome_of(const ErrorCode& error) {
    if (net::EchoSocket::not_permitted(error)) return UdpOutcome::not_permitted;
    if (error == errc::network_unreachable || error == errc::host_unreachable ||
        error == errc::address_not_available || error == errc::invalid_argument) {
        return UdpOutcome::no_route;
    }
    return UdpOutcome::local_error;
}

class UdpTrial {
public:
    UdpTrial(net::UdpSocket socket, AddressPtr address)
        : socket_(std::move(socket)), address_(std::move(address)) {}

    bool done() const { return done_; }

    void send(const std::string& line) {
        const ErrorCode error = socket_.send(as_bytes(line), address_->peer);
        if (error && error != errc::operation_would_block) end(outcome_of(error));
    }

    asio::awaitable<void> wait_until(TimePoint until) {
        while (!done_) {
            const bool arrived = co_await socket_.wait(until);
            if (!arrived) break;
            receive();
        }
    }

private:
    void end(UdpOutcome outcome) {
        done_ = true;
        address_->udp = outcome;
    }

    void receive() {
        const auto on_datagram = [this](const Endpoint& from, ByteView bytes) {
            if (done_ || from != address_->peer) return;
            const std::string_view text = as_text(bytes);
            address_->udp_answer =
                printable(text.substr(0, text.find_first_of("\r\n")), longest_answer);
            end(UdpOutcome::answered);
        };
        const auto on_error = [this](const net::SendError& error) {
            const auto said = error.said();
            if (done_ || error.destination != address_->peer || !said) return;
            address_->udp_said = said;
            end(outcome_of(*said));
        };
        socket_.receive(on_datagram, on_error);
    }

    net::UdpSocket socket_;
    AddressPtr address_;
    bool done_ = false;
};

asio::awaitable<void> send_udp(SessionPtr session, AddressPtr address) {
    auto socket =
        net::UdpSocket::open(co_await asio::this_coro::executor, address->peer.address.family());
    if (!socket) {
        address->udp = UdpOutcome::local_error;
        co_return;
    }
    UdpTrial trial(std::move(*socket), address);
    const TimePoint start = Clock::now();
    for (unsigned i = 1; i <= datagrams && !trial.done(); ++i) {
        trial.send(session->line);
        const bool last = i == datagrams;
        co_await trial.wait_until(start + (i - 1) * datagram_interval +
                                  (last ? datagram_tail : datagram_interval));
    }
    if (!trial.done()) address->udp = UdpOutcome::silent;
}

asio::awaitable<void> find_addresses(SessionPtr session) {
    PeerReport& report = session->report;
    const TimePoint until = Clock::now() + lookup_patience;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto found = co_await net::resolve(report.parsed->host, family, until);
        if (!found) {
            // Of the two errors, that of the family which everybody has.
            if (report.lookup_error.empty()) report.lookup_error = found.error().message();
            continue;
        }
        for (std::size_t i = 0; i < found->size() && i < addresses_each_family; ++i) {
            PeerAddress address;
            address.peer = {(*found)[i].unmapped(), *report.parsed->port};
            address.advice = advise(address.peer.address, report.own);
            report.addresses.push_back(address);
        }
    }
    if (!report.addresses.empty()) report.lookup_error.clear();
}

asio::awaitable<void> measure_peer(SessionPtr session) {
    co_await find_addresses(session);
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    for (PeerAddress& each : session->report.addresses) {
        if (each.advice == Advice::no_host) continue;
        const AddressPtr address(session, &each);
        tasks.spawn(ping_peer(address));
        tasks.spawn(connect_tcp(session, address));
        tasks.spawn(send_udp(session, address));
    }
    co_await tasks.wait();
}

}  // namespace

p2pdiag_status check_connect(Run& run) {
    const json::object input = read_input(run);
    const json::object* target = json::find_object(input, "target");
    const auto peer = target == nullptr ? std::nullopt : json::find_string(*target, "peer");
    if (!peer) {
        run.summary("No peer is named: --peer HOST:PORT, or peer in [target] of a profile");
        return P2PDIAG_SKIP;
    }
    const auto session = std::make_shared<Session>();
    session->report.text = printable(*peer);
    session->line = option_text(input, "line") + "\n";
    const auto parsed = parse_host_port(*peer);
    if (parsed && parsed->port) session->report.parsed = *parsed;
    auto interfaces = net::interfaces();
    if (interfaces) session->report.own.interfaces = std::move(*interfaces);
    read_nat(input, "ipv4", session->report.own);
    read_nat(input, "ipv6", session->report.own);
    if (session->report.parsed)
        run_until(run.cancel_fd(), run.time_to_stop(), measure_peer(session));
    return hand_over(run, judge(session->report));
}

}  // namespace p2pdiag::network_plugin
