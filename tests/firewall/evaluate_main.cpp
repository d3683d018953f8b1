// The firewall evaluator as a filter, for tests that compare it with the kernel: each line of input
// is a recorded machine and a packet as JSON (kernel.py writes them), each line of output the
// verdict. With --links it prints the routes and rules of the network that it runs in, as the
// plugin's reader takes them from the kernel.
#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>

#include "ask.hpp"
#include "base/json.hpp"
#include "evaluate.hpp"
#include "exchange.hpp"
#include "iptables_save.hpp"
#include "nft_json.hpp"
#include "readers.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

std::string_view text(const json::object& object, std::string_view key) {
    return json::find_string(object, key).value_or("");
}

std::string_view text(const json::value& value) {
    return {value.get_string().data(), value.get_string().size()};
}

IpAddress address(std::string_view text) {
    const auto read = IpAddress::parse(text);
    if (!read) throw std::runtime_error("no address: " + std::string(text));
    return *read;
}

// "10.0.0.1/24"
std::pair<IpAddress, unsigned> subnet(std::string_view text) {
    const std::size_t slash = text.find('/');
    return {address(text.substr(0, slash)),
            static_cast<unsigned>(std::stoul(std::string(text.substr(slash + 1))))};
}

void take(Reading reading, std::string_view what, World& world) {
    if (reading) {
        world.rulesets.push_back(std::move(*reading));
    } else {
        world.unseen.push_back({std::string(what), reading.error().message});
    }
}

void read_rulesets(const json::object& recorded, World& world) {
    Reading nft = read_nft_json(text(recorded, "nft"));
    if (nft) {
        settle_dormant(*nft, text(recorded, "nft_text"));
        settle_devices(*nft, text(recorded, "nft_text"));
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            const std::string name = family == Family::ipv4 ? "iptables" : "ip6tables";
            Reading saved = read_iptables_save(text(recorded, name), family, Source::iptables_nft);
            if (saved) {
                replace_tables(*nft, std::move(*saved));
            } else {
                world.unseen.push_back({name, saved.error().message});
            }
        }
    }
    take(std::move(nft), "nftables", world);
    take(read_iptables_save(text(recorded, "iptables_legacy"), Family::ipv4,
                            Source::iptables_legacy),
         "iptables-legacy", world);
    take(read_iptables_save(text(recorded, "ip6tables_legacy"), Family::ipv6,
                            Source::iptables_legacy),
         "ip6tables-legacy", world);
}

std::int64_t number(const json::object& object, std::string_view key) {
    return json::find_integer(object, key).value();
}

json::value range(const std::optional<net::PortRange>& ports) {
    if (!ports) return nullptr;
    return json::array{ports->first, ports->last};
}

std::optional<net::PortRange> range(const json::value& value) {
    if (value.is_null()) return std::nullopt;
    const json::array& pair = value.get_array();
    return net::PortRange{static_cast<std::uint16_t>(pair.at(0).to_number<int>()),
                          static_cast<std::uint16_t>(pair.at(1).to_number<int>())};
}

std::string subnet_of(const std::optional<IpAddress>& address, unsigned prefix) {
    return address ? address->to_string() + '/' + std::to_string(prefix) : "";
}

json::object rule_as_json(const net::RoutingRule& rule) {
    return {{"v4", rule.family == Family::ipv4},
            {"priority", rule.priority},
            {"inverted", rule.inverted},
            {"from", subnet_of(rule.source, rule.source_prefix)},
            {"to", subnet_of(rule.destination, rule.destination_prefix)},
            {"in", rule.in},
            {"out", rule.out},
            {"mark", rule.mark},
            {"mask", rule.mark_mask},
            {"protocol", rule.protocol},
            {"sport", range(rule.source_ports)},
            {"dport", range(rule.destination_ports)},
            {"asks", rule.asks},
            {"strange", rule.strange},
            {"action", static_cast<int>(rule.action)},
            {"table", rule.table},
            {"target", rule.target},
            {"suppressed", rule.suppressed_prefix},
            {"suppresses_links", rule.suppresses_links}};
}

net::RoutingRule rule_of_json(const json::object& line) {
    net::RoutingRule rule;
    rule.family = line.at("v4").as_bool() ? Family::ipv4 : Family::ipv6;
    rule.priority = static_cast<std::uint32_t>(number(line, "priority"));
    rule.inverted = line.at("inverted").as_bool();
    if (!text(line, "from").empty())
        std::tie(rule.source, rule.source_prefix) = subnet(text(line, "from"));
    if (!text(line, "to").empty())
        std::tie(rule.destination, rule.destination_prefix) = subnet(text(line, "to"));
    rule.in = text(line, "in");
    rule.out = text(line, "out");
    rule.mark = static_cast<std::uint32_t>(number(line, "mark"));
    rule.mark_mask = static_cast<std::uint32_t>(number(line, "mask"));
    rule.protocol = static_cast<std::uint8_t>(number(line, "protocol"));
    rule.source_ports = range(line.at("sport"));
    rule.destination_ports = range(line.at("dport"));
    rule.asks = text(line, "asks");
    rule.strange = line.at("strange").as_bool();
    rule.action = static_cast<net::RoutingRule::Action>(number(line, "action"));
    rule.table = static_cast<std::uint32_t>(number(line, "table"));
    rule.target = static_cast<std::uint32_t>(number(line, "target"));
    rule.suppressed_prefix = static_cast<int>(number(line, "suppressed"));
    rule.suppresses_links = line.at("suppresses_links").as_bool();
    return rule;
}

json::object links_here() {
    World world;
    read_links(world);
    json::array rules;
    json::array routes;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        for (const net::RoutingRule& rule : world.rules_of(family).value())
            rules.push_back(rule_as_json(rule));
    }
    for (const Route& route : world.routes.value()) {
        routes.push_back(json::object{{"to", subnet_of(route.destination, route.prefix)},
                                      {"type", static_cast<int>(route.type)},
                                      {"interface", route.interface},
                                      {"metric", route.metric},
                                      {"table", route.table},
                                      {"at_times", route.at_times}});
    }
    return {{"rules", std::move(rules)}, {"routes", std::move(routes)}};
}

void read_links(const json::object& links, World& world) {
    world.rules_v4.emplace();
    world.rules_v6.emplace();
    for (const json::value& item : *json::find_array(links, "rules")) {
        const net::RoutingRule rule = rule_of_json(item.get_object());
        (rule.family == Family::ipv4 ? world.rules_v4 : world.rules_v6)->push_back(rule);
    }
    world.routes.emplace();
    world.local_table_read = true;
    for (const json::value& item : *json::find_array(links, "routes")) {
        const json::object& line = item.get_object();
        Route route;
        std::tie(route.destination, route.prefix) = subnet(text(line, "to"));
        route.type = static_cast<Route::Type>(number(line, "type"));
        route.interface = static_cast<int>(number(line, "interface"));
        route.metric = static_cast<std::uint32_t>(number(line, "metric"));
        route.table = static_cast<std::uint32_t>(number(line, "table"));
        route.at_times = line.at("at_times").as_bool();
        world.routes->push_back(route);
    }
}

void read_machine(const json::object& machine, World& world) {
    for (const json::value& item : *json::find_array(machine, "interfaces")) {
        const json::object& link = item.get_object();
        net::Interface interface;
        interface.name = text(link, "name");
        interface.index = static_cast<int>(json::find_integer(link, "index").value());
        interface.kind = interface.name == "lo" ? net::LinkKind::loopback : net::LinkKind::ethernet;
        interface.up = interface.carrier = true;
        for (const json::value& own : *json::find_array(link, "addresses")) {
            const auto [parsed, prefix] = subnet(text(own));
            interface.addresses.push_back({parsed, prefix, true});
        }
        world.interfaces.push_back(std::move(interface));
    }
    world.routes.emplace();
    for (const json::value& item : *json::find_array(machine, "routes")) {
        const json::object& line = item.get_object();
        Route route;
        std::tie(route.destination, route.prefix) = subnet(text(line, "to"));
        route.metric = static_cast<std::uint32_t>(json::find_integer(line, "metric").value_or(0));
        const net::Interface* out = world.find_interface(text(line, "interface"));
        route.interface = out == nullptr ? 0 : out->index;
        world.routes->push_back(route);
    }
    if (const json::object* links = json::find_object(machine, "links")) read_links(*links, world);
    for (const auto& item : *json::find_object(machine, "sysctls")) {
        const std::string_view name(item.key().data(), item.key().size());
        const auto value = static_cast<unsigned>(std::stoul(std::string(text(item.value()))));
        if (name == "net.ipv4.ip_forward")
            world.sysctls.ipv4_forwarding = value != 0;
        else if (name == "net.ipv6.conf.all.forwarding")
            world.sysctls.ipv6_forwarding = value != 0;
        else if (name == "net.ipv4.conf.all.rp_filter")
            world.sysctls.rp_filter_all = value;
        else {
            // net.ipv4.conf.NAME.rp_filter
            const std::string_view rest = name.substr(std::string_view("net.ipv4.conf.").size());
            const std::string interface(rest.substr(0, rest.find('.')));
            if (rest.ends_with(".rp_filter"))
                world.sysctls.rp_filter[interface] = value;
            else if (rest.ends_with(".src_valid_mark"))
                world.sysctls.src_valid_mark[interface] = value != 0;
            else
                world.sysctls.arp_filter[interface] = value != 0;
        }
    }
}

// The kernel counts a link's own setting and that of all.
void join_with_all(std::map<std::string, bool>& settings) {
    const bool all = settings["all"];
    for (auto& [interface, on] : settings) on = on || all;
}

Packet read_packet(const json::object& given) {
    Packet packet;
    packet.direction = text(given, "direction") == "out" ? Direction::out : Direction::in;
    packet.interface = text(given, "interface");
    packet.destination = address(text(given, "to"));
    packet.protocol = text(given, "protocol") == "tcp" ? protocol_tcp : protocol_udp;
    packet.destination_port = static_cast<std::uint16_t>(json::find_integer(given, "port").value());
    if (const auto source = json::find_string(given, "source")) packet.source = address(*source);
    if (const auto port = json::find_integer(given, "source_port")) {
        packet.source_port = static_cast<std::uint16_t>(*port);
    }
    if (const auto length = json::find_integer(given, "length"))
        packet.length = static_cast<std::uint16_t>(*length);
    return packet;
}

json::object shown(const Verdict& verdict) {
    json::array open;
    for (const std::string& what : verdict.open) open.emplace_back(what);
    json::object object{{"kind", to_string(verdict.kind)},
                        {"reject", verdict.reject_kind},
                        {"why", verdict.why},
                        {"open", std::move(open)},
                        {"passes", nullptr},
                        {"delivery", nullptr},
                        {"rule", nullptr}};
    if (verdict.passes) object["passes"] = *verdict.passes;
    if (verdict.delivery) {
        object["delivery"] = json::object{{"local", verdict.delivery->local},
                                          {"to", verdict.delivery->destination.to_string()},
                                          {"port", verdict.delivery->port}};
    }
    if (const auto& rule = verdict.deciding_rule) {
        object["rule"] = json::object{{"table", rule->table},     {"chain", rule->chain},
                                      {"handle", rule->handle},   {"text", rule->text},
                                      {"comment", rule->comment}, {"owner", rule->owner}};
    }
    return object;
}

// As `firewall check` asks: with the answer, and all that follows.
Verdict assess_port(const World& world, const Packet& packet) {
    Asked asked;
    asked.packet = packet;
    asked.verdict = assess_inbound(world, packet);
    ask_for_exchange(world, asked);
    return asked.verdict;
}

json::object answer(const json::object& asked) {
    World world;
    read_rulesets(*json::find_object(asked, "recorded"), world);
    read_machine(*json::find_object(*json::find_object(asked, "recorded"), "world"), world);
    join_with_all(world.sysctls.src_valid_mark);
    join_with_all(world.sysctls.arp_filter);
    const Packet packet = read_packet(*json::find_object(asked, "packet"));
    const std::string_view question = text(asked, "question");
    if (question == "inbound") return shown(assess_inbound(world, packet));
    if (question == "port") return shown(assess_port(world, packet));
    if (question == "punching") return shown(assess_punching(world, packet));
    return shown(evaluate(world, packet));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--links") {
        std::cout << json::to_text(links_here()) << std::endl;
        return 0;
    }
    std::string line;
    while (std::getline(std::cin, line)) {
        const auto asked = json::parse(line);
        json::object said;
        try {
            if (!asked) throw std::runtime_error("the line is no JSON");
            said = answer(asked->as_object());
        } catch (const std::exception& error) {
            said["error"] = error.what();
        }
        std::cout << json::to_text(said) << std::endl;
    }
    return 0;
}
