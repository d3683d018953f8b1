// "host:port" as people write it in profiles, options and environment variables.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace p2pdiag {

struct HostPort {
    std::string host;                   // a name, or an address without brackets
    std::optional<std::uint16_t> port;  // 1 to 65535
    std::string to_string() const;      // "host:port", "[v6]:port", or without the port
    friend bool operator==(const HostPort&, const HostPort&) = default;
};

// Why a text is not that. `part` is what is wrong of the text, and lives no longer than it.
struct HostPortProblem {
    enum class Kind {
        no_host_name,
        no_ipv4_address,  // a name whose last label is a number
        no_ipv6_address,  // in the brackets
        no_closing_bracket,
        no_colon,  // behind the closing bracket stands something else
        many_colons,
        no_port
    };
    Kind kind = Kind::no_host_name;
    std::string_view part;
};

// "host", "host:port", "1.2.3.4:5", "[v6]", "[v6]:port" or a bare IPv6 address, which has no port.
// Nothing is resolved.
boost::system::result<HostPort, HostPortProblem> parse_host_port(std::string_view text);

// Letters, digits, '-' and '_' in labels, in ASCII, of the lengths that RFC 1035 allows; a dot may
// end it. No address.
bool is_host_name(std::string_view host);

// boost::system::result finds it by its argument; thrown only where nobody asked for the error.
[[noreturn]] void throw_exception_from_error(const HostPortProblem& problem,
                                             const boost::source_location& where);

}  // namespace p2pdiag
