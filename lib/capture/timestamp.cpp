#include "capture/timestamp.hpp"

#include <limits>

namespace p2pdiag::capture {

TimeUnit::TimeUnit(std::uint8_t tsresol, std::int64_t offset_seconds)
    : per_second_(1), offset_seconds_(offset_seconds) {
    const unsigned exponent = tsresol & 0x7FU;
    const std::uint64_t base = (tsresol & 0x80U) != 0 ? 2 : 10;
    for (unsigned i = 0; i < exponent; ++i) {
        if (per_second_ > std::numeric_limits<std::uint64_t>::max() / base) {
            per_second_ = 0;
            return;
        }
        per_second_ *= base;
    }
}

std::optional<std::int64_t> TimeUnit::nanoseconds(std::uint64_t units) const {
    constexpr std::int64_t billion = 1'000'000'000;
    // So that the sum below cannot overflow: 292 years after 1970 and before.
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / billion - 2;
    if (per_second_ == 0) return std::nullopt;
    const std::uint64_t whole = units / per_second_;
    if (whole > static_cast<std::uint64_t>(most) || offset_seconds_ > most ||
        offset_seconds_ < -most) {
        return std::nullopt;
    }
    const std::int64_t seconds = static_cast<std::int64_t>(whole) + offset_seconds_;
    if (seconds > most || seconds < -most) return std::nullopt;
    const std::uint64_t rest = units % per_second_;
    // rest < per_second_, so what comes out is less than a second.
    const auto fraction = static_cast<std::int64_t>(static_cast<unsigned __int128>(rest) *
                                                    static_cast<unsigned>(billion) / per_second_);
    return seconds * billion + fraction;
}

}  // namespace p2pdiag::capture
