// Whom a search asks, how long it waits, and what it finds among routers on loopback.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <catch2/catch.hpp>

#include "../net/run_task.hpp"
#include "fake/igd.hpp"
#include "fake/loopback.hpp"
#include "fake/port_control_server.hpp"
#include "fake/sandbox.hpp"
#include "net/portmap/discovery_parts.hpp"
#include "p2pdiag/run_until.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net::portmap;
using namespace p2pdiag::testing;
using net::Interface;
using net::LinkKind;

namespace {

const IpAddress loopback = IpAddress::v4(0x7f000001);

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

Interface link(int index, const char* name, std::vector<net::InterfaceAddress> addresses) {
    Interface one;
    one.index = index;
    one.name = name;
    one.kind = LinkKind::ethernet;
    one.up = one.carrier = true;
    one.addresses = std::move(addresses);
    return one;
}

net::DefaultRoute route(const char* gateway, int interface) {
    net::DefaultRoute one;
    one.gateway = ip(gateway);
    one.family = one.gateway->family();
    one.interface = interface;
    return one;
}

// At home: a cable with both families, and a wireless link to the same router.
LocalNetwork home() {
    LocalNetwork network;
    Interface lo = link(1, "lo", {{loopback, 8}});
    lo.kind = LinkKind::loopback;
    network.interfaces = {lo,
                          link(2, "eth0",
                               {{ip("192.168.7.2"), 24},
                                {ip("2001:db8::99"), 64, false},
                                {ip("fd00::2"), 64},
                                {ip("2001:db8::2"), 64},
                                {ip("fe80::2"), 64}}),
                          link(3, "wlan0", {{ip("192.168.7.3"), 24}, {ip("fe80::3"), 64}})};
    network.routes = {route("192.168.7.1", 2), route("192.168.7.1", 3), route("fe80::1", 2)};
    network.to_internet = {{2, ip("192.168.7.2"), ip("192.168.7.1")},
                           {2, ip("2001:db8::2"), ip("fe80::1")}};
    return network;
}

struct Times {
    std::optional<int> working;
    std::optional<int> usable;
    bool reading = false;
    bool looking = false;
    bool awaiting = false;
};

long end_of(const Times& times, DiscoveryLimits limits = {}) {
    SearchProgress progress;
    if (times.working) progress.working = Milliseconds(*times.working);
    if (times.usable) progress.usable = Milliseconds(*times.usable);
    progress.reading = times.reading;
    progress.looking = times.looking;
    progress.awaiting = times.awaiting;
    return search_end(progress, limits).count();
}

// A search with one gateway, at this address of loopback.
SearchTargets targets(const IpAddress& gateway) {
    SearchTargets all;
    GatewayReport report;
    report.address = gateway;
    report.interface = 1;
    report.interface_name = "lo";
    report.local = loopback;
    report.preferred = true;
    all.gateways = {report};
    all.links = {{1, loopback, {gateway}}};
    all.addresses = {{1, loopback, std::nullopt}};
    return all;
}

// A machine under load gets all the time it needs: these tests end by what happens.
DiscoveryLimits patient() {
    DiscoveryLimits limits;
    limits.window = Milliseconds(60000);
    limits.answered = Milliseconds(50000);
    limits.patience = Milliseconds(50000);
    return limits;
}

Discovered search(const SearchTargets& all, DiscoveryLimits limits) {
    const auto found = std::make_shared<Discovered>();
    CHECK(run_until(-1, TimePoint::max(), discover_among(found, all, limits)) == Ended::finished);
    return *found;
}

FakeIgdOptions at(const IpAddress& address) {
    FakeIgdOptions options;
    options.address = address;
    return options;
}

}  // namespace

TEST_CASE("the targets of a home network") {
    const SearchTargets found = search_targets(home());
    REQUIRE(found.gateways.size() == 3);
    const GatewayReport& cable = found.gateways[0];
    CHECK(cable.address == ip("192.168.7.1"));
    CHECK(cable.interface == 2);
    CHECK(cable.interface_name == "eth0");
    CHECK(cable.local == ip("192.168.7.2"));
    CHECK(cable.preferred);
    // The same router over the air is another way to ask it, and not the one that packets take.
    CHECK(found.gateways[1].local == ip("192.168.7.3"));
    CHECK_FALSE(found.gateways[1].preferred);
    CHECK(found.gateways[2].address == ip("fe80::1"));
    CHECK(found.gateways[2].local == ip("2001:db8::2"));
    CHECK(found.gateways[2].preferred);

    // From a global address as well: only so a router answers from the address that it names.
    std::vector<IpAddress> from;
    for (const SearchLink& one : found.links) from.push_back(one.local);
    CHECK(from == std::vector{ip("192.168.7.2"), ip("2001:db8::2"), ip("fe80::2"),
                              ip("192.168.7.3"), ip("fe80::3")});
    CHECK(found.links[0].gateways == std::vector{ip("192.168.7.1")});
    CHECK(found.links[1].gateways == std::vector{ip("fe80::1")});
    CHECK(found.links[2].gateways == std::vector{ip("fe80::1")});
    CHECK(found.links[4].gateways.empty());
    REQUIRE(found.addresses.size() == 2);
    CHECK(found.addresses[0].ipv6 == ip("2001:db8::2"));
    CHECK_FALSE(found.addresses[1].ipv6);
}

TEST_CASE("the way to the internet counts where it is not in the main table") {
    LocalNetwork network = home();
    network.routes.clear();
    const SearchTargets found = search_targets(network);
    REQUIRE(found.gateways.size() == 2);
    CHECK(found.gateways[0].preferred);
    // A VPN without a gateway takes everything: the router is still asked, and not preferred.
    network = home();
    network.interfaces.push_back(link(4, "wg0", {{ip("10.2.0.2"), 32}}));
    network.to_internet = {{4, ip("10.2.0.2"), std::nullopt}};
    const SearchTargets behind_vpn = search_targets(network);
    REQUIRE(behind_vpn.gateways.size() == 3);
    for (const GatewayReport& one : behind_vpn.gateways) CHECK_FALSE(one.preferred);
}

TEST_CASE("links that lead nowhere are not searched") {
    LocalNetwork network = home();
    network.interfaces[1].carrier = false;
    Interface bridge = link(5, "docker0", {{ip("172.17.0.1"), 16}});
    bridge.kind = LinkKind::bridge;
    Interface port = link(6, "veth1", {{ip("fe80::6"), 64}});
    port.kind = LinkKind::container;
    port.master = 5;
    network.interfaces.push_back(bridge);
    network.interfaces.push_back(port);
    network.interfaces.push_back(link(7, "eth7", {}));
    network.interfaces.push_back(link(8, "eth8", {{ip("192.0.2.8"), 24, false}}));
    const SearchTargets found = search_targets(network);
    std::vector<int> searched;
    for (const SearchLink& one : found.links) searched.push_back(one.interface);
    CHECK(searched == std::vector{3, 3, 5});
    REQUIRE(found.gateways.size() == 1);
    CHECK(found.gateways[0].interface == 3);
}

TEST_CASE("IPv6 without a public address asks with what there is") {
    LocalNetwork network = home();
    network.to_internet = {};
    auto& addresses = network.interfaces[1].addresses;
    const auto local = [&] { return search_targets(network).gateways[2].local; };
    CHECK(local() == ip("2001:db8::2"));
    addresses.erase(addresses.begin() + 3);
    CHECK(local() == ip("fd00::2"));
    addresses.erase(addresses.begin() + 2);
    CHECK(local() == ip("fe80::2"));
}

TEST_CASE("a machine with hundreds of links is searched in part") {
    LocalNetwork network;
    for (int i = 2; i < 300; ++i) {
        network.interfaces.push_back(link(i, "eth", {{ip("192.168.7.2"), 24}}));
        network.routes.push_back(route("192.168.7.1", i));
    }
    const SearchTargets found = search_targets(network);
    CHECK(found.links.size() == 32);
    CHECK(found.gateways.size() == 16);
    CHECK(search_targets({}).links.empty());
}

TEST_CASE("when a search is over") {
    // What the standard lets a router take, twice, and a little less than three seconds in all.
    CHECK(end_of({}) == 2800);
    // A router that answers is reported by `answered`, whatever else is silent.
    CHECK(end_of({5, {}}) == 1000);
    CHECK(end_of({1000, {}}) == 1000);
    // The first usable one on the default route leaves the others a moment …
    CHECK(end_of({5, 100}) == 400);
    CHECK(end_of({100, 100}) == 400);
    // … and its list of mappings until `answered`.
    CHECK(end_of({100, 100, true}) == 1000);
    CHECK(end_of({5, 900}) == 1000);
    // D1: a slow one.
    CHECK(end_of({1500, {}}) == 1800);
    CHECK(end_of({1500, 1500}) == 1800);
    CHECK(end_of({1500, 1500, true}) == 1800);
    CHECK(end_of({1500, 1600}) == 1800);
    CHECK(end_of({2700, 2700}) == 2800);
    // It has answered in its last moment, and gets another to say what it is.
    CHECK(end_of({5, {}, true, true}) == 1200);
    CHECK(end_of({2700, {}, true, true}) == 2800);
    CHECK(end_of({{}, {}, true, true}) == 2800);
    // What it says over IPv6 is waited for.
    CHECK(end_of({5, 100, false, false, true}) == 1200);
    CHECK(end_of({5, 100, true, true, true}) == 1200);
    CHECK(end_of({1500, 1500, false, false, true}) == 1800);
    CHECK(end_of({2700, 2700, false, false, true}) == 2800);
    DiscoveryLimits patient_ones;
    patient_ones.patience = patient_ones.window;
    CHECK(end_of({5, 100, false, false, true}, patient_ones) == 2800);
    CHECK(end_of({5, {}, true, true}, patient_ones) == 2800);
    CHECK(end_of({5, 100}, patient_ones) == 400);
    // D4, D5: others on the link have the second that MX 1 gives them.
    DiscoveryLimits listening;
    listening.listen = Milliseconds(1000);
    CHECK(end_of({5, 100}, listening) == 1000);
    CHECK(end_of({5, 900, true}, listening) == 1000);
    CHECK(end_of({1500, 1500}, listening) == 1800);
    listening.window = Milliseconds(500);
    CHECK(end_of({5, 100}, listening) == 500);
    DiscoveryLimits short_ones;
    short_ones.window = Milliseconds(500);
    CHECK(end_of({5, {}}, short_ones) == 500);
}

TEST_CASE("a router that knows everything is found and read") {
    const PortControlServer control;
    FakeIgdOptions options = at(control.address());
    options.table = {{"TCP", 80, "192.168.7.9", 80, "web", 0}};
    const FakeIgd igd(options);
    const Discovered found = search(targets(control.address()), patient());

    REQUIRE(found.gateways.size() == 1);
    REQUIRE(found.gateways[0].natpmp);
    CHECK(found.gateways[0].natpmp->has_value());
    REQUIRE(found.gateways[0].pcp);
    CHECK(found.gateways[0].pcp->has_value());
    REQUIRE_FALSE(found.igds.empty());
    const IgdReport& report = found.igds[0];
    CHECK(report.on_gateway);
    CHECK(report.preferred);
    CHECK(report.usable());
    REQUIRE(report.mappings);
    REQUIRE(report.mappings->has_value());
    CHECK((*report.mappings)->entries.size() == 1);
    REQUIRE(report.firewall);
    CHECK(report.firewall->has_value());
    CHECK((*report.description)->mapping->local == loopback);
    CHECK(found.ended_early);
    CHECK(found.took < Milliseconds(50000));
    CHECK(igd.most_at_once() == 1);  // D7
}

TEST_CASE("a router that opens pinholes is waited for over IPv6") {
    const auto seen = in_sandbox({}, []() -> std::string {
        FakeIgdOptions options = at(ip("::1"));
        options.ipv6_search = true;
        // Later than what a usable router leaves to the others.
        options.search_delay = 2 * DiscoveryLimits().settle;
        const FakeIgd over_v6(options);
        const FakeIgd over_v4(at(ip("127.0.0.9")));
        SearchTargets all = targets(over_v4.address());
        all.links.push_back({1, over_v6.address(), {over_v6.address()}});
        all.addresses = {{1, loopback, ip("2001:db8::2")}};
        for (const IgdReport& one : search(all, patient()).igds) {
            if (one.answer.from.is_v4() || !one.firewall) continue;
            return (*one.description)->firewall->local.to_string();
        }
        return "nothing";
    });
    if (!seen) {
        WARN("no namespaces here: not tested");
        return;
    }
    CHECK(*seen == "2001:db8::2");
}

TEST_CASE("over IPv6 nobody leads us to another host either") {
    const auto seen = in_sandbox({}, []() -> std::string {
        const FakeIgd victim(at(ip("127.0.0.9")));
        FakeIgdOptions options = at(ip("::1"));
        options.ipv6_search = true;
        options.search = SearchFault::location_elsewhere;
        options.elsewhere = victim.http();
        const FakeIgd liar(options);
        SearchTargets all = targets(liar.address());
        all.links = {{1, liar.address(), {liar.address()}}};
        DiscoveryLimits limits;
        limits.window = Milliseconds(1000);
        const Discovered found = search(all, limits);
        if (found.igds.size() != 1 || !found.igds[0].description) return "not judged";
        const auto& description = *found.igds[0].description;
        if (description || description.error().problem != Problem::foreign_url) return "believed";
        return victim.http_requests() == 0 ? "refused" : "followed";
    });
    if (!seen) {
        WARN("no namespaces here: not tested");
        return;
    }
    CHECK(*seen == "refused");
}

TEST_CASE("nobody there") {
    PortControlOptions options;
    options.fault = PortControlFault::silent;
    const PortControlServer silent(options);
    SearchTargets all = targets(silent.address());
    DiscoveryLimits limits;
    limits.window = Milliseconds(300);
    Discovered found = search(all, limits);
    CHECK(found.took >= limits.window);
    CHECK(found.igds.empty());
    CHECK_FALSE(found.ended_early);

    // Without a link to search on, it is over when every gateway is decided.
    all.links.clear();
    found = search(all, patient());
    REQUIRE(found.gateways[0].natpmp);
    CHECK(found.gateways[0].natpmp->error().problem == Problem::no_answer);
    CHECK(found.gateways[0].pcp->error().problem == Problem::no_answer);
    CHECK_FALSE(found.ended_early);

    options.fault = PortControlFault::refused;
    const PortControlServer closed(options);
    all = targets(closed.address());
    all.links.clear();
    found = search(all, patient());
    CHECK(found.gateways[0].natpmp->error().problem == Problem::absent);
    CHECK(found.gateways[0].pcp->error().problem == Problem::absent);

    found = search({}, patient());
    CHECK(found.gateways.empty());
}

TEST_CASE("one protocol that works ends the search, with what came until then") {
    const PortControlServer control;
    DiscoveryLimits limits = patient();
    limits.answered = Milliseconds(1);
    limits.settle = Milliseconds(1);
    const Discovered found = search(targets(control.address()), limits);
    CHECK(found.ended_early);
    CHECK((found.gateways[0].natpmp || found.gateways[0].pcp));
}

TEST_CASE("devices that are no router, or not connected, are listed and not waited for") {
    const FakeIgd router;
    FakeIgdOptions options;
    options.description = DescriptionFault::television;
    const FakeIgd television(options);
    options = {};
    options.connection = "Disconnected";
    options.external_address = "";
    const FakeIgd unplugged(options);
    SearchTargets all = targets(router.address());
    all.links[0].gateways.push_back(television.address());
    all.links[0].gateways.push_back(unplugged.address());
    DiscoveryLimits limits = patient();
    limits.settle = Milliseconds(2000);
    const Discovered found = search(all, limits);
    CHECK(found.ended_early);
    unsigned usable = 0, seen = 0;
    for (const IgdReport& one : found.igds) {
        usable += one.usable() ? 1U : 0U;
        CHECK(one.on_gateway == (one.answer.from == router.address()));
        if (!one.description || !*one.description) continue;
        ++seen;
        if (one.answer.from == television.address()) CHECK((*one.description)->version == 0);
        if (one.answer.from == unplugged.address()) CHECK(one.status.has_value());
    }
    CHECK(usable == 1);
    CHECK(seen == 3);
}

TEST_CASE("usable is connected, with an outside address") {
    IgdReport report;
    CHECK_FALSE(report.usable());
    IgdDescription description;
    description.mapping = Service{};
    report.description = Outcome<IgdDescription>(description);
    CHECK_FALSE(report.usable());
    const auto with = [&](const char* connection, std::optional<IpAddress> external) {
        IgdStatus status;
        status.connection = connection;
        status.external = external;
        report.status = Outcome<IgdStatus>(status);
        return report.usable();
    };
    CHECK(with("Connected", ip("203.0.113.5")));
    CHECK(with("", ip("203.0.113.5")));
    CHECK(with("Connected", ip("100.64.0.1")));  // behind another NAT, and mapping all the same
    CHECK_FALSE(with("Disconnected", ip("203.0.113.5")));
    CHECK_FALSE(with("Connected", std::nullopt));
    CHECK_FALSE(with("Connected", ip("0.0.0.0")));
    CHECK_FALSE(with("Connected", ip("127.0.0.1")));
    report.status = Outcome<IgdStatus>(Failure{});
    CHECK_FALSE(report.usable());
}

TEST_CASE("a cancelled search leaves what it has found") {
    namespace asio = boost::asio;
    const PortControlServer control;
    const auto found = std::make_shared<Discovered>();
    asio::io_context context;
    asio::cancellation_signal cancel;
    bool ended = false;
    const auto finished = [&](const std::exception_ptr& thrown) { ended = thrown != nullptr; };
    asio::co_spawn(context, discover_among(found, targets(control.address()), patient()),
                   asio::bind_cancellation_slot(cancel.slot(), finished));
    const auto answered = [&] { return !found->gateways.empty() && found->gateways[0].natpmp; };
    while (!answered() && !context.stopped()) context.run_one();
    cancel.emit(asio::cancellation_type::terminal);
    context.run();
    CHECK(ended);
    REQUIRE(answered());
    CHECK(found->gateways[0].natpmp->has_value());
    CHECK(found->took < Milliseconds(50000));
}
