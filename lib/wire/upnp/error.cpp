#include "wire/upnp/error.hpp"

#include <string>

namespace p2pdiag::upnp {

namespace {

struct ParseCategory : boost::system::error_category {
    const char* name() const noexcept override { return "upnp"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::bad_url: return "not a URL";
            case ParseError::unsupported_scheme: return "neither an http nor an https URL";
            case ParseError::not_a_description: return "not a device description";
            case ParseError::not_a_reply: return "not a SOAP reply to what was asked";
            case ParseError::not_a_call: return "not a SOAP call";
        }
        return "unknown UPnP error";
    }
};

}  // namespace

const boost::system::error_category& parse_category() {
    static const ParseCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

}  // namespace p2pdiag::upnp
