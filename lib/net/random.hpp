// Numbers that nobody on the network can guess.
#pragma once

#include <cstdint>
#include <span>

namespace p2pdiag::net {

// From the kernel's generator.
void fill_random(std::span<std::uint8_t> bytes);

}  // namespace p2pdiag::net
