// network.dns: docs/checks/network.dns.md. Here is which names are asked, and how long it waits.
#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <p2pdiag/run_until.hpp>
#include <set>

#include "base/host_port.hpp"
#include "base/random.hpp"
#include "base/run_input.hpp"
#include "checks.hpp"
#include "input.hpp"
#include "names.hpp"
#include "net/lateness.hpp"
#include "net/routes.hpp"
#include "net/stun_targets.hpp"
#include "net/task_group.hpp"
#include "wire/upnp/url.hpp"

namespace p2pdiag::network_plugin {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// Two sends, 600 ms and 1200 ms of waiting, and a little more for TCP.
constexpr Milliseconds query_patience = 2200ms;
constexpr Milliseconds again_patience = 1500ms;  // over TCP, and alone over UDP
// Three that the C library asks, and those behind a stub or never asked, to tell whether they would
// do.
constexpr std::size_t most_servers = 6;
constexpr std::size_t most_names = 4;
constexpr std::size_t most_over_tcp = 4;  // of one server
// Two that come to the same address cannot be two accidents.
constexpr std::size_t random_names = 2;

void want(std::vector<AskedName>& names, const std::string& host) {
    if (!is_host_name(host) || names.size() == most_names) return;
    const auto same = [&](const AskedName& known) { return known.name == host; };
    if (std::none_of(names.begin(), names.end(), same)) {
        names.push_back({host, NameKind::wanted, {}});
    }
}

std::string random_label() { return "p2pdiag-" + random_name(8); }

std::vector<AskedName> names_of(const json::object& input) {
    std::vector<AskedName> names;
    for (const std::string& name : option_texts(input, "dns_names")) want(names, name);
    for (const std::string& server : stun_servers(input)) {
        if (const auto parsed = net::parse_stun_server(server)) want(names, parsed->host);
    }
    if (const auto url = upnp::parse_url(option_text(input, "portal_url"))) want(names, url->host);
    const std::size_t wanted = names.size();
    names.push_back({random_label() + ".invalid", NameKind::reserved, {}});
    for (std::size_t i = 0; i < std::min(wanted, random_names); ++i) {
        const std::string below = random_label() + '.' + names[i].name;
        names.push_back({below, NameKind::random, names[i].name});
    }
    return names;
}

std::optional<bool> has_route() {
    const auto v4 = net::route_to_internet(Family::ipv4);
    const auto v6 = net::route_to_internet(Family::ipv6);
    if ((v4 && *v4) || (v6 && *v6)) return true;
    if (v4 && v6) return false;
    return std::nullopt;
}

std::optional<bool> is_outside(const IpAddress& address) {
    if (!address.is_public() && address.scope() != AddressScope::carrier_grade) return false;
    const auto route = net::route_to(address);
    if (!route) return std::nullopt;
    return route->gateway.has_value();
}

enum class Place { asked, never_asked, behind_stub };

void add_server(Names& names, const net::NameServer& server, Place place) {
    if (names.servers.size() == most_servers) {
        ++names.servers_left_out;
        return;
    }
    ServerAnswers answers{server, place == Place::behind_stub, place == Place::never_asked,
                          {},     is_outside(server.address),  {}};
    for (std::size_t i = 0; i < names.names.size(); ++i) {
        answers.lookups.push_back({i, Family::ipv4, false, {}});
        // A lie shows in one family as well as in two.
        if (names.names[i].kind == NameKind::wanted) {
            answers.lookups.push_back({i, Family::ipv6, false, {}});
        }
    }
    names.servers.push_back(std::move(answers));
}

using Shared = std::shared_ptr<Names>;

asio::awaitable<void> look_up(Shared names, std::size_t server, std::size_t lookup,
                              TimePoint until) {
    ServerAnswers& asked = names->servers[server];
    const Lookup& which = asked.lookups[lookup];
    net::DnsQuestion question{asked.server, names->names[which.name].name, which.family};
    auto answer = co_await net::ask_name_server(std::move(question), until);
    asked.lookups[lookup].answer = std::move(answer);
    asked.lookups[lookup].done = true;
}

// A question that this server left open.
bool is_left_open(const Names& names, const Lookup& lookup) {
    return lookup.done && names.names[lookup.name].kind == NameKind::wanted &&
           (lookup.answer.outcome == net::DnsOutcome::timed_out ||
            lookup.answer.outcome == net::DnsOutcome::closed);
}

asio::awaitable<void> ask_again_over_tcp(Shared names, std::size_t server, std::size_t lookup,
                                         TimePoint until) {
    ServerAnswers& asked = names->servers[server];
    const Lookup& which = asked.lookups[lookup];
    net::DnsQuestion question{asked.server, names->names[which.name].name, which.family, true};
    const auto answer = co_await net::ask_name_server(std::move(question), until);
    asked.lookups[lookup].tcp = answer.outcome;
}

// Once more, with nothing beside it: who limits UDP packets lets a single one through. An answer
// takes the place of the silence before.
asio::awaitable<void> ask_again_alone(Shared names, std::size_t server, TimePoint until) {
    ServerAnswers& asked = names->servers[server];
    net::DnsQuestion question{asked.server, names->names.front().name, Family::ipv4};
    auto answer = co_await net::ask_name_server(std::move(question), until);
    if (net::has_answered(answer.outcome)) asked.lookups.front().answer = std::move(answer);
}

void ask_over_tcp_what_is_open(net::TaskGroup& tasks, const Shared& names, std::size_t server,
                               TimePoint until) {
    std::size_t asked = 0;
    const auto& lookups = names->servers[server].lookups;
    for (std::size_t i = 0; i < lookups.size() && asked < most_over_tcp; ++i) {
        if (!is_left_open(*names, lookups[i])) continue;
        tasks.spawn(ask_again_over_tcp(names, server, i, until));
        ++asked;
    }
}

asio::awaitable<void> measure_names(Shared names) {
    names->interrupted = true;
    const TimePoint until = Clock::now() + query_patience;
    const auto late = std::make_shared<Clock::duration>(0);
    net::TaskGroup aside(co_await asio::this_coro::executor);
    aside.spawn(net::add_up_lateness(late));
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    for (std::size_t server = 0; server < names->servers.size(); ++server) {
        for (std::size_t i = 0; i < names->servers[server].lookups.size(); ++i) {
            tasks.spawn(look_up(names, server, i, until));
        }
    }
    co_await tasks.wait();
    names->late = std::chrono::duration_cast<Milliseconds>(*late);
    names->interrupted = false;
    const TimePoint again_until = Clock::now() + again_patience;
    for (std::size_t server = 0; server < names->servers.size(); ++server) {
        if (is_lost_over_udp(*names, names->servers[server])) {
            tasks.spawn(ask_again_alone(names, server, again_until));
        }
        ask_over_tcp_what_is_open(tasks, names, server, again_until);
    }
    co_await tasks.wait();
    // The first wanted name stands first.
    for (ServerAnswers& server : names->servers) {
        if (is_lost_over_udp(*names, server)) server.tcp = server.lookups.front().tcp;
    }
}

}  // namespace

p2pdiag_status check_dns(Run& run) {
    const auto names = std::make_shared<Names>();
    names->names = names_of(read_input(run));
    names->setup = net::resolver_setup();
    names->has_route = has_route();
    const net::ResolvConf& conf = names->setup.configured;
    for (std::size_t i = 0; i < conf.servers.size(); ++i) {
        add_server(*names, conf.servers[i], i < conf.asked ? Place::asked : Place::never_asked);
    }
    for (const auto& server : names->setup.behind_stub) {
        add_server(*names, server, Place::behind_stub);
    }
    run_until(run.cancel_fd(), run.time_to_stop(), measure_names(names));
    return hand_over(run, judge(*names));
}

}  // namespace p2pdiag::network_plugin
