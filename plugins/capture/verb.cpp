// The verb `capture`: one of its commands runs.
#include "analyze.hpp"
#include "checks.hpp"
#include "live_checks.hpp"

namespace p2pdiag::capture_plugin {

int run_capture(Run& run) {
    const auto parsed = json::parse(run.input());
    if (!parsed || !parsed->is_object()) return detail::verb_failed;
    const json::object& arguments = parsed->get_object();
    const json::object* options = json::find_object(arguments, "options");
    const auto command = json::find_string(arguments, "command");
    if (options == nullptr || !command) return detail::verb_failed;
    if (*command == "analyze") return analyze_command(run, *options);
    if (*command == "live") return capture_live(run);
    return detail::verb_failed;
}

}  // namespace p2pdiag::capture_plugin
