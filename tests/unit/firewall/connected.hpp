// The machine of machine.hpp with a way to the internet by vb.
#pragma once

#include "machine.hpp"

namespace p2pdiag::firewall {

inline World connected(const std::string& fixture = {}) {
    World world = fixture.empty() ? machine() : machine(fixture);
    for (const char* nowhere : {"0.0.0.0", "::"}) {
        Route route;
        route.destination = ip(nowhere);
        route.interface = 2;
        world.routes->push_back(route);
    }
    return world;
}

// The same with a kill switch of a VPN: a table of its own swallows all of IPv4.
inline World refusing(const std::string& fixture = {}) {
    World world = connected(fixture);
    Route away;
    away.destination = ip("0.0.0.0");
    away.type = Route::Type::blackhole;
    away.table = 51820;
    world.routes->push_back(away);
    net::RoutingRule rule;
    rule.priority = 100;
    rule.table = away.table;
    world.rules_v4->insert(world.rules_v4->begin() + 1, rule);
    return world;
}

}  // namespace p2pdiag::firewall
