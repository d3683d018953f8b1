// What `p2pdiag firewall check` was asked on the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ask.hpp"
#include "base/json.hpp"

namespace p2pdiag::firewall {

struct CheckRequest {
    Inquiry inquiry;
    std::optional<std::string> interface;
    std::vector<std::string> files;      // --ruleset; none: this machine
    std::optional<std::string> program;  // that listens, of a Windows or macOS machine
    bool trace = false;
    bool as_json = false;
};

struct BadRequest {
    std::string message;
};

// Also of arguments that are wrong otherwise.
bool wants_json(const json::object& arguments);

// `arguments` as docs/plugin-author/reference.md has them for a verb.
boost::system::result<CheckRequest, BadRequest> read_check_request(const json::object& arguments);

}  // namespace p2pdiag::firewall
