// A machine made up for the tests: one link to the peer, one to a network behind it.
//
//     peer 10.9.0.1, fd09::1  --- vb  10.9.0.2, fd09::2 | vc 10.8.0.2 ---  10.8.0.77
#pragma once

#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>

#include "evaluate.hpp"
#include "nft_json.hpp"

namespace p2pdiag::firewall {

inline IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

inline net::Interface link(std::string name, int index, net::LinkKind kind,
                           std::vector<net::InterfaceAddress> addresses) {
    net::Interface interface;
    interface.name = std::move(name);
    interface.index = index;
    interface.kind = kind;
    interface.up = interface.carrier = true;
    interface.addresses = std::move(addresses);
    return interface;
}

inline World machine() {
    World world;
    world.interfaces = {
        link("lo", 1, net::LinkKind::loopback, {{ip("127.0.0.1"), 8}, {ip("::1"), 128}}),
        link("vb", 2, net::LinkKind::container, {{ip("10.9.0.2"), 24}, {ip("fd09::2"), 64}}),
        link("vc", 3, net::LinkKind::container, {{ip("10.8.0.2"), 24}, {ip("fd08::2"), 64}}),
    };
    const auto route = [](const char* destination, unsigned prefix, int interface) {
        Route made;
        made.destination = ip(destination);
        made.prefix = prefix;
        made.interface = interface;
        return made;
    };
    world.routes = {route("10.9.0.0", 24, 2), route("10.8.0.0", 24, 3), route("fd09::", 64, 2),
                    route("fd08::", 64, 3)};
    world.sysctls.rp_filter = {{"lo", 0}, {"vb", 0}, {"vc", 0}};
    return world;
}

inline Ruleset parsed(const std::string& text) {
    Reading reading = read_nft_json(text);
    if (!reading) throw std::runtime_error(reading.error().message);
    return std::move(*reading);
}

inline std::string fixture_text(const std::string& name) {
    std::ifstream file(std::string(FIREWALL_FIXTURES) + '/' + name + ".json");
    if (!file) throw std::runtime_error("no fixture " + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline World machine(const std::string& fixture) {
    World world = machine();
    world.rulesets.push_back(parsed(fixture_text(fixture)));
    return world;
}

// UDP from the peer's port 7000 to port 4000 here.
inline Packet packet(std::uint16_t port = 4000, Family family = Family::ipv4) {
    Packet made;
    made.interface = "vb";
    made.source = ip(family == Family::ipv4 ? "10.9.0.1" : "fd09::1");
    made.destination = ip(family == Family::ipv4 ? "10.9.0.2" : "fd09::2");
    made.source_port = 7000;
    made.destination_port = port;
    return made;
}

inline Packet tcp(Packet made) {
    made.protocol = protocol_tcp;
    return made;
}

// A ruleset of one base chain at input, of these statements as JSON: one rule each.
inline Ruleset input_chain(const std::vector<std::string>& rules,
                           const std::string& policy = "drop", const std::string& others = "") {
    std::string text =
        R"({"nftables":[{"table":{"family":"inet","name":"t","handle":1}},)"
        R"({"chain":{"family":"inet","table":"t","name":"c","handle":2}},)"
        R"({"chain":{"family":"inet","table":"t","name":"input","handle":1,"type":"filter",)"
        R"("hook":"input","prio":0,"policy":")" +
        policy + "\"}}" + others;
    int handle = 10;
    for (const std::string& rule : rules) {
        text += R"(,{"rule":{"family":"inet","table":"t","chain":"input","handle":)" +
                std::to_string(handle++) + R"(,"expr":[)" + rule + "]}}";
    }
    return parsed(text + "]}");
}

inline Verdict judge_rules(const std::vector<std::string>& rules, const Packet& packet,
                           const std::string& policy = "drop", const std::string& others = "") {
    World world = machine();
    world.rulesets.push_back(input_chain(rules, policy, others));
    return evaluate(world, packet);
}

}  // namespace p2pdiag::firewall
