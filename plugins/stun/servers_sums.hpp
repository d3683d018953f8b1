// What a server's report amounts to, before anything is concluded from it.
#pragma once

#include <set>

#include "servers.hpp"

namespace p2pdiag::stun_plugin {

// One server over all its families and transports.
struct Sums {
    unsigned udp_asked = 0;  // families in which UDP was tried to the end
    unsigned udp_ok = 0;
    unsigned udp_error = 0;    // error responses
    unsigned udp_unclear = 0;  // not awaited, or this machine could not try
    bool stream_ok = false;
    bool anything = false;       // some packet came back, over any transport
    bool udp_back = false;       // … over UDP, be it a refusal
    bool lookup_failed = false;  // in both families
    bool not_found = false;      // the name server says so
    bool no_route = false;       // none of its addresses can be reached from here
    const net::BindingResult* udp_trouble = nullptr;  // what tells most of why UDP does not work
};

// `server` must outlive the result.
Sums sum_up(const ServerReport& server);

// Whether something came back at all, be it a refusal.
bool came_back(const FamilyReport& family);

bool is_ok(const TransportReport& transport);

// Addresses on the internet that were asked, in one family.
class Targets {
public:
    void add(const FamilyReport& family);
    // A server alone may be dead, or its name mistyped; one that has addresses of both families
    // counts once for each, so the families are counted apart.
    bool enough() const { return addresses_.size() >= 2; }
    // This machine itself held something back, so silence tells nothing of the network.
    bool refused_here() const { return refused_here_; }

private:
    std::set<IpAddress> addresses_;
    bool refused_here_ = false;
};

}  // namespace p2pdiag::stun_plugin
