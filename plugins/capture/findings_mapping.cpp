// What the STUN answers together say of the NAT.
#include <algorithm>

#include "findings_parts.hpp"

namespace p2pdiag::capture_plugin {

namespace {

json::array to_json(const std::vector<Mapping>& mappings) {
    json::array all;
    for (const Mapping& one : mappings) {
        all.push_back(
            json::object{{"server", one.server.to_string()}, {"mapped", one.mapped.to_string()}});
    }
    return all;
}

std::string listed(const std::vector<Mapping>& mappings) {
    constexpr std::size_t most = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(most, mappings.size()); ++i) {
        text += (i == 0 ? "" : ", ") + mappings[i].mapped.to_string() + " to " +
                mappings[i].server.to_string();
    }
    return text + (mappings.size() > most ? ", ..." : "");
}

// Two answers of one server that differ: the mapping itself was replaced meanwhile.
bool changed_for_one_server(const std::vector<Mapping>& mappings) {
    std::map<Endpoint, Endpoint> first;
    for (const Mapping& one : mappings) {
        const auto [known, is_new] = first.emplace(one.server, one.mapped);
        if (!is_new && known->second != one.mapped) return true;
    }
    return false;
}

bool all_mapped_alike(const std::vector<Mapping>& mappings) {
    return std::ranges::all_of(
        mappings, [&](const Mapping& one) { return one.mapped == mappings.front().mapped; });
}

// RFC 4787 section 4.1, as far as these servers differ.
std::string behaviour(const std::vector<Mapping>& mappings) {
    for (const Mapping& one : mappings) {
        for (const Mapping& other : mappings) {
            if (one.server.address == other.server.address &&
                one.server.port != other.server.port && one.mapped != other.mapped) {
                return "address-and-port-dependent";
            }
        }
    }
    return "address-dependent or address-and-port-dependent";
}

}  // namespace

void add_mappings(FindingList& list, const Evidence& evidence) {
    // UDP and TCP have mappings of their own. Who sees the local address itself, a peer on the same
    // network mostly, has no NAT before him and tells nothing about one.
    std::map<std::pair<Transport, Endpoint>, std::vector<Mapping>> by_local;
    for (const Mapping& one : evidence.mappings) {
        if (one.mapped != one.local) by_local[{one.transport, one.local}].push_back(one);
    }
    for (const auto& [socket, mappings] : by_local) {
        if (all_mapped_alike(mappings)) continue;
        const Endpoint& local = socket.second;
        json::object details{{"local", local.to_string()}, {"mappings", to_json(mappings)}};
        if (changed_for_one_server(mappings)) {
            list.add({"capture.mapping-changed", Severity::warning,
                      "The mapping of " + local.to_string() +
                          " changed while the capture ran: one and the same server saw it as more "
                          "than one address (" +
                          listed(mappings) + ")",
                      std::move(details)});
            continue;
        }
        details["mapping"] = behaviour(mappings);
        list.add({"capture.mapping-changed", Severity::warning,
                  "Symmetric NAT: " + local.to_string() + " looks different to each destination (" +
                      listed(mappings) + "), so peers cannot know which address to contact",
                  std::move(details)});
    }
}

}  // namespace p2pdiag::capture_plugin
