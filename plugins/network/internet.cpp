// network.internet: docs/checks/network.internet.md. Here is what it sends and how long it waits.
#include "internet.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <p2pdiag/run_until.hpp>

#include "base/text.hpp"
#include "checks.hpp"
#include "input.hpp"
#include "net/interfaces.hpp"
#include "net/neighbours.hpp"
#include "net/routes.hpp"
#include "net/task_group.hpp"

namespace p2pdiag::network_plugin {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// Enough for the second SYN, which Linux sends after a second, and a slow answer to it.
constexpr Milliseconds trial_patience = 2500ms;
constexpr std::size_t most_landmarks = 16;

struct Trials {
    InternetReport report;
    PortalQuestion question;
    bool portal_known = false;
};
using TrialPtr = std::shared_ptr<Trials>;

void read_options(const json::object& input, Trials& session) {
    session.question = {option_text(input, "portal_url"), option_text(input, "portal_body")};
    for (const std::string& server : option_texts(input, "internet")) {
        if (session.report.landmarks.size() == most_landmarks) break;
        if (const auto endpoint = Endpoint::parse(server)) {
            session.report.landmarks.push_back({*endpoint, std::nullopt});
        } else {
            session.report.no_addresses.push_back(printable(server));
        }
    }
}

void look_at_routes(InternetReport& report) {
    const auto v4 = net::route_to_internet(Family::ipv4);
    if (v4) report.route_v4 = v4->has_value();
    const auto v6 = net::route_to_internet(Family::ipv6);
    if (!v6) return;
    report.route_v6 = v6->has_value();
    report.public_v6 = *v6 && (*v6)->source && (*v6)->source->is_public();
}

// After all that time: who is still being asked for is not there either.
bool is_silent(const std::vector<net::Neighbour>& table, const IpAddress& address, int interface) {
    return std::ranges::any_of(table, [&](const net::Neighbour& one) {
        return one.address == address && one.interface == interface &&
               (one.state == net::NeighbourState::failed ||
                one.state == net::NeighbourState::incomplete);
    });
}

// What needs no asking (a link without hardware addresses) is permanent as well.
bool is_by_hand(const std::vector<net::Neighbour>& table, const IpAddress& address, int interface) {
    return std::ranges::any_of(table, [&](const net::Neighbour& one) {
        return one.address == address && one.interface == interface &&
               one.state == net::NeighbourState::permanent &&
               std::ranges::any_of(one.hardware, [](auto byte) { return byte != 0; });
    });
}

std::string name_of_link(const std::vector<net::Interface>& links, int index) {
    const auto link = std::ranges::find(links, index, &net::Interface::index);
    return link == links.end() ? std::string() : printable(link->name);
}

// Each server by its own route: there may be several routers.
void look_for_next_hops(InternetReport& report) {
    const auto table = net::neighbours();
    const auto links = net::interfaces();
    if (!table || !links) return;
    for (const Landmark& landmark : report.landmarks) {
        const IpAddress& server = landmark.server.address;
        if (!landmark.result) continue;
        const auto route = server.is_v4() ? net::route_to(server) : ErrorCode();
        if (!route) continue;
        if (route->gateway && is_by_hand(*table, *route->gateway, route->interface)) {
            report.gateway_by_hand = route->gateway;
            report.by_hand_on = name_of_link(*links, route->interface);
        }
        if (!is_silent(*table, route->gateway.value_or(server), route->interface)) continue;
        (route->gateway ? report.silent_gateway : report.no_neighbour) =
            route->gateway.value_or(server);
        report.silent_on = name_of_link(*links, route->interface);
        return;
    }
}

asio::awaitable<void> try_landmark(TrialPtr session, std::size_t index, TimePoint until) {
    net::TcpTrial trial;
    trial.server = session->report.landmarks[index].server;
    trial.connect_until = until;
    auto result = co_await net::try_tcp(std::move(trial));
    session->report.landmarks[index].result = std::move(result);
}

asio::awaitable<void> try_portal(TrialPtr session, TimePoint until) {
    session->report.portal.portal = Portal::unfinished;
    session->report.portal = co_await ask_portal(session->question, until);
    session->portal_known = true;
}

// A family whose internet is known to work needs no further answers. The other one is waited for to
// the end all the same: that its programs fall back to the working one (RFC 8305) is what hides a
// broken family, and here it is to be seen.
bool is_known(const InternetReport& report, Family family) {
    bool all_done = true;
    for (const Landmark& landmark : report.landmarks) {
        if (landmark.server.address.family() != family) continue;
        if (!landmark.result) all_done = false;
        if (landmark.result && landmark.result->outcome == net::TcpOutcome::connected) return true;
    }
    return all_done;
}

// Of two routers one may be dead: the kernel asks for it some seconds before it gives up.
bool asks_for_a_router(const InternetReport& report) {
    const auto table = net::neighbours();
    if (!table) return false;
    return std::ranges::any_of(report.landmarks, [&](const Landmark& landmark) {
        const IpAddress& server = landmark.server.address;
        if (landmark.result || !server.is_v4()) return false;
        const auto route = net::route_to(server);
        return route && route->gateway && is_silent(*table, *route->gateway, route->interface);
    });
}

asio::awaitable<void> measure_internet(TrialPtr session) {
    const TimePoint until = Clock::now() + trial_patience;
    session->report.interrupted = true;
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    for (std::size_t i = 0; i < session->report.landmarks.size(); ++i) {
        tasks.spawn(try_landmark(session, i, until));
    }
    tasks.spawn(try_portal(session, until));
    const auto known = [&session] {
        // Behind a login page nothing else is worth waiting for.
        if (session->report.portal.portal == Portal::present) return true;
        return session->portal_known && is_known(session->report, Family::ipv4) &&
               is_known(session->report, Family::ipv6) && !asks_for_a_router(session->report);
    };
    while (tasks.running() > 0 && !known()) co_await tasks.wait_for_change(until + trial_patience);
    session->report.interrupted = false;
}

}  // namespace

p2pdiag_status check_internet(Run& run) {
    const auto session = std::make_shared<Trials>();
    read_options(read_input(run), *session);
    look_at_routes(session->report);
    run_until(run.cancel_fd(), run.time_to_stop(), measure_internet(session));
    look_for_next_hops(session->report);
    return hand_over(run, judge(session->report));
}

}  // namespace p2pdiag::network_plugin
