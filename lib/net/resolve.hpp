// Names to addresses, through the system's resolver, each family for itself and never longer than
// the caller waits.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

enum class ResolveError {
    not_found = 1,      // the name server says that there is no such name
    no_address,         // the name exists, but has no address of this family
    temporary_failure,  // no name server answered, or it said that it cannot tell
    timed_out,          // the resolver did not come back by the deadline
    failed              // everything else: no memory, a broken configuration, a name that is none
};
const boost::system::error_category& resolve_category();
ErrorCode make_error_code(ResolveError error);

// "not-found", "no-address", "temporary-failure", "timed-out" or "failed".
std::string_view to_string(ResolveError error);

// At most 16 addresses, never an empty list, in the order of the system (RFC 6724). An address in
// place of a name comes back as it is, without any lookup; one of the other family is no_address.
// Must run on a single-threaded executor. Throws operation_aborted when cancelled. A lookup that is
// given up goes on in a thread of its own until the system's resolver ends it.
boost::asio::awaitable<Result<std::vector<IpAddress>>> resolve(std::string host, Family family,
                                                               TimePoint deadline);

}  // namespace p2pdiag::net

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::net::ResolveError> : std::true_type {};
}  // namespace boost::system
