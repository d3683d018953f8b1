// The messages that a ladder is made of.
#pragma once

#include <algorithm>
#include <deque>
#include <iterator>
#include <vector>

#include "model.hpp"

namespace p2pdiag::capture_plugin {

// No program sends the same again so soon; the capturing machine sees one packet at several of its
// interfaces.
inline constexpr std::int64_t same_packet_ns = 2'000'000;

// The same once more, sent again or seen again.
inline void repeat(Message& message, std::int64_t now_ns) {
    const std::int64_t since = now_ns - message.last_ns;
    const bool same_packet = since < same_packet_ns && since > -same_packet_ns;
    ++(same_packet ? message.seen_again : message.copies);
    message.last_ns = std::max(message.last_ns, now_ns);
}

// The messages that are kept: the first ones and the latest ones, however many there are. Those
// that nobody wants to see are kept apart, the latest of them, since findings are told from them
// too; they take no room from the others, and have numbers of their own.
class Messages {
public:
    static constexpr std::size_t max_first = 2000;
    static constexpr std::size_t max_latest = 8000;
    static constexpr Sequence first_hidden = Sequence{1} << 62;

    Sequence add_hidden(Message message) {
        message.sequence = next_hidden_;
        hidden_.push_back(std::move(message));
        if (hidden_.size() > max_latest) hidden_.pop_front();
        return next_hidden_++;
    }

    Sequence add(Message message) {
        message.sequence = next_;
        if (first_.size() < max_first) {
            first_.push_back(std::move(message));
        } else {
            latest_.push_back(std::move(message));
            if (latest_.size() > max_latest) latest_.pop_front();
        }
        return next_++;
    }

    // Null for one that is not kept any more. Valid until the next add().
    Message* find(Sequence sequence) {
        if (sequence < first_.size()) return &first_[sequence];
        if (sequence >= first_hidden) return find_in(hidden_, next_hidden_, sequence);
        return find_in(latest_, next_, sequence);
    }

    std::uint64_t left_out() const { return next_ - first_.size() - latest_.size(); }
    std::uint64_t count() const { return next_; }

    std::vector<Message> take() {
        std::vector<Message> all = std::move(first_);
        std::move(latest_.begin(), latest_.end(), std::back_inserter(all));
        return all;
    }

private:
    static Message* find_in(std::deque<Message>& latest, Sequence next, Sequence sequence) {
        const Sequence begin = next - latest.size();
        if (sequence < begin || sequence >= next) return nullptr;
        return &latest[sequence - begin];
    }

    std::vector<Message> first_;
    std::deque<Message> latest_;
    std::deque<Message> hidden_;
    Sequence next_ = 0;
    Sequence next_hidden_ = first_hidden;
};

}  // namespace p2pdiag::capture_plugin
