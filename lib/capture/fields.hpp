// Inside of the readers: numbers in the byte order of the file.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace p2pdiag::capture {

template <class Number>
Number swapped(Number value) {
    if constexpr (sizeof(Number) == 2) return __builtin_bswap16(value);
    if constexpr (sizeof(Number) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(Number) == 8) return __builtin_bswap64(value);
}

// Reads at offsets that the caller has checked against the size; past the end it gives 0.
class Fields {
public:
    Fields(ByteView bytes, bool swap) : bytes_(bytes), swap_(swap) {}

    std::uint16_t u16(std::size_t offset) const { return number<std::uint16_t>(offset); }
    std::uint32_t u32(std::size_t offset) const { return number<std::uint32_t>(offset); }
    std::uint64_t u64(std::size_t offset) const { return number<std::uint64_t>(offset); }

private:
    template <class Number>
    Number number(std::size_t offset) const {
        Number value = 0;
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof value) return 0;
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return swap_ ? swapped(value) : value;
    }

    ByteView bytes_;
    bool swap_;  // the file's byte order is not this machine's
};

}  // namespace p2pdiag::capture
