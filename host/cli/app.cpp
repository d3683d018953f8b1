#include "cli/app.hpp"

#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "cli/front.hpp"
#include "cli/log.hpp"
#include "report/exit_code.hpp"
#include "report/formats.hpp"

namespace p2pdiag::cli {

namespace {

// With a machine format on stdout there is one document there, also when nothing could be run.
int fail(const Words& words, int code, const std::string& message) {
    complain(message);
    for (const std::string& name : words.values_of("--format")) {
        const report::Format* format = report::find_format(name);
        if (format == nullptr || format->in_place_of_report == nullptr) continue;
        print(format->in_place_of_report(message, code));
        return format->has_exit_codes() ? format->failed : code;
    }
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    // What is being typed at the cursor says nothing yet.
    const bool completes = argc > 2 && argv[1] == std::string_view("__complete");
    const Words words(completes ? argc - 1 : argc, argv);
    if (!words.before.empty() && words.before.front() == "--version") {
        return print_result("p2pdiag " P2PDIAG_VERSION "\n");
    }
    try {
        Context context;
        context.environment = process_environment;
        context.command_line = words.before;
        context.globals.plugin_dirs = words.values_of("--plugin-dir");
        for (const std::string& dir : context.globals.plugin_dirs) {
            std::error_code error;
            if (completes) continue;
            if (std::filesystem::is_directory(dir, error)) {
                if (::access(dir.c_str(), R_OK | X_OK) == 0) continue;
                error = {errno, std::generic_category()};
            }
            const bool there = error && error != std::errc::no_such_file_or_directory;
            throw UsageError{"--plugin-dir " + dir + ": " +
                             (there ? error.message() : "no such directory")};
        }
        context.paths = find_paths(context.globals.plugin_dirs, context.environment);
        loader::Search search{context.paths.plugin_dirs, context.paths.plugin_cache, complain};
        if (completes) search.on_wait = {};
        context.plugins = loader::load(search);
        Front front(context, words);
        return completes ? front.complete({argv + 2, argv + argc}) : front.run();
    } catch (const UsageError& error) {
        return fail(words, report::exit_codes::usage, error.message);
    } catch (const std::exception& error) {
        return fail(words, report::exit_codes::internal,
                    std::string("internal error: ") + error.what());
    }
}

}  // namespace p2pdiag::cli
