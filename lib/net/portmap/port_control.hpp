// NAT-PMP (RFC 6886) and PCP (RFC 6887): one UDP port of the router, one way of asking again.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "net/portmap/types.hpp"

namespace p2pdiag::net::portmap {

// RFC 6886 section 3.1 starts at 250 ms and doubles; three sends decide absence within 1.75 s.
struct RetrySchedule {
    std::vector<Milliseconds> waits{Milliseconds(250), Milliseconds(500), Milliseconds(1000)};
};

// What a router says of itself: the answer to "what is my external address" (NAT-PMP opcode 0), or
// to PCP ANNOUNCE.
struct PortControlStatus {
    std::optional<IpAddress> external_address;  // NAT-PMP
    std::uint32_t epoch = 0;                    // seconds since the router lost its state
    std::chrono::microseconds rtt{0};
    unsigned ignored = 0;  // datagrams that were no answer to us: another source, another nonce
};

// `service.protocol` is natpmp or pcp. A router that knows only NAT-PMP answers a PCP request with
// version 0 and result 1 (RFC 6887 section 9): Problem::unsupported. ICMP port unreachable is
// Problem::absent at once.
boost::asio::awaitable<Outcome<PortControlStatus>> ask_status(Service service,
                                                              RetrySchedule schedule);

// Makes a mapping, or renews it: the same internal port, and with PCP the same nonce.
boost::asio::awaitable<Outcome<MapGrant>> port_control_map(Service service, MapRequest request,
                                                           RetrySchedule schedule);

// Lifetime 0. A mapping that is gone already counts as removed.
boost::asio::awaitable<Outcome<void>> port_control_unmap(Service service, MapRequest request,
                                                         RetrySchedule schedule);

// With the usual schedule. Overloads, because g++ 12 frees a default argument twice in a co_await
// expression.
boost::asio::awaitable<Outcome<PortControlStatus>> ask_status(Service service);
boost::asio::awaitable<Outcome<MapGrant>> port_control_map(Service service, MapRequest request);
boost::asio::awaitable<Outcome<void>> port_control_unmap(Service service, MapRequest request);

// RFC 6886 section 3.6 and RFC 6887 section 8.5: whether the router has lost its state between two
// answers, from their epochs and the times at which they came. A small backward or forward drift of
// a coarse clock is no loss.
class EpochWatch {
public:
    // True when the router was restarted since the last call. The first call never is.
    bool restarted(std::uint32_t epoch, TimePoint now);

private:
    std::optional<std::uint32_t> epoch_;
    TimePoint at_{};
};

}  // namespace p2pdiag::net::portmap
