// When a kept forward is renewed or made again: E5, and what a restart looks like by each protocol.
#include <catch2/catch.hpp>

#include "keep_watch.hpp"
#include "made_up.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;
using portmap::Problem;
using Need = KeepWatch::Need;
using std::chrono::seconds;

namespace {

const TimePoint start{};
constexpr seconds asked{7200};

portmap::MapGrant grant(std::optional<seconds> lifetime) {
    portmap::MapGrant made;
    made.internal_port = made.external_port = 8000;
    made.lifetime = lifetime;
    return made;
}

portmap::Outcome<portmap::IgdStatus> igd_says(std::int64_t uptime, const char* external) {
    portmap::IgdStatus status;
    status.uptime = seconds(uptime);
    status.external = IpAddress::parse(external);
    return status;
}

portmap::Outcome<portmap::PortControlStatus> epoch(std::uint32_t value,
                                                   IpAddress external = public_address) {
    return natpmp_status(external, value);
}

}  // namespace

TEST_CASE("half of what was granted") {
    KeepWatch watch(grant(seconds(120)), asked, start);
    CHECK(watch.on_time(start + seconds(59)) == Need::nothing);
    CHECK(watch.on_time(start + seconds(60)) == Need::renew);
    watch.granted(grant(seconds(20)), start + seconds(60));
    CHECK(watch.on_time(start + seconds(69)) == Need::nothing);
    CHECK(watch.on_time(start + seconds(70)) == Need::renew);
    watch.failed(start + seconds(70));
    CHECK(watch.on_time(start + seconds(71)) == Need::nothing);
    CHECK(watch.on_time(start + seconds(72)) == Need::renew);
    KeepWatch permanent(grant(seconds(0)), asked, start);
    CHECK(permanent.on_time(start + seconds(1000000)) == Need::nothing);
    // Not told: what was asked for, which a router that knows no lease was not.
    KeepWatch untold(grant(std::nullopt), seconds(120), start);
    CHECK(untold.on_time(start + seconds(59)) == Need::nothing);
    CHECK(untold.on_time(start + seconds(60)) == Need::renew);
    untold.granted(grant(std::nullopt), start + seconds(60));
    CHECK(untold.on_time(start + seconds(119)) == Need::nothing);
    CHECK(untold.on_time(start + seconds(120)) == Need::renew);
    // A lease of nothing is no reason to ask without a pause.
    KeepWatch hasty(grant(seconds(1)), asked, start);
    CHECK(hasty.on_time(start + Milliseconds(900)) == Need::nothing);
}

TEST_CASE("a router that was restarted, by its epoch") {
    KeepWatch watch(grant(seconds(7200)), asked, start);
    CHECK(watch.on_status(epoch(5000), start) == Need::nothing);
    CHECK(watch.on_status(epoch(5002), start + seconds(2)) == Need::nothing);
    CHECK(watch.on_status(epoch(1), start + seconds(4)) == Need::map_again);
    CHECK(watch.why() == "the router was restarted");
    CHECK(watch.on_status(epoch(3), start + seconds(6)) == Need::nothing);
}

TEST_CASE("a restart before the first look is seen by the epoch of the grant") {
    portmap::MapGrant with_epoch = grant(seconds(7200));
    with_epoch.epoch = 5000;
    KeepWatch watch(with_epoch, asked, start);
    CHECK(watch.on_status(epoch(1), start + seconds(2)) == Need::map_again);
}

TEST_CASE("E5: a service that was away for a moment may have lost it, whatever its epoch") {
    KeepWatch watch(grant(seconds(7200)), asked, start);
    CHECK(watch.on_status(epoch(5000), start) == Need::nothing);
    CHECK(watch.on_status(portmap::Outcome<portmap::PortControlStatus>(failure(Problem::absent)),
                          start + seconds(2)) == Need::nothing);
    CHECK(watch.away());
    CHECK(watch.on_status(epoch(5004), start + seconds(4)) == Need::map_again);
    CHECK_FALSE(watch.away());
}

TEST_CASE("another outside address") {
    KeepWatch watch(grant(seconds(7200)), asked, start);
    CHECK(watch.on_status(epoch(5000), start) == Need::nothing);
    CHECK(watch.on_status(epoch(5002, ip("203.0.113.8")), start + seconds(2)) == Need::map_again);
    CHECK(watch.why().find("203.0.113.8") != std::string::npos);
    CHECK(watch.on_status(epoch(5004, ip("203.0.113.8")), start + seconds(4)) == Need::nothing);
    // Without a connection there is no address to make it for.
    CHECK(watch.on_status(epoch(5006, ip("0.0.0.0")), start + seconds(6)) == Need::nothing);
    CHECK(watch.on_status(epoch(5008, ip("203.0.113.8")), start + seconds(8)) == Need::nothing);
}

TEST_CASE("another outside address in a grant before its time, as PCP tells it") {
    KeepWatch watch(grant(seconds(7200)), asked, start);
    portmap::MapGrant now = grant(seconds(7200));
    now.external_address = ip("203.0.113.7");
    watch.granted(now, start);
    CHECK_FALSE(watch.is_elsewhere(now));
    now.epoch = 5000;
    CHECK_FALSE(watch.on_asked_again(now, start + seconds(2)));
    now.epoch = 1;
    CHECK(watch.on_asked_again(now, start + seconds(3)));
    CHECK(watch.why() == "the router was restarted");
    now.external_address = ip("203.0.113.8");
    CHECK(watch.is_elsewhere(now));
    CHECK(watch.on_asked_again(now, start + seconds(4)));
    CHECK(watch.why().find("203.0.113.8") != std::string::npos);
    now.external_address = ip("0.0.0.0");
    CHECK_FALSE(watch.is_elsewhere(now));
    now.external_address.reset();
    CHECK_FALSE(watch.is_elsewhere(now));
}

TEST_CASE("a UPnP router: uptime, address, list") {
    KeepWatch watch(grant(seconds(7200)), asked, start);
    CHECK(watch.on_status(igd_says(1000, "203.0.113.7")) == Need::nothing);
    CHECK(watch.on_status(igd_says(1004, "203.0.113.7")) == Need::nothing);
    // A clock that was set.
    CHECK(watch.on_status(igd_says(1002, "203.0.113.7")) == Need::nothing);
    CHECK(watch.on_status(igd_says(2, "203.0.113.7")) == Need::map_again);
    CHECK(watch.on_status(igd_says(6, "203.0.113.9")) == Need::map_again);
    // Some always say the same.
    for (int i = 0; i < 3; ++i) CHECK(watch.on_status(igd_says(6, "203.0.113.9")) == Need::nothing);

    portmap::ReadBack said;
    for (const auto in_force :
         {portmap::InForce::yes, portmap::InForce::foreign, portmap::InForce::unknown}) {
        said.in_force = in_force;
        CHECK(watch.on_read_back(said) == Need::nothing);
    }
    said.in_force = portmap::InForce::no;
    CHECK(watch.on_read_back(said) == Need::map_again);
}
