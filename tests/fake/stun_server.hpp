// A STUN server on loopback, in a thread of this process, that can be told to misbehave.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "base/address.hpp"
#include "base/bytes.hpp"

namespace p2pdiag::testing {

enum class StunFault {
    none,
    silent,             // reads, and never answers
    wrong_transaction,  // answers a question nobody asked
    wrong_source,       // answers from another port
    malformed,          // a STUN header with an attribute that runs past the end
    garbage,            // answers, but not in STUN
    huge,               // 60 000 bytes of attributes around no address
    no_mapped_address,  // a success response that says nothing
    error_420,          // "Unknown Attribute"
    rewritten,          // MAPPED-ADDRESS and XOR-MAPPED-ADDRESS differ, as behind an ALG
    duplicate,          // every answer three times
    ignores_change,     // CHANGE-REQUEST is answered from the address that was asked
    flood               // a hundred useless datagrams before each answer
};

struct FakeStunOptions {
    StunFault fault = StunFault::none;
    Family family = Family::ipv4;
    bool udp = true;
    bool tcp = true;
    // With a second address and port and OTHER-ADDRESS (RFC 5780). IPv4 only: 127.0.0.2.
    bool two_addresses = false;
    std::chrono::milliseconds delay{0};  // before each UDP answer
    unsigned lose_first = 0;             // that many UDP requests are not answered
};

class FakeStunServer {
public:
    explicit FakeStunServer(FakeStunOptions options = {});
    ~FakeStunServer();
    FakeStunServer(const FakeStunServer&) = delete;
    FakeStunServer& operator=(const FakeStunServer&) = delete;

    Endpoint primary() const;    // where to ask, by UDP and TCP
    Endpoint alternate() const;  // other address and other port; only with two_addresses
    // UDP datagrams that came in so far, on all of its sockets.
    unsigned datagrams() const { return datagrams_; }

private:
    struct Sockets;
    void serve();

    FakeStunOptions options_;
    std::unique_ptr<Sockets> sockets_;
    std::atomic<unsigned> datagrams_{0};
    std::thread thread_;
};

// A port of this family on which nothing listens, neither UDP nor TCP.
Endpoint closed_port(Family family = Family::ipv4);

bool has_ipv6_loopback();

}  // namespace p2pdiag::testing
