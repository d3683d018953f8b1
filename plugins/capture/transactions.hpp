// Requests and their answers, in a table of bounded size.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "evidence.hpp"

namespace p2pdiag::capture_plugin {

// A request on its way between two endpoints. One that a NAT translated within sight of the
// capture has two legs with the same transaction id.
struct Leg {
    Endpoint from;
    Endpoint to;
    Sequence request = 0;
    std::uint32_t interface = 0;  // of the capture
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
    std::uint64_t sends = 1;
    std::uint64_t answers = 0;
    std::optional<Sequence> answer;  // the newest one
    std::int64_t answered_ns = 0;    // when it came
};

// What is to be known of a request besides its key.
struct RequestTraits {
    // Whoever asks wants to hear it from elsewhere, or not at all: STUN's CHANGE-REQUEST.
    bool asks_for_another_source = false;
    // STUN's RESPONSE-PORT: the answer goes to another socket than the one it tells of.
    bool asks_for_another_target = false;
    bool many_answers = false;  // to a group: everybody may answer
    Attempt attempt = no_attempt;
    std::string question;  // of DNS, to be compared; empty where the message has none
};

// What is to be known of an answer besides its key.
struct AnswerTraits {
    std::string question;            // as above
    std::optional<Endpoint> mapped;  // how who asked looks from outside
};

struct Transaction {
    Protocol protocol = Protocol::data;
    RequestTraits traits;
    std::vector<Leg> legs;  // empty: an answer came first
    // An answer without a request so far: packets of several processors come out of order.
    std::optional<Sequence> early_answer;
    std::optional<Endpoint> early_mapped;
    std::int64_t early_ns = 0;
};

class Transactions {
public:
    static constexpr std::size_t capacity = 16'384;
    static constexpr std::size_t max_legs = 4;

    // Called with one that makes room for another, or is over.
    explicit Transactions(std::function<void(const Transaction&)> on_end)
        : on_end_(std::move(on_end)) {}

    // Null where there is none. Valid until the next make() or end().
    Transaction* find(const std::string& key) {
        const auto found = all_.find(key);
        return found == all_.end() ? nullptr : &found->second;
    }

    // In place of one with the same key.
    Transaction& make(const std::string& key) {
        if (const auto found = all_.find(key); found != all_.end()) {
            on_end_(found->second);
            return found->second = Transaction();
        }
        if (all_.size() == capacity) {
            const auto oldest = all_.find(order_.front());
            on_end_(oldest->second);
            all_.erase(oldest);
            order_.pop_front();
            ++evicted_;
        }
        order_.push_back(key);
        return all_[key];
    }

    void end_all() {
        for (const auto& [key, transaction] : all_) on_end_(transaction);
        all_.clear();
        order_.clear();
    }

    std::uint64_t evicted() const { return evicted_; }

private:
    std::function<void(const Transaction&)> on_end_;
    std::map<std::string, Transaction> all_;
    std::deque<std::string> order_;  // keys, the oldest first
    std::uint64_t evicted_ = 0;
};

}  // namespace p2pdiag::capture_plugin
