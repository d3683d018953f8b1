// C10: where a router is asked after its restart, or after this machine has got another address.
#include "rediscover.hpp"

#include <catch2/catch.hpp>

#include "made_up.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;
using portmap::Problem;

TEST_CASE("C10: the same router at another port") {
    const portmap::Service old = *about(*std::make_unique<portmap::IgdReport>(igd())).mapping;
    CHECK_FALSE(find_in(search(), old));
    CHECK_FALSE(find_in(search({igd()}), old));  // as it was
    portmap::IgdReport moved = igd();
    about(moved).mapping->control_url = "http://192.168.1.1:40123/ctl";
    // Not whoever else is there.
    portmap::IgdReport other = igd(public_address, ip("192.168.1.254"));
    auto found = find_in(search({other, moved}), old);
    REQUIRE(found);
    CHECK(found->control_url == "http://192.168.1.1:40123/ctl");
    CHECK_FALSE(find_in(search({other}), old));
    // The same place, and this machine has another address.
    portmap::IgdReport renumbered = igd();
    about(renumbered).mapping->local = ip("192.168.1.8");
    found = find_in(search({renumbered}), old);
    REQUIRE(found);
    CHECK(found->local == ip("192.168.1.8"));
}

TEST_CASE("C10: a router is known by its name, whatever its address is") {
    const portmap::Service old = *about(*std::make_unique<portmap::IgdReport>(igd())).mapping;
    portmap::IgdReport moved = igd(public_address, ip("192.168.1.254"));
    about(moved).mapping->udn = about(moved).udn = old.udn;
    // Somebody else has its address by now.
    portmap::IgdReport usurper = igd();
    about(usurper).mapping->udn = about(usurper).udn = "uuid:another";
    about(usurper).mapping->control_url = "http://192.168.1.1:40123/ctl";
    auto found = find_in(search({usurper, moved}), old);
    REQUIRE(found);
    CHECK(found->router == ip("192.168.1.254"));
    CHECK_FALSE(find_in(search({usurper}), old));
    CHECK_FALSE(find_by_name_in(search({usurper}), old));
    // Unchanged is no other place, but it is there.
    CHECK_FALSE(find_in(search({igd()}), old));
    CHECK(find_by_name_in(search({igd()}), old)->control_url == old.control_url);
    // A record of an earlier version, or a router without a name: by the address.
    portmap::Service nameless = old;
    nameless.udn.clear();
    CHECK(find_in(search({usurper}), nameless)->control_url == "http://192.168.1.1:40123/ctl");
    CHECK_FALSE(find_by_name_in(search({igd()}), nameless));

    // PCP of the same router has its name from UPnP.
    portmap::GatewayReport speaks_pcp = gateway();
    speaks_pcp.pcp = natpmp_status(std::nullopt);
    const auto pcp = [](const Search& found_now) {
        for (const Offer& offer : offers(found_now.found, {})) {
            if (offer.service.protocol == portmap::Protocol::pcp) return offer.service;
        }
        return portmap::Service();
    };
    const portmap::Service by_pcp = pcp(search({igd()}, speaks_pcp));
    CHECK(by_pcp.udn == old.udn);
    speaks_pcp.address = ip("192.168.1.254");
    found = find_in(search({moved}, speaks_pcp), by_pcp);
    REQUIRE(found);
    CHECK(found->router == ip("192.168.1.254"));
    CHECK_FALSE(find_in(search({}, speaks_pcp), by_pcp));
}

TEST_CASE("C10: when a search may help") {
    portmap::Service service;
    for (const Problem problem : {Problem::absent, Problem::no_answer, Problem::no_route}) {
        CHECK(may_have_moved(service, failure(problem)));
    }
    CHECK(may_have_moved(service, failure(Problem::failed, 410)));
    CHECK(may_have_moved(service, failure(Problem::unsupported, 404)));  // as soap.cpp has it
    for (const int code : {402, 501, 606, 714, 0}) {
        CHECK_FALSE(may_have_moved(service, failure(Problem::failed, code)));
    }
    // NAT-PMP and PCP have one port for good.
    service.protocol = portmap::Protocol::pcp;
    CHECK_FALSE(may_have_moved(service, failure(Problem::absent)));
    service.udn = "uuid:1";
    CHECK(may_have_moved(service, failure(Problem::no_answer)));
    CHECK_FALSE(may_have_moved(service, failure(Problem::refused, 2)));
}
