#include "cli/context.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fd.hpp"
#include "change/journal.hpp"
#include "cli/log.hpp"
#include "report/exit_code.hpp"

namespace p2pdiag::cli {

bool print(std::string_view text) { return write_all(STDOUT_FILENO, text); }

bool print_or_complain(std::string_view text) {
    if (print(text)) return true;
    if (errno != EPIPE) complain(std::string("cannot write the result: ") + std::strerror(errno));
    return false;
}

int print_result(std::string_view text) {
    return print_or_complain(text) ? report::exit_codes::nothing : report::exit_codes::internal;
}

std::string refused_plugins(const Context& context) {
    std::string lines;
    for (const loader::Rejected& rejected : context.plugins.rejected) {
        lines += "\nplugin " + rejected.path.native() + " is not used: " + rejected.reason;
    }
    return lines;
}

profile::Request profile_request(const Context& context) {
    profile::Request request;
    request.data_dir = context.paths.data_dir;
    request.user_config = context.paths.user_config;
    request.user_profiles = context.paths.user_profiles;
    request.profile = context.globals.profile;
    request.environment = context.environment;
    for (const loader::Plugin& plugin : context.plugins.loaded) {
        request.plugin_options[plugin.id] = plugin.options;
    }
    return request;
}

profile::Profile load_profile(const Context& context, const profile::Request& request) {
    auto loaded = profile::load(request);
    if (!loaded) {
        std::string all;
        for (const profile::Problem& problem : loaded.error()) {
            if (!all.empty()) all += '\n';
            all += problem.to_string();
        }
        throw UsageError{all + refused_plugins(context)};
    }
    for (const std::string& note : loaded->notes) complain(note);
    for (const std::string& source : loaded->profile.sources) remark("profile layer: " + source);
    return std::move(loaded->profile);
}

json::object plugin_input(const profile::Profile& profile, const loader::Plugin& plugin) {
    const auto options = profile.plugins.find(plugin.id);
    return {{"target", profile.target},
            {"servers", profile.servers},
            {"connection", profile.connection},
            {"options", options == profile.plugins.end() ? json::object() : options->second},
            {"config", profile.user_config}};
}

json::array plugin_changes(const Context& context, const std::string& plugin) {
    return change::open_records(
        change::Journal(context.paths.changes),
        [&plugin](const change::Record& record) { return record.plugin == plugin; });
}

}  // namespace p2pdiag::cli
