// The check stun.nat: options in, discovery of both families side by side, report out.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <p2pdiag/run_until.hpp>

#include "checks.hpp"
#include "classify.hpp"
#include "drive.hpp"
#include "nat_report.hpp"
#include "net/flow.hpp"
#include "net/nat64.hpp"
#include "net/routes.hpp"
#include "net/stun.hpp"
#include "net/task_group.hpp"
#include "targets.hpp"

namespace p2pdiag::stun_plugin {

namespace {

using namespace nat;

struct Options {
    std::vector<ServerName> servers;
    bool hairpin = false;
    std::uint16_t local_port = 0;
    bool hops = true;
};

// What goes on beside the discovery; never waited for.
constexpr Milliseconds nat64_patience{4000};

struct Session {
    Nat64Result nat64;
    BothFamilies targets;
    std::shared_ptr<Discovery> ipv4;
    std::shared_ptr<Discovery> ipv6;
    bool resolved = false;
};

Options read_options(const json::object& input) {
    Options options;
    options.servers = parse_servers(configured_servers(input));
    options.hairpin = json::find_bool(input, "deep").value_or(false);
    const json::object* own = json::find_object(input, "options");
    if (own == nullptr) return options;
    options.hairpin = options.hairpin || json::find_bool(*own, "hairpin").value_or(false);
    options.hops = json::find_bool(*own, "hops").value_or(true);
    const auto port = json::find_integer(*own, "local_port").value_or(0);
    if (port > 0 && port <= 65535) options.local_port = static_cast<std::uint16_t>(port);
    return options;
}

// Whether it matters that a resolver makes up IPv6 addresses: with a way to IPv6, or where IPv4 is
// translated to it on this machine.
bool may_have_nat64() {
    const auto ipv6 = net::route_to_internet(Family::ipv6);
    if (ipv6 && *ipv6) return true;
    const auto ipv4 = net::route_to_internet(Family::ipv4);
    return ipv4 && *ipv4 && (*ipv4)->source && (*ipv4)->source->is_clat_side();
}

boost::asio::awaitable<void> ask_for_nat64(std::shared_ptr<Session> session) {
    session->nat64.found = co_await net::find_nat64_prefix(Clock::now() + nat64_patience);
}

std::shared_ptr<Discovery> make_discovery(const Options& options, Family family,
                                          const Targets& targets) {
    if (targets.servers.empty()) return nullptr;
    DiscoveryConfig config;
    config.family = family;
    config.servers = targets.servers;
    config.hairpin = options.hairpin;
    config.given_port = options.local_port;
    config.find_hops = options.hops;
    return std::make_shared<Discovery>(config, net::random_transaction_id, Clock::now());
}

boost::asio::awaitable<void> measure(Options options, std::shared_ptr<Session> session) {
    net::TaskGroup aside(co_await boost::asio::this_coro::executor);
    session->nat64.asked = may_have_nat64();
    if (session->nat64.asked) aside.spawn(ask_for_nat64(session));
    session->targets = co_await find_targets(options.servers);
    session->resolved = true;
    session->ipv4 = make_discovery(options, Family::ipv4, session->targets.ipv4);
    session->ipv6 = make_discovery(options, Family::ipv6, session->targets.ipv6);
    std::vector<std::shared_ptr<Machine>> machines;
    if (session->ipv4) machines.push_back(session->ipv4);
    if (session->ipv6) machines.push_back(session->ipv6);
    if (!machines.empty()) co_await drive(machines);
}

FamilyResult result_of(Family family, const std::shared_ptr<Discovery>& discovery,
                       const Targets& targets, bool resolved) {
    FamilyResult result;
    result.family = family;
    if (!discovery) {
        result.why_not = resolved ? targets.why_none : Reason::cancelled;
        return result;
    }
    result.tried = true;
    result.seen = discovery->observations();
    result.verdict = classify(result.seen);
    return result;
}

}  // namespace

p2pdiag_status check_nat(Run& run) {
    const Options options = read_options(read_input(run.input()));
    const auto session = std::make_shared<Session>();
    const net::FlowWatch flows = net::watch_flows(run);
    run_until(run.cancel_fd(), run.time_to_stop(), measure(options, session));
    if (session->ipv4) tell_flows(run, session->ipv4->observations());
    if (session->ipv6) tell_flows(run, session->ipv6->observations());
    return report(run,
                  result_of(Family::ipv4, session->ipv4, session->targets.ipv4, session->resolved),
                  result_of(Family::ipv6, session->ipv6, session->targets.ipv6, session->resolved),
                  session->nat64);
}

}  // namespace p2pdiag::stun_plugin
