#include "capture/fragments.hpp"

#include <algorithm>
#include <bit>

namespace p2pdiag::capture {

namespace {

bool is_set(const auto& bits, std::size_t at) { return (bits[at / 64] >> at % 64 & 1) != 0; }
void set_bit(auto& bits, std::size_t at) { bits[at / 64] |= std::uint64_t{1} << at % 64; }

// The first of [from, to) that is set as `wanted`, or `to`.
std::size_t find_bit(const auto& bits, std::size_t from, std::size_t to, bool wanted) {
    while (from < to) {
        const std::uint64_t word = wanted ? bits[from / 64] : ~bits[from / 64];
        const std::uint64_t rest = word >> from % 64;
        if (rest != 0) {
            return std::min(to, from + static_cast<std::size_t>(std::countr_zero(rest)));
        }
        from = (from / 64 + 1) * 64;
    }
    return to;
}

// RFC 791 section 3.2: "the source, destination, protocol, and identification fields"; RFC 8200
// section 4.5: "the same Source Address, Destination Address, and Fragment Identification".
bool same_datagram(const IpPacket& one, const Arrival& seen, const IpPacket& other,
                   const Arrival& arrival) {
    return one.id == other.id && one.from == other.from && one.to == other.to &&
           (one.protocol == other.protocol || !one.from.is_v4()) &&
           seen.interface == arrival.interface && seen.direction == arrival.direction;
}

}  // namespace

Fragments::Fragments(std::function<void(const Datagram&)> on_incomplete)
    : on_incomplete_(std::move(on_incomplete)) {}

Datagram Fragments::describe(const Slot& slot, std::size_t size) {
    Datagram datagram{slot.ip, slot.arrival, slot.fragments};
    datagram.ip.fragment_offset = 0;
    datagram.ip.more_fragments = false;
    datagram.ip.payload = ByteView(slot.body->bytes).first(std::min(size, slot.captured));
    // One byte more than there is says that something is missing.
    datagram.ip.size = slot.total.value_or(datagram.ip.payload.size() + 1);
    return datagram;
}

Fragments::Taken Fragments::add(const IpPacket& fragment, const Arrival& arrival,
                                Datagram& datagram) {
    // RFC 8200 section 4.5: a fragment that is not the last has a multiple of 8 bytes, or "that
    // fragment must be discarded". Without any there would be no end to them.
    const bool last = !fragment.more_fragments;
    if (fragment.size == 0 || (!last && fragment.size % block != 0)) return Taken::malformed;
    Slot& slot = slot_of(fragment, arrival);
    slot.arrival = arrival;
    if (slot.refused) return Taken::refused;
    const Taken taken = place(slot, fragment);
    if (taken == Taken::refused) {
        slot.refused = true;
        ++refused_;
    } else if (taken == Taken::whole) {
        datagram = describe(slot, *slot.total);
        slot.order = 0;
    } else {
        datagram = describe(slot, slot.first_size);
    }
    return taken;
}

Fragments::Slot& Fragments::slot_of(const IpPacket& fragment, const Arrival& arrival) {
    for (Slot& slot : slots_) {
        if (slot.order == 0 || !same_datagram(slot.ip, slot.arrival, fragment, arrival)) continue;
        if (arrival.time_ns < slot.begun_ns) slot.begun_ns = arrival.time_ns;
        if (arrival.time_ns - slot.begun_ns <= patience_ns) return slot;
        // Too late for that one: the identification is used again.
        give_up(slot);
        begin(slot, fragment, arrival);
        return slot;
    }
    Slot& slot = free_slot();
    begin(slot, fragment, arrival);
    return slot;
}

Fragments::Slot& Fragments::free_slot() {
    const auto oldest = std::ranges::min_element(slots_, {}, &Slot::order);
    if (oldest != slots_.end() && oldest->order == 0) return *oldest;
    if (slots_.size() < max_datagrams) return slots_.emplace_back();
    if (!oldest->refused) ++evicted_;
    give_up(*oldest);
    return *oldest;
}

void Fragments::begin(Slot& slot, const IpPacket& fragment, const Arrival& arrival) {
    std::unique_ptr<Body> body = std::move(slot.body);
    if (!body) body = std::make_unique_for_overwrite<Body>();
    body->have.fill(0);
    body->starts.fill(0);
    slot = Slot();
    slot.body = std::move(body);
    slot.ip = fragment;
    slot.ip.payload = {};
    slot.arrival = arrival;
    slot.begun_ns = arrival.time_ns;
    slot.order = ++begun_;
}

// The same range as a fragment that is there, with the same content: the network, or the capturing
// machine, has copied it. RFC 8200 section 4.5: "an implementation may choose to detect this case
// and drop exact duplicate fragments".
bool Fragments::is_copy(const Slot& slot, const IpPacket& fragment) const {
    const Body& body = *slot.body;
    const std::size_t from = fragment.fragment_offset / block;
    const std::size_t to = (fragment.fragment_offset + fragment.size + block - 1) / block;
    const bool whole = is_set(body.starts, from) && find_bit(body.have, from, to, false) == to &&
                       find_bit(body.starts, from + 1, to, true) == to;
    if (!whole) return false;
    const std::size_t end = fragment.fragment_offset + fragment.size;
    const bool at_end = slot.total == end;
    const bool ends_there =
        at_end || to == blocks || !is_set(body.have, to) || is_set(body.starts, to);
    if (!ends_there || at_end == fragment.more_fragments) return false;
    // Of bytes that were not captured nobody knows.
    if (slot.captured != max_size || fragment.cut()) return true;
    return std::ranges::equal(ByteView(body.bytes).subspan(fragment.fragment_offset, fragment.size),
                              fragment.payload);
}

Fragments::Taken Fragments::place(Slot& slot, const IpPacket& fragment) {
    Body& body = *slot.body;
    const std::size_t offset = fragment.fragment_offset;
    const std::size_t end = offset + fragment.size;
    const bool last = !fragment.more_fragments;
    if (end > max_size) return Taken::refused;
    const std::size_t from = offset / block;
    const std::size_t to = (end + block - 1) / block;
    if (find_bit(body.have, from, to, true) != to) {
        return is_copy(slot, fragment) ? Taken::held : Taken::refused;
    }
    // RFC 5722 section 4, and the same with what lies beyond the end.
    if (slot.total ? (last || end > *slot.total) : (last && slot.highest > end)) {
        return Taken::refused;
    }
    for (std::size_t at = from; at < to; ++at) set_bit(body.have, at);
    set_bit(body.starts, from);
    std::ranges::copy(fragment.payload, body.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    if (fragment.cut()) slot.captured = std::min(slot.captured, offset + fragment.payload.size());
    if (last) slot.total = end;
    if (offset == 0) {
        slot.has_first = true;
        slot.first_size = fragment.payload.size();
        slot.ip.protocol = fragment.protocol;
        slot.ip.ttl = fragment.ttl;
    }
    slot.highest = std::max(slot.highest, end);
    slot.received += fragment.size;
    ++slot.fragments;
    return slot.total == slot.received ? Taken::whole : Taken::held;
}

void Fragments::give_up(Slot& slot) {
    slot.order = 0;
    if (slot.refused) return;
    if (!slot.has_first) {
        orphans_ += slot.fragments;
        return;
    }
    ++incomplete_;
    const std::size_t until = find_bit(slot.body->have, 0, blocks, false) * block;
    Datagram datagram = describe(slot, std::min(until, slot.highest));
    // Whatever the total, it is not there.
    datagram.ip.size = std::max(datagram.ip.size, datagram.ip.payload.size() + 1);
    on_incomplete_(datagram);
}

void Fragments::give_up_all() {
    std::vector<Slot*> open;
    for (Slot& slot : slots_) {
        if (slot.order != 0) open.push_back(&slot);
    }
    std::ranges::sort(open, {}, [](const Slot* slot) { return slot->order; });
    for (Slot* slot : open) give_up(*slot);
}

}  // namespace p2pdiag::capture
