#include "forward_input.hpp"

#include "base/run_input.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

constexpr std::size_t most_open = 64;

std::vector<std::string> servers_of(const json::object& object) {
    const json::object* input = json::find_object(object, "input");
    return input == nullptr ? std::vector<std::string>() : stun_servers(*input);
}

// What verify_forward said: PASS where the packet came to a socket.
std::optional<Verified> parse_verified(const json::object& object) {
    const json::object* verify = json::find_object(object, "verify");
    const json::object* data = verify == nullptr ? nullptr : json::find_object(*verify, "data");
    if (data == nullptr) return std::nullopt;
    const auto status = json::find_string(*verify, "status").value_or("");
    const auto method = json::find_string(*data, "method");
    const auto external = Endpoint::parse(json::find_string(*data, "external").value_or(""));
    if (!method || !external || (status != "pass" && status != "warn")) return std::nullopt;
    return Verified{std::string(*method), *external, status == "pass"};
}

std::optional<OpenForward> parse_one(const json::object& object) {
    const auto id = json::find_string(object, "id");
    const json::object* step = json::find_object(object, "step");
    if (!id || step == nullptr) return std::nullopt;
    const auto parsed = parse_step(*step);
    if (!parsed) return std::nullopt;
    OpenForward open;
    open.id = *id;
    open.step = *parsed;
    open.held_by = json::find_integer(object, "held_by");
    open.begun_only = json::find_string(object, "state") == "planned";
    open.verified = parse_verified(object);
    if (const json::object* record = json::find_object(object, "record")) {
        open.record = parse_record(*record, open.step);
        if (!open.record) return std::nullopt;
    }
    return open;
}

std::optional<json::object> parse_object(std::string_view text) {
    auto parsed = json::parse(text);
    if (!parsed || !parsed->is_object()) return std::nullopt;
    return std::move(parsed->get_object());
}

}  // namespace

std::vector<OpenForward> parse_open(const json::object& object, std::string_view key) {
    std::vector<OpenForward> all;
    const json::array* list = json::find_array(object, key);
    if (list == nullptr) return all;
    for (const json::value& value : *list) {
        if (!value.is_object() || all.size() == most_open) continue;
        if (auto one = parse_one(value.get_object())) all.push_back(std::move(*one));
    }
    return all;
}

std::optional<PlanInput> parse_plan_input(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    const json::object* arguments = json::find_object(*object, "arguments");
    if (arguments == nullptr) return std::nullopt;
    const auto wanted = Wanted::parse(*arguments);
    if (!wanted) return std::nullopt;
    return PlanInput{*wanted, parse_open(*object, "open"), servers_of(*object)};
}

std::optional<StepInput> parse_step_input(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    auto open = parse_one(*object);
    if (!open) return std::nullopt;
    return StepInput{std::move(open->id), std::move(open->step), std::move(open->record),
                     servers_of(*object)};
}

}  // namespace p2pdiag::upnp_plugin
