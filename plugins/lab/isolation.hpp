// Namespaces that live exactly as long as the process that asked for them.
#pragma once

#include <functional>

#include "outcome.hpp"

namespace p2pdiag::lab {

enum class Privilege { root, user_namespace };

// Where the lab's first process finds itself.
struct Inside {
    Privilege privilege = Privilege::root;
    int stop_fd = -1;  // hung up once everything must end; ask hung_up(), never read it
};

bool hung_up(int stop_fd);

// Runs `body` as process 1 of new PID, mount, network, UTS and IPC namespaces, as root or through a
// user namespace, and returns its exit code. Whatever was started in there ends with it; all of it
// ends too when the calling process ends, even by SIGKILL. What kept the namespaces from being made
// goes to stderr, with exit_unavailable.
//
// cancel_fd readable (-1 = never), SIGTERM and SIGHUP ask the body to stop. SIGINT and SIGQUIT are
// left to whom the terminal sends them besides; the body runs with all four blocked.
int run_isolated(int cancel_fd, const std::function<int(const Inside&)>& body);

// Gives process 1 mounts of its own: /proc of the PID namespace, and an empty /run, where no socket
// of the machine's own name service or message bus reaches in from outside.
Outcome<void> mount_private_views();

}  // namespace p2pdiag::lab
