#include "cli/context.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/fd.hpp"
#include "report/exit_code.hpp"
#include "report/text.hpp"

namespace p2pdiag::cli {

void complain(std::string_view message) {
    // A message may quote a plugin, a file name or the network: nothing of it may steer the
    // terminal.
    std::string out = "p2pdiag: ";
    std::size_t begin = 0;
    while (begin < message.size()) {
        const std::size_t end = std::min(message.find('\n', begin), message.size());
        out += report::single_line(message.substr(begin, end - begin), true) + '\n';
        begin = end + 1;
    }
    write_all(STDERR_FILENO, out);
}

bool print(std::string_view text) { return write_all(STDOUT_FILENO, text); }

int print_result(std::string_view text) {
    if (print(text)) return report::exit_codes::nothing;
    if (errno != EPIPE) complain(std::string("cannot write the result: ") + std::strerror(errno));
    return report::exit_codes::internal;
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
        throw UsageError{all};
    }
    for (const std::string& note : loaded->notes) complain(note);
    if (context.globals.verbose) {
        for (const std::string& source : loaded->profile.sources)
            complain("profile layer: " + source);
    }
    return std::move(loaded->profile);
}

json::object plugin_input(const profile::Profile& profile, const loader::Plugin& plugin) {
    const auto options = profile.plugins.find(plugin.id);
    return {{"target", profile.target},
            {"servers", profile.servers},
            {"connection", profile.connection},
            {"options", options == profile.plugins.end() ? json::object() : options->second}};
}

}  // namespace p2pdiag::cli
