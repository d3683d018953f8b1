// The child's side: what this executable does when the host started it as `p2pdiag
// __describe|__check|__change|__record|__verb`. Only here is plugin code ever loaded and run (with
// --isolation none also in the host's own process).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace p2pdiag::child {

// The first word of a child's command line; nobody types these.
inline constexpr std::string_view describe_word = "__describe";
inline constexpr std::string_view check_word = "__check";
inline constexpr std::string_view change_word = "__change";
inline constexpr std::string_view record_word = "__record";
inline constexpr std::string_view verb_word = "__verb";

bool is_child_word(std::string_view word);

// main() of a child. Never returns to destructors of a plugin: ends with _exit.
[[noreturn]] void serve(int argc, char** argv);

// What a plugin file is, as JSON: its table with "type":"plugin", or "type":"rejected" and
// "reason".
json::object describe(const std::filesystem::path& file);

// What the host is told of the value that a check, recorder or function of a change returned. No
// message of abi.h has this type, so that no plugin says it by mistake.
inline constexpr std::string_view returned_type = "returned";
std::string returned_line(int status);

using Emit = std::function<void(std::string_view line)>;

// Runs a check in this process; returns its status as the ABI's number, and emits what it emits.
int run_check(const std::filesystem::path& file, std::string_view id, std::string_view input,
              int cancel_fd, std::int64_t deadline_ns, const Emit& emit);

}  // namespace p2pdiag::child
