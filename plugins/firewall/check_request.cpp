#include "check_request.hpp"

#include "base/text.hpp"
#include "input.hpp"

namespace p2pdiag::firewall {

namespace {

std::vector<std::uint8_t> protocols_of(std::string_view name) {
    if (name == "udp") return {protocol_udp};
    if (name == "tcp") return {protocol_tcp};
    return {protocol_udp, protocol_tcp};
}

std::optional<std::string> text_of(const json::object& options, std::string_view name) {
    const auto text = json::find_string(options, name);
    return text ? std::optional<std::string>(*text) : std::nullopt;
}

}  // namespace

bool wants_json(const json::object& arguments) {
    const json::object* options = json::find_object(arguments, "options");
    return options != nullptr && json::find_string(*options, "format") == "json";
}

boost::system::result<CheckRequest, BadRequest> read_check_request(const json::object& arguments) {
    CheckRequest request;
    const json::object* input = json::find_object(arguments, "input");
    if (input != nullptr) request.inquiry.port = read_input(*input).port;
    const json::object* options = json::find_object(arguments, "options");
    if (options == nullptr) return request;
    if (const auto port = json::find_integer(*options, "port"))
        request.inquiry.port = static_cast<std::uint16_t>(*port);
    request.inquiry.protocols =
        protocols_of(json::find_string(*options, "protocol").value_or("both"));
    if (const auto from = json::find_string(*options, "from")) {
        request.inquiry.source = IpAddress::parse(*from);
        if (!request.inquiry.source)
            return BadRequest{"--from: " + printable(*from) + " is no IP address"};
    }
    const json::array* files = json::find_array(*options, "ruleset");
    for (const json::value& file : files == nullptr ? json::array{} : *files) {
        if (file.is_string()) request.files.emplace_back(file.get_string());
    }
    request.interface = text_of(*options, "interface");
    request.program = text_of(*options, "program");
    request.trace = json::find_bool(*options, "trace").value_or(false);
    request.as_json = wants_json(arguments);
    return request;
}

}  // namespace p2pdiag::firewall
