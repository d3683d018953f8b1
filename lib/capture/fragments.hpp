// Datagrams put together from their IP fragments: RFC 791 section 3.2, RFC 8200 section 4.5.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "capture/ip.hpp"
#include "capture/packet.hpp"

namespace p2pdiag::capture {

// Where and when a fragment was captured.
struct Arrival {
    std::uint64_t packet = 0;  // its number
    std::int64_t time_ns = 0;
    // One datagram that is seen at two interfaces, or in and out of one, is seen twice.
    std::uint32_t interface = 0;
    Direction direction = Direction::unknown;
    bool to_group = false;
};

// What there is of a datagram.
struct Datagram {
    // As if it had never been fragmented; the payload is what there is from its beginning on, and
    // cut() where that is not all. The payload is valid until the next fragment comes.
    IpPacket ip;
    Arrival arrival;              // of the newest fragment
    std::uint32_t fragments = 0;  // that came, copies not counted
};

// Bounded: so many datagrams at a time, of so many bytes each, for so long; the one begun first
// makes room.
class Fragments {
public:
    static constexpr std::size_t max_datagrams = 64;
    // RFC 791 section 3.1, RFC 8200 section 4.5: what a reassembled payload may be long at most.
    static constexpr std::size_t max_size = 65'535;
    // RFC 8200 section 4.5: "within 60 seconds of the reception of the first-arriving fragment".
    // In time of the capture; where its clock goes back, they begin anew.
    static constexpr std::int64_t patience_ns = 60'000'000'000;

    // Called with a datagram that is given up, where its first fragment was seen: from within
    // add(), before that looks at its own fragment, and from give_up_all().
    explicit Fragments(std::function<void(const Datagram&)> on_incomplete);

    enum class Taken : std::uint8_t {
        held,       // more is to come
        whole,      // with this one, all of it is there
        refused,    // of a datagram whose fragments contradict one another
        malformed,  // it can be part of nothing, and is forgotten
    };
    // `fragment` is one. `datagram`: all of it, if whole; if held, its first fragment where that
    // was seen, otherwise no payload.
    Taken add(const IpPacket& fragment, const Arrival& arrival, Datagram& datagram);

    // Nothing more is to come.
    void give_up_all();

    // Datagrams that were given up, with their first fragment.
    std::uint64_t incomplete() const { return incomplete_; }
    // Fragments of others that were given up: nobody knows what they were part of.
    std::uint64_t orphans() const { return orphans_; }
    // RFC 5722 section 4: datagrams with fragments that overlap, or that go past the end.
    std::uint64_t refused() const { return refused_; }
    // Of all these, datagrams that had to make room for others.
    std::uint64_t evicted() const { return evicted_; }

private:
    static constexpr std::size_t block = 8;  // what offsets are counted in, bytes
    static constexpr std::size_t blocks = (max_size + block) / block;
    static constexpr std::size_t word_bits = 64;
    using Bits = std::array<std::uint64_t, blocks / word_bits>;

    // Fragments are looked up and marked by bits: no list of holes grows with their number.
    struct Body {
        Bits have;                                       // blocks that have come
        Bits starts;                                     // blocks that a fragment began with
        std::array<std::uint8_t, blocks * block> bytes;  // only what has come is set
    };
    struct Slot {
        IpPacket ip;  // of the fragment that came first; protocol and hop limit of the first part
        Arrival arrival;
        std::int64_t begun_ns = 0;
        std::uint64_t order = 0;  // of all there ever were, from 1; 0: the slot is free
        std::uint32_t fragments = 0;
        std::optional<std::size_t> total;  // once the last part is there, bytes
        std::size_t received = 0;          // bytes, as their headers state them
        std::size_t highest = 0;           // where the part that reaches furthest ends
        std::size_t captured = max_size;   // from here on bytes are missing that did come
        std::size_t first_size = 0;        // of the first part, as captured
        bool has_first = false;
        bool refused = false;
        std::unique_ptr<Body> body;
    };

    Slot& slot_of(const IpPacket& fragment, const Arrival& arrival);
    Slot& free_slot();
    void begin(Slot& slot, const IpPacket& fragment, const Arrival& arrival);
    Taken place(Slot& slot, const IpPacket& fragment);
    bool is_copy(const Slot& slot, const IpPacket& fragment) const;
    void give_up(Slot& slot);
    static Datagram describe(const Slot& slot, std::size_t size);

    std::function<void(const Datagram&)> on_incomplete_;
    std::vector<Slot> slots_;  // grows up to the bound
    std::uint64_t begun_ = 0;
    std::uint64_t incomplete_ = 0;
    std::uint64_t orphans_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t evicted_ = 0;
};

}  // namespace p2pdiag::capture
