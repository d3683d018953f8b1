// What the links, addresses and routes of a machine mean. Pure: the machine is handed in.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <optional>
#include <string>
#include <vector>

#include "net/interfaces.hpp"
#include "net/neighbours.hpp"
#include "net/routes.hpp"

namespace p2pdiag::network_plugin {

struct Snapshot {
    std::vector<net::Interface> interfaces;
    std::vector<net::DefaultRoute> default_routes;
    // The way out to the internet, where there is one.
    std::optional<net::Route> internet_v4;
    std::optional<net::Route> internet_v6;
    // Lines of `ip rule` that not every machine has; as far as the kernel told.
    std::vector<std::string> own_rules;
    // As far as the kernel told: what is missing here is not known.
    std::vector<net::Neighbour> neighbours;
};

Judgement judge(const Snapshot& machine);

}  // namespace p2pdiag::network_plugin
