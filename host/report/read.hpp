// Reads a report that was written as --format json, so that it can be diagnosed again or compared.
// The text may be anybody's.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "report/report.hpp"

namespace p2pdiag::report {

// A larger document is no report.
inline constexpr std::size_t largest_report = std::size_t{32} << 20;
inline constexpr std::size_t most_checks = 1000;
inline constexpr std::size_t most_findings = 20'000;

// Why a text is no report that can be read, and where: "checks[3].status: …".
struct Unreadable {
    std::string why;
};

// What was measured, and of the diagnosis the verdict and the causes by code and confidence alone:
// enough to compare with. Members that are not known are left out, as minor versions add some.
boost::system::result<Report, Unreadable> read_report(std::string_view text);

[[noreturn]] void throw_exception_from_error(const Unreadable& error,
                                             const boost::source_location& where);

}  // namespace p2pdiag::report
