#include "net/portmap/ssdp.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <memory>
#include <set>
#include <utility>

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
// Enough for every device of a large network; a flood ends here.
constexpr std::size_t max_answers = 256;

// What all links share.
class Answers {
public:
    explicit Answers(std::function<void(const SsdpAnswer&)> on_answer)
        : on_answer_(std::move(on_answer)) {}

    void take(const SearchLink& link, const Endpoint& from, ByteView datagram) {
        if (seen_.size() >= max_answers) return;
        auto announcement = ssdp::parse_announcement(datagram);
        if (!announcement || announcement->kind != ssdp::Kind::answer) return;
        if (seen_.contains({from.address, announcement->location})) return;
        if (!on_link(link, from.address)) return;
        seen_.emplace(from.address, announcement->location);
        SsdpAnswer answer;
        answer.from = from.address;
        answer.port = from.port;
        answer.interface = link.interface;
        answer.local = link.local;
        answer.location = std::move(announcement->location);
        answer.server = std::move(announcement->server);
        answer.st = std::move(announcement->target);
        answer.usn = std::move(announcement->usn);
        on_answer_(answer);
    }

private:
    // Routers answer from within the network; whoever answers from further away was not asked.
    bool on_link(const SearchLink& link, const IpAddress& from) {
        const auto& gateways = link.gateways;
        if (std::find(gateways.begin(), gateways.end(), from) != gateways.end()) return true;
        if (from == link.local || from.scope() == AddressScope::link_local) return true;
        const auto known = reached_by_.find({link.interface, from});
        if (known != reached_by_.end()) return known->second;
        // Each lookup asks the kernel: not for every address that a flood comes from.
        if (reached_by_.size() >= max_answers) return false;
        const auto route = route_to(from);
        const bool near = route && !route->gateway && route->interface == link.interface;
        return reached_by_[{link.interface, from}] = near;
    }

    std::function<void(const SsdpAnswer&)> on_answer_;
    std::set<std::pair<IpAddress, std::string>> seen_;
    std::map<std::pair<int, IpAddress>, bool> reached_by_;
};

// Whether anything could be sent.
bool ask(UdpSocket& socket, const SearchLink& link) {
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
                                  std::shared_ptr<Answers> answers) {
    const auto executor = co_await asio::this_coro::executor;
    auto socket = UdpSocket::open_on(executor, link.local, link.interface);
    if (!socket) co_return;
    if (!ask(*socket, link)) co_return;
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
            ask(*socket, link);
        }
    }
}

}  // namespace

asio::awaitable<void> ssdp_search(std::vector<SearchLink> links, TimePoint until,
                                  std::function<void(const SsdpAnswer&)> on_answer) {
    const auto executor = co_await asio::this_coro::executor;
    const auto answers = std::make_shared<Answers>(std::move(on_answer));
    TaskGroup searches(executor);
    for (const SearchLink& link : links) searches.spawn(search_link(link, until, answers));
    co_await searches.wait();
}

}  // namespace p2pdiag::net::portmap
