// A network in memory for NAT discovery: a client behind a NAT or firewall, lossy links, RFC 5780
// servers with faults, a virtual clock and seeded chance. Nothing here waits, so thousands of
// discoveries run in a second.
#pragma once

#include <functional>
#include <random>
#include <set>
#include <string>

#include "classify.hpp"
#include "discovery.hpp"

namespace p2pdiag::nat::testing {

enum class Ports { preserved, random, sequential };

enum class Fault {
    none,
    silent,           // down, by TCP too
    ignores_change,   // answers CHANGE-REQUEST from where it was asked
    drops_change,     // does not answer CHANGE-REQUEST
    rejects_change,   // 420
    no_other,         // no OTHER-ADDRESS
    same_ip_other,    // OTHER-ADDRESS with its own address
    same_port_other,  // OTHER-ADDRESS with its own port
    private_other,    // OTHER-ADDRESS from behind a NAT
    dead_other,       // the other address neither answers nor sends
    mute_other,       // the other address receives, but never sends
    wrong_transaction,
    wrong_source,  // plain answers come from another port, and TCP is not offered
    rewritten,     // MAPPED-ADDRESS as an ALG would leave it
    late,          // every answer takes 200 ms more
    duplicates,    // every answer comes three times
    garbage,       // random bytes instead of an answer
    two_backends,  // half of all clients meet a twin that has another OTHER-ADDRESS
    error_500,
    // Beyond this one no single server can be found out.
    masked,              // sits behind a NAT of its own: it sees every client as somebody else
    other_port_for_each  // tells each of its own addresses and ports another port of the client
};
inline constexpr Fault last_fault = Fault::error_500;
std::string to_string(Fault fault);

struct Loss {
    double each_way = 0;               // probability for each packet
    std::optional<unsigned> only;      // exactly this packet, counted over both directions
    double bursts_per_second = 0;      // gaps during which nothing passes …
    Duration burst = Milliseconds(0);  // … this long on average
};

struct SimServer {
    Endpoint primary;
    Endpoint other;
    Fault fault = Fault::none;
    std::optional<IpAddress> local = std::nullopt;  // the source towards it, when not World::local
};

// A router that lets so many new flows (pairs of a local port and a destination) through at once,
// and so many a second. A part of one at the beginning is what an earlier run left.
struct NewFlows {
    double at_once = 0;
    double per_second = 0;
};

// A server that answers CHANGE-REQUEST only so often: a token bucket.
struct ChangeLimit {
    double per_second = 0;
    double at_once = 1;
};

// From `begin`, for `length`, the machine that measures gets no processor.
struct Stall {
    Duration begin{};
    Duration length{};
};

struct World {
    bool direct = false;  // no NAT; `filtering` is a firewall's then
    Dependence mapping = Dependence::endpoint_independent;
    Dependence filtering = Dependence::address_and_port_dependent;
    Ports ports = Ports::random;
    int step = 1;  // of sequential ports
    bool hairpin = false;
    bool udp_blocked = false;
    bool tcp_passes = true;
    bool prohibits_by_icmp = false;     // with udp_blocked or permitted_ports: a router says so …
    bool servers_prohibit = false;      // … or, with that, each server itself
    bool one_name = false;              // all servers are addresses of one configured name
    std::set<std::size_t> tcp_refused;  // servers that answer a TCP connection with a reset
    bool plain_restored = false;  // answers have no XOR-MAPPED-ADDRESS, and the local address in
                                  // the other: an ALG put it there
    bool local_by_tunnel = false;
    std::set<std::uint16_t> blocked_ports;  // UDP to and from these ports of the servers is dropped
    std::set<std::uint16_t> permitted_ports;  // UDP gets out to these alone; empty = to any
    bool closed_ports_refuse = false;         // a server's ports without a service answer by ICMP
    bool cookie_dropped = false;              // what has STUN's magic cookie does not get out
    bool not_permitted = false;     // with udp_blocked or blocked_ports: sendto fails with EPERM
    std::uint16_t static_port = 0;  // this local port is mapped endpoint-independently and kept
    bool carrier_hop = false;       // the second router has an address of RFC 6598
    Loss loss;
    Duration one_way = Milliseconds(5);
    Duration jitter{0};
    std::vector<SimServer> servers;
    std::vector<IpAddress> pool;  // public addresses of the NAT; one if empty
    IpAddress local;
    std::set<std::uint16_t> stale_ports;  // local ports whose filter an earlier use left wide open
    std::function<Endpoint(std::uint16_t local_port, const Endpoint& to)> own_mapping;
    bool tap = false;                          // packets are seen at the interface as well
    std::optional<Dependence> host_filtering;  // of a firewall on the client itself …
    bool host_deaf = false;                    // … which lets nothing in at all
    unsigned flood = 0;                        // unsolicited packets to the mapping socket
    bool filter_of_host = false;  // by_address: who was contacted from any port of this machine
                                  // gets in at each of them
    std::optional<NewFlows> new_flows;
    std::optional<NewFlows> new_inbound;  // as new_flows, of what nobody here has contacted
    std::optional<ChangeLimit> change_limit;
    double dead_flows = 0;  // share of the flows (both endpoints) of which nothing comes in: one of
                            // several links that a router spreads them over is broken
    std::vector<Stall> stalls;

    World();  // one server without a fault, behind 192.168.7.2
};

// Two addresses of one server: 11.22.33.1:3478 with 11.22.33.2:3479 and so on.
SimServer server_number(unsigned number, Fault fault = Fault::none);

struct Outcome {
    Verdict verdict;
    Observations seen;
    Duration elapsed{};
    std::uint64_t packets = 0;
};

struct Asked {
    bool hairpin = false;
    std::uint16_t given_port = 0;
    bool find_hops = false;
};

Outcome discover(const World& world, unsigned seed, const Asked& asked = {});

// What `world` is in truth.
Dependence true_mapping(const World& world);
NatType true_type(const World& world);

// Fields of `verdict` that claim something false about `world`; empty if none does.
std::string wrong_claims(const World& world, const Verdict& verdict);

// Nothing that `world` lets a discovery know is missing.
bool is_complete(const World& world, const Verdict& verdict);

std::string describe(const World& world);
std::string describe(const Verdict& verdict);

}  // namespace p2pdiag::nat::testing
