// Numbers that nobody on the network can guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace p2pdiag {

// From the kernel's generator.
void fill_random(std::span<std::uint8_t> bytes);

// That many random bytes as lower-case hexadecimal digits: a name that nobody else has.
std::string random_name(std::size_t bytes);

}  // namespace p2pdiag
