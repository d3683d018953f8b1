#include "judgement.hpp"

namespace p2pdiag::network_plugin {

p2pdiag_status hand_over(Run& run, const Judgement& judgement) {
    for (const Finding& finding : judgement.findings) {
        run.finding(finding.code, finding.severity, finding.message,
                    json::to_text(finding.evidence));
    }
    run.data(json::to_text(judgement.data));
    run.summary(judgement.summary);
    return judgement.status;
}

}  // namespace p2pdiag::network_plugin
