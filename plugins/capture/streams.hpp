// The TCP connections whose beginning is being read, one parser per direction, in bounded memory.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "capture/stream.hpp"

namespace p2pdiag::capture_plugin {

class Streams {
public:
    static constexpr std::size_t max_streams = 1024;
    static constexpr std::size_t max_memory = 8 << 20;

    using Id = std::uint32_t;  // 0 = none; stays with one stream, and is never given again

    Id open(std::uint32_t sequence);
    // Null for one that was closed, or had to make room.
    capture::StreamParser* find(Id id);
    // After bytes were handed over: keeps the memory within bounds.
    void settle(Id id);
    void close(Id id);
    std::size_t memory() const { return memory_; }  // bytes, of all

private:
    struct Slot {
        Id id = 0;
        std::uint64_t used = 0;
        std::size_t memory = 0;
        std::unique_ptr<capture::StreamParser> parser;
    };

    Slot* slot_of(Id id);
    Slot& oldest();
    void clear(Slot& slot);

    std::vector<Slot> slots_ = std::vector<Slot>(max_streams);
    Id next_ = 1;
    std::uint64_t uses_ = 0;
    std::size_t memory_ = 0;
};

}  // namespace p2pdiag::capture_plugin
