#include "base/random.hpp"

#include <sys/random.h>

#include <random>
#include <vector>

namespace p2pdiag {

void fill_random(std::span<std::uint8_t> bytes) {
    const ssize_t filled = ::getrandom(bytes.data(), bytes.size(), 0);
    if (filled == static_cast<ssize_t>(bytes.size())) return;
    std::random_device device;  // a sandbox without getrandom()
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(device());
}

std::string random_name(std::size_t bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::vector<std::uint8_t> random(bytes);
    fill_random(random);
    std::string name;
    for (const std::uint8_t byte : random) {
        name += digits[byte >> 4];
        name += digits[byte & 15];
    }
    return name;
}

}  // namespace p2pdiag
