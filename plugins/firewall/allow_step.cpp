#include "allow_step.hpp"

#include <algorithm>
#include <iterator>

#include "model.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr std::string_view tool_names[] = {"nft", "iptables-nft", "iptables-legacy", "ufw",
                                           "firewalld"};
constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_text = 4096;

std::optional<Tool> parse_tool(std::string_view name) {
    const auto* found = std::find(std::begin(tool_names), std::end(tool_names), name);
    if (found == std::end(tool_names)) return std::nullopt;
    return static_cast<Tool>(found - std::begin(tool_names));
}

json::object to_json(const Opening& opening) {
    json::object object{
        {"port", opening.port}, {"protocol", protocol_word(opening.protocol)}, {"source", nullptr}};
    if (opening.source) object["source"] = opening.source->to_string();
    return object;
}

std::optional<Opening> parse_opening(const json::object& object) {
    const auto port = json::find_integer(object, "port");
    const auto protocol = json::find_string(object, "protocol");
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    if (protocol != "udp" && protocol != "tcp") return std::nullopt;
    Opening opening;
    opening.port = static_cast<std::uint16_t>(*port);
    opening.protocol = protocol == "udp" ? protocol_udp : protocol_tcp;
    if (const auto source = json::find_string(object, "source")) {
        std::string why;
        opening.source = SourceNet::parse(*source, why);
        if (!opening.source) return std::nullopt;
    }
    return opening;
}

json::object to_json(const RulePlace& place) {
    return {{"family", place.family},
            {"table", place.table},
            {"chain", place.chain},
            {"handle", place.handle},
            {"line", place.line},
            {"text", place.text},
            {"for_this_machine", place.for_this_machine}};
}

// A word that is handed to a program as one of its arguments: never one that looks like an option.
std::optional<std::string> parse_name(const json::object& object, std::string_view key) {
    const auto name = json::find_string(object, key);
    if (!name || name->empty() || name->size() > longest_name || name->front() == '-') {
        return std::nullopt;
    }
    return std::string(*name);
}

std::optional<RulePlace> parse_place(const json::object& object) {
    const auto family = parse_name(object, "family");
    const auto table = parse_name(object, "table");
    const auto chain = parse_name(object, "chain");
    const auto handle = json::find_integer(object, "handle");
    const auto line = json::find_integer(object, "line");
    const auto text = json::find_string(object, "text");
    const auto own = json::find_bool(object, "for_this_machine");
    if (!family || !table || !chain || !handle || !line || !text || !own) return std::nullopt;
    if (*handle < 0 || *line < 0 || text->size() > longest_text) return std::nullopt;
    return RulePlace{*family, *table, *chain, *handle, *line, std::string(*text), *own};
}

json::object to_json(const Aim& aim) {
    return {{"family", to_string(aim.family)}, {"interface", aim.interface}};
}

std::optional<Aim> parse_aim(const json::value& value) {
    const json::object* one = value.if_object();
    if (one == nullptr) return std::nullopt;
    const auto family = json::find_string(*one, "family");
    const auto interface = parse_name(*one, "interface");
    if ((family != "ipv4" && family != "ipv6") || !interface) return std::nullopt;
    return Aim{family == "ipv4" ? Family::ipv4 : Family::ipv6, *interface};
}

std::optional<std::vector<Aim>> parse_aims(const json::object& object) {
    const json::array* list = json::find_array(object, "aims");
    if (list == nullptr || list->size() > most_aims) return std::nullopt;
    std::vector<Aim> aims;
    for (const json::value& value : *list) {
        const auto aim = parse_aim(value);
        if (!aim) return std::nullopt;
        aims.push_back(*aim);
    }
    return aims;
}

// Absent: nothing, as in records of an earlier version.
std::optional<std::vector<LeftOut>> parse_left_out(const json::object& object) {
    std::vector<LeftOut> all;
    if (json::find(object, "left_out") == nullptr) return all;
    const json::array* list = json::find_array(object, "left_out");
    if (list == nullptr || list->size() > 2 * most_aims) return std::nullopt;
    for (const json::value& value : *list) {
        const auto aim = parse_aim(value);
        const auto protocol =
            aim ? json::find_string(value.get_object(), "protocol") : std::nullopt;
        if (protocol != "udp" && protocol != "tcp") return std::nullopt;
        all.push_back({*aim, protocol == "udp" ? protocol_udp : protocol_tcp});
    }
    return all;
}

}  // namespace

std::string_view to_string(Tool tool) { return tool_names[static_cast<std::size_t>(tool)]; }

json::object to_json(const AllowStep& step) {
    json::object object{{"tool", to_string(step.tool)}, {"opening", to_json(step.opening)}};
    json::array aims;
    for (const Aim& aim : step.aims) aims.push_back(to_json(aim));
    object["aims"] = std::move(aims);
    if (!step.left_out.empty()) {
        json::array left_out;
        for (const LeftOut& left : step.left_out) {
            json::object one = to_json(left.aim);
            one["protocol"] = protocol_word(left.protocol);
            left_out.push_back(std::move(one));
        }
        object["left_out"] = std::move(left_out);
    }
    object["permanent"] = step.permanent;
    if (!step.file.empty()) object["file"] = step.file;
    if (step.tool == Tool::firewalld) {
        object["zone"] = step.zone;
    } else if (step.tool != Tool::ufw) {
        object["place"] = to_json(step.place);
    }
    return object;
}

json::object to_json(const AllowRecord& record) {
    json::object object{{"done", record.done}, {"handle", nullptr}};
    if (record.handle) object["handle"] = *record.handle;
    return object;
}

std::optional<AllowStep> parse_allow_step(const json::object& object) {
    const auto name = json::find_string(object, "tool");
    const auto tool = name ? parse_tool(*name) : std::nullopt;
    const json::object* opening = json::find_object(object, "opening");
    const auto parsed = opening == nullptr ? std::nullopt : parse_opening(*opening);
    auto aims = parse_aims(object);
    auto left_out = parse_left_out(object);
    const auto permanent = json::find_bool(object, "permanent");
    if (!tool || !parsed || !aims || !left_out || !permanent) return std::nullopt;
    AllowStep step;
    step.permanent = *permanent;
    step.tool = *tool;
    step.opening = *parsed;
    step.aims = std::move(*aims);
    step.left_out = std::move(*left_out);
    if (step.tool == Tool::firewalld) {
        const auto zone = parse_name(object, "zone");
        if (!zone) return std::nullopt;
        step.zone = *zone;
    } else if (step.tool != Tool::ufw) {
        const json::object* place = json::find_object(object, "place");
        const auto where = place == nullptr ? std::nullopt : parse_place(*place);
        if (!where) return std::nullopt;
        step.place = *where;
        if (step.permanent) {
            const auto file = json::find_string(object, "file");
            if (!file) return std::nullopt;
            step.file = std::string(*file);
        }
    }
    return step;
}

std::optional<AllowRecord> parse_allow_record(const json::object& object) {
    const auto done = json::find_bool(object, "done");
    if (!done) return std::nullopt;
    return AllowRecord{*done, json::find_integer(object, "handle")};
}

bool is_id(std::string_view id) {
    return !id.empty() && id.size() <= 32 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    });
}

}  // namespace p2pdiag::firewall
