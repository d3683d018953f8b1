#include "state.hpp"

namespace p2pdiag::firewall {

bool State::same_packet(const State& other) const {
    return source == other.source && destination == other.destination &&
           source_port == other.source_port && destination_port == other.destination_port &&
           mark == other.mark && connection_mark == other.connection_mark &&
           status == other.status && tracking == other.tracking &&
           destination_settled == other.destination_settled &&
           source_settled == other.source_settled && header_written == other.header_written &&
           goes_to_some_own_address == other.goes_to_some_own_address;
}

void merge(std::vector<State>& states, const State& state) {
    for (State& known : states) {
        if (!known.same_packet(state)) continue;
        known.reasons |= state.reasons;
        const bool says_more = state.ordinary == known.ordinary
                                   ? state.accepted_rank > known.accepted_rank
                                   : state.ordinary;
        if (says_more) {
            known.accepted_by = state.accepted_by;
            known.accepted_rank = state.accepted_rank;
        }
        known.ordinary = known.ordinary || state.ordinary;
        return;
    }
    states.push_back(state);
}

std::uint64_t Reasons::add(std::string text, bool circumstantial) {
    constexpr std::size_t most = 64;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        if (all_[i].text == text) return std::uint64_t{1} << i;
    }
    if (all_.size() == most) {
        all_.back() = {"more that is not known", false};
        return std::uint64_t{1} << (most - 1);
    }
    all_.push_back({std::move(text), circumstantial});
    return std::uint64_t{1} << (all_.size() - 1);
}

std::vector<Reasons::Reason> Reasons::list(std::uint64_t mask) const {
    std::vector<Reason> found;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        if ((mask >> i & 1) != 0) found.push_back(all_[i]);
    }
    return found;
}

const net::Interface* World::find_interface(std::string_view name) const {
    for (const net::Interface& interface : interfaces) {
        if (interface.name == name) return &interface;
    }
    return nullptr;
}

const net::Interface* World::find_interface(int index) const {
    for (const net::Interface& interface : interfaces) {
        if (interface.index == index) return &interface;
    }
    return nullptr;
}

const net::Interface* World::owner_of(const IpAddress& address) const {
    for (const net::Interface& interface : interfaces) {
        for (const net::InterfaceAddress& own : interface.addresses) {
            if (own.address == address) return &interface;
        }
    }
    return nullptr;
}

}  // namespace p2pdiag::firewall
