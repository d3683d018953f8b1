// Whether UDP gets through at all.
#pragma once

#include <set>

#include "verdict.hpp"

namespace p2pdiag::nat {

enum class UdpPath {
    pending,
    works,            // some answer counted
    blocked,          // and it is not loss: TCP passes to one of several, or something said no
    tcp_only,         // silence, while TCP passes to one server and no other is a witness
    no_answer,        // silence, with nothing to tell why
    no_valid_answer,  // something came back, so UDP passes, but no answer that counts
    other_ports,      // silence at the servers' own ports, while something came from others
    stun_filtered     // silence on all requests with the magic cookie, while one without it is
                      // answered
};

UdpPath judge_udp(const Observations& seen);

// The servers' own ports are silent, but UDP passes to others of theirs: it is not blocked as such.
struct OnlyOtherPorts {
    std::set<std::uint16_t> silent;  // the servers' own
    std::set<IpAddress> servers;     // whose they are
    Endpoint passing;                // a port that something came back from …
    bool answered = false;           // … a STUN answer, and not a refusal or garbage
};
// Judged by what came back alone: how long the silence has lasted is up to judge_udp().
std::optional<OnlyOtherPorts> judge_other_ports(const Observations& seen);

// A server that answered a request without the magic cookie, while nothing came back that has to do
// with one that has it. As above.
std::optional<Endpoint> judge_content(const Observations& seen);

// Who blocks all UDP. Known only where the network said so itself, or where answers were seen at an
// interface of this machine.
FilteredBy judge_blocker(const Observations& seen);

}  // namespace p2pdiag::nat
