#include "net/portmap/ssdp.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <utility>

#include "net/portmap/ssdp_answers.hpp"
#include "net/routes.hpp"
#include "net/task_group.hpp"
#include "net/udp_socket.hpp"
#include "wire/ssdp/message.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

// The services are asked for as well: some routers announce only these.
constexpr std::array targets = {
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
};
// To gateways alone: what answers only to this is found, and no television or printer is woken.
constexpr const char* root_device = "upnp:rootdevice";

// Seconds within which a device answers: the least that the standard has, since the search is
// short.
constexpr unsigned mx = 1;
// UPnP Device Architecture 1.1, section 1.3.2: "TTL … should default to 2".
constexpr int ttl = 2;
// A datagram may get lost, and some devices drop the later ones of a burst.
constexpr Milliseconds repeat_after{500};
bool is_near(int interface, const IpAddress& address) {
    const auto route = route_to(address);
    return route && !route->gateway && route->interface == interface;
}

// Whether anything could be sent.
bool send_search(UdpSocket& socket, const SearchLink& link) {
    const bool v4 = link.local.is_v4();
    const auto group = IpAddress::parse(v4 ? ssdp::multicast_v4 : ssdp::multicast_v6);
    ssdp::Search search;
    // Also where it goes to one gateway: routers are known to answer to this.
    search.host = Endpoint{*group, ssdp::port}.to_string();
    search.mx = mx;
    bool sent = false;
    const auto send = [&](const char* target, const IpAddress& to) {
        search.target = target;
        const ErrorCode error = socket.send(ssdp::encode(search), {to, ssdp::port}, ttl);
        sent = sent || !error;
    };
    for (const char* const target : targets) send(target, *group);
    for (const IpAddress& gateway : link.gateways) {
        if (gateway.family() != link.local.family()) continue;
        for (const char* const target : targets) send(target, gateway);
        send(root_device, gateway);
    }
    return sent;
}

asio::awaitable<void> search_link(SearchLink link, TimePoint until,
                                  std::shared_ptr<SsdpAnswers> answers) {
    const auto executor = co_await asio::this_coro::executor;
    auto socket = UdpSocket::open_on(executor, link.local, link.interface);
    if (!socket) co_return;
    if (!send_search(*socket, link)) co_return;
    const UdpSocket::OnDatagram on_datagram = [&](const Endpoint& from, ByteView datagram) {
        answers->take(link, from, datagram);
    };
    // A gateway that refuses port 1900 may still be found by multicast.
    const UdpSocket::OnError on_error = [](const SendError&) {};
    const TimePoint repeat = Clock::now() + repeat_after;
    bool repeated = false;
    while (Clock::now() < until) {
        const TimePoint next = repeated ? until : std::min(repeat, until);
        const bool arrived = co_await socket->wait(next);
        if (arrived) socket->receive(on_datagram, on_error);
        if (!repeated && Clock::now() >= repeat) {
            repeated = true;
            send_search(*socket, link);
        }
    }
}

}  // namespace

asio::awaitable<void> ssdp_search(std::vector<SearchLink> links, TimePoint until,
                                  std::function<void(const SsdpAnswer&)> on_answer) {
    const auto executor = co_await asio::this_coro::executor;
    const auto answers = std::make_shared<SsdpAnswers>(std::move(on_answer), is_near);
    TaskGroup searches(executor);
    for (const SearchLink& link : links) searches.spawn(search_link(link, until, answers));
    co_await searches.wait();
}

}  // namespace p2pdiag::net::portmap
