// The check upnp.mapping: docs/checks/upnp.mapping.md.
#include "mapping_check.hpp"

#include <boost/asio/this_coro.hpp>
#include <p2pdiag/run_until.hpp>

#include "checks.hpp"
#include "net/udp_socket.hpp"
#include "outside.hpp"
#include "search.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

// What a router keeps should all else fail: two minutes.
constexpr portmap::Seconds test_lease{120};
constexpr std::uint16_t usual_port = 8000;
// Before the host's deadline: for removing what is there, and for the report.
constexpr Milliseconds time_to_clean_up{3000};
constexpr Milliseconds time_to_report{200};
// After Ctrl-C the host waits a second before it ends a check by force.
constexpr Milliseconds time_when_cancelled{800};

struct Session {
    std::shared_ptr<Search> search = std::make_shared<Search>();
    MappingTest test;
    std::string id;  // in the description of the mappings
};

std::uint16_t target_port(const json::object& input) {
    const json::object* target = json::find_object(input, "target");
    const auto port = target == nullptr ? std::nullopt : json::find_integer(*target, "port");
    const bool valid = port && *port > 0 && *port <= 65535;
    return valid ? static_cast<std::uint16_t>(*port) : usual_port;
}

// Eight hexadecimal digits, as the host's own ids are.
std::string random_id() {
    constexpr const char* digits = "0123456789abcdef";
    std::string id;
    for (const std::uint8_t byte : portmap::random_nonce()) {
        if (id.size() < 8) id += digits[byte & 15];
    }
    return id;
}

asio::awaitable<void> try_one(std::shared_ptr<Session> session, std::size_t index) {
    Trial& trial = session->test.trials[index];
    const auto executor = co_await asio::this_coro::executor;
    // Held for as long as the mapping is there, so that nobody is let in to a program.
    std::optional<net::UdpSocket> held;
    const Family family = trial.offer.service.local.family();
    const auto is_free = [&](std::uint16_t port) {
        auto opened = net::UdpSocket::open(executor, family, port);
        if (!opened) return false;
        held.emplace(std::move(*opened));
        return true;
    };
    const std::uint16_t port = choose_port(trial.offer, Transport::udp, session->test.target_port,
                                           session->search->found, is_free);
    if (port == 0) co_return;
    Try asked;
    asked.service = trial.offer.service;
    asked.router_name = trial.offer.router_name;
    asked.request.internal_port = port;
    asked.request.external_port = port;
    asked.request.lifetime = test_lease;
    asked.request.nonce = portmap::random_nonce();
    asked.request.description = describe_as(session->id);
    trial.asked = asked;
    auto granted = co_await portmap::add_mapping(asked.service, asked.request);
    trial.granted = std::move(granted);
    if (!*trial.granted) co_return;
    const portmap::MapGrant grant = **trial.granted;
    trial.read_back = co_await portmap::read_back(asked.service, asked.request, grant);
    trial.removed = co_await portmap::remove_mapping(asked.service, asked.request, grant);
}

asio::awaitable<void> measure(std::shared_ptr<Session> session) {
    co_await search_routers(session->search);
    session->test.searched = true;
    const Search& search = *session->search;
    for (Offer& offer : offers(search.found, search.ipv6)) {
        const bool usable = offer.ready && (offer.pinhole ||
                                            judge_outside(offer.external, {}) != Outside::unusable);
        if (usable) {
            session->test.trials.push_back({std::move(offer), {}, {}, {}, {}});
        } else {
            session->test.not_ready.push_back(std::move(offer));
        }
    }
    // One after the other: some routers cannot do two things at a time.
    for (std::size_t i = 0; i < session->test.trials.size(); ++i) co_await try_one(session, i);
    session->test.complete = true;
}

// Whatever was asked for and is not known to be gone, be it granted or not answered yet.
asio::awaitable<void> clean_up(std::shared_ptr<Session> session) {
    for (Trial& trial : session->test.trials) {
        const bool asked = trial.asked && (!trial.granted || *trial.granted);
        const bool gone = trial.removed && *trial.removed;
        if (!asked || gone) continue;
        std::optional<portmap::MapGrant> grant;
        if (trial.granted) grant = **trial.granted;
        const Try& made = *trial.asked;
        trial.removed = co_await portmap::remove_mapping(made.service, made.request, grant);
    }
}

}  // namespace

p2pdiag_status check_mapping(Run& run) {
    const auto session = std::make_shared<Session>();
    session->id = random_id();
    session->test.target_port = usual_port;
    const auto input = json::parse(run.input());
    if (input && input->is_object()) session->test.target_port = target_port(input->get_object());

    const bool limited = run.deadline() != TimePoint::max();
    const auto before = [&](Milliseconds reserve) {
        return limited ? run.deadline() - reserve : TimePoint::max();
    };
    const Ended ended =
        run_until(run.cancel_fd(), before(time_to_clean_up + time_to_report), measure(session));
    auto last = before(time_to_report);
    if (ended == Ended::cancelled) last = std::min(last, Clock::now() + time_when_cancelled);
    run_until(-1, last, clean_up(session));
    return report(run, judge_mapping_test(session->test));
}

}  // namespace p2pdiag::upnp_plugin
