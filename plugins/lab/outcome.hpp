// How the lab reports failure: an exit code and a sentence for the person at the terminal.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <string>
#include <utility>

namespace p2pdiag::lab {

// Exit codes of `p2pdiag lab` that are not the command's own.
inline constexpr int exit_usage = 2;
inline constexpr int exit_failed = 4;
// This machine cannot run the lab. CTest takes 77 for a skipped test (SKIP_RETURN_CODE).
inline constexpr int exit_unavailable = 77;

struct Problem {
    Problem() = default;
    // Not an aggregate: that would count as made from any int, and no Outcome<int> from an int.
    Problem(int code, std::string text) : exit_code(code), message(std::move(text)) {}

    int exit_code = exit_failed;
    std::string message;
};

template <class T>
using Outcome = boost::system::result<T, Problem>;

// boost::system::result wants to know how to throw an error; ours never are.
[[noreturn]] void throw_exception_from_error(const Problem& problem,
                                             const boost::source_location& where);

}  // namespace p2pdiag::lab
