#include "flows.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace p2pdiag::capture_plugin {

namespace {

FlowKey key_of(capture::Carrier carrier, const Endpoint& low, const Endpoint& high) {
    FlowKey key;
    std::memcpy(key.addresses.data(), low.address.bytes().data(), 16);
    std::memcpy(key.addresses.data() + 2, high.address.bytes().data(), 16);
    key.ports = static_cast<std::uint32_t>(low.port) << 16 | high.port;
    key.carrier = static_cast<std::uint8_t>(carrier);
    key.families = static_cast<std::uint8_t>(low.address.is_v4() ? 4 : 6);
    return key;
}

bool is_lower(const Endpoint& one, const Endpoint& other) {
    const int order = std::memcmp(one.address.bytes().data(), other.address.bytes().data(), 16);
    return order != 0 ? order < 0 : one.port < other.port;
}

std::uint64_t mixed(std::uint64_t value) {
    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit reaches every other.
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
    value = (value ^ value >> 27) * 0x94D049BB133111EB;
    return value ^ value >> 31;
}

}  // namespace

FlowTable::FlowTable(std::function<void(Flow&)> on_evict)
    : on_evict_(std::move(on_evict)),
      buckets_(capacity),
      // Different in every run, so that nobody can prepare flows that meet in one bucket.
      seed_(mixed(reinterpret_cast<std::uintptr_t>(this))) {}

std::uint32_t& FlowTable::bucket(const FlowKey& key) {
    std::uint64_t hash = seed_;
    for (const std::uint64_t part : key.addresses) hash = mixed(hash ^ part);
    hash = mixed(hash ^ (static_cast<std::uint64_t>(key.ports) << 16 | key.carrier));
    return buckets_[hash & (capacity - 1)];
}

Flow* FlowTable::find(capture::Carrier carrier, const Endpoint& from, const Endpoint& to,
                      std::size_t& side) {
    const bool from_low = is_lower(from, to);
    side = from_low ? 0 : 1;
    const FlowKey key = from_low ? key_of(carrier, from, to) : key_of(carrier, to, from);
    for (std::uint32_t at = bucket(key); at != 0; at = flows_[at - 1].next) {
        if (flows_[at - 1].key == key) return &flows_[at - 1];
    }
    return nullptr;
}

FlowTable::Found FlowTable::get(capture::Carrier carrier, const Endpoint& from, const Endpoint& to,
                                std::int64_t now_ns) {
    const bool from_low = is_lower(from, to);
    const std::size_t side = from_low ? 0 : 1;
    const Endpoint& low = from_low ? from : to;
    const Endpoint& high = from_low ? to : from;
    const FlowKey key = key_of(carrier, low, high);
    for (std::uint32_t at = bucket(key); at != 0; at = flows_[at - 1].next) {
        Flow& flow = flows_[at - 1];
        if (flow.key != key) continue;
        flow.recent = true;
        return {flow, side};
    }
    const std::uint32_t at = make_room();
    Flow& flow = flows_[at];
    std::uint32_t& first = bucket(key);
    flow = {};
    flow.key = key;
    flow.carrier = carrier;
    flow.used = true;
    flow.began_low = from_low;
    flow.low = low;
    flow.high = high;
    flow.first_ns = flow.last_ns = now_ns;
    flow.next = std::exchange(first, at + 1);
    ++count_;
    return {flow, side};
}

// The clock algorithm: what was used since the hand last came by stays for one more round.
std::uint32_t FlowTable::make_room() {
    if (flows_.size() < capacity) {
        flows_.emplace_back();
        return static_cast<std::uint32_t>(flows_.size() - 1);
    }
    while (std::exchange(flows_[hand_].recent, false)) hand_ = (hand_ + 1) % capacity;
    const std::size_t victim = std::exchange(hand_, (hand_ + 1) % capacity);
    Flow& flow = flows_[victim];
    on_evict_(flow);
    std::uint32_t* link = &bucket(flow.key);
    while (*link != victim + 1) link = &flows_[*link - 1].next;
    *link = flow.next;
    ++evicted_;
    return static_cast<std::uint32_t>(victim);
}

}  // namespace p2pdiag::capture_plugin
