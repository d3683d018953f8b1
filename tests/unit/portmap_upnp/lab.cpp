// With a real router: run in a lab by tests/lab/test_upnp_router.py, and hidden from everybody
// else.
#include "net/routes.hpp"
#include "router.hpp"
#include "searching.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using namespace p2pdiag::net::portmap;

namespace {

// The first answer on the client's link.
SsdpAnswer find_router(const IpAddress& local, std::vector<IpAddress> gateways) {
    SearchLink link;
    link.interface = net::route_to(*IpAddress::parse("192.168.7.1"))->interface;
    link.local = local;
    link.gateways = std::move(gateways);
    const auto found = search({link}, 1);
    REQUIRE(found.size() == 1);
    return found[0];
}

IgdDescription describe_found(const SsdpAnswer& answer) {
    auto task = describe_igd(answer.location, answer.from, answer.interface, answer.local);
    const auto found = run(std::move(task));
    REQUIRE(found.has_value());
    return *found;
}

const IpAddress client = *IpAddress::parse("192.168.7.2");

}  // namespace

TEST_CASE("miniupnpd: found, described, asked, mapped, undone", "[.lab]") {
    const IpAddress gateway = *IpAddress::parse("192.168.7.1");
    CHECK(find_router(client, {}).from == gateway);
    const IgdDescription found = describe_found(find_router(client, {gateway}));
    CHECK(found.friendly_name == "p2pdiag lab router");
    CHECK(found.version >= 1);
    REQUIRE(found.mapping);
    const Service service = *found.mapping;
    const auto status = run(igd_status(service));
    REQUIRE(status.has_value());
    CHECK(status->connection == "Connected");
    CHECK(status->external == IpAddress::parse("11.22.33.7"));

    CHECK(run(igd_mappings(service))->entries.empty());
    CHECK(run(igd_mapping(service, Transport::udp, 8000)).error().problem == Problem::not_found);
    MapRequest request = request_for(8000, 8001);
    REQUIRE(run(igd_add(service, request)).has_value());
    const auto entry = run(igd_mapping(service, Transport::udp, 8001));
    REQUIRE(entry.has_value());
    CHECK(entry->internal_address == client);
    CHECK(entry->internal_port == 8000);
    CHECK(entry->description == request.description);
    CHECK(entry->lease > Seconds(0));
    CHECK(entry->lease <= Seconds(120));
    const auto list = run(igd_mappings(service));
    REQUIRE(list.has_value());
    CHECK(list->complete);
    CHECK(list->entries.size() == 1);
    CHECK(run(igd_add(service, request_for(80, 80))).error().problem == Problem::refused);
    CHECK(run(igd_delete(service, Transport::udp, 8001)).has_value());
    CHECK(run(igd_mappings(service))->entries.empty());
}

TEST_CASE("miniupnpd: pinholes over IPv6", "[.lab6]") {
    const IpAddress local = *IpAddress::parse("2001:db8:7::2");
    const IgdDescription found = describe_found(find_router(local, {}));
    REQUIRE(found.firewall);
    const Service service = *found.firewall;
    const auto status = run(igd_firewall_status(service));
    REQUIRE(status.has_value());
    CHECK(status->enabled);
    const auto grant = run(igd_add_pinhole(service, request_for(8000, 0)));
    REQUIRE(grant.has_value());
    REQUIRE(grant->pinhole_id);
    CHECK(run(igd_pinhole_working(service, *grant->pinhole_id)).has_value());
    CHECK(run(igd_update_pinhole(service, *grant->pinhole_id, Seconds(60))).has_value());
    CHECK(run(igd_delete_pinhole(service, *grant->pinhole_id)).has_value());
    CHECK(run(igd_delete_pinhole(service, *grant->pinhole_id)).error().problem ==
          Problem::not_found);
    CHECK(run(igd_update_pinhole(service, *grant->pinhole_id, Seconds(60))).error().problem ==
          Problem::not_found);
    CHECK(run(igd_pinhole_working(service, *grant->pinhole_id)).error().problem ==
          Problem::not_found);
}
