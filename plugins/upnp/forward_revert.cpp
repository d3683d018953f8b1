// The change upnp.forward, revert: removes what apply() made, or may have made before it was ended
// by force.
#include <p2pdiag/run_until.hpp>

#include "checks.hpp"
#include "taking_back.hpp"

namespace p2pdiag::upnp_plugin {

p2pdiag_status revert_forward(Run& run) {
    auto input = parse_step_input(run.input());
    if (!input) {
        run.summary("The step is not one of ours");
        return P2PDIAG_ERROR;
    }
    const auto session = std::make_shared<TakingBack>(std::move(*input));
    const bool nothing = session->left.empty();
    session->on_less = [&run](const std::vector<Attempt>& left) {
        run.data(json::to_text(to_json(Record{left})));
    };
    const Ended ended = run_until(run.cancel_fd(), run.time_to_stop(), take_back(session));
    for (const std::string& what : session->gone) run.log("info", "removed: " + what);
    for (const std::string& note : session->notes) run.log("info", note);
    if (!session->problems.empty()) {
        run.summary("The forward may still be there. " + session->problems.front());
        return P2PDIAG_FAIL;
    }
    if (!session->left.empty()) {
        run.summary(
            "The forward may still be there: " +
            std::string(ended == Ended::cancelled ? "interrupted" : "the router took too long"));
        return P2PDIAG_FAIL;
    }
    run.summary(nothing ? "There was nothing to take back"
                        : "The router no longer forwards the port");
    return P2PDIAG_PASS;
}

}  // namespace p2pdiag::upnp_plugin
