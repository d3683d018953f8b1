// The capture's clock, made to go forwards.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace p2pdiag::capture_plugin {

// Packets of several processors reach the file a little out of order (pcap-tstamp(7)); those keep
// their time, and whoever shows them sorts. A clock that was set back is another thing: what
// follows goes on from the latest time there was, so that no delay is ever negative. The same with
// a time that no capture lasts to: the clock was set ahead, as that of a router which starts in
// 1970 is, or the file lies.
class Timeline {
public:
    static constexpr std::int64_t disorder_ns = 2'000'000'000;
    // Nobody captures for longer into one file, nor would anybody be told anything by delays of
    // years.
    static constexpr std::int64_t longest_ns = std::int64_t{366} * 24 * 3600 * 1'000'000'000;

    // A packet without a time gets that of the one before.
    std::int64_t place(std::optional<std::int64_t> time_ns) {
        if (!time_ns) return latest_.value_or(0);
        std::int64_t time = bounded(static_cast<__int128>(*time_ns) + shift_);
        const bool back = latest_ && time < *latest_ - disorder_ns;
        const bool ahead = first_ && time > *first_ + longest_ns;
        if (back || ahead) {
            ++(back ? set_back_ : set_ahead_);
            shift_ += *latest_ - time;
            time = *latest_;
        }
        latest_ = std::max(latest_.value_or(time), time);
        first_ = std::min(first_.value_or(time), time);
        return time;
    }

    // The capture went on until then at least; an end before the latest packet says nothing.
    void extend(std::int64_t time_ns) {
        const std::int64_t time = bounded(static_cast<__int128>(time_ns) + shift_);
        if (latest_ && time <= *first_ + longest_ns) latest_ = std::max(*latest_, time);
    }

    std::uint64_t set_back() const { return set_back_; }    // times that the clock was
    std::uint64_t set_ahead() const { return set_ahead_; }  // by more than any capture lasts
    std::int64_t first() const { return first_.value_or(0); }
    std::int64_t latest() const { return latest_.value_or(0); }

private:
    // Up to the year 2116, and as far before 1970: any two times have a difference.
    static std::int64_t bounded(__int128 time) {
        constexpr __int128 far = INT64_MAX / 2;
        return static_cast<std::int64_t>(std::clamp(time, -far, far));
    }

    std::optional<std::int64_t> first_;
    std::optional<std::int64_t> latest_;
    __int128 shift_ = 0;
    std::uint64_t set_back_ = 0;
    std::uint64_t set_ahead_ = 0;
};

}  // namespace p2pdiag::capture_plugin
