// Mappings by each protocol, against routers on loopback that misbehave as told. What counts most:
// what is somebody else's is never touched, and what is ours does not stay.
#include "net/portmap/mapping.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "../net/run_task.hpp"
#include "fake/igd.hpp"
#include "fake/port_control_server.hpp"
#include "net/portmap/port_control.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net::portmap;
using namespace p2pdiag::testing;

namespace {

const IpAddress loopback = IpAddress::v4(0x7f000001);
const std::string ours = "p2pdiag 1234";

Service table_of(const FakeIgd& router, const std::string& type = "WANIPConnection:1") {
    Service service;
    service.router = router.address();
    service.local = loopback;
    service.control_url = router.control_url();
    service.service_type = "urn:schemas-upnp-org:service:" + type;
    return service;
}

Service pinholes_of(const FakeIgd& router) {
    Service service = table_of(router, "WANIPv6FirewallControl:1");
    service.control_url = router.firewall_url();
    service.local = *IpAddress::parse("2001:db8::2");
    return service;
}

MapRequest request(std::uint16_t external_port = 8000) {
    MapRequest asked;
    asked.internal_port = 8000;
    asked.external_port = external_port;
    asked.lifetime = Seconds(600);
    asked.description = ours;
    asked.nonce = {1, 2, 3};
    return asked;
}

FakeMapping entry(const std::string& address, const std::string& description,
                  std::uint16_t external_port = 8000) {
    return {"UDP", external_port, address, 8000, description, 600};
}
const FakeMapping foreign = entry("192.168.1.7", "Skype");
const FakeMapping other_program = entry("127.0.0.1", "Skype");
const FakeMapping old_one = entry("127.0.0.1", ours);

FakeIgdOptions with_table(std::vector<FakeMapping> table) {
    FakeIgdOptions options;
    options.table = std::move(table);
    return options;
}

template <class T>
T run(boost::asio::awaitable<T> task) {
    boost::asio::io_context context;
    return run_on(context, std::move(task));
}

long count(const FakeIgd& router, const std::string& action) {
    const auto actions = router.actions();
    return std::count(actions.begin(), actions.end(), action);
}

Failure failure_of(const Outcome<MapGrant>& outcome) {
    REQUIRE(outcome.has_error());
    return outcome.error();
}

}  // namespace

TEST_CASE("UPnP: a mapping is made, read back, renewed and removed") {
    const FakeIgd router;
    const Service service = table_of(router);
    const auto made = run(add_mapping(service, request(8001)));
    REQUIRE(made.has_value());
    CHECK(made->external_port == 8001);
    CHECK(made->internal_port == 8000);
    CHECK(made->lifetime == Seconds(600));
    REQUIRE(router.table().size() == 1);
    CHECK(router.table()[0] == FakeMapping{"UDP", 8001, "127.0.0.1", 8000, ours, 600});

    const ReadBack listed = run(read_back(service, request(8001), *made));
    CHECK(listed.in_force == InForce::yes);
    CHECK(listed.remaining == Seconds(600));

    MapRequest longer = request(8001);
    longer.lifetime = Seconds(1200);
    const auto renewed = run(renew_mapping(service, longer, *made));
    REQUIRE(renewed.has_value());
    CHECK(renewed->lifetime == Seconds(1200));
    CHECK(router.table().size() == 1);

    CHECK(run(remove_mapping(service, request(8001), *made)).has_value());
    CHECK(router.table().empty());
    CHECK(run(read_back(service, request(8001), *made)).in_force == InForce::no);
    CHECK(run(remove_mapping(service, request(8001), *made)).has_value());
}

TEST_CASE("UPnP: a port that somebody else has is named and left alone") {
    for (const FakeMapping& holder : {foreign, other_program}) {
        const FakeIgd router(with_table({holder}));
        const Service service = table_of(router);
        const Failure failure = failure_of(run(add_mapping(service, request())));
        CHECK(failure.problem == Problem::conflict);
        CHECK(failure.text.find("8000") != std::string::npos);
        CHECK(failure.text.find(holder.internal_address) != std::string::npos);
        CHECK(failure.text.find("\"Skype\"") != std::string::npos);
        CHECK(count(router, "AddPortMapping") == 0);

        MapGrant grant;
        grant.external_port = 8000;
        grant.internal_port = 8000;
        CHECK(failure_of(run(renew_mapping(service, request(), grant))).problem ==
              Problem::conflict);
        CHECK(run(remove_mapping(service, request(), grant)).has_value());
        CHECK(run(remove_mapping(service, request(), std::nullopt)).has_value());
        CHECK(run(remove_mapping(service, request(0), std::nullopt)).has_value());
        CHECK(count(router, "DeletePortMapping") == 0);
        CHECK(router.table() == std::vector{holder});
    }
    const FakeIgd router(with_table({foreign}));
    MapGrant grant;
    grant.external_port = 8000;
    const ReadBack listed = run(read_back(table_of(router), request(), grant));
    CHECK(listed.in_force == InForce::foreign);
    CHECK(listed.owner == "192.168.1.7 port 8000, \"Skype\"");
}

TEST_CASE("UPnP: any port means another one when the first is taken, and never 0") {
    const FakeIgd router(with_table({foreign}));
    const auto made = run(add_mapping(table_of(router), request(0)));
    REQUIRE(made.has_value());
    CHECK(made->external_port >= 49152);
    CHECK(router.table().size() == 2);
    CHECK(router.table()[0] == foreign);
    // After a crash nobody knows which port it was.
    CHECK(run(remove_mapping(table_of(router), request(0), std::nullopt)).has_value());
    CHECK(router.table() == std::vector{foreign});

    const FakeIgd free;
    CHECK(run(add_mapping(table_of(free), request(0)))->external_port == 8000);
}

TEST_CASE("UPnP: WANIPConnection:2 picks the other port itself") {
    FakeIgdOptions options = with_table({foreign});
    options.description = DescriptionFault::version_two;
    const FakeIgd router(options);
    const auto made = run(add_mapping(table_of(router, "WANIPConnection:2"), request(0)));
    REQUIRE(made.has_value());
    CHECK(made->external_port == 8001);
    CHECK(made->lifetime == Seconds(600));
    CHECK(count(router, "AddAnyPortMapping") == 1);
}

TEST_CASE("UPnP: 725 makes it permanent, and says so") {
    FakeIgdOptions options;
    options.only_permanent = true;
    const FakeIgd router(options);
    const auto made = run(add_mapping(table_of(router), request()));
    REQUIRE(made.has_value());
    CHECK(made->lifetime == Seconds(0));
    const auto renewed = run(renew_mapping(table_of(router), request(), *made));
    REQUIRE(renewed.has_value());
    CHECK(renewed->lifetime == Seconds(0));
    CHECK(count(router, "AddPortMapping") == 3);  // refused, permanent, permanent
    CHECK(run(remove_mapping(table_of(router), request(), *made)).has_value());
    CHECK(router.table().empty());
}

TEST_CASE("UPnP: a refusal is asked once, 402 once more without a lease") {
    const auto refused = [](int code) {
        FakeIgdOptions options;
        options.errors["AddPortMapping"] = code;
        const FakeIgd router(options);
        const Failure failure = failure_of(run(add_mapping(table_of(router), request())));
        CHECK(failure.code == code);
        CHECK(router.table().empty());
        CHECK(count(router, "DeletePortMapping") == 0);
        return std::pair(failure.problem, count(router, "AddPortMapping"));
    };
    CHECK(refused(402) == std::pair(Problem::failed, 2L));
    CHECK(refused(725) == std::pair(Problem::permanent_only, 2L));
    CHECK(refused(501) == std::pair(Problem::failed, 1L));
    CHECK(refused(606) == std::pair(Problem::refused, 1L));
    CHECK(refused(718) == std::pair(Problem::conflict, 1L));
    CHECK(refused(724) == std::pair(Problem::same_port_required, 1L));
    CHECK(refused(726) == std::pair(Problem::wildcard_required, 1L));
    CHECK(refused(727) == std::pair(Problem::wildcard_required, 1L));
    CHECK(refused(728) == std::pair(Problem::full, 1L));
}

TEST_CASE("UPnP: ours from an earlier run is used again") {
    SECTION("renewed where the router lets us") {
        const FakeIgd router(with_table({old_one}));
        MapRequest asked = request();
        asked.lifetime = Seconds(1200);
        CHECK(run(add_mapping(table_of(router), asked))->lifetime == Seconds(1200));
        CHECK(router.table().size() == 1);
    }
    SECTION("kept where it never ends") {
        FakeMapping permanent = old_one;
        permanent.lease = 0;
        FakeIgdOptions options = with_table({permanent});
        options.errors["AddPortMapping"] = 718;
        const FakeIgd router(options);
        const auto made = run(add_mapping(table_of(router), request()));
        REQUIRE(made.has_value());
        CHECK(made->lifetime == Seconds(0));
        CHECK(made->external_port == 8000);
        CHECK(count(router, "DeletePortMapping") == 0);
    }
    SECTION("given anew where the router does not renew") {
        FakeIgdOptions options = with_table({old_one});
        options.no_renewal = true;
        const FakeIgd router(options);
        MapRequest asked = request();
        asked.lifetime = Seconds(1200);
        CHECK(run(add_mapping(table_of(router), asked))->lifetime == Seconds(1200));
        REQUIRE(router.table().size() == 1);
        CHECK(router.table()[0].lease == 1200);
    }
    SECTION("its description may have been cut by the router, but not to nothing") {
        MapRequest asked = request();
        asked.description = "p2pdiag run of somebody";
        for (const std::string listed : {"p2pdiag run", "p2p", ""}) {
            const FakeIgd router(with_table({entry("127.0.0.1", listed)}));
            CHECK(run(remove_mapping(table_of(router), asked, std::nullopt)).has_value());
            CHECK(router.table().empty() == (listed == "p2pdiag run"));
        }
    }
}

TEST_CASE("UPnP: what the router says to have done is looked at") {
    FakeIgdOptions options;
    options.forgets = true;
    const FakeIgd forgetful(options);
    auto unseen = run(add_mapping(table_of(forgetful), request()));
    REQUIRE(unseen.has_value());
    CHECK(unseen->unlisted);
    CHECK(run(remove_mapping(table_of(forgetful), request(), *unseen)).has_value());
    // What was listed once is lost, and said to be.
    unseen->unlisted = false;
    const Failure failure = failure_of(run(renew_mapping(table_of(forgetful), request(), *unseen)));
    CHECK(failure.problem == Problem::failed);
    CHECK(failure.text.find("does not list it") != std::string::npos);

    options = {};
    options.switches_off = true;
    const FakeIgd off(options);
    const auto dead = run(add_mapping(table_of(off), request()));
    REQUIRE(dead.has_value());
    CHECK_FALSE(dead->unlisted);
    const ReadBack back = run(read_back(table_of(off), request(), *dead));
    CHECK(back.in_force == InForce::no);
    CHECK(back.switched_off);
    CHECK(run(remove_mapping(table_of(off), request(), *dead)).has_value());
    CHECK(off.table().empty());

    // In force, and not listed: nobody but a packet can tell, and it is taken back nevertheless.
    options = {};
    options.errors["GetSpecificPortMappingEntry"] = 714;
    const FakeIgd shy(options);
    const auto kept = run(add_mapping(table_of(shy), request()));
    REQUIRE(kept.has_value());
    CHECK(kept->unlisted);
    CHECK(shy.table().size() == 1);
    const ReadBack told = run(read_back(table_of(shy), request(), *kept));
    CHECK(told.in_force == InForce::unknown);
    CHECK(told.detail.find("does not list it") != std::string::npos);
    CHECK(run(remove_mapping(table_of(shy), request(), *kept)).has_value());
    CHECK(shy.table().empty());

    options = {};
    options.wrong_port = true;
    const FakeIgd confused(options);
    CHECK(failure_of(run(add_mapping(table_of(confused), request()))).text.find("port 1,") !=
          std::string::npos);
    CHECK(confused.table().empty());

    // Another address under our name, where nobody was before: ours, and not somebody else's.
    options = {};
    options.lists_client = "192.0.2.99";
    const FakeIgd astray(options);
    const Failure led_astray = failure_of(run(add_mapping(table_of(astray), request())));
    CHECK(led_astray.problem == Problem::failed);
    CHECK(led_astray.text.find("has mapped 192.0.2.99 port") != std::string::npos);
    CHECK(astray.table().empty());
    // Not so under another name: nothing shows that it is not somebody else's.
    options.lists_as = "a stranger";
    const FakeIgd strange(options);
    const Failure taken = failure_of(run(add_mapping(table_of(strange), request())));
    CHECK(taken.problem == Problem::conflict);
    CHECK(strange.table().size() == 1);

    options = {};
    options.longest_lease = 60;
    const FakeIgd stingy(options);
    CHECK(run(add_mapping(table_of(stingy), request()))->lifetime == Seconds(60));

    // A router that cannot be asked is believed, and what it has granted is unknown.
    options = {};
    options.errors["GetSpecificPortMappingEntry"] = 602;
    const FakeIgd blind(options);
    const auto made = run(add_mapping(table_of(blind), request()));
    REQUIRE(made.has_value());
    CHECK_FALSE(made->lifetime);
    const ReadBack listed = run(read_back(table_of(blind), request(), *made));
    CHECK(listed.in_force == InForce::unknown);
    CHECK_FALSE(listed.detail.empty());
}

TEST_CASE("UPnP: a router that gives names of its own is believed, and the name remembered") {
    for (const std::string name : {"UPnP forward", ""}) {
        FakeIgdOptions options;
        options.lists_as = name;
        const FakeIgd router(options);
        const auto made = run(add_mapping(table_of(router), request()));
        REQUIRE(made.has_value());
        CHECK(made->listed_as == name);
        CHECK(run(read_back(table_of(router), request(), *made)).in_force == InForce::yes);
        CHECK(run(renew_mapping(table_of(router), request(), *made)).has_value());
        // Without the grant it cannot be told from another program's.
        CHECK(run(remove_mapping(table_of(router), request(), std::nullopt)).has_value());
        CHECK(router.table().size() == 1);
        CHECK(run(remove_mapping(table_of(router), request(), *made)).has_value());
        CHECK(router.table().empty());
    }
    // A name in place of this machine's address.
    FakeIgdOptions options;
    options.lists_client = "desktop";
    const FakeIgd naming(options);
    const auto made = run(add_mapping(table_of(naming), request()));
    REQUIRE(made.has_value());
    CHECK_FALSE(made->listed_as);
    CHECK(run(remove_mapping(table_of(naming), request(), *made)).has_value());
    CHECK(naming.table().empty());
    // Neither is ours for sure: better nothing than something that stays.
    options.lists_as = "UPnP forward";
    const FakeIgd hopeless(options);
    CHECK(run(add_mapping(table_of(hopeless), request())).has_error());
    CHECK(hopeless.table().empty());
}

TEST_CASE("UPnP: without GetSpecificPortMappingEntry the list tells whose it is") {
    FakeIgdOptions options = with_table({foreign, entry("127.0.0.1", ours, 8001)});
    options.errors["GetSpecificPortMappingEntry"] = 602;
    const FakeIgd listing(options);
    CHECK(run(remove_mapping(table_of(listing), request(8000), std::nullopt)).has_value());
    CHECK(listing.table().size() == 2);
    CHECK(run(remove_mapping(table_of(listing), request(8001), std::nullopt)).has_value());
    CHECK(listing.table() == std::vector{foreign});

    // Without a list either, only what we know to have made goes.
    options.errors["GetGenericPortMappingEntry"] = 602;
    const FakeIgd blind(options);
    CHECK(run(remove_mapping(table_of(blind), request(8001), std::nullopt)).has_error());
    CHECK(blind.table().size() == 2);
    MapGrant grant;
    grant.external_port = 8001;
    CHECK(run(remove_mapping(table_of(blind), request(8001), grant)).has_value());
    CHECK(blind.table() == std::vector{foreign});
}

TEST_CASE("UPnP: a router that is gone, or refuses to remove, is reported") {
    FakeIgdOptions options;
    options.action_http = HttpFault::closes_at_once;
    const FakeIgd dead(options);
    CHECK(run(add_mapping(table_of(dead), request())).has_error());
    CHECK(run(remove_mapping(table_of(dead), request(), std::nullopt)).has_error());

    options = with_table({old_one});
    options.errors["DeletePortMapping"] = 606;
    const FakeIgd strict(options);
    const auto removed = run(remove_mapping(table_of(strict), request(), std::nullopt));
    REQUIRE(removed.has_error());
    CHECK(removed.error().problem == Problem::refused);
}

TEST_CASE(
    "UPnP: what leads to an address that this machine no longer has is removed from another") {
    const FakeIgd router(
        with_table({entry("192.0.2.77", ours), entry("127.0.0.1", "Skype", 8001)}));
    Service service = table_of(router);
    service.local = *IpAddress::parse("192.0.2.77");
    const auto stuck = run(remove_mapping(service, request(), std::nullopt));
    REQUIRE(stuck.has_error());
    CHECK(stuck.error().problem == Problem::no_route);
    service.from = loopback;
    CHECK(run(remove_mapping(service, request(), std::nullopt)).has_value());
    CHECK(router.table() == std::vector{entry("127.0.0.1", "Skype", 8001)});
}

TEST_CASE("UPnP: a pinhole") {
    const FakeIgd router;
    const Service service = pinholes_of(router);
    const auto made = run(add_mapping(service, request()));
    REQUIRE(made.has_value());
    REQUIRE(made->pinhole_id);
    CHECK(made->external_port == 8000);
    CHECK(made->external_address == service.local);
    CHECK(run(read_back(service, request(), *made)).in_force == InForce::yes);
    const auto renewed = run(renew_mapping(service, request(), *made));
    REQUIRE(renewed.has_value());
    CHECK(renewed->pinhole_id == made->pinhole_id);
    CHECK(count(router, "AddPinhole") == 1);
    CHECK(run(remove_mapping(service, request(), *made)).has_value());
    CHECK(run(read_back(service, request(), *made)).in_force == InForce::no);
    CHECK(run(remove_mapping(service, request(), *made)).has_value());
    // The router has been restarted meanwhile.
    const auto again = run(renew_mapping(service, request(), *made));
    REQUIRE(again.has_value());
    CHECK(count(router, "AddPinhole") == 2);
    // After a crash nobody knows its id.
    CHECK(run(remove_mapping(service, request(), std::nullopt)).has_value());
    CHECK(run(read_back(service, request(), *again)).in_force == InForce::no);
}

TEST_CASE("NAT-PMP and PCP: made, renewed, removed, and not to be read back") {
    for (const Protocol protocol : {Protocol::natpmp, Protocol::pcp}) {
        PortControlServer server;
        Service service;
        service.protocol = protocol;
        service.router = server.address();
        service.local = loopback;
        const auto made = run(add_mapping(service, request(8001)));
        REQUIRE(made.has_value());
        CHECK(made->external_port == 8001);
        CHECK(run(read_back(service, request(8001), *made)).in_force == InForce::unknown);
        // A restarted router is given the same port again.
        server.restart();
        const auto renewed = run(renew_mapping(service, request(0), *made));
        REQUIRE(renewed.has_value());
        CHECK(renewed->external_port == 8001);
        CHECK(renewed->epoch == 0U);
        CHECK(run(remove_mapping(service, request(8001), std::nullopt)).has_value());
        CHECK(server.mappings().empty());
    }
}

TEST_CASE("NAT-PMP and PCP: exactly this port, or nothing") {
    for (const bool knows_option : {true, false}) {
        for (const Protocol protocol : {Protocol::natpmp, Protocol::pcp}) {
            PortControlOptions options;
            options.taken = {8001};
            options.prefer_failure = knows_option;
            const PortControlServer server(options);
            Service service;
            service.protocol = protocol;
            service.router = server.address();
            service.local = loopback;
            MapRequest asked = request(8001);
            asked.exact = true;
            CHECK(failure_of(run(add_mapping(service, asked))).problem ==
                  Problem::port_not_available);
            CHECK(server.mappings().empty());
            asked.external_port = 8002;
            CHECK(run(add_mapping(service, asked))->external_port == 8002);
        }
    }
}

TEST_CASE("E7: a low port that the router keeps is not searched for port by port") {
    const auto granted = [](Protocol protocol, const PortControlOptions& options) {
        const PortControlServer server(options);
        Service service;
        service.protocol = protocol;
        service.router = server.address();
        service.local = loopback;
        MapRequest asked = request(443);
        const auto made = run(add_mapping(service, asked));
        REQUIRE(made.has_value());
        REQUIRE(server.mappings().size() == 1);
        CHECK(server.mappings()[0].external_port == made->external_port);
        // Once more, as after a crash: no second one beside it.
        CHECK(run(add_mapping(service, asked)).has_value());
        CHECK(server.mappings().size() == 1);
        return made->external_port;
    };
    PortControlOptions options;
    CHECK(granted(Protocol::pcp, options) >= 49152);
    // NAT-PMP cannot be asked for one port or nothing, and this server finds the next one.
    CHECK(granted(Protocol::natpmp, options) == 1024);
    // A few ports for each customer: neither is among them.
    options.highest_port = 2000;
    CHECK(granted(Protocol::pcp, options) == 1024);
    // UNSUPP_OPTION.
    options.highest_port = 65535;
    options.prefer_failure = false;
    CHECK(granted(Protocol::pcp, options) == 1024);
    // One that gives it.
    options.prefer_failure = true;
    options.lowest_port = 1;
    CHECK(granted(Protocol::pcp, options) == 443);
}

TEST_CASE("E7: a low port of this machine is no reason to go through all ports of the router") {
    PortControlOptions options;
    options.highest_port = 2000;
    const PortControlServer server(options);
    Service service;
    service.protocol = Protocol::pcp;
    service.router = server.address();
    service.local = loopback;
    MapRequest asked = request(443);
    asked.internal_port = 443;
    const Failure refused = failure_of(run(add_mapping(service, asked)));
    CHECK(refused.problem == Problem::port_not_available);
    CHECK(refused.text.find("neither for external port 443") != std::string::npos);
    CHECK(server.mappings().empty());
}

TEST_CASE("NAT-PMP and PCP: what was perhaps made is taken back") {
    PortControlOptions options;
    options.fault = PortControlFault::garbled_port;
    const PortControlServer server(options);
    Service service;
    service.protocol = Protocol::pcp;
    service.router = server.address();
    service.local = loopback;
    CHECK(failure_of(run(add_mapping(service, request()))).problem == Problem::malformed);
    CHECK(server.mappings().empty());
}
