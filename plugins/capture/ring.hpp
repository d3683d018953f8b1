// The last packets of a recording, within a bound of memory.
#pragma once

#include <deque>

#include "capture/packet.hpp"

namespace p2pdiag::capture_plugin {

struct KeptPacket {
    std::int64_t time_ns = 0;  // since 1970
    std::uint32_t interface = 0;
    capture::LinkType link_type = capture::LinkType::ethernet;
    capture::Direction direction = capture::Direction::unknown;
    std::uint32_t original_size = 0;
    Bytes data;

    capture::Packet view() const;  // valid as long as this is
};

class Ring {
public:
    // Bytes of memory, what a packet needs besides its data included.
    explicit Ring(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    // The oldest make room. One that is larger than all there may be is counted as such at once.
    void add(const capture::Packet& packet);

    // Those of several interfaces come a little out of order.
    void sort_by_time();

    const std::deque<KeptPacket>& packets() const { return packets_; }
    std::uint64_t overwritten() const { return overwritten_; }  // made room

private:
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    std::uint64_t overwritten_ = 0;
    std::deque<KeptPacket> packets_;
};

}  // namespace p2pdiag::capture_plugin
