#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/fd.hpp"
#include "child/group.hpp"
#include "child/serve.hpp"
#include "cli/commands.hpp"
#include "cli/log.hpp"
#include "cli/signals.hpp"
#include "report/exit_code.hpp"

extern char** environ;

namespace p2pdiag::cli {

namespace {

// A verb's child keeps the terminal, and with it the process group: Ctrl-C reaches it directly. Of
// a pipe it gets the end `life`, whose other end is ours alone: a child that starts while we die
// sees it hung up. -1 with errno set when it cannot be started.
pid_t start(const Fd& life, const loader::Plugin& plugin, const std::string& verb,
            const std::string& arguments) {
    const Fd input = memory_file(arguments).above_childs_table();
    if (!input.open()) return -1;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, input.get(), child::input_fd);
    ::posix_spawn_file_actions_adddup2(&actions, life.get(), child::cancel_fd);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

    std::string words[] = {"p2pdiag", std::string(child::verb_word), plugin.file.native(), verb};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, argv, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    errno = failed;
    return failed == 0 ? pid : -1;
}

// The child's wait status.
int wait_for(pid_t pid, const Fd& ended, SignalWatch& signals) {
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) != pid) {
        pollfd watched[] = {{signals.fd(), POLLIN, 0}, {ended.get(), POLLIN, 0}};
        ::poll(watched, 2, -1);
        if (watched[0].revents == 0) continue;
        signals.count();
        if (!signals.from_terminal()) ::kill(pid, signals.last() == SIGINT ? SIGINT : SIGTERM);
    }
    return status;
}

// How the verb can start this host again, as it was started.
json::object host_member(const Context& context) {
    json::array dirs;
    json::array globals;
    for (const auto& dir : context.paths.plugin_dirs) dirs.push_back(json::value(dir.native()));
    for (const std::string& dir : context.globals.plugin_dirs) {
        globals.push_back("--plugin-dir");
        globals.push_back(json::value(std::filesystem::absolute(dir).native()));
    }
    if (context.globals.no_input) globals.push_back("--no-input");
    return {{"executable", context.paths.executable.native()},
            {"plugin_dirs", std::move(dirs)},
            {"data_dir", context.paths.data_dir.native()},
            {"arguments", std::move(globals)}};
}

}  // namespace

int verb_command(const Context& context, const loader::Plugin& plugin, const std::string& verb,
                 json::object arguments) {
    const profile::Profile profile = load_profile(context, profile_request(context));
    arguments["input"] = plugin_input(profile, plugin);
    arguments["changes"] = plugin_changes(context, plugin.id);
    arguments["host"] = host_member(context);
    SignalWatch signals;
    Pipe life = make_pipe();
    const pid_t pid =
        life.write.open() ? start(life.read, plugin, verb, json::to_text(arguments)) : -1;
    const Fd ended = pid > 0 ? open_pidfd(pid) : Fd();
    if (!ended.open()) {
        complain("cannot start " + verb + ": " + std::strerror(errno));
        if (pid > 0) ::kill(pid, SIGKILL);
        return report::exit_codes::internal;
    }
    life.read.reset();
    const int status = wait_for(pid, ended, signals);
    // The child's own word counts, whatever was sent to it and us while it ended.
    signals.dismiss();
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    const int signal = WTERMSIG(status);
    if (signal == SIGINT || signal == SIGTERM) return 128 + signal;
    const child::Exit exit{.how = child::Exit::How::signalled, .value = signal};
    complain("plugin " + plugin.id + ": the command " + verb + ' ' + to_string(exit));
    return report::exit_codes::internal;
}

}  // namespace p2pdiag::cli
