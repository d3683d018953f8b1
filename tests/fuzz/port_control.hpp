// What the fuzz targets of NAT-PMP and PCP share: the client's state machine, fed with what a
// router may send. The first byte of the input says what was asked; then each event is a byte of
// flags, two of length, and a datagram.
#pragma once

#include <cstdlib>

#include "base/bytes.hpp"
#include "net/portmap/exchange.hpp"

namespace p2pdiag::fuzz {

inline void require(bool holds) {
    if (!holds) std::abort();
}

inline net::portmap::Question question(net::portmap::Protocol protocol, unsigned kind) {
    net::portmap::Question asked;
    asked.kind = static_cast<net::portmap::Question::Kind>(kind % 3);
    asked.service.protocol = protocol;
    asked.service.router = IpAddress::v4(0xC0A80701);
    asked.service.local = IpAddress::v4(0xC0A80702);
    asked.request.transport = kind % 2 == 0 ? Transport::udp : Transport::tcp;
    asked.request.internal_port = 8000;
    asked.request.external_port = 8000;
    asked.request.lifetime = net::portmap::Seconds(600);
    asked.request.nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    return asked;
}

inline void require_same(const net::portmap::Outcome<net::portmap::Exchange::Answer>& one,
                         const net::portmap::Outcome<net::portmap::Exchange::Answer>& other) {
    require(one.has_value() == other.has_value());
    if (one) {
        require(one->epoch == other->epoch);
        require(one->grant.external_port == other->grant.external_port);
    } else {
        require(one.error().problem == other.error().problem);
    }
}

inline void drive(net::portmap::Protocol protocol, ByteView input) {
    using namespace net::portmap;
    ByteReader reader(input);
    const Question asked = question(protocol, reader.u8());
    Exchange exchange(asked);
    require(!exchange.done());
    require(!exchange.request().empty());
    const Endpoint elsewhere{IpAddress::v4(0xC0A80703), pcp::server_port};
    unsigned datagrams = 0;
    bool any_from_router = false;
    while (reader.ok() && reader.remaining() > 0) {
        const unsigned flags = reader.u8();
        const std::size_t size = reader.u16();
        const ByteView datagram = reader.take(size);
        if (!reader.ok()) break;
        const bool was_done = exchange.done();
        const auto before = exchange.verdict();
        const bool foreign = (flags & 1) != 0;
        exchange.on_datagram(foreign ? elsewhere : exchange.server(), datagram);
        any_from_router = any_from_router || !foreign;
        ++datagrams;
        // The first word counts, and only the router has one.
        require(!foreign || was_done == exchange.done());
        if (was_done) require_same(before, exchange.verdict());
    }
    require(exchange.ignored() <= datagrams);
    const auto verdict = exchange.verdict();
    if (!verdict) {
        require(!verdict.error().text.empty());
        for (const char c : verdict.error().text) require(c >= ' ' && c <= '~');
        return;
    }
    require(exchange.done() && any_from_router);
    if (asked.kind != Question::Kind::map) return;
    require(verdict->grant.internal_port == asked.request.internal_port);
    require(verdict->grant.external_port != 0);
    require(verdict->grant.lifetime && verdict->grant.lifetime->count() > 0);
}

}  // namespace p2pdiag::fuzz
