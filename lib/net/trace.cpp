#include "net/trace.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <memory>

#include "net/stun.hpp"
#include "net/task_group.hpp"
#include "net/udp_socket.hpp"
#include "wire/icmp/message.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;

namespace {

struct Traced {
    Endpoint server;
    TracePlan plan;
    std::function<bool(const Hop&)> enough;
    std::vector<Hop> hops;
    bool stop = false;

    // Beyond the server there is nothing to wait for.
    bool settled() const {
        if (stop) return true;
        for (const Hop& hop : hops) {
            if (hop.destination) return true;
            if (!hop.router) return false;
        }
        return true;
    }

    void answered(std::size_t index, const IpAddress& by, TimePoint sent, bool destination) {
        Hop& hop = hops[index];
        if (hop.router) return;
        hop.router = by;
        hop.destination = destination;
        hop.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent);
        if (enough && enough(hop)) stop = true;
    }
};

asio::awaitable<void> probe(std::shared_ptr<Traced> traced, std::size_t index) {
    auto opened =
        UdpSocket::open(co_await asio::this_coro::executor, traced->server.address.family());
    if (!opened) co_return;
    UdpSocket& socket = *opened;
    const int ttl = traced->hops[index].ttl;
    const TimePoint start = Clock::now();
    TimePoint sent = start;
    const auto on_datagram = [&](const Endpoint& from, ByteView) {
        if (from == traced->server) traced->answered(index, from.address, sent, true);
    };
    const auto on_error = [&](const SendError& error) {
        if (!error.reporter || error.destination.address != traced->server.address) return;
        const auto meaning = icmp::meaning(socket.family(), error.icmp_type, error.icmp_code);
        const bool server = *error.reporter == traced->server.address;
        if (meaning == icmp::Meaning::time_exceeded || server) {
            traced->answered(index, *error.reporter, sent, server);
        }
    };
    for (unsigned round = 1; round <= traced->plan.rounds; ++round) {
        stun::Message request;
        request.transaction = random_transaction_id();
        const Bytes datagram = stun::encode(request);
        sent = Clock::now();
        socket.send(datagram, traced->server, ttl);
        const bool last = round == traced->plan.rounds;
        const TimePoint until =
            start + (last ? traced->plan.patience : round * traced->plan.interval);
        while (!traced->hops[index].router) {
            const bool arrived = co_await socket.wait(until);
            if (!arrived) break;
            socket.receive(on_datagram, on_error);
        }
        if (traced->hops[index].router) co_return;
    }
}

}  // namespace

asio::awaitable<std::vector<Hop>> trace(Endpoint server, TracePlan plan,
                                        std::function<bool(const Hop&)> enough) {
    TaskGroup tasks(co_await asio::this_coro::executor);
    const auto traced = std::make_shared<Traced>();
    traced->server = server;
    traced->plan = plan;
    traced->enough = std::move(enough);
    for (int ttl = plan.nearest; ttl <= plan.furthest; ++ttl) {
        Hop hop;
        hop.ttl = ttl;
        traced->hops.push_back(hop);
    }
    for (std::size_t i = 0; i < traced->hops.size(); ++i) tasks.spawn(probe(traced, i));
    const TimePoint until = Clock::now() + plan.patience + plan.interval;
    while (tasks.running() > 0 && !traced->settled()) co_await tasks.wait_for_change(until);
    std::vector<Hop> hops = traced->hops;
    const auto end =
        std::find_if(hops.begin(), hops.end(), [](const Hop& hop) { return hop.destination; });
    if (end != hops.end()) hops.erase(end + 1, hops.end());
    co_return hops;
}

}  // namespace p2pdiag::net
