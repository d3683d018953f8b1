// The conversations, in a table of fixed size: a capture of a million flows needs no more memory
// than one of a thousand.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "model.hpp"

namespace p2pdiag::capture_plugin {

// Two endpoints and how they talk, the same for both directions.
struct FlowKey {
    std::array<std::uint64_t, 4> addresses{};  // of the lower endpoint, of the higher
    std::uint32_t ports = 0;
    std::uint8_t carrier = 0;
    std::uint8_t families = 0;
    friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

// TCP: what is known of one connection. The same two ports may carry another one later.
struct Connection {
    static constexpr Sequence no_message = ~Sequence{0};

    // From the lower endpoint, from the higher.
    std::array<std::uint64_t, 2> packets{};
    std::array<std::uint64_t, 2> bytes{};
    std::array<bool, 2> syn{};
    std::array<bool, 2> accepted{};  // sent SYN with ACK
    std::array<Sequence, 2> syn_message{no_message, no_message};
    std::array<std::int64_t, 2> syn_ns{};    // when it was sent last
    std::array<std::uint32_t, 2> initial{};  // the first sequence number, where its SYN was seen
    std::array<std::uint32_t, 2> stream{};   // of Streams; 0 = none
    std::array<bool, 2> stream_over{};       // nothing more is to be read of it
    bool established = false;                // a SYN was accepted
    bool reset = false;
    std::int64_t data_ns = 0;  // when the first data was sent
    std::int64_t last_ns = 0;
};

struct Flow {
    FlowKey key;
    std::uint32_t next = 0;  // of the same bucket
    capture::Carrier carrier = capture::Carrier::other;
    bool used = false;
    bool recent = false;    // since the hand of the clock came by
    bool began_low = true;  // which of the two was seen first
    Endpoint low;
    Endpoint high;
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
    // From the lower endpoint, from the higher.
    std::array<std::uint64_t, 2> packets{};
    std::array<std::uint64_t, 2> bytes{};
    std::array<std::int64_t, 2> heard_ns{};    // when it sent something last
    std::array<std::uint64_t, 2> undecoded{};  // datagrams that nothing here understands
    std::array<std::uint64_t, 2> undecoded_bytes{};
    std::array<Sequence, 2> data_message{no_message, no_message};
    // The newest request from each side that nothing has answered.
    std::array<Sequence, 2> request{no_message, no_message};
    std::array<bool, 2> acknowledges{};  // TCP: this side says that it has received something
    bool refused = false;                // by ICMP
    bool to_group = false;               // multicast or broadcast
    bool stun = false;
    bool turn = false;
    std::array<std::uint8_t, 2> version{};  // that each side speaks of our own protocol; 0 = none
    Connection tcp;                         // the newest

    static constexpr Sequence no_message = Connection::no_message;
    const Endpoint& side(std::size_t which) const { return which == 0 ? low : high; }
};

class FlowTable {
public:
    static constexpr std::size_t capacity = 1 << 16;

    // Called with a flow that has to make room for another.
    explicit FlowTable(std::function<void(Flow&)> on_evict);

    // The flow of a packet, made where there is none, and which side sent it (0 = the lower).
    struct Found {
        Flow& flow;
        std::size_t side;
    };
    Found get(capture::Carrier carrier, const Endpoint& from, const Endpoint& to,
              std::int64_t now_ns);
    // Null where there is none.
    Flow* find(capture::Carrier carrier, const Endpoint& from, const Endpoint& to,
               std::size_t& side);

    std::uint64_t evicted() const { return evicted_; }
    std::uint64_t count() const { return count_; }  // of all there ever were

    template <class Take>
    void for_each(Take take) {
        for (Flow& flow : flows_) {
            if (flow.used) take(flow);
        }
    }

private:
    std::uint32_t& bucket(const FlowKey& key);
    std::uint32_t make_room();

    std::function<void(Flow&)> on_evict_;
    std::vector<Flow> flows_;             // grows up to the capacity
    std::vector<std::uint32_t> buckets_;  // index + 1 of the first flow; 0 = none
    std::size_t hand_ = 0;
    std::uint64_t evicted_ = 0;
    std::uint64_t count_ = 0;
    std::uint64_t seed_;
};

}  // namespace p2pdiag::capture_plugin
