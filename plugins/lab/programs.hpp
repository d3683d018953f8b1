// Programs that run in one of the lab's hosts, on behalf of process 1.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "outcome.hpp"

namespace p2pdiag::lab {

// A host that exists: its network namespace, open for as long as process 1 lives.
struct LiveHost {
    std::string name;
    int network_fd = -1;
};

// The path of a program, where it has none already: in PATH or, since not everybody has them in
// PATH, the sbin directories.
std::optional<std::string> find_program(const std::string& name);

// Runs a short-lived tool to its end with `input` as stdin and returns what it printed. Fails with
// the tool's stderr when it cannot run or its exit code is not 0. `host` null = where process 1 is.
Outcome<std::string> run_tool(const LiveHost* host, const std::vector<std::string>& argv,
                              const std::string& input = {});

// Starts a program in the background, without a terminal, its output going to the file `log`.
Outcome<pid_t> start_background(const LiveHost* host, const std::vector<std::string>& argv,
                                const std::string& log);

// Starts the program that the lab is there for: terminal, working directory and user stay the
// caller's; /sys, host name and /etc/hosts are the host's. An exec that fails says so on stderr and
// ends with 127.
//
// A shell needs a process group of its own, in the foreground, as the caller's does not exist in
// its PID namespace. Any other program stays in the caller's, where Ctrl-C and Ctrl-Z reach both.
enum class Group { callers, own };
Outcome<pid_t> start_command(const LiveHost& host, const std::vector<std::string>& argv,
                             Group group);

}  // namespace p2pdiag::lab
