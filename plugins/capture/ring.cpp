#include "ring.hpp"

#include <algorithm>

namespace p2pdiag::capture_plugin {

namespace {

// The allocator's own part of an entry and its data, roughly.
constexpr std::size_t overhead = sizeof(KeptPacket) + 32;

std::size_t cost(const KeptPacket& packet) { return packet.data.size() + overhead; }

}  // namespace

capture::Packet KeptPacket::view() const {
    capture::Packet packet;
    packet.time_ns = time_ns;
    packet.interface = interface;
    packet.link_type = link_type;
    packet.direction = direction;
    packet.original_size = original_size;
    packet.data = data;
    return packet;
}

void Ring::sort_by_time() {
    const auto earlier = [](const KeptPacket& a, const KeptPacket& b) {
        return a.time_ns < b.time_ns;
    };
    std::stable_sort(packets_.begin(), packets_.end(), earlier);
}

void Ring::add(const capture::Packet& packet) {
    KeptPacket kept;
    kept.time_ns = packet.time_ns.value_or(0);
    kept.interface = packet.interface;
    kept.link_type = packet.link_type;
    kept.direction = packet.direction;
    kept.original_size = packet.original_size;
    kept.data.assign(packet.data.begin(), packet.data.end());
    bytes_ += cost(kept);
    packets_.push_back(std::move(kept));
    while (bytes_ > most_bytes_ && !packets_.empty()) {
        bytes_ -= cost(packets_.front());
        packets_.pop_front();
        ++overwritten_;
    }
}

}  // namespace p2pdiag::capture_plugin
