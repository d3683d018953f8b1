// The programs that know this machine's rules, run as children with bounds on time and size.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace p2pdiag::firewall {

struct Answer {
    enum class Kind {
        ended,        // by itself, whatever it had to say
        missing,      // there is no such program
        failed,       // could not be started, or was killed
        late,         // not within its time
        interrupted,  // the run was cancelled
        large         // more output than max_answer
    };
    Kind kind = Kind::failed;
    int exit_code = 0;   // of ended
    std::string output;  // of ended
    std::string error;   // the beginning of what it wrote there

    bool good() const { return kind == Kind::ended && exit_code == 0; }
};

// Why an answer is not good, in a few words.
std::string why_failed(const std::string& program, const Answer& answer);
// It said that only root may do that.
bool is_denied(const Answer& answer);

// More than a ruleset may have.
inline constexpr std::size_t max_answer = (std::size_t{64} << 20) + 1;

// Runs a program without input, in the C locale. It is looked for in the system's directories first
// and then in PATH.
Answer run_command(const std::vector<std::string>& argv,
                   std::chrono::steady_clock::time_point deadline, int cancel_fd);

}  // namespace p2pdiag::firewall
