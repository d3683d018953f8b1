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
}
