#include "streams.hpp"

#include <algorithm>

namespace p2pdiag::capture_plugin {

// Where an id lives follows from its number: looking it up is free, and a newer stream takes the
// place of one that was opened max_streams earlier.
Streams::Slot* Streams::slot_of(Id id) {
    if (id == 0) return nullptr;
    Slot& slot = slots_[id % max_streams];
    return slot.id == id ? &slot : nullptr;
}

Streams::Id Streams::open(std::uint32_t sequence) {
    if (++next_ == 0) ++next_;
    Slot& slot = slots_[next_ % max_streams];
    clear(slot);
    slot.id = next_;
    slot.used = ++uses_;
    slot.parser = std::make_unique<capture::StreamParser>(sequence);
    return next_;
}

capture::StreamParser* Streams::find(Id id) {
    Slot* slot = slot_of(id);
    if (slot == nullptr) return nullptr;
    slot->used = ++uses_;
    return slot->parser.get();
}

Streams::Slot& Streams::oldest() {
    const auto older = [](const Slot& one, const Slot& other) {
        // One without memory is of no help.
        if ((one.memory == 0) != (other.memory == 0)) return one.memory != 0;
        return one.used < other.used;
    };
    return *std::min_element(slots_.begin(), slots_.end(), older);
}

void Streams::settle(Id id) {
    Slot* slot = slot_of(id);
    if (slot == nullptr) return;
    memory_ -= slot->memory;
    slot->memory = slot->parser->memory();
    memory_ += slot->memory;
    while (memory_ > max_memory) clear(oldest());
}

void Streams::close(Id id) {
    if (Slot* slot = slot_of(id)) clear(*slot);
}

void Streams::clear(Slot& slot) {
    memory_ -= slot.memory;
    slot = {};
}

}  // namespace p2pdiag::capture_plugin
