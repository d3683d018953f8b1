// What the links, addresses and routes of a machine mean. Pure: the machine is handed in.
#pragma once

#include <p2pdiag/plugin.hpp>

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "net/interfaces.hpp"
#include "net/routes.hpp"

namespace p2pdiag::network_plugin {

struct Snapshot {
    std::vector<net::Interface> interfaces;
    std::vector<net::DefaultRoute> default_routes;
    // The way out to the internet, where there is one.
    std::optional<net::Route> internet_v4;
    std::optional<net::Route> internet_v6;
};

struct Finding {
    std::string code;
    Severity severity = Severity::info;
    std::string message;
    json::object evidence;
};

struct Judgement {
    p2pdiag_status status = P2PDIAG_UNKNOWN;
    std::string summary;
    std::vector<Finding> findings;
    json::object data;
};

Judgement judge(const Snapshot& machine);

}  // namespace p2pdiag::network_plugin
