// One peer, tried in every way that tells something. The judging is pure: the report is handed in.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <optional>
#include <string>
#include <vector>

#include "base/host_port.hpp"
#include "net/tcp_trial.hpp"
#include "peer_advice.hpp"
#include "series.hpp"
#include "wire/icmp/message.hpp"

namespace p2pdiag::network_plugin {

using icmp::Said;

enum class UdpOutcome {
    answered,
    silent,       // which says nothing: many programs answer to their own protocol alone
    refused,      // the port is closed: ICMP port unreachable
    unreachable,  // nobody delivers
    prohibited,   // a router or firewall forbids it
    no_route,
    not_permitted,  // this machine's own firewall forbids sending
    local_error,
    unfinished
};
std::string_view to_string(UdpOutcome outcome);

struct PeerAddress {
    Endpoint peer;
    Advice advice = Advice::none;
    Series pings;
    std::string ping_why_not;  // nothing could be sent; else empty
    std::optional<net::TcpResult> tcp;
    std::optional<Said> tcp_said;  // what ICMP said of the connection, where that could be seen
    UdpOutcome udp = UdpOutcome::unfinished;
    std::optional<Said> udp_said;
    std::string udp_answer;  // its first line, printable

    bool tcp_is(net::TcpOutcome outcome) const { return tcp && tcp->outcome == outcome; }
};

struct PeerReport {
    std::string text;  // as given
    std::optional<HostPort> parsed;
    std::string lookup_error;  // of a name that has no address; else empty
    OwnAddresses own;
    std::vector<PeerAddress> addresses;
    bool sees_icmp = false;  // of TCP: it takes CAP_NET_RAW
};

Judgement judge(const PeerReport& report);

}  // namespace p2pdiag::network_plugin
