#include "diagnosis/explained.hpp"

#include <algorithm>

#include "diagnosis/engine.hpp"

namespace p2pdiag::diagnosis {

namespace {

// What is wrong with one family explains nothing of the other.
bool same_family(const Candidate& candidate, const report::Finding& finding) {
    const std::string_view family = family_of(finding);
    return std::ranges::any_of(candidate.findings, [&](const Found& own) {
        const std::string_view its = family_of(*own.finding);
        return its.empty() || family.empty() || its == family;
    });
}

bool stands_on(const Candidate& candidate, const report::Finding& finding) {
    return std::ranges::any_of(candidate.findings,
                               [&](const Found& own) { return own.finding == &finding; });
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
            for (const Explained& one : explainer->rule->explains) {
                const auto cause = by_id_.find(one.code);
                if (cause != by_id_.end()) put(*cause->second, *explainer);
                for (const Found& found : facts_.findings(one.code)) cover(found, *explainer);
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
        if (stands_on(explainer, *found.finding) || !same_family(explainer, *found.finding)) return;
        findings_.emplace(found.finding, &explainer);
    }

    // A cause of which nothing is left to stand on follows as well.
    void follow_findings(const Candidate& explainer) {
        for (const Explained& one : explainer.rule->explains) {
            for (const Found& found : facts_.findings(one.code)) {
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
