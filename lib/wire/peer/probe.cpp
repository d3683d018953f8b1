#include "wire/peer/probe.hpp"

#include <algorithm>

#include "wire/stun/attributes.hpp"

namespace p2pdiag::probe {

namespace {

using Address = std::array<std::uint8_t, 16>;

// RFC 8489 section 14.2 tells why: some NATs rewrite what looks like their own address, wherever in
// a packet it stands.
Endpoint hidden_from_nats(const Endpoint& plain, const TransactionId& transaction) {
    ByteReader number(envelope::magic);
    return stun::xor_endpoint(plain, number.u32(), transaction);
}

// RFC 4291 section 2.5.5.2: ::ffff:a.b.c.d.
IpAddress as_v6(const IpAddress& address) {
    if (!address.is_v4()) return address;
    Address bytes{};
    bytes[10] = bytes[11] = 0xFF;
    std::ranges::copy(ByteView(address.bytes()).first(4), bytes.begin() + 12);
    return IpAddress::v6(bytes);
}

}  // namespace

Result<Probe> parse(ByteView datagram) {
    const auto envelope = envelope::parse_whole(datagram);
    if (!envelope) return envelope.error();
    const bool pong = envelope->kind == envelope::Kind::pong;
    if (!pong && envelope->kind != envelope::Kind::ping) return ParseError::wrong_kind;
    if (datagram.size() < size) return ParseError::too_short;
    if (datagram.size() > (pong ? size : max_size)) return ParseError::bad_length;

    ByteReader reader(datagram.subspan(envelope::size));
    Probe probe;
    probe.session = envelope->session;
    probe.total_size = datagram.size();
    std::ranges::copy(reader.take(probe.transaction.size()), probe.transaction.begin());
    probe.counter = reader.u64();
    if (pong) {
        Endpoint hidden;
        hidden.port = reader.u16();
        Address bytes{};
        std::ranges::copy(reader.take(bytes.size()), bytes.begin());
        hidden.address = IpAddress::v6(bytes);
        Endpoint observed = hidden_from_nats(hidden, probe.transaction);
        if (observed.port == 0) return ParseError::not_canonical;
        observed.address = observed.address.unmapped();
        probe.observed = observed;
    } else if (!envelope::all_zero(reader.take(reader.remaining() - tag_size))) {
        return ParseError::not_canonical;
    }
    std::ranges::copy(reader.take(tag_size), probe.tag.begin());
    return probe;
}

Bytes encode(const Probe& probe) {
    const std::size_t total = probe.is_pong() ? size : std::clamp(probe.total_size, size, max_size);
    ByteWriter writer;
    envelope::append(
        writer, {envelope::version, probe.is_pong() ? envelope::Kind::pong : envelope::Kind::ping,
                 static_cast<std::uint16_t>(total - envelope::size), probe.session});
    writer.append(probe.transaction);
    writer.u64(probe.counter);
    if (probe.observed) {
        const Endpoint hidden = hidden_from_nats(
            {as_v6(probe.observed->address), probe.observed->port}, probe.transaction);
        writer.u16(hidden.port);
        writer.append(hidden.address.bytes());
    }
    writer.zeros(total - tag_size - writer.size());
    writer.append(probe.tag);
    return writer.take();
}

}  // namespace p2pdiag::probe
