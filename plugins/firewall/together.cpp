#include "together.hpp"

#include <algorithm>

#include "base/enumerated.hpp"

namespace p2pdiag::firewall {

namespace {

void add_once(std::vector<std::string>& list, std::string text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

std::string family_word(const Question& question) {
    return question.family == Family::ipv4 ? "IPv4" : "IPv6";
}

// By which families and links the packets of that name go.
std::string ways_of(const std::vector<Told>& packets, const std::string& name) {
    std::vector<std::string> families;
    std::vector<std::string> links;
    std::vector<std::string> each;
    for (const Told& packet : packets) {
        if (packet.name != name) continue;
        const Question& question = packet.question;
        add_once(families, family_word(question));
        add_once(links, question.interface);
        add_once(each, "by " + family_word(question) + " on " + question.interface);
    }
    // Only where each family goes by each link may the two be told apart.
    if (each.size() != families.size() * links.size()) return enumerated(each);
    return "by " + enumerated(families) + " on " + enumerated(links);
}

}  // namespace

bool are_alike(const Verdict& a, const Verdict& b) {
    return a.kind == b.kind && a.passes == b.passes && a.reject_kind == b.reject_kind &&
           a.why == b.why && a.open == b.open && a.deciding_rule == b.deciding_rule;
}

std::string name_of(const Question& question) {
    return std::string(question.protocol == protocol_udp ? "UDP" : "TCP") + " port " +
           std::to_string(question.port);
}

std::string spelled(const std::vector<Told>& packets) {
    std::vector<std::string> names;
    for (const Told& packet : packets) add_once(names, packet.name);
    std::vector<std::string> parts;
    while (!names.empty()) {
        const std::string ways = ways_of(packets, names.front());
        std::vector<std::string> same;
        std::erase_if(names, [&](const std::string& name) {
            if (ways_of(packets, name) != ways) return false;
            same.push_back(name);
            return true;
        });
        parts.push_back(enumerated(same) + ' ' + ways);
    }
    return enumerated(parts);
}

json::object evidence_of(json::object first, const std::vector<Told>& packets,
                         const Decided& decided) {
    first["by"] = decided.by_routes ? "routes" : "rules";
    first["stopped"] = decided.stopped;
    json::array list;
    for (const Told& packet : packets) {
        const Question& question = packet.question;
        json::object shown{{"family", to_string(question.family)},
                           {"protocol", protocol_name(question.protocol)},
                           {"port", question.port},
                           {"interface", question.interface}};
        for (const auto& item : packet.more) shown.insert(item);
        list.push_back(std::move(shown));
    }
    first["packets"] = std::move(list);
    return first;
}

}  // namespace p2pdiag::firewall
