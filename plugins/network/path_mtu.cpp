#include "path_mtu.hpp"

#include <algorithm>
#include <cmath>

namespace p2pdiag::network_plugin {

namespace {

// That chance took all of them is ruled out below this.
constexpr double improbable = 0.001;

const SizeTally* find(const MtuTrial& trial, unsigned size) {
    const auto found = std::find_if(
        trial.sizes.begin(), trial.sizes.end(),
        [size](const SizeTally& tally) { return tally.size == size && !tally.fragments; });
    return found == trial.sizes.end() ? nullptr : &*found;
}

// Loss as the small requests had it at the same time, a little worse (Laplace): with none of
// sixteen lost, six silent ones have a chance of 3e-8; with half of them lost, of 1.6 %.
bool loss_explains(const MtuTrial& trial, unsigned silent) {
    const double lost = trial.small_sent - std::min(trial.small_answered, trial.small_sent);
    const double probability = (lost + 1) / (trial.small_sent + 2.0);
    return silent < enough_silent || std::pow(probability, silent) >= improbable;
}

}  // namespace

std::string_view to_string(MtuReason reason) {
    switch (reason) {
        case MtuReason::none: return "";
        case MtuReason::not_answered: return "no-answer";
        case MtuReason::loss: return "loss";
        case MtuReason::no_large_answer: return "no-large-answer";
        case MtuReason::unfinished: break;
    }
    return "unfinished";
}

MtuVerdict judge_mtu(const MtuTrial& trial) {
    MtuVerdict verdict;
    const auto give_up = [&verdict](MtuReason reason) {
        verdict.reason = reason;
        return verdict;
    };
    if (trial.small_answered == 0) return give_up(MtuReason::not_answered);
    bool whole_in_pieces = false;
    for (const SizeTally& tally : trial.sizes) {
        if (tally.answered == 0) continue;
        if (tally.fragments) {
            whole_in_pieces = whole_in_pieces || tally.size == trial.link_mtu;
        } else if (!verdict.passes || *verdict.passes < tally.size) {
            verdict.passes = tally.size;
        }
    }
    const SizeTally* largest = find(trial, trial.link_mtu);
    if (largest == nullptr) return verdict;
    if (largest->answered > 0) {
        verdict.path_mtu = trial.link_mtu;
        return give_up(MtuReason::none);
    }
    if (trial.told_mtu && *trial.told_mtu < trial.link_mtu) {
        verdict.path_mtu = *trial.told_mtu;
        return give_up(MtuReason::none);
    }
    if (largest->sent < enough_silent) return verdict;
    if (loss_explains(trial, largest->sent)) return give_up(MtuReason::loss);
    // The very same request is answered when routers may cut it: it is the path that swallows it.
    if (whole_in_pieces) {
        verdict.black_hole = true;
        verdict.path_mtu = verdict.passes;
        return give_up(MtuReason::none);
    }
    verdict.suspected = verdict.passes.has_value();
    return give_up(MtuReason::no_large_answer);
}

}  // namespace p2pdiag::network_plugin
