#include <algorithm>

#include "wire/stun/attributes.hpp"

namespace p2pdiag::stun {

namespace {

struct Integrity {
    std::size_t start;  // where the attribute begins
    ByteView hmac;
};

std::optional<Integrity> find_integrity(ByteView datagram) {
    ByteReader reader(datagram);
    reader.take(header_size);
    while (reader.remaining() > 0) {
        const std::size_t start = datagram.size() - reader.remaining();
        const auto type = static_cast<Attribute>(reader.u16());
        const std::uint16_t size = reader.u16();
        const ByteView value = reader.take(size);
        reader.take(padding_of(size));
        if (!reader.ok()) return std::nullopt;
        if (type != Attribute::message_integrity) continue;
        if (value.size() != hmac_sha1_size) return std::nullopt;
        return Integrity{start, value};
    }
    return std::nullopt;
}

// Takes the same time wherever the first difference is.
bool equal(ByteView one, ByteView other) {
    unsigned difference = one.size() == other.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
        difference |= static_cast<unsigned>(one[i] ^ other[i]);
    }
    return difference == 0;
}

}  // namespace

bool check_integrity(ByteView datagram, ByteView key, const HmacSha1& hmac) {
    if (!looks_like_stun(datagram)) return false;
    const std::optional<Integrity> found = find_integrity(datagram);
    if (!found) return false;
    // RFC 8489 section 14.5: the HMAC covers the message up to the attribute, with the length field
    // as if the attribute were the last.
    Bytes covered(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(found->start));
    const std::size_t length = found->start + attribute_header_size + hmac_sha1_size - header_size;
    covered[2] = static_cast<std::uint8_t>(length >> 8);
    covered[3] = static_cast<std::uint8_t>(length);
    return equal(hmac(key, covered), found->hmac);
}

}  // namespace p2pdiag::stun
