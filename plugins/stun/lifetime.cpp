// The check stun.lifetime.
#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <p2pdiag/run_until.hpp>

#include "base/json.hpp"
#include "checks.hpp"
#include "drive.hpp"
#include "lifetime_probe.hpp"
#include "net/flow.hpp"
#include "net/stun.hpp"
#include "net/task_group.hpp"
#include "targets.hpp"

namespace p2pdiag::stun_plugin {

namespace {

using namespace nat;
namespace asio = boost::asio;
using std::chrono::seconds;

constexpr std::int64_t default_seconds = 130;
// DESIGN section 6: keepalives go out every 25 s at most. RFC 4787 REQ-5 asks of NATs for two
// minutes; what is gone within 30 s is where programs that hold to common practice break.
constexpr seconds short_lifetime{30};
constexpr seconds longest_keepalive{25};

struct LifetimeOptions {
    std::vector<ServerName> servers;
    Duration limit = seconds(default_seconds);
};

struct LifetimeSession {
    LifetimeOptions options;
    std::shared_ptr<LifetimeProbe> probe;
    std::optional<Endpoint> server;
    Reason why_none = Reason::cancelled;
};

LifetimeOptions read_lifetime_options(const json::object& input) {
    LifetimeOptions options;
    options.servers = parse_servers(configured_servers(input));
    if (const json::object* own = json::find_object(input, "options")) {
        const auto limit = json::find_integer(*own, "max_seconds").value_or(default_seconds);
        options.limit = seconds(std::clamp<std::int64_t>(limit, 10, 600));
    }
    return options;
}

asio::awaitable<void> show_progress(Run* run, std::shared_ptr<LifetimeProbe> probe) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        timer.expires_after(seconds(1));
        co_await timer.async_wait(asio::use_awaitable);
        run->progress(probe->fraction_done(), "waiting for unused NAT mappings to expire");
    }
}

asio::awaitable<void> measure(Run* run, std::shared_ptr<LifetimeSession> session, TimePoint until) {
    const BothFamilies targets = co_await find_targets(session->options.servers);
    const Targets& first = targets.ipv4.servers.empty() ? targets.ipv6 : targets.ipv4;
    session->why_none = targets.ipv4.why_none;
    const auto executor = co_await asio::this_coro::executor;
    for (const ServerConfig& server : first.servers) {
        LifetimeConfig config;
        config.server = server.address;
        config.limit = std::min(session->options.limit, until - Clock::now());
        const auto source = net::random_transaction_id;
        session->probe = std::make_shared<LifetimeProbe>(config, source, Clock::now());
        session->server = server.address;
        net::TaskGroup progress(executor);
        progress.spawn(show_progress(run, session->probe));
        std::vector<std::shared_ptr<Machine>> machines{session->probe};
        co_await drive(machines);
        const Lifetime told = session->probe->result();
        if (told.alive || told.alive_reason == Reason::no_time) break;
    }
}

std::string text_of(Duration duration) {
    return std::to_string(std::chrono::duration_cast<seconds>(duration).count()) + " s";
}

json::value seconds_of(const std::optional<Duration>& duration) {
    if (!duration) return nullptr;
    return std::chrono::duration_cast<seconds>(*duration).count();
}

json::object to_json(const LifetimeSession& session, const Lifetime& lifetime) {
    json::object data{{"server", nullptr},
                      {"alive_s", seconds_of(lifetime.alive)},
                      {"dead_s", seconds_of(lifetime.dead)},
                      {"rounds", lifetime.rounds},
                      {"undecided", lifetime.undecided}};
    if (session.server) data["server"] = session.server->to_string();
    if (!lifetime.alive) data["alive_s_reason"] = to_string(lifetime.alive_reason);
    if (!lifetime.dead) data["dead_s_reason"] = to_string(lifetime.dead_reason);
    return data;
}

std::string unknown_summary(Reason reason) {
    switch (reason) {
        case Reason::no_time:
            return "unknown: there is no time to wait for a mapping to expire (max_seconds, or the "
                   "deadline of the run)";

        case Reason::server_unsupported:
            return "unknown: no STUN server answers to another port (RESPONSE-PORT of RFC 5780)";
        case Reason::no_server_answered: return "unknown: no STUN server answered";
        case Reason::inconsistent: return "unknown: a longer wait did what a shorter one did not";
        case Reason::cancelled: return "unknown: it was cut short";
        default: break;
    }
    return "unknown (" + std::string(to_string(reason)) + ")";
}

std::string why_no_more(Reason reason) {
    switch (reason) {
        case Reason::cancelled: return "it was cut short";
        case Reason::loss: return "what would tell more got lost";
        default: break;
    }
    return "there was no time to wait longer";
}

p2pdiag_status report(Run& run, const LifetimeSession& session) {
    Lifetime lifetime;
    lifetime.alive_reason = lifetime.dead_reason = session.why_none;
    if (session.probe) lifetime = session.probe->result();
    const json::object data = to_json(session, lifetime);
    run.data(json::to_text(data));
    if (!lifetime.alive) {
        run.summary(unknown_summary(lifetime.alive_reason));
        return P2PDIAG_UNKNOWN;
    }
    std::string summary = "after one exchange an idle UDP mapping lives for " +
                          text_of(*lifetime.alive) + " at least";
    if (lifetime.dead) summary += " and is gone after " + text_of(*lifetime.dead);
    const bool lasts = *lifetime.alive >= short_lifetime;
    const bool is_short = lifetime.dead && *lifetime.dead <= short_lifetime;
    if (!lasts && !is_short) {
        run.summary("unknown whether it lives for " + text_of(short_lifetime) + ": " + summary +
                    (lifetime.dead ? "" : "; " + why_no_more(lifetime.dead_reason)));
        return P2PDIAG_UNKNOWN;
    }
    run.summary(summary);
    if (!is_short) return P2PDIAG_PASS;
    const Duration keepalive = std::min<Duration>(longest_keepalive, *lifetime.alive * 6 / 10);
    run.finding("nat.mapping-lifetime-short", Severity::warning,
                summary + "; many routers keep a busier one longer, and keepalives every " +
                    text_of(keepalive) + " or more often are safe either way",
                json::to_text(data));
    return P2PDIAG_WARN;
}

}  // namespace

p2pdiag_status check_lifetime(Run& run) {
    const net::FlowWatch flows = net::watch_flows(run);
    const auto session = std::make_shared<LifetimeSession>();
    session->options = read_lifetime_options(read_input(run.input()));
    const TimePoint until = std::min(run.time_to_stop(), Clock::now() + std::chrono::hours(1));
    run_until(run.cancel_fd(), until, measure(&run, session, until));
    return report(run, *session);
}

}  // namespace p2pdiag::stun_plugin
