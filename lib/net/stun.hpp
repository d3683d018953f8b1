// One STUN Binding transaction with one server, over UDP, TCP or TLS: what came of it, told apart
// as finely as the network tells.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "net/tls_context.hpp"
#include "wire/icmp/message.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::net {

class UdpSocket;

using Microseconds = std::chrono::microseconds;

stun::TransactionId random_transaction_id();  // from the kernel's generator

enum class Outcome {
    ok,              // a success response with a mapped address
    error_response,  // a STUN error response
    no_answer,       // silence
    refused,         // by the server itself, by ICMP or a TCP reset: it is there, the port closed
    unreachable,     // somebody else says that it cannot or will not be delivered
    no_route,        // this machine has no way there, or its routes refuse
    not_permitted,   // this machine's own firewall or policy forbids sending
    malformed,       // the server answered with something that is no valid STUN response
    wrong_transaction,  // STUN responses, but to nobody's question
    wrong_source,       // the answer came from another address than the one asked
    closed,             // TCP: the connection was accepted and then closed without an answer
    tls_failed,         // no TLS session came about
    local_error         // this machine could not even try; see detail
};
// As above with hyphens: "no-answer", "error-response", …
std::string_view to_string(Outcome outcome);

// What TLS says of the server's certificate. An untrusted one is no failure of the connection.
struct Certificate {
    bool trusted = false;
    std::string problem;  // empty when trusted
};

struct BindingResult {
    Outcome outcome = Outcome::no_answer;
    Endpoint server;
    std::string detail;               // a few words where there is more to say than the outcome
    std::optional<Microseconds> rtt;  // of the request that was answered
    std::optional<stun::Message> response;  // with ok and error_response
    std::optional<Endpoint> local;
    std::optional<Certificate> certificate;  // once a TLS session was there
    unsigned sent = 0;                       // datagrams or requests
    // UDP only: datagrams that did not count, and ICMP errors about datagrams of ours.
    unsigned malformed = 0;
    unsigned wrong_transaction = 0;
    unsigned wrong_source = 0;
    unsigned refused = 0;
    unsigned unreachable = 0;
    std::optional<Endpoint> answered_from;  // the first wrong source
    // What the outcome stands on, where that is an ICMP message.
    std::optional<icmp::Said> said;

    // The server's reflexive address of this client.
    std::optional<Endpoint> mapped() const {
        return response ? response->reflexive_address() : std::nullopt;
    }
};

// What an ICMP message about a request to `server` means. The server's own word is `refused`, that
// of this machine's own firewall `not_permitted`, and anybody else's `unreachable`. Nothing where
// it does not say that the request came to nothing.
std::optional<Outcome> outcome_of(const icmp::Said& said, const Endpoint& server);

// The longest round trip that transactions running side by side have seen: a silent server is given
// time in proportion, so that a slow path is not taken for a dead one.
class RoundTrips {
public:
    void add(Microseconds rtt) {
        if (rtt > longest_) longest_ = rtt;
    }
    Microseconds longest() const { return longest_; }

private:
    Microseconds longest_{0};
};

// Five sends 100 ms apart, and after the last one max(350 ms, 3 x the longest round trip): silence
// is known after 750 ms on a fast path, and where 10 % of the packets are lost each way, one answer
// in 4 000 is missed.
struct UdpSchedule {
    unsigned sends = 5;
    Milliseconds interval{100};
    Milliseconds tail{350};
    Milliseconds longest_tail{3000};
    // While no round trip was seen at all, if that is longer: the path may be a slow one.
    Milliseconds unseen_tail{0};
};

// Each send has a transaction id of its own, so that the round trip is exact. Only a response from
// `server` to one of them counts; everything else that comes in is counted and ignored. Ends with
// the first response, after two refusals by the server or by this machine, or when the schedule is
// over. `seen` may be null.
boost::asio::awaitable<BindingResult> udp_binding(std::shared_ptr<UdpSocket> socket,
                                                  Endpoint server, std::shared_ptr<RoundTrips> seen,
                                                  UdpSchedule schedule = {});

// RFC 8489 section 6.2.2. Connects, asks once, and reads until the response or the deadline.
boost::asio::awaitable<BindingResult> tcp_binding(Endpoint server, TimePoint deadline);

// The same over TLS (RFC 8489 section 6.2.3). `host` is the name that the certificate must be for,
// or an address as text. `context` must not be null.
boost::asio::awaitable<BindingResult> tls_binding(Endpoint server, std::string host,
                                                  std::shared_ptr<TlsContext> context,
                                                  TimePoint deadline);

}  // namespace p2pdiag::net
