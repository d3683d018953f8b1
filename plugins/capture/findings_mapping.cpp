// What the STUN answers together say of the NAT.
#include <algorithm>

#include "findings_parts.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// What one local port looked like to each server. UDP and TCP have mappings of their own.
struct Port {
    Transport transport;
    std::uint16_t number;
    std::vector<Mapping> mappings;
};

json::array to_json(const std::vector<Mapping>& mappings) {
    json::array all;
    for (const Mapping& one : mappings) {
        all.push_back(
            json::object{{"server", one.server.to_string()}, {"mapped", one.mapped.to_string()}});
    }
    return all;
}

json::array to_json(const std::vector<Port>& ports) {
    json::array all;
    for (const Port& port : ports) {
        all.push_back(json::object{{"protocol", to_string(port.transport)},
                                   {"port", port.number},
                                   {"mappings", to_json(port.mappings)}});
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

// "192.168.7.2:4000", or with the other ports of which the same is true.
std::string ports_text(const IpAddress& address, const std::vector<Port>& ports) {
    constexpr std::size_t most = 4;
    std::string text = Endpoint{address, ports.front().number}.to_string();
    if (ports.size() == 1) return text;
    text += " (and port";
    if (ports.size() > 2) text += 's';
    for (std::size_t i = 1; i < std::min(most, ports.size()); ++i) {
        text += (i == 1 ? " " : ", ") + std::to_string(ports[i].number);
        if (ports[i].transport != ports.front().transport) {
            text += ports[i].transport == Transport::tcp ? " of TCP" : " of UDP";
        }
    }
    if (ports.size() > most) text += " and " + std::to_string(ports.size() - most) + " more";
    return text + ')';
}

// For how long at most one mapping without packets is the same as later. RFC 4787 section 4.3: "A
// NAT UDP mapping timer MUST NOT expire in less than two minutes"; many forget after half a minute.
// Later the same port may be another program's, too.
constexpr std::int64_t replaced_within_ns = 120'000'000'000;
constexpr std::int64_t symmetric_within_ns = 30'000'000'000;

// Between the two of them; 0 where they overlap.
std::int64_t pause(const ToldMapping& one, const ToldMapping& other) {
    return std::max<std::int64_t>({0, one.first_ns - other.last_ns, other.first_ns - one.last_ns});
}

bool differ(const ToldMapping& one, const ToldMapping& other) {
    return one.mapping.mapped != other.mapping.mapped &&
           one.mapping.mapped.address.family() == other.mapping.mapped.address.family();
}

// Two answers of one server that differ: the mapping itself was replaced meanwhile.
bool replaced(const ToldMapping& one, const ToldMapping& other) {
    return one.mapping.server == other.mapping.server && differ(one, other) &&
           pause(one, other) <= replaced_within_ns;
}

bool symmetric(const ToldMapping& one, const ToldMapping& other) {
    return one.mapping.server != other.mapping.server && differ(one, other) &&
           pause(one, other) <= symmetric_within_ns;
}

// Those of which some other one is `contrary`.
template <class Contrary>
std::vector<Mapping> in_conflict(const std::vector<ToldMapping>& all, Contrary contrary) {
    std::vector<Mapping> found;
    for (const ToldMapping& one : all) {
        const bool any = std::ranges::any_of(
            all, [&](const ToldMapping& other) { return contrary(one, other); });
        if (any) found.push_back(one.mapping);
    }
    return found;
}

// RFC 4787 section 4.1, as far as these servers differ.
std::string_view behaviour(const std::vector<Port>& ports) {
    for (const Port& port : ports) {
        for (const Mapping& one : port.mappings) {
            for (const Mapping& other : port.mappings) {
                if (one.server.address == other.server.address &&
                    one.server.port != other.server.port && one.mapped != other.mapped) {
                    return "address-and-port-dependent";
                }
            }
        }
    }
    return "address-dependent or address-and-port-dependent";
}

struct Ports {
    std::vector<Port> symmetric;
    std::vector<Port> replaced;
};

// Of each local address, the ports of which servers told different mappings.
std::map<IpAddress, Ports> changed_ports(const Evidence& evidence) {
    // The interface too: in files put together two machines may have the same address.
    std::map<std::tuple<Transport, Endpoint, std::uint32_t>, std::vector<ToldMapping>> by_local;
    for (const ToldMapping& told : evidence.mappings) {
        const Mapping& one = told.mapping;
        // Who sees the local address itself, a peer on the same network mostly, has no NAT before
        // him and tells nothing about one; who sees one that is not public is behind the same
        // outer NAT, and sees another side of it.
        if (one.mapped == one.local || !one.mapped.address.is_public()) continue;
        by_local[{one.transport, one.local, told.interface}].push_back(told);
    }
    std::map<IpAddress, Ports> changed;
    for (const auto& [socket, mappings] : by_local) {
        const auto& [transport, local, interface] = socket;
        if (std::vector<Mapping> found = in_conflict(mappings, replaced); !found.empty()) {
            changed[local.address].replaced.push_back({transport, local.port, std::move(found)});
        } else if (found = in_conflict(mappings, symmetric); !found.empty()) {
            changed[local.address].symmetric.push_back({transport, local.port, std::move(found)});
        }
    }
    return changed;
}

json::object evidence_of_ports(const IpAddress& address, const std::vector<Port>& ports) {
    return {{"local", Endpoint{address, ports.front().number}.to_string()},
            {"mappings", to_json(ports.front().mappings)},
            {"ports", to_json(ports)}};
}

void add_replaced(FindingList& list, const IpAddress& address, const std::vector<Port>& ports) {
    list.add(
        {"capture.mapping-changed", Severity::warning,
         "The mapping of " + ports_text(address, ports) +
             " changed while the capture ran: one and the same destination saw it as more than "
             "one address (" +
             listed(ports.front().mappings) + ")",
         evidence_of_ports(address, ports)});
}

void add_symmetric(FindingList& list, const IpAddress& address, const std::vector<Port>& ports) {
    json::object details = evidence_of_ports(address, ports);
    details["mapping"] = behaviour(ports);
    list.add({"capture.mapping-changed", Severity::warning,
              "Symmetric NAT: " + ports_text(address, ports) +
                  " looks different to each destination (" + listed(ports.front().mappings) +
                  "), so peers cannot know which address to contact",
              std::move(details)});
}

}  // namespace

void add_mappings(FindingList& list, const Evidence& evidence) {
    for (const auto& [address, ports] : changed_ports(evidence)) {
        // A NAT is told once, whatever number of ports show it.
        if (!ports.replaced.empty()) add_replaced(list, address, ports.replaced);
        if (!ports.symmetric.empty()) add_symmetric(list, address, ports.symmetric);
    }
}

}  // namespace p2pdiag::capture_plugin
