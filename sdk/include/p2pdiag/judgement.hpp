// What a check, or a function of a change, has to say, before any of it is handed to the host: so
// that what judges is pure, and tests look at it as it is. For who uses Boost.JSON; plugin.hpp
// alone does not need it.
#pragma once

#include <p2pdiag/plugin.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace p2pdiag {

struct Finding {
    std::string code;
    Severity severity = Severity::info;
    std::string message;
    boost::json::object evidence;
};

struct Judgement {
    p2pdiag_status status = P2PDIAG_UNKNOWN;
    std::string summary;
    std::vector<Finding> findings;
    boost::json::object data;

    void add(std::string code, Severity severity, std::string message,
             boost::json::object evidence = {}) {
        findings.push_back({std::move(code), severity, std::move(message), std::move(evidence)});
    }
    void finish(p2pdiag_status how, std::string words) {
        status = how;
        summary = std::move(words);
    }
    bool has(std::string_view code) const {
        for (const Finding& finding : findings) {
            if (finding.code == code) return true;
        }
        return false;
    }
};

// Emits all of it; returns the status.
inline p2pdiag_status hand_over(Run& run, const Judgement& judgement) {
    for (const Finding& finding : judgement.findings) {
        run.finding(finding.code, finding.severity, finding.message,
                    boost::json::serialize(finding.evidence));
    }
    run.data(boost::json::serialize(judgement.data));
    run.summary(judgement.summary);
    return judgement.status;
}

}  // namespace p2pdiag
