// What a check or a function of a change has to say, before any of it is handed to the host: tests
// look at it as it is.
#pragma once

#include <p2pdiag/plugin.hpp>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace p2pdiag::upnp_plugin {

struct Finding {
    std::string code;
    Severity severity = Severity::info;
    std::string message;
    json::object evidence;
};

struct Judgement {
    p2pdiag_status status = P2PDIAG_UNKNOWN;
    std::string summary;
    std::vector<Finding> findings;
    json::object data;

    void add(std::string code, Severity severity, std::string message, json::object evidence = {}) {
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

// Emits findings, data and summary; returns the status.
inline p2pdiag_status report(Run& run, const Judgement& judgement) {
    for (const Finding& finding : judgement.findings) {
        run.finding(finding.code, finding.severity, finding.message,
                    json::to_text(finding.evidence));
    }
    run.data(json::to_text(judgement.data));
    run.summary(judgement.summary);
    return judgement.status;
}

}  // namespace p2pdiag::upnp_plugin
