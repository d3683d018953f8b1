// The actions of a UPnP service as SOAP (UPnP Device Architecture 1.1, section 3).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace p2pdiag::upnp {

struct Argument {
    std::string name;
    std::string value;
};

struct Call {
    std::string service_type;
    std::string action;
    std::vector<Argument> arguments;  // in the order that the service's definition has

    // The value of the SOAPACTION header, with its quotes (section 3.2.1).
    std::string soap_action() const;
};
// The envelope. Every text is escaped.
std::string encode(const Call& call);
Result<Call> parse_call(std::string_view xml);  // for routers that tests play

// Section 3.2.2, error response.
struct Fault {
    int code = 0;             // UPnP errorCode; 0 where the fault has none
    std::string description;  // errorDescription, else faultstring
};

// Texts are printable and at most 512 characters, values at most 64.
struct Reply {
    std::vector<Argument> values;
    std::optional<Fault> fault;  // then there are no values

    const std::string* find(std::string_view name) const;  // null when it is not there
};
// `action` without "Response".
Result<Reply> parse_reply(std::string_view xml, std::string_view action);

}  // namespace p2pdiag::upnp
