// When a kept forward must be renewed or made again. Pure: what the router said and the time are
// handed in.
#pragma once

#include <optional>
#include <string>

#include "net/portmap/igd.hpp"
#include "net/portmap/mapping.hpp"
#include "net/portmap/port_control.hpp"

namespace p2pdiag::upnp_plugin {

namespace portmap = net::portmap;

class KeepWatch {
public:
    enum class Need {
        nothing,
        renew,     // half the lease is over
        map_again  // the router has lost it, or may have
    };

    // `asked` is the lease that was asked for, and holds where the grant does not tell another one.
    KeepWatch(const portmap::MapGrant& grant, portmap::Seconds asked, TimePoint at)
        : asked_(asked) {
        granted(grant, at);
    }

    // It was made or renewed at this time.
    void granted(const portmap::MapGrant& grant, TimePoint at);
    // Making or renewing it failed: once more, a little later.
    void failed(TimePoint now);

    // Half the lease; a permanent one is never renewed.
    Need on_time(TimePoint now) const;

    Need on_status(const portmap::Outcome<portmap::PortControlStatus>& status, TimePoint now);
    Need on_status(const portmap::Outcome<portmap::IgdStatus>& status);
    Need on_read_back(const portmap::ReadBack& said) const;

    // What was granted once more, before its time: whether that made it again.
    bool on_asked_again(const portmap::MapGrant& grant, TimePoint at);
    // Whether its outside address is another one than so far.
    bool is_elsewhere(const portmap::MapGrant& grant) const {
        return is_other(grant.external_address);
    }

    // Why the last Need arose, for people.
    const std::string& why() const { return why_; }
    // The router did not answer the last time.
    bool away() const { return away_; }
    TimePoint renew_at() const { return renew_at_; }

private:
    Need again(std::string why);
    bool is_other(const std::optional<IpAddress>& external) const;
    bool note_external(const std::optional<IpAddress>& external);

    portmap::Seconds asked_;
    portmap::EpochWatch epochs_;
    std::optional<portmap::Seconds> uptime_;
    std::optional<IpAddress> external_;
    TimePoint renew_at_;
    mutable std::string why_;
    bool away_ = false;
};

}  // namespace p2pdiag::upnp_plugin
