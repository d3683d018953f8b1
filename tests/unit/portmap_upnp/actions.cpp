#include "fake/stun_server.hpp"
#include "net/portmap/soap.hpp"
#include "router.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using namespace p2pdiag::net::portmap;

namespace {

FakeIgdOptions failing(const std::string& action, int code) {
    FakeIgdOptions options;
    options.errors[action] = code;
    return options;
}

Outcome<MapGrant> add(const FakeIgd& router, MapRequest request) {
    return run(igd_add(mapping_service(router), request));
}

Service firewall_service(const FakeIgd& router) {
    Service service = mapping_service(router);
    service.control_url = router.firewall_url();
    service.service_type = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1";
    service.local = *IpAddress::parse("2001:db8::2");
    return service;
}

}  // namespace

TEST_CASE("status: of a router as it should be") {
    const FakeIgd router;
    const auto status = run(igd_status(mapping_service(router)));
    REQUIRE(status.has_value());
    CHECK(status->connection == "Connected");
    CHECK(status->uptime == Seconds(4711));
    CHECK(status->external_text == "203.0.113.7");
    CHECK(status->external == IpAddress::parse("203.0.113.7"));
    CHECK(router.most_at_once() == 1);
}

TEST_CASE("status: external addresses that are none, or not of use") {
    const auto external = [](const std::string& text) {
        FakeIgdOptions options;
        options.external_address = text;
        const FakeIgd router(options);
        const auto status = run(igd_status(mapping_service(router)));
        REQUIRE(status.has_value());
        return *status;
    };
    CHECK_FALSE(external("").external);
    CHECK(external("").external_text.empty());
    CHECK(external("0.0.0.0").external->scope() == AddressScope::unspecified);
    CHECK(external("10.1.2.3").external->scope() == AddressScope::private_use);
    CHECK(external("100.64.1.2").external->scope() == AddressScope::carrier_grade);
    CHECK_FALSE(external("not connected").external);
    CHECK(external("not \x1b[2J connected").external_text == "not ?[2J connected");
    CHECK(external(std::string(2000, '1')).external_text.size() == 64);
    CHECK(external(" 203.0.113.9\n").external == IpAddress::parse("203.0.113.9"));
}

TEST_CASE("status: one answer of two is enough, none is a failure") {
    const FakeIgd no_address(failing("GetExternalIPAddress", 501));
    const auto first = run(igd_status(mapping_service(no_address)));
    REQUIRE(first.has_value());
    CHECK_FALSE(first->external);
    CHECK(first->connection == "Connected");

    const FakeIgd no_status(failing("GetStatusInfo", 401));
    const auto second = run(igd_status(mapping_service(no_status)));
    REQUIRE(second.has_value());
    CHECK(second->connection.empty());
    CHECK_FALSE(second->uptime);

    FakeIgdOptions neither = failing("GetStatusInfo", 401);
    neither.errors["GetExternalIPAddress"] = 606;
    const FakeIgd closed(neither);
    const auto third = run(igd_status(mapping_service(closed)));
    REQUIRE(third.has_error());
    CHECK(third.error().problem == Problem::refused);
    CHECK(third.error().code == 606);
}

TEST_CASE("add: a mapping is made, read back and deleted") {
    const FakeIgd router;
    MapRequest request = request_for(8000, 8001);
    request.transport = Transport::tcp;
    request.description = "p2pdiag <a & \"b\">";
    const auto grant = add(router, request);
    REQUIRE(grant.has_value());
    CHECK(grant->external_port == 8001);
    CHECK(grant->internal_port == 8000);
    CHECK_FALSE(grant->lifetime);
    const FakeMapping wanted{"TCP", 8001, "127.0.0.1", 8000, request.description, 120};
    REQUIRE(router.table().size() == 1);
    CHECK(router.table()[0] == wanted);

    const Service service = mapping_service(router);
    const auto entry = run(igd_mapping(service, Transport::tcp, 8001));
    REQUIRE(entry.has_value());
    CHECK(entry->internal_address == here);
    CHECK(entry->internal_port == 8000);
    CHECK(entry->external_port == 8001);
    CHECK(entry->enabled);
    CHECK(entry->description == request.description);
    CHECK(entry->lease == Seconds(120));
    CHECK(run(igd_mapping(service, Transport::udp, 8001)).error().problem == Problem::not_found);

    CHECK(run(igd_delete(service, Transport::tcp, 8001)).has_value());
    CHECK(router.table().empty());
    const auto again = run(igd_delete(service, Transport::tcp, 8001));
    REQUIRE(again.has_error());
    CHECK(again.error().problem == Problem::not_found);
    CHECK(again.error().code == 714);
}

TEST_CASE("add: port 0 is never asked for") {
    const FakeIgd router;
    CHECK(add(router, request_for(8000, 0)).has_error());
    CHECK(add(router, request_for(0, 8000)).has_error());
    CHECK(router.http_requests() == 0);
}

TEST_CASE("add: what a router says no with") {
    const auto problem = [](int code) {
        const FakeIgd router(failing("AddPortMapping", code));
        const auto grant = add(router, request_for(8000, 8000));
        REQUIRE(grant.has_error());
        CHECK(grant.error().code == code);
        CHECK(grant.error().text.find("said by the router") != std::string::npos);
        return grant.error().problem;
    };
    CHECK(problem(401) == Problem::unsupported);
    CHECK(problem(402) == Problem::permanent_only);
    CHECK(problem(501) == Problem::failed);
    CHECK(problem(606) == Problem::refused);
    CHECK(problem(718) == Problem::conflict);
    CHECK(problem(724) == Problem::same_port_required);
    CHECK(problem(725) == Problem::permanent_only);
    CHECK(problem(726) == Problem::wildcard_required);
    CHECK(problem(727) == Problem::wildcard_required);
    CHECK(problem(728) == Problem::full);
    CHECK(problem(999) == Problem::failed);
    const FakeIgd router(failing("AddPortMapping", 402));
    CHECK(add(router, request_for(8000, 8000, 0)).error().problem == Problem::failed);
}

TEST_CASE("add: the words of the standard stand beside the router's own") {
    const FakeIgd router(failing("AddPortMapping", 718));
    CHECK(add(router, request_for(1, 1)).error().text ==
          "ConflictInMappingEntry (said by the router)");
}

TEST_CASE("add: conflicts, permanent leases, same ports, a full table, a shorter lease") {
    FakeIgdOptions options;
    options.table = {{"UDP", 8000, "192.168.1.9", 8000, "somebody", 0}};
    options.capacity = 2;
    options.longest_lease = 60;
    const FakeIgd router(options);
    CHECK(add(router, request_for(8000, 8000)).error().problem == Problem::conflict);
    CHECK(add(router, request_for(8000, 8001)).has_value());
    CHECK(add(router, request_for(8000, 8002)).error().problem == Problem::full);
    const auto shortened = run(igd_mapping(mapping_service(router), Transport::udp, 8001));
    REQUIRE(shortened.has_value());
    CHECK(shortened->lease == Seconds(60));
    const auto owner = run(igd_mapping(mapping_service(router), Transport::udp, 8000));
    REQUIRE(owner.has_value());
    CHECK(owner->internal_address == IpAddress::parse("192.168.1.9"));
    CHECK(owner->description == "somebody");

    FakeIgdOptions strict;
    strict.only_permanent = true;
    strict.same_port = true;
    const FakeIgd permanent(strict);
    CHECK(add(permanent, request_for(8000, 8000)).error().problem == Problem::permanent_only);
    CHECK(add(permanent, request_for(8000, 8001, 0)).error().problem ==
          Problem::same_port_required);
    CHECK(add(permanent, request_for(8000, 8000, 0)).has_value());
}

TEST_CASE("add: a router that forgets what it granted is found out by reading back") {
    FakeIgdOptions options;
    options.forgets = true;
    const FakeIgd router(options);
    CHECK(add(router, request_for(8000, 8000)).has_value());
    CHECK(run(igd_mapping(mapping_service(router), Transport::udp, 8000)).error().problem ==
          Problem::not_found);
}

TEST_CASE("add any: version 2 picks another port; version 1 does not know the action") {
    FakeIgdOptions options;
    options.description = DescriptionFault::version_two;
    options.table = {{"UDP", 8000, "192.168.1.9", 8000, "somebody", 0}};
    const FakeIgd two(options);
    const auto grant = run(igd_add_any(mapping_service(two, 2), request_for(8000, 8000)));
    REQUIRE(grant.has_value());
    CHECK(grant->external_port == 8001);
    const FakeIgd one;
    CHECK(run(igd_add_any(mapping_service(one), request_for(8000, 8000))).error().problem ==
          Problem::unsupported);
}

TEST_CASE("list: whole, cut short, empty, refused") {
    FakeIgdOptions options;
    for (std::uint16_t port = 1; port <= 5; ++port) {
        options.table.push_back(
            {port % 2 == 0 ? "UDP" : "TCP", port, "192.168.1.9", 80, "x", port});
    }
    const FakeIgd router(options);
    const auto all = run(igd_mappings(mapping_service(router)));
    REQUIRE(all.has_value());
    CHECK(all->complete);
    REQUIRE(all->entries.size() == 5);
    CHECK(all->entries[1].transport == Transport::udp);
    CHECK(all->entries[2].external_port == 3);
    CHECK(all->entries[4].lease == Seconds(5));
    const auto some = run(igd_mappings(mapping_service(router), 3));
    REQUIRE(some.has_value());
    CHECK(some->entries.size() == 3);
    CHECK_FALSE(some->complete);

    const FakeIgd empty;
    const auto none = run(igd_mappings(mapping_service(empty)));
    REQUIRE(none.has_value());
    CHECK(none->complete);
    CHECK(none->entries.empty());

    const FakeIgd closed(failing("GetGenericPortMappingEntry", 606));
    CHECK(run(igd_mappings(mapping_service(closed))).error().problem == Problem::refused);
}

TEST_CASE("list: a router that says the same for ever is not asked for ever") {
    FakeIgdOptions options;
    options.table.assign(100, {"UDP", 7, "192.168.1.9", 7, "again", 0});
    const FakeIgd router(options);
    const auto list = run(igd_mappings(mapping_service(router)));
    REQUIRE(list.has_value());
    CHECK(list->entries.size() == 1);
    CHECK_FALSE(list->complete);
    CHECK(router.actions().size() == 2);
}

TEST_CASE("pinholes: from opening to closing") {
    const FakeIgd router;
    const Service service = firewall_service(router);
    const auto status = run(igd_firewall_status(service));
    REQUIRE(status.has_value());
    CHECK(status->enabled);
    CHECK(status->inbound_allowed);
    const auto grant = run(igd_add_pinhole(service, request_for(8000, 0, 1'000'000)));
    REQUIRE(grant.has_value());
    CHECK(grant->external_port == 8000);
    CHECK(grant->external_address == service.local);
    CHECK(grant->lifetime == Seconds(86400));
    REQUIRE(grant->pinhole_id);
    const auto working = run(igd_pinhole_working(service, *grant->pinhole_id));
    REQUIRE(working.has_value());
    CHECK(*working);
    CHECK(run(igd_update_pinhole(service, *grant->pinhole_id, Seconds(60))).has_value());
    CHECK(run(igd_delete_pinhole(service, *grant->pinhole_id)).has_value());
    CHECK(run(igd_delete_pinhole(service, *grant->pinhole_id)).error().problem ==
          Problem::not_found);
    CHECK(run(igd_pinhole_working(service, *grant->pinhole_id)).error().problem ==
          Problem::not_found);
}

TEST_CASE("pinholes: what a router says no with") {
    const FakeIgd no_packet(failing("CheckPinholeWorking", 709));
    const auto working = run(igd_pinhole_working(firewall_service(no_packet), 1));
    REQUIRE(working.has_value());
    CHECK_FALSE(*working);
    // As miniupnpd says that there is none with this id.
    const FakeIgd miniupnpd(failing("DeletePinhole", 402));
    CHECK(run(igd_delete_pinhole(firewall_service(miniupnpd), 1)).error().problem ==
          Problem::not_found);
    const auto problem = [](int code) {
        const FakeIgd router(failing("AddPinhole", code));
        return run(igd_add_pinhole(firewall_service(router), request_for(1, 0))).error().problem;
    };
    CHECK(problem(606) == Problem::refused);
    CHECK(problem(701) == Problem::full);
    CHECK(problem(702) == Problem::failed);
    CHECK(problem(703) == Problem::refused);
    CHECK(problem(705) == Problem::unsupported);
}

TEST_CASE("actions: a broken HTTP server behind the control URL") {
    const auto problem = [](HttpFault fault) {
        FakeIgdOptions options;
        options.action_http = fault;
        options.elsewhere = closed_port();
        const FakeIgd router(options);
        return run(igd_delete(mapping_service(router), Transport::udp, 7)).error();
    };
    CHECK(problem(HttpFault::closes_at_once).problem == Problem::no_answer);
    CHECK(problem(HttpFault::not_http).problem == Problem::malformed);
    CHECK(problem(HttpFault::huge).problem == Problem::too_large);
    CHECK(problem(HttpFault::redirect).code == 302);
    CHECK(problem(HttpFault::not_found).problem == Problem::unsupported);
    CHECK(problem(HttpFault::not_found).text == "HTTP 404 Not Found");
    CHECK(problem(HttpFault::slow_drip).problem == Problem::no_answer);
    // These end oddly, and say all the same that there is no such mapping.
    CHECK(problem(HttpFault::never_closes).problem == Problem::not_found);
    CHECK(problem(HttpFault::long_length).problem == Problem::not_found);
    CHECK(problem(HttpFault::wrong_type).problem == Problem::not_found);
}

TEST_CASE("actions: replies that are none") {
    const auto problem = [](unsigned status, std::string body) {
        const net::HttpResponse response{status, "reason", "", std::move(body)};
        const auto reply = read_reply(response, "DeletePortMapping");
        return reply ? std::optional<Problem>() : std::optional(reply.error().problem);
    };
    CHECK(problem(200, "garbage") == Problem::malformed);
    CHECK(problem(200, "<Envelope><Body><OtherResponse/></Body></Envelope>") == Problem::malformed);
    CHECK(problem(500, "garbage") == Problem::failed);
    CHECK(problem(401, "") == Problem::refused);
    CHECK(problem(405, "") == Problem::unsupported);
    // Some routers answer an action without results with nothing, and errors with 200.
    CHECK_FALSE(problem(200, " \r\n"));
    CHECK(problem(200,
                  "<Envelope><Body><Fault><detail><UPnPError><errorCode>606</errorCode>"
                  "</UPnPError></detail></Fault></Body></Envelope>") == Problem::refused);
    CHECK(problem(200, "<Envelope><Body><Fault/></Body></Envelope>") == Problem::failed);
}
