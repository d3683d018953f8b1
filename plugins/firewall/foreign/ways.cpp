#include "foreign/ways.hpp"

#include <algorithm>
#include <bit>

#include "verdict.hpp"

namespace p2pdiag::firewall::foreign {

namespace {

// Ends that are kept apart. Past these, one that ends alike takes on the reasons of the others.
constexpr std::size_t most_ends = 64;

IpAddress unspecified(Family family) {
    return family == Family::ipv4 ? IpAddress() : *IpAddress::parse("::");
}

}  // namespace

void add_end(std::vector<End>& ends, End one) {
    if (ends.size() >= most_ends) {
        for (End& known : ends) {
            if (known.passes != one.passes || known.reject_kind != one.reject_kind) continue;
            if ((known.reasons == 0) != (one.reasons == 0)) continue;
            known.reasons |= one.reasons;
            return;
        }
    }
    ends.push_back(std::move(one));
}

Packet sent_back(const Packet& incoming) {
    Packet own = incoming;
    own.direction = Direction::out;
    own.source.reset();
    if (incoming.destination.scope() != AddressScope::unspecified)
        own.source = incoming.destination;
    own.source_port = incoming.destination_port;
    own.destination = incoming.source.value_or(unspecified(incoming.family()));
    own.destination_port = incoming.source_port.value_or(0);
    return own;
}

namespace {

// The one to speak for all that end alike: it hangs on least.
const End& surest(const std::vector<End>& ends) {
    return *std::min_element(ends.begin(), ends.end(), [](const End& a, const End& b) {
        return std::popcount(a.reasons) < std::popcount(b.reasons);
    });
}

}  // namespace

void Match::require(Truth condition, std::uint64_t reason) {
    if (condition == Truth::no) truth = Truth::no;
    if (condition != Truth::maybe || truth == Truth::no) return;
    truth = Truth::maybe;
    reasons |= reason;
}

void Ways::end(End one) { add_end(ends_, std::move(one)); }

void Ways::trace(TraceStep step) {
    if (trace_.size() < Limits{}.max_trace)
        trace_.push_back(std::move(step));
    else
        cut_ = true;
}

void Ways::go_on(const std::vector<End>& then) {
    std::vector<End> next;
    for (const End& one : then) add_end(next, one);
    std::vector<End> all;
    for (End& before : ends_) {
        if (!before.passes) {
            add_end(all, std::move(before));
            continue;
        }
        for (End after : next) {
            after.reasons |= before.reasons;
            if (after.passes) {
                if (!after.rule) after.rule = before.rule;
                after.why = before.why + ' ' + after.why;
            }
            add_end(all, std::move(after));
        }
    }
    ends_ = std::move(all);
}

Verdict Ways::conclude() const {
    Verdict verdict;
    verdict.trace = trace_;
    verdict.trace_cut = cut_;
    if (ends_.empty()) {
        verdict.why = "It cannot be told: the rules lead nowhere.";
        return verdict;
    }
    const auto count = [&](auto holds) {
        return static_cast<std::size_t>(std::count_if(ends_.begin(), ends_.end(), holds));
    };
    const std::size_t passing = count([](const End& one) { return one.passes; });
    const std::size_t rejected = count([](const End& one) { return one.rejected; });
    if (passing == ends_.size()) verdict.passes = true;
    if (passing == 0) verdict.passes = false;
    if (verdict.passes == true || rejected == ends_.size() || (passing == 0 && rejected == 0)) {
        const End& one = surest(ends_);
        verdict.kind = one.passes     ? VerdictKind::accept
                       : one.rejected ? VerdictKind::reject
                                      : VerdictKind::drop;
        verdict.reject_kind = one.reject_kind;
        verdict.deciding_rule = one.rule;
        verdict.why = one.why;
        return verdict;
    }
    std::uint64_t mask = 0;
    for (const End& one : ends_) {
        mask |= one.reasons;
        if (!one.passes) verdict.deciding_rule = one.rule;
    }
    bool circumstantial = true;
    for (const Reasons::Reason& reason : reasons.list(mask)) {
        verdict.open.push_back(reason.text);
        circumstantial = circumstantial && reason.circumstantial;
    }
    verdict.kind = circumstantial ? VerdictKind::depends : VerdictKind::undecided;
    verdict.why = (circumstantial ? "It depends on " : "It cannot be told, because of ") +
                  joined(verdict.open, "; ") + '.';
    if (verdict.passes == false) {
        verdict.why =
            "It is blocked, but not known is whether silently or with a reject. " + verdict.why;
    }
    return verdict;
}

}  // namespace p2pdiag::firewall::foreign
