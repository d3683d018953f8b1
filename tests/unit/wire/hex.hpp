// Test data as it is printed in RFCs.
#pragma once

#include <string_view>

#include "base/bytes.hpp"

namespace p2pdiag::testing {

// "00 01 a4…": blanks do not matter.
inline Bytes hex(std::string_view text) {
    Bytes bytes;
    int digits = 0;
    for (const char c : text) {
        if (c == ' ' || c == '\n') continue;
        const int value = c <= '9' ? c - '0' : c - 'a' + 10;
        if (digits++ % 2 == 0) {
            bytes.push_back(static_cast<std::uint8_t>(value << 4));
        } else {
            bytes.back() = static_cast<std::uint8_t>(bytes.back() | value);
        }
    }
    return bytes;
}

}  // namespace p2pdiag::testing
