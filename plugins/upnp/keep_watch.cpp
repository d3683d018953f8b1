#include "keep_watch.hpp"

#include <algorithm>
#include <utility>

namespace p2pdiag::upnp_plugin {

namespace {

// A clock that is set may jump back a little; one that was restarted is far behind.
constexpr portmap::Seconds uptime_slack{3};
// A lease of a few seconds is not renewed more often than this.
constexpr portmap::Seconds shortest_wait{1};
constexpr portmap::Seconds after_failure{2};
constexpr std::chrono::hours never{24 * 365};

std::string moved_to(const IpAddress& external) {
    return "the router's outside address is now " + external.to_string();
}

}  // namespace

void KeepWatch::granted(const portmap::MapGrant& grant, TimePoint at) {
    // Routers whose list cannot be read do not tell what they granted.
    const portmap::Seconds lease = grant.lifetime.value_or(asked_);
    const bool permanent = lease.count() == 0;
    renew_at_ = permanent ? at + never : at + std::max(lease / 2, shortest_wait);
    // What another router, or this one after its restart, calls its address now.
    note_external(grant.external_address);
    // A restart right after it is seen by the epoch that came with it.
    if (grant.epoch) epochs_.restarted(*grant.epoch, at);
    why_.clear();
}

void KeepWatch::failed(TimePoint now) { renew_at_ = now + after_failure; }

KeepWatch::Need KeepWatch::on_time(TimePoint now) const {
    if (now < renew_at_) return Need::nothing;
    why_ = "half of its time is over";
    return Need::renew;
}

KeepWatch::Need KeepWatch::again(std::string why) {
    why_ = std::move(why);
    return Need::map_again;
}

KeepWatch::Need KeepWatch::on_status(const portmap::Outcome<portmap::PortControlStatus>& status,
                                     TimePoint now) {
    if (!status) {
        away_ = true;
        return Need::nothing;
    }
    const bool back = std::exchange(away_, false);
    const bool restarted = epochs_.restarted(status->epoch, now);
    const bool moved = note_external(status->external_address);
    // With another address the epoch begins anew as well (RFC 6887 section 8.5).
    if (moved) return again(moved_to(*external_));
    if (restarted) return again("the router was restarted");
    // Some take their epoch from the machine's uptime, which a restart of the service leaves alone.
    if (back) return again("the router was away for a while");
    return Need::nothing;
}

KeepWatch::Need KeepWatch::on_status(const portmap::Outcome<portmap::IgdStatus>& status) {
    if (!status) {
        away_ = true;
        return Need::nothing;
    }
    const bool back = std::exchange(away_, false);
    const auto uptime = std::exchange(uptime_, status->uptime);
    // Some count from zero on, and some never count at all.
    if (uptime && status->uptime && *status->uptime + uptime_slack < *uptime) {
        note_external(status->external);
        return again("the router was restarted");
    }
    if (note_external(status->external)) {
        return again(moved_to(*external_));
    }
    if (back) return again("the router was away for a while");
    return Need::nothing;
}

// Without a connection routers name none, or 0.0.0.0.
static bool is_told(const std::optional<IpAddress>& external) {
    return external && external->scope() != AddressScope::unspecified;
}

bool KeepWatch::is_other(const std::optional<IpAddress>& external) const {
    return is_told(external) && external_ && *external_ != *external;
}

bool KeepWatch::note_external(const std::optional<IpAddress>& external) {
    const bool other = is_other(external);
    if (is_told(external)) external_ = external;
    return other;
}

bool KeepWatch::on_asked_again(const portmap::MapGrant& grant, TimePoint at) {
    const bool restarted = grant.epoch && epochs_.restarted(*grant.epoch, at);
    if (is_elsewhere(grant)) {
        why_ = moved_to(*grant.external_address);
    } else if (restarted) {
        why_ = "the router was restarted";
    } else {
        return false;
    }
    return true;
}

KeepWatch::Need KeepWatch::on_read_back(const portmap::ReadBack& said) const {
    if (said.in_force != portmap::InForce::no) return Need::nothing;
    why_ = said.switched_off ? "the router has switched it off" : "the router no longer lists it";
    return Need::map_again;
}

}  // namespace p2pdiag::upnp_plugin
