// The check upnp.mapping: docs/checks/upnp.mapping.md.
#include <algorithm>
#include <p2pdiag/run_until.hpp>

#include "base/random.hpp"
#include "base/run_input.hpp"
#include "checks.hpp"
#include "mapping_trials.hpp"
#include "net/flow.hpp"
#include "search.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

// For removing what is there.
constexpr Milliseconds time_to_clean_up{3000};
// After Ctrl-C the host waits two seconds before it ends a check by force: for the three tries of
// RFC 6886 section 3.1 that follow one another in 1750 ms.
constexpr Milliseconds time_when_cancelled{1800};

asio::awaitable<void> measure(std::shared_ptr<MappingSession> session) {
    const std::shared_ptr<Leftovers> leftovers(session, &session->test.leftovers);
    co_await remove_leftovers(leftovers);
    co_await search_routers(session->search);
    session->test.searched = true;
    choose_trials(*session);
    co_await run_trials(session);
}

}  // namespace

p2pdiag_status check_mapping(Run& run) {
    const net::FlowWatch flows = net::watch_flows(run);
    const auto session = std::make_shared<MappingSession>();
    session->id = random_name(4);
    const auto input = json::parse(run.input());
    if (input && input->is_object()) {
        session->test.target_port = target_port(input->get_object());
        session->stun_servers = stun_servers(input->get_object());
    }
    if (const auto directory = test_record_dir()) {
        auto record = TestRecord::begin(*directory, session->id);
        if (record) session->record.emplace(std::move(*record));
    }

    auto last = run.time_to_stop();
    const auto measured = last == TimePoint::max() ? last : last - time_to_clean_up;
    const Ended ended = run_until(run.cancel_fd(), measured, measure(session));
    if (ended == Ended::cancelled) last = std::min(last, Clock::now() + time_when_cancelled);
    run_until(-1, last, clean_up(session));
    return hand_over(run, judge_mapping_test(session->test));
}

}  // namespace p2pdiag::upnp_plugin
