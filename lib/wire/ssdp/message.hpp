// SSDP, bytes <-> struct: UPnP Device Architecture 1.1 (UDA), section 1. HTTP-like text in one
// datagram. No socket, clock or random number in here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace p2pdiag::ssdp {

// UDA 1.1 section 1.1.1: "The IP address and port used for multicast … 239.255.255.250:1900".
inline constexpr std::uint16_t port = 1900;
inline constexpr std::string_view multicast_v4 = "239.255.255.250";
// UDA 1.1 annex A.2: link-local scope.
inline constexpr std::string_view multicast_v6 = "ff02::c";

// Longer values, more lines and larger datagrams than any real device sends are refused.
inline constexpr std::size_t max_datagram = 8192;
inline constexpr std::size_t max_value = 512;
inline constexpr std::size_t max_headers = 64;

// UDA 1.1 section 1.3.2: M-SEARCH.
struct Search {
    std::string host;    // "239.255.255.250:1900"
    std::string target;  // ST
    unsigned mx = 1;     // seconds within which a device picks its time to answer
};
Bytes encode(const Search& search);
Result<Search> parse_search(ByteView datagram);

enum class Kind {
    answer,  // to M-SEARCH: section 1.3.3
    alive,   // NOTIFY, ssdp:alive: section 1.2.2
    byebye,  // NOTIFY, ssdp:byebye: section 1.2.3
    update   // NOTIFY, ssdp:update: section 1.2.4
};

// What a device says of itself. Texts are printable and at most max_value characters.
struct Announcement {
    Kind kind = Kind::answer;
    std::string target;    // ST of an answer, NT of a NOTIFY
    std::string usn;       // unique service name
    std::string location;  // URL of the description; visible ASCII only, empty with byebye
    std::string server;    // system, UPnP version, product
    std::optional<unsigned> max_age;  // seconds that it holds, from CACHE-CONTROL
};
Bytes encode(const Announcement& announcement);
// An answer without LOCATION is refused, as is a LOCATION with a space or control character.
Result<Announcement> parse_announcement(ByteView datagram);

enum class ParseError {
    too_large = 1,        // more than max_datagram or max_headers
    not_ssdp,             // the first line is none of SSDP's
    not_ok,               // a response with another status than 200
    no_location,          // an answer that leads nowhere
    bad_location,         // has characters that no URL has, or is too long
    no_search_target,     // M-SEARCH or NOTIFY without ST or NT
    unknown_notification  // NTS that is none of alive, byebye, update
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

}  // namespace p2pdiag::ssdp

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::ssdp::ParseError> : std::true_type {};
}  // namespace boost::system
