// Numbers in network byte order, at places whose length the caller has checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace p2pdiag::capture {

inline std::uint16_t u16(ByteView bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

inline std::uint32_t u32(ByteView bytes, std::size_t at) {
    return static_cast<std::uint32_t>(u16(bytes, at)) << 16 | u16(bytes, at + 2);
}

}  // namespace p2pdiag::capture
