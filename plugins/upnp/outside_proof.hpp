// Runs a PacketProof over real sockets.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/udp_socket.hpp"
#include "packet_proof.hpp"

namespace p2pdiag::upnp_plugin {

struct ProofOrder {
    std::vector<std::string> servers;  // as configured
    Family family = Family::ipv4;
    std::uint16_t internal_port = 0;
    std::uint16_t external_port = 0;
    // Bound to the internal port, by whoever holds it already; null = to be opened.
    std::shared_ptr<net::UdpSocket> target;
    bool as_it_is = false;  // as in ProofConfig
};

struct OutsideProof {
    std::optional<ProofResult> result;  // nothing where it could not be tried
    // Where `result` is nothing or no proof: "no-server", "no-answer", "server-unsupported",
    // "port-in-use" (and no privilege to see packets at the interface).
    std::string why_not;
    std::optional<Endpoint> server;
    std::optional<IpAddress> public_address;  // of this machine, as the server sees it
    bool port_in_use = false;                 // a program listens there already
    bool tapped = false;
};

// Tries the servers until one can do it, at most two that claim to.
boost::asio::awaitable<void> prove_from_outside(ProofOrder order,
                                                std::shared_ptr<OutsideProof> out);

}  // namespace p2pdiag::upnp_plugin
