// Why a UPnP document or URL was not understood.
#pragma once

#include "base/result.hpp"

namespace p2pdiag::upnp {

enum class ParseError {
    bad_url = 1,         // not an http URL, or with characters that no URL has
    unsupported_scheme,  // a URL, but neither http nor https
    not_a_description,   // no root element with a device in it
    not_a_reply,         // no SOAP envelope around what was asked for
    not_a_call           // no SOAP envelope with an action in it
};
const boost::system::error_category& parse_category();
ErrorCode make_error_code(ParseError error);

}  // namespace p2pdiag::upnp

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::upnp::ParseError> : std::true_type {};
}  // namespace boost::system
