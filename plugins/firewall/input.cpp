#include "input.hpp"

#include "base/run_input.hpp"
#include "readers.hpp"

namespace p2pdiag::firewall {

namespace {

std::optional<HostPort> server(std::string_view text) {
    const auto parsed = parse_host_port(text);
    if (!parsed) return std::nullopt;
    return *parsed;
}

}  // namespace

Input read_input(const json::object& input) {
    Input read;
    read.port = target_port(input);
    const json::object* servers = json::find_object(input, "servers");
    if (servers == nullptr) return read;
    const json::array* stun = json::find_array(*servers, "stun");
    for (const json::value& one : stun == nullptr ? json::array{} : *stun) {
        const auto found = one.is_string() ? server(one.get_string()) : std::nullopt;
        if (found) read.stun.push_back(*found);
    }
    const json::object* turn = json::find_object(*servers, "turn");
    if (turn != nullptr) read.turn = server(json::find_string(*turn, "server").value_or(""));
    return read;
}

Input read_input(const Run& run) {
    const auto parsed = json::parse(run.input());
    return parsed && parsed->is_object() ? read_input(parsed->get_object()) : Input{};
}

World look_around(const Run& run) {
    return read_world(sight_of_this_machine(run.time_to_stop(), run.cancel_fd()));
}

}  // namespace p2pdiag::firewall
