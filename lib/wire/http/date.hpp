// The time in a Date header: RFC 9110 section 5.6.7.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace p2pdiag::http {

// All three formats that a recipient must accept: "Sun, 06 Nov 1994 08:49:37 GMT", and the obsolete
// "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". Nothing where it is none of them
// or no such time exists. The name of the day is not checked against the date. Two digits of a year
// mean 1970 to 2069: nobody hands in a clock to compare with.
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text);

}  // namespace p2pdiag::http
