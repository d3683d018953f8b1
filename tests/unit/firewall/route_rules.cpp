// Which rule and which table decide over a packet. The same is asked of the kernel in
// tests/firewall/test_policy.py.
#include "route_rules.hpp"

#include <catch2/catch.hpp>

#include "ask.hpp"
#include "connected.hpp"
#include "routing.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

using Action = net::RoutingRule::Action;
using Answer = Lookup::Answer;

net::RoutingRule rule(std::uint32_t priority, std::uint32_t table) {
    net::RoutingRule made;
    made.priority = priority;
    made.table = table;
    return made;
}

net::RoutingRule refusal(std::uint32_t priority, Action action) {
    net::RoutingRule made = rule(priority, 0);
    made.action = action;
    return made;
}

Route route(const char* to, unsigned prefix, int interface, std::uint32_t table,
            Route::Type type = Route::Type::unicast) {
    Route made;
    made.destination = ip(to);
    made.prefix = prefix;
    made.interface = interface;
    made.table = table;
    made.type = type;
    return made;
}

// With these rules behind the table local, before main.
World ruled(std::vector<net::RoutingRule> rules, std::vector<Route> routes = {}) {
    World world = connected();
    world.rules_v4->insert(world.rules_v4->begin() + 1, rules.begin(), rules.end());
    world.routes->insert(world.routes->end(), routes.begin(), routes.end());
    return world;
}

// From an address here to the stranger, by UDP.
Flow flow(const char* to = "192.0.2.7") {
    Flow made = flow_to({to_bits(ip(to)), 0}, Family::ipv4);
    made.from = {to_bits(ip("10.9.0.2")), 0};
    made.in = "lo";
    made.mark = {0, 0};
    made.protocol = protocol_udp;
    made.source_port = {4000, 0};
    made.destination_port = {7000, 0};
    return made;
}

// Where it leaves: the interface, or -1 where there is more than one answer or none.
int leaves_by(const World& world, const Flow& asked) {
    const Lookup way = find_way(world, asked);
    const bool found = way.answer == Answer::found && way.type == Route::Type::unicast;
    return found ? way.interface : -1;
}

}  // namespace

TEST_CASE("without rules of one's own the tables local and main are asked") {
    const World world = connected();
    CHECK_FALSE(has_own_rules(world, Family::ipv4));
    CHECK(leaves_by(world, flow()) == 2);
    CHECK(leaves_by(world, flow("10.8.0.77")) == 3);
    CHECK(find_way(world, flow("10.9.0.2")).type == Route::Type::local);
    CHECK(is_local_first(world, flow("10.9.0.2")));
}

TEST_CASE("a table of a rule goes before main, as far as it has a route") {
    const World world = ruled({rule(100, 7)}, {route("192.0.2.0", 24, 3, 7)});
    CHECK(has_own_rules(world, Family::ipv4));
    CHECK_FALSE(has_own_rules(world, Family::ipv6));
    CHECK(leaves_by(world, flow()) == 3);
    CHECK(leaves_by(world, flow("198.51.100.7")) == 2);
    const Lookup way = find_way(world, flow());
    CHECK(way.rule == "100: from all lookup 7");
    CHECK(way.table == 7);
}

TEST_CASE("what a rule asks of a packet") {
    net::RoutingRule asked = rule(100, 7);
    const auto by = [&](const Flow& packet) {
        return leaves_by(ruled({asked}, {route("0.0.0.0", 0, 3, 7)}), packet);
    };
    SECTION("its addresses") {
        asked.source = ip("10.9.0.0");
        asked.source_prefix = 24;
        CHECK(by(flow()) == 3);
        asked.source = ip("10.8.0.0");
        CHECK(by(flow()) == 2);
        asked.source.reset();
        asked.destination = ip("192.0.2.0");
        asked.destination_prefix = 25;
        CHECK(by(flow()) == 3);
        CHECK(by(flow("192.0.2.200")) == 2);
    }
    SECTION("its mark, under the mask") {
        asked.mark = 0xFF10;
        asked.mark_mask = 0xF0;
        CHECK(by(flow()) == 2);
        Flow marked = flow();
        marked.mark = {0x312, 0};
        CHECK(by(marked) == 3);
        marked.mark = {0x302, 0x10};
        CHECK(by(marked) == -1);
        marked.mark = {0x302, 0x0F};
        CHECK(by(marked) == 2);
    }
    SECTION("protocol and ports") {
        asked.protocol = protocol_udp;
        asked.source_ports = net::PortRange{3999, 4001};
        CHECK(by(flow()) == 3);
        asked.destination_ports = net::PortRange{1, 6999};
        CHECK(by(flow()) == 2);
        Flow other = flow();
        other.protocol = protocol_tcp;
        asked.destination_ports.reset();
        CHECK(by(other) == 2);
        other.protocol.reset();
        CHECK(by(other) == -1);
        other.protocol = protocol_arp;
        asked.protocol = 0;
        CHECK(by(other) == 2);
    }
    SECTION("the link") {
        asked.in = "lo";
        CHECK(by(flow()) == 3);
        asked.in = "vb";
        CHECK(by(flow()) == 2);
        Flow somewhere = flow();
        somewhere.in.reset();
        CHECK(by(somewhere) == -1);
        asked.in.clear();
        asked.out = "vb";
        CHECK(by(flow()) == 2);
        somewhere.by_a_program = true;
        CHECK(by(somewhere) == -1);
    }
    SECTION("the contrary of all that") {
        asked.inverted = true;
        CHECK(by(flow()) == 2);
        asked.mark = 0xCA6C;
        asked.mark_mask = ~0U;
        CHECK(by(flow()) == 3);
        asked.source = ip("10.8.0.0");
        asked.source_prefix = 24;
        CHECK(by(flow()) == 3);
    }
    SECTION("what is not followed leaves both ways") {
        asked.asks = "uidrange";
        const Ways ways = find_ways(ruled({asked}, {route("0.0.0.0", 0, 3, 7)}), flow());
        CHECK(ways.all.size() == 2);
        CHECK(ways.open == "`100: from all uidrange lookup 7`");
        CHECK_FALSE(ways.understood);
        asked.mark = asked.mark_mask = 1;
        CHECK(by(flow()) == 2);
    }
    SECTION("what is not understood could do anything") {
        asked.strange = true;
        const Ways ways = find_ways(ruled({asked}, {route("0.0.0.0", 0, 3, 7)}), flow());
        REQUIRE(ways.all.size() == 2);
        CHECK(ways.all.front().answer == Answer::unknown);
    }
}

TEST_CASE("what a rule does") {
    CHECK(find_way(ruled({refusal(9, Action::blackhole)}), flow()).type == Route::Type::blackhole);
    CHECK(find_way(ruled({refusal(9, Action::prohibit)}), flow()).type == Route::Type::prohibit);
    const Lookup none = find_way(ruled({refusal(9, Action::unreachable)}), flow());
    CHECK(none.answer == Answer::none);
    CHECK(none.rule == "9: from all unreachable");
    CHECK(leaves_by(ruled({refusal(9, Action::nothing)}), flow()) == 2);

    net::RoutingRule jump = refusal(9, Action::go_to);
    jump.target = 20;
    const auto stop = refusal(15, Action::blackhole);
    CHECK(leaves_by(ruled({jump, stop, rule(20, 7)}, {route("0.0.0.0", 0, 3, 7)}), flow()) == 3);
    jump.target = 17;
    CHECK(find_way(ruled({jump, stop, rule(20, 7)}), flow()).type == Route::Type::blackhole);

    World empty = connected();
    empty.rules_v4->clear();
    CHECK(find_way(empty, flow()).answer == Answer::none);
    empty.rules_v4.reset();
    CHECK(find_way(empty, flow()).answer == Answer::unknown);
    World unread = ruled({rule(9, 7)});
    unread.routes.reset();
    CHECK(find_way(unread, flow()).answer == Answer::unknown);
}

TEST_CASE("short routes that a rule suppresses") {
    net::RoutingRule main = rule(9, net::table_main);
    main.suppressed_prefix = 0;
    const World world = ruled({main, rule(10, 7)}, {route("0.0.0.0", 0, 3, 7)});
    CHECK(leaves_by(world, flow()) == 3);
    CHECK(leaves_by(world, flow("10.9.0.1")) == 2);
    net::RoutingRule seven = rule(9, 7);
    seven.suppressed_prefix = 0;
    const auto nowhere = route("0.0.0.0", 0, 0, 7, Route::Type::blackhole);
    CHECK(find_way(ruled({seven}, {nowhere}), flow()).type == Route::Type::blackhole);
    main.suppressed_prefix = -1;
    main.suppresses_links = true;
    CHECK(leaves_by(ruled({main, rule(10, 7)}, {route("0.0.0.0", 0, 3, 7)}), flow()) == -1);
}

TEST_CASE("routes of a table") {
    const auto thrown = route("192.0.2.0", 24, 0, 7, Route::Type::thrown);
    CHECK(leaves_by(ruled({rule(9, 7)}, {thrown, route("0.0.0.0", 0, 3, 7)}), flow()) == 2);
    Route at_times = route("192.0.2.0", 24, 3, 7);
    at_times.at_times = true;
    CHECK(find_ways(ruled({rule(9, 7)}, {at_times}), flow()).all.size() == 2);
    Route dear = route("192.0.2.0", 24, 2, 7);
    dear.metric = 9;
    CHECK(leaves_by(ruled({rule(9, 7)}, {dear, route("192.0.2.0", 24, 3, 7)}), flow()) == 3);
    dear.metric = 0;
    CHECK(leaves_by(ruled({rule(9, 7)}, {dear, route("192.0.2.0", 24, 3, 7)}), flow()) == -1);
}

TEST_CASE("whoever it is goes by every route that there is") {
    Flow anybody = flow();
    anybody.to = Known::nothing(32);
    const Ways ways = find_ways(ruled({rule(9, 7)}, {route("192.0.2.0", 24, 3, 7)}), anybody);
    CHECK(ways.all.size() == 3);  // by table 7, and by both links of main
    CHECK(std::none_of(ways.all.begin(), ways.all.end(),
                       [](const Lookup& way) { return way.answer == Answer::none; }));
    // Half known: on the link.
    anybody.to = {to_bits(ip("10.9.0.0")), 0xFF};
    CHECK(leaves_by(ruled({rule(9, 7)}, {route("192.0.2.0", 24, 3, 7)}), anybody) == 2);
}

TEST_CASE("the table local may come later") {
    World world = connected();
    net::RoutingRule stop = refusal(0, Action::blackhole);
    stop.mark = stop.mark_mask = 1;
    world.rules_v4->insert(world.rules_v4->begin(), stop);
    Flow packet = flow("10.9.0.2");
    CHECK(is_local_first(world, packet));
    packet.mark = {1, 0};
    CHECK_FALSE(is_local_first(world, packet));
    CHECK(find_way(world, packet).type == Route::Type::blackhole);
    packet.mark = Known::nothing(32);
    CHECK_FALSE(is_local_first(world, packet));
    CHECK(find_ways(world, packet).all.size() == 2);
}

TEST_CASE("a link is an entrance where a table of a rule leads to the internet by it") {
    const World world = ruled({rule(100, 7)}, {route("0.0.0.0", 0, 3, 7)});
    std::string names;
    for (const Entrance& entrance : find_entrances(world)) {
        if (entrance.address.is_v4()) names += entrance.interface + ' ';
    }
    CHECK(names == "vb vc ");
}

TEST_CASE("a rule out of the kernel's message") {
    // ip rule add pref 5210 fwmark 0x80000/0xff0000 dport 53 lookup 52, as Linux 6.18 tells it.
    Bytes message = {2, 0, 0, 0, 52, 0, 0, 1, 0, 0, 0, 0};
    const auto add = [&](std::uint16_t type, std::initializer_list<std::uint8_t> value) {
        const auto size = static_cast<std::uint8_t>(4 + value.size());
        message.insert(message.end(), {size, 0, static_cast<std::uint8_t>(type), 0});
        message.insert(message.end(), value);
        while (message.size() % 4 != 0) message.push_back(0);
    };
    add(15, {52, 0, 0, 0});             // FRA_TABLE
    add(14, {0xFF, 0xFF, 0xFF, 0xFF});  // FRA_SUPPRESS_PREFIXLEN
    add(21, {3});                       // FRA_PROTOCOL
    add(6, {0x5A, 0x14, 0, 0});         // FRA_PRIORITY
    add(10, {0, 0, 8, 0});              // FRA_FWMARK
    add(16, {0, 0, 0xFF, 0});           // FRA_FWMASK
    add(24, {53, 0, 53, 0});            // FRA_DPORT_RANGE
    add(29, {0xFF, 0xFF});              // FRA_DPORT_MASK
    auto read = net::read_routing_rule(message);
    REQUIRE(read);
    CHECK(read->text() == "5210: from all fwmark 0x80000/0xff0000 dport 53 lookup 52");
    CHECK_FALSE(read->strange);
    CHECK(read->asks.empty());
    CHECK(read->suppressed_prefix == -1);

    add(77, {1});
    read = net::read_routing_rule(message);
    REQUIRE(read);
    CHECK(read->strange);
    CHECK_FALSE(net::read_routing_rule(ByteView(message).first(8)));
    // Every beginning of it is read without harm.
    for (std::size_t size = 0; size < message.size(); ++size)
        net::read_routing_rule(ByteView(message).first(size));
}
