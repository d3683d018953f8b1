// The path to the internet: what the router, the hops behind it and servers far away answer, how
// fast, and of what size. The judging is pure: the report is handed in.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <optional>
#include <string>
#include <vector>

#include "net/trace.hpp"
#include "path_mtu.hpp"
#include "series.hpp"

namespace p2pdiag::network_plugin {

// A host that was pinged.
struct PingedHost {
    IpAddress address;
    Series series;
    std::string
        why_not;  // nothing could be sent: "not-permitted", or the system's word; else empty
};

struct TracedHop {
    net::Hop hop;
    std::optional<PingedHost> pinged;  // the first few
};

// A STUN server that measures the path's far end.
struct PathTarget {
    Endpoint server;
    Series series;
    MtuTrial mtu;
};

struct FamilyPath {
    Family family = Family::ipv4;
    std::optional<bool> route;          // nothing: the kernel did not tell
    std::optional<PingedHost> gateway;  // nothing: a link without one
    std::vector<TracedHop> hops;        // towards the first target
    std::vector<PathTarget> targets;
    bool finished = false;
};

struct PathReport {
    FamilyPath ipv4;
    FamilyPath ipv6;
};

Judgement judge(const PathReport& report);

}  // namespace p2pdiag::network_plugin
