// The change upnp.forward, keep: renews the forward at half its lease and makes it again when the
// router has lost it, until it is told to stop. The host takes it back afterwards.
#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <p2pdiag/run_until.hpp>

#include "checks.hpp"
#include "failures.hpp"
#include "forward_input.hpp"
#include "keep_watch.hpp"
#include "net/interfaces.hpp"
#include "offers.hpp"
#include "rediscover.hpp"
#include "router_identity.hpp"
#include "router_turn.hpp"
#include "step_words.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

using portmap::Protocol;
using Need = KeepWatch::Need;

// A lost mapping is to be there again within five seconds; what is asked of a UPnP router takes two
// rounds.
constexpr Milliseconds round_length{1500};

// What PCP calls its outside address is in the answers to MAP alone; a client does not repeat those
// within four seconds (RFC 6887 section 11.2.1).
constexpr unsigned rounds_between_maps = 3;

class Keeper {
public:
    Keeper(Run& run, StepInput input)
        : run_(run),
          step_(std::move(input.step)),
          record_(std::move(*input.record)),
          try_(try_of(step_, *record_.granted())),
          watch_(*record_.granted()->grant, try_.request.lifetime, granted_at(*record_.granted())) {
        try_.request.description = describe_as(input.id);
        say("info", "is kept up by " + std::string(display_name(try_.service.protocol)) + " of " +
                        try_.router_name);
    }

    asio::awaitable<void> run() {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        for (;;) {
            timer.expires_after(round_length);
            co_await timer.async_wait(asio::use_awaitable);
            Fd turn;
            if (try_.service.protocol == Protocol::upnp) turn = co_await take_turn(try_.service);
            if (!net::is_own_address(try_.service.local)) {
                co_await follow();
                continue;
            }
            if (std::exchange(address_gone_, false)) {
                old_removed_ = false;
                co_await map_again("this machine has its address again");
                continue;
            }
            Need need = watch_.on_time(Clock::now());
            if (need == Need::nothing) need = co_await look();
            if (need == Need::renew) co_await renew();
            if (need == Need::map_again) co_await map_again(watch_.why());
        }
    }

private:
    void say(std::string_view level, const std::string& text) {
        run_.log(level, port_words(try_.request.transport, grant().external_port) + ' ' + text);
    }

    // The record has the time of day, which may have been set since.
    static TimePoint granted_at(const Attempt& attempt) {
        const std::int64_t ago = now_in_seconds() - attempt.asked_at;
        const TimePoint now = Clock::now();
        const bool credible =
            ago >= 0 && ago < std::chrono::seconds(std::chrono::hours(24)).count();
        return credible ? now - std::chrono::seconds(ago) : now;
    }

    portmap::MapGrant& grant() { return *record_.granted()->grant; }

    asio::awaitable<Need> look() {
        const bool was_away = watch_.away();
        Need need = Need::nothing;
        if (try_.service.protocol != Protocol::upnp) {
            need = co_await look_at_epoch();
        } else if (rounds_ % 2 == 1 || !try_.service.local.is_v4()) {
            need = co_await look_at_list();
        } else {
            const auto status = co_await portmap::igd_status(try_.service);
            need = watch_.on_status(status);
            if (!status) co_await look_elsewhere(status.error());
        }
        ++rounds_;
        if (watch_.away() && !was_away)
            say("warning", "cannot be watched: the router does not answer");
        if (!watch_.away() && was_away) say("info", "can be watched again: the router answers");
        co_return need;
    }

    asio::awaitable<Need> look_at_epoch() {
        // An IPv6 pinhole has no address of the router's.
        if (try_.service.protocol == Protocol::pcp && try_.service.local.is_v4() &&
            rounds_ % rounds_between_maps == rounds_between_maps - 1) {
            co_await ask_again();
            co_return Need::nothing;
        }
        portmap::RetrySchedule schedule;
        schedule.waits = {Milliseconds(250), Milliseconds(500)};
        const auto status = co_await portmap::ask_status(try_.service, schedule);
        co_return watch_.on_status(status, Clock::now());
    }

    // The answer is the mapping: nothing is left to do. No answer is told by the next round.
    asio::awaitable<void> ask_again() {
        const auto now = co_await portmap::renew_mapping(try_.service, try_.request, grant());
        if (!now || !watch_.on_asked_again(*now, Clock::now())) co_return;
        say("warning", "is made again, as " + watch_.why());
        made_again(*now);
    }

    asio::awaitable<Need> look_at_list() {
        const auto said = co_await portmap::read_back(try_.service, try_.request, grant());
        const bool foreign = said.in_force == portmap::InForce::foreign;
        if (foreign && !foreign_) say("warning", "was taken over by " + said.owner);
        foreign_ = foreign;
        co_return watch_.on_read_back(said);
    }

    asio::awaitable<void> look_elsewhere(portmap::Failure failure) {
        if (!may_have_moved(try_.service, failure)) co_return;
        const auto moved = co_await find_again(try_.service);
        // With another address of this machine it would not be the same forward.
        if (!moved || moved->local != try_.service.local) co_return;
        try_.service = *moved;
        Attempt& attempt = *record_.granted();
        attempt.service = *moved;
        attempt.router_hardware = hardware_of(*moved);
        hand_over();
        say("info", "is asked for at the router's new address " + where(try_.service));
    }

    static std::string where(const portmap::Service& service) {
        return service.control_url.empty() ? service.router.to_string() : service.control_url;
    }

    // The forward leads to an address that nobody has now, or worse, somebody else. It is made for
    // the one that this machine has instead, by the same router.
    asio::awaitable<void> follow() {
        if (!std::exchange(address_gone_, true)) {
            say("warning", "leads to " + try_.service.local.to_string() +
                               ", which is not this machine's address any more");
        }
        const auto now = co_await find_again(try_.service);
        if (!now || now->local == try_.service.local) co_return;
        const bool old_is_gone = co_await remove_old(*now);
        // What is asked for is on the disk before it is asked for.
        if (!begin_attempt(*now)) co_return;
        Try there = try_;
        there.service = *now;
        auto made = co_await portmap::add_mapping(there.service, there.request);
        if (is_taken(made) && !there.request.exact) {
            // By the old forward, where the router does not let go of it.
            there.request.external_port = 0;
            made = co_await portmap::add_mapping(there.service, there.request);
        }
        if (!made) {
            say("error",
                "could not be made for " + now->local.to_string() + ": " + words(made.error()));
            if (says_no(made.error().problem)) end_attempt(*now);
            co_return;
        }
        end_attempt(*now);
        address_gone_ = false;
        const std::uint16_t before = grant().external_port;
        move_to(*now, *made, old_is_gone);
        say("info",
            "leads to " + now->local.to_string() + " now" +
                (before == made->external_port ? std::string()
                                               : ", in place of port " + std::to_string(before)));
    }

    // NAT-PMP and PCP listen to the address alone that a forward leads to.
    asio::awaitable<bool> remove_old(portmap::Service now) {
        if (old_removed_) co_return true;
        if (now.protocol == Protocol::upnp) {
            now.from = std::exchange(now.local, try_.service.local);
            const auto removed = co_await portmap::remove_mapping(now, try_.request, grant());
            old_removed_ = removed.has_value();
            if (old_removed_) co_return true;
        }
        co_return false;
    }

    static bool is_taken(const portmap::Outcome<portmap::MapGrant>& made) {
        return !made && made.error().problem == portmap::Problem::conflict;
    }

    std::vector<Attempt>::iterator attempt_at(const portmap::Service& service) {
        auto& all = record_.attempts;
        return std::find_if(all.begin(), all.end() - 1, [&](const Attempt& one) {
            return one.service && one.service->local == service.local && !one.grant;
        });
    }

    // Before the one that is in force, which stays the last.
    bool begin_attempt(const portmap::Service& service) {
        auto& all = record_.attempts;
        if (attempt_at(service) != all.end() - 1) return true;
        if (all.size() == most_attempts) {
            say("error", "cannot be moved once more: this machine's address has changed too often");
            return false;
        }
        Attempt attempt{all.back().index, now_in_seconds(), std::nullopt};
        attempt.router_hardware = hardware_of(service);
        attempt.service = service;
        all.insert(all.end() - 1, std::move(attempt));
        hand_over();
        return true;
    }

    void end_attempt(const portmap::Service& service) {
        const auto place = attempt_at(service);
        if (place == record_.attempts.end() - 1) return;
        record_.attempts.erase(place);
        hand_over();
    }

    void move_to(const portmap::Service& service, const portmap::MapGrant& granted,
                 bool old_is_gone) {
        Attempt attempt = record_.attempts.back();
        attempt.service = try_.service = service;
        if (old_is_gone) {
            record_.attempts.pop_back();
        } else {
            say("warning",
                "stays behind in the router until its time is over: from the new "
                "address it cannot be removed");
        }
        record_.attempts.push_back(std::move(attempt));
        old_removed_ = false;
        take(granted);
    }

    asio::awaitable<void> renew() {
        const auto renewed = co_await portmap::renew_mapping(try_.service, try_.request, grant());
        if (!renewed) {
            say("warning", "could not be renewed: " + words(renewed.error()));
            watch_.failed(Clock::now());
            co_return;
        }
        take(*renewed);
        say("info", "was renewed (" + lease_words(renewed->lifetime) + ")");
    }

    asio::awaitable<void> map_again(std::string why) {
        say("warning", "is made again, as " + why);
        // NAT-PMP and PCP: what was granted is suggested, so that the port stays the same.
        const bool suggest = try_.service.protocol != Protocol::upnp && !try_.request.exact;
        auto making = suggest ? portmap::renew_mapping(try_.service, try_.request, grant())
                              : portmap::add_mapping(try_.service, try_.request);
        const auto made = co_await std::move(making);
        if (made) {
            made_again(*made);
        } else {
            say("error", "could not be made again: " + words(made.error()));
            // With the next round's renewal, which makes what is not there.
            watch_.failed(Clock::now());
        }
    }

    void made_again(const portmap::MapGrant& granted) {
        const std::uint16_t before = grant().external_port;
        take(granted);
        say("info", before == granted.external_port
                        ? "is forwarded again"
                        : "is forwarded now in place of port " + std::to_string(before));
    }

    void take(const portmap::MapGrant& granted) {
        if (watch_.is_elsewhere(granted)) {
            const Endpoint outside{*granted.external_address, granted.external_port};
            say("warning",
                "is at " + outside.to_string() + " now: the router's outside address has changed");
        }
        Attempt& attempt = *record_.granted();
        attempt.grant = granted;
        attempt.asked_at = now_in_seconds();
        attempt.router_hardware = hardware_of(try_.service);
        watch_.granted(granted, Clock::now());
        hand_over();
    }

    void hand_over() { run_.data(json::to_text(for_host(record_, step_))); }

    Run& run_;
    Step step_;
    Record record_;
    Try try_;
    KeepWatch watch_;
    unsigned rounds_ = 0;
    bool foreign_ = false;
    bool address_gone_ = false;  // of this machine, to which the forward leads
    bool old_removed_ = false;   // … and that forward with it
};

asio::awaitable<void> keep(std::shared_ptr<Keeper> keeper) { co_await keeper->run(); }

}  // namespace

p2pdiag_status keep_forward(Run& run) {
    auto input = parse_step_input(run.input());
    if (!input || !input->record || input->record->granted() == nullptr) {
        run.summary("There is no record of a forward to keep up");
        return P2PDIAG_ERROR;
    }
    const auto keeper = std::make_shared<Keeper>(run, std::move(*input));
    run_until(run.cancel_fd(), run.deadline(), keep(keeper));
    run.summary("Kept up until it was to end");
    return P2PDIAG_PASS;
}

}  // namespace p2pdiag::upnp_plugin
