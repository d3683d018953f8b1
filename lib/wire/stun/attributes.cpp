#include "wire/stun/attributes.hpp"

#include <algorithm>

namespace p2pdiag::stun {

namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    // The V.42 polynomial, bits reversed.
    constexpr std::uint32_t polynomial = 0xEDB88320;
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1) != 0 ? value >> 1 ^ polynomial : value >> 1;
        }
        table[i] = value;
    }
    return table;
}

constexpr auto crc_table = make_crc_table();

}  // namespace

std::uint32_t crc32(ByteView bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const std::uint8_t byte : bytes) crc = crc >> 8 ^ crc_table[(crc ^ byte) & 0xFF];
    return ~crc;
}

Endpoint xor_endpoint(const Endpoint& plain, std::uint32_t cookie, const TransactionId& id) {
    std::array<std::uint8_t, 16> mask{};
    for (unsigned i = 0; i < 4; ++i) mask[i] = static_cast<std::uint8_t>(cookie >> (24 - 8 * i));
    std::copy(id.begin(), id.end(), mask.begin() + 4);

    Endpoint result;
    result.port = static_cast<std::uint16_t>(plain.port ^ cookie >> 16);
    if (plain.address.is_v4()) {
        result.address = IpAddress::v4(plain.address.v4_bits() ^ cookie);
    } else {
        std::array<std::uint8_t, 16> bytes = plain.address.bytes();
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= mask[i];
        result.address = IpAddress::v6(bytes);
    }
    return result;
}

}  // namespace p2pdiag::stun
