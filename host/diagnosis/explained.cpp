#include "diagnosis/explained.hpp"

#include <algorithm>

#include "diagnosis/engine.hpp"

namespace p2pdiag::diagnosis {

namespace {

// Those of what a candidate stands on; empty where one of these is of no family.
std::vector<std::string_view> families_of(const Candidate& candidate) {
    std::vector<std::string_view> families;
    for (const Found& found : candidate.findings) {
        if (found.family.empty()) return {};
        if (std::ranges::find(families, found.family) == families.end()) {
            families.push_back(found.family);
        }
    }
    return families;
}

// What is wrong with one family explains nothing of the other.
bool is_of(const Found& found, const std::vector<std::string_view>& families) {
    return found.family.empty() || families.empty() ||
           std::ranges::find(families, found.family) != families.end();
}

class Explaining {
public:
    Explaining(std::vector<Candidate>& candidates, const Facts& facts)
        : candidates_(candidates), facts_(facts) {
        for (Candidate& candidate : candidates_) {
            by_id_.emplace(candidate.rule->id, &candidate);
            for (const Found& found : candidate.findings) {
                standing_[found.finding].push_back(&candidate);
            }
            if (candidate.confidence > likely) explainers_.push_back(&candidate);
        }
        // The most certain one speaks first.
        std::ranges::stable_sort(explainers_, std::ranges::greater{}, &Candidate::confidence);
    }

    ExplainedFindings run() {
        for (const Candidate* explainer : explainers_) {
            const auto families = families_of(*explainer);
            for (const Condition& one : explainer->rule->explains) {
                const auto cause = by_id_.find(one.code);
                if (cause != by_id_.end()) put(*cause->second, *explainer);
                for (const Found& found : match(one, facts_).findings) {
                    if (is_of(found, families)) cover(found, *explainer);
                }
            }
        }
        for (const Candidate* explainer : explainers_) follow_findings(*explainer);
        return std::move(findings_);
    }

private:
    void put(Candidate& candidate, const Candidate& explainer) {
        if (candidate.explained_by != nullptr) return;
        for (const Candidate* up = &explainer; up != nullptr; up = up->explained_by) {
            if (up == &candidate) return;
        }
        candidate.explained_by = &explainer;
    }

    void cover(const Found& found, const Candidate& explainer) {
        const auto standing = standing_.find(found.finding);
        const bool own = standing != standing_.end() &&
                         std::ranges::find(standing->second, &explainer) != standing->second.end();
        if (!own) findings_.emplace(found.finding, &explainer);
    }

    // A cause of which nothing is left to stand on follows as well.
    void follow_findings(const Candidate& explainer) {
        for (const Condition& one : explainer.rule->explains) {
            for (const Found& found : match(one, facts_).findings) {
                const auto standing = standing_.find(found.finding);
                if (standing == standing_.end()) continue;
                for (Candidate* candidate : standing->second) {
                    const bool all = std::ranges::all_of(
                        candidate->findings,
                        [&](const Found& own) { return findings_.contains(own.finding); });
                    if (all) put(*candidate, *findings_.at(candidate->findings.front().finding));
                }
            }
        }
    }

    std::vector<Candidate>& candidates_;
    const Facts& facts_;
    std::unordered_map<std::string_view, Candidate*> by_id_;
    std::unordered_map<const report::Finding*, std::vector<Candidate*>> standing_;
    std::vector<Candidate*> explainers_;
    ExplainedFindings findings_;
};

}  // namespace

ExplainedFindings explain(std::vector<Candidate>& candidates, const Facts& facts) {
    return Explaining(candidates, facts).run();
}

}  // namespace p2pdiag::diagnosis
