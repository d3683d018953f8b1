// The time units of a pcapng interface.
#pragma once

#include <cstdint>
#include <optional>

namespace p2pdiag::capture {

// draft-ietf-opsawg-pcapng section 4.2: if_tsresol and if_tsoffset.
class TimeUnit {
public:
    TimeUnit() = default;  // microseconds, as where no option says otherwise
    // "If the Most Significant Bit is equal to zero, the remaining bits indicate the resolution …
    // as a negative power of 10 … If the Most Significant Bit is equal to one … of 2". Resolutions
    // that no 64-bit number of units can express give no time at all.
    explicit TimeUnit(std::uint8_t tsresol, std::int64_t offset_seconds);

    // Nanoseconds since 1970; nothing where they do not fit 64 bits.
    std::optional<std::int64_t> nanoseconds(std::uint64_t units) const;

private:
    std::uint64_t per_second_ = 1'000'000;  // 0 = cannot be expressed
    std::int64_t offset_seconds_ = 0;
};

}  // namespace p2pdiag::capture
