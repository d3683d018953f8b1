// The values a rule compares, all as unsigned numbers of up to 128 bits, and what is not known of
// them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/address.hpp"

namespace p2pdiag::firewall {

// Addresses in network order, numbers as numbers, interface names left-aligned: their 15 bytes and
// the zero after them are 128 bits, so that the prefix "eth*" is an interval like any other.
__extension__ typedef unsigned __int128 Bits;

inline constexpr Bits all_bits = ~Bits{0};

// The lowest `width` bits; 0 to 128.
constexpr Bits low_mask(unsigned width) { return width >= 128 ? all_bits : (Bits{1} << width) - 1; }

inline Bits to_bits(const IpAddress& address) {
    Bits value = 0;
    const std::size_t size = address.is_v4() ? 4 : 16;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | address.bytes()[i];
    return value;
}

inline IpAddress to_address(Bits value, Family family) {
    if (family == Family::ipv4) return IpAddress::v4(static_cast<std::uint32_t>(value));
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 16; i-- > 0; value >>= 8) bytes[i] = static_cast<std::uint8_t>(value);
    return IpAddress::v6(bytes);
}

// At most 16 bytes count.
inline Bits name_bits(std::string_view name) {
    Bits value = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        value = value << 8 | (i < name.size() ? static_cast<std::uint8_t>(name[i]) : 0U);
    }
    return value;
}

// Both ends belong to it.
struct Interval {
    Bits low = 0;
    Bits high = 0;

    friend bool operator==(const Interval&, const Interval&) = default;
};

enum class Truth : std::uint8_t { no, yes, maybe };

constexpr Truth operator!(Truth truth) {
    if (truth == Truth::maybe) return truth;
    return truth == Truth::yes ? Truth::no : Truth::yes;
}

// A value of which some bits may not be known.
struct Known {
    Bits value = 0;
    Bits unknown = 0;  // these bits of `value` mean nothing and are 0

    static Known nothing(unsigned width) { return {0, low_mask(width)}; }
    template <class Number>
    static Known of(const std::optional<Number>& number, unsigned width) {
        return number ? Known{*number, 0} : nothing(width);
    }
    bool is_exact() const { return unknown == 0; }
    Bits least() const { return value; }
    Bits most() const { return value | unknown; }
    Truth in(const Interval& interval) const {
        if (most() < interval.low || least() > interval.high) return Truth::no;
        if (least() >= interval.low && most() <= interval.high) return Truth::yes;
        // Of a single value the known bits alone may tell.
        if (interval.low == interval.high && ((value ^ interval.low) & ~unknown) != 0) {
            return Truth::no;
        }
        return Truth::maybe;
    }
    // Whether any bit of the mask is set.
    Truth any_of(Bits mask) const {
        if ((value & mask) != 0) return Truth::yes;
        return (unknown & mask) != 0 ? Truth::maybe : Truth::no;
    }

    friend bool operator==(const Known&, const Known&) = default;
};

}  // namespace p2pdiag::firewall
