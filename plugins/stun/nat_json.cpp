// The data member of stun.nat; docs/checks/stun.nat.md lists it.
#include "filtering.hpp"
#include "mapping.hpp"
#include "nat_report.hpp"
#include "nat_words.hpp"
#include "reach.hpp"

namespace p2pdiag::nat {

namespace {

json::value text(std::string_view words) { return json::value(words); }

template <class T, class ToValue>
void put(json::object& object, const std::string& name, const Field<T>& field, ToValue to_value) {
    if (field.value) {
        object[name] = to_value(*field.value);
        return;
    }
    object[name] = nullptr;
    object[name + "_reason"] = text(to_string(field.reason));
}

json::value milliseconds(Duration duration) {
    return std::chrono::duration_cast<Milliseconds>(duration).count();
}

const auto as_word = [](auto value) { return text(to_string(value)); };
const auto as_endpoint = [](const Endpoint& value) { return json::value(value.to_string()); };
const auto as_is = [](auto value) { return json::value(value); };

json::array destinations(const Verdict& verdict) {
    json::array list;
    for (const Destination& destination : verdict.destinations) {
        list.push_back(json::object{{"address", destination.address.to_string()},
                                    {"mapped", destination.mapped.to_string()}});
    }
    return list;
}

json::array servers(const Observations& seen) {
    json::array list;
    for (std::size_t i = 0; i < seen.servers.size(); ++i) {
        const Server& server = seen.servers[i];
        json::object entry{{"address", server.address.to_string()},
                           {"rtt_ms", nullptr},
                           {"mapped", nullptr},
                           {"other_address", nullptr},
                           {"tcp", nullptr},
                           {"interface", nullptr},
                           {"instead_of", nullptr}};
        for (const Probe& probe : seen.probes) {
            if (probe.role != Role::mapping || probe.to != server.address) continue;
            for (const Send& send : probe.sends) {
                if (send.rtt && entry["rtt_ms"].is_null())
                    entry["rtt_ms"] = milliseconds(*send.rtt);
            }
            if (!probe.mapped.empty()) entry["mapped"] = probe.mapped.front().to_string();
            if (probe.error_code != 0) entry["error_code"] = probe.error_code;
        }
        if (server.other) entry["other_address"] = server.other->to_string();
        if (!server.other && server.other_useless) entry["other_address_reason"] = "useless";
        if (server.tcp == Tcp::answered) entry["tcp"] = true;
        if (server.tcp == Tcp::failed) entry["tcp"] = false;
        if (server.egress) entry["interface"] = server.egress->interface;
        if (server.instead_of) {
            entry["instead_of"] = seen.servers[*server.instead_of].address.to_string();
        }
        list.push_back(std::move(entry));
    }
    return list;
}

std::string outcome_of(const Probe& probe) {
    if (probe.answered) return "answered";
    if (probe.error_code != 0) return "error-" + std::to_string(probe.error_code);
    if (probe.refused) return "refused";
    if (probe.came_back) return "invalid";
    if (probe.forbidden) return "not-permitted";
    return probe.prohibited ? "prohibited" : "no-answer";
}

json::value udp_ports_tried(const Observations& seen) {
    json::array list;
    for (const Probe& probe : seen.probes) {
        if (probe.role != Role::other_port || probe.sends.empty()) continue;
        list.push_back(json::object{{"server", seen.servers[probe.server].address.to_string()},
                                    {"port", probe.to.port},
                                    {"outcome", outcome_of(probe)}});
    }
    return list.empty() ? json::value(nullptr) : json::value(std::move(list));
}

json::value egress_to_json(const Observations& seen) {
    const auto egress = common_egress(seen);
    if (!egress) return nullptr;
    return json::object{{"interface", egress->interface}, {"kind", to_string(egress->kind)}};
}

json::object test_to_json(const Test& test) {
    return {{"passing_sockets", test.passing_sockets},
            {"silent", test.silent},
            {"controls_sent", test.controls_sent},
            {"controls_answered", test.controls_answered},
            {"own_controls", test.own_controls},
            {"own_controls_answered", test.own_controls_answered}};
}

json::array controls(const Observations& seen, bool varies) {
    json::array list;
    for (const std::size_t server : seen.tested) {
        const FilteringEvidence evidence = judge_filtering(seen, server, varies);
        list.push_back(json::object{{"server", seen.servers[server].address.to_string()},
                                    {"address", test_to_json(evidence.address)},
                                    {"port", test_to_json(evidence.port)}});
    }
    return list;
}

json::object packets(const Observations& seen) {
    return {{"sent", seen.sent},
            {"ignored", seen.ignored},
            {"malformed", seen.malformed},
            {"wrong_source", seen.wrong_source},
            {"duplicates", seen.duplicates},
            {"not_permitted", seen.not_permitted},
            {"prohibited", seen.prohibited},
            {"refused", seen.refused},
            {"unreachable", seen.unreachable}};
}

// What holds for the port that the user named, beside the ephemeral one that all else is about.
json::value given_port(const Observations& seen) {
    if (seen.given_port == 0) return nullptr;
    json::object object{{"port", seen.given_port}};
    for (const Socket& socket : seen.sockets) {
        if (socket.asked_port != seen.given_port || !socket.failed) continue;
        object["mapping"] = nullptr;
        object["mapping_reason"] = "port-in-use";
        return object;
    }
    const auto seen_of_it = destinations_of(seen, Role::given_port);
    const MappingVerdict mapping = classify_mapping(seen_of_it);
    put(object, "mapping", mapping.mapping, as_word);
    object["mapped"] = nullptr;
    object["port_preserved"] = nullptr;
    if (!seen_of_it.empty()) {
        object["mapped"] = seen_of_it.front().mapped.to_string();
        object["port_preserved"] = seen_of_it.front().mapped.port == seen.given_port;
    }
    return object;
}

json::value filtered_by(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    const bool blocked = verdict.nat_type.value == NatType::udp_blocked;
    const bool filters =
        verdict.filtering.value && *verdict.filtering.value != Dependence::endpoint_independent;
    return blocked || filters ? text(to_string(filterer_of(result))) : json::value(nullptr);
}

}  // namespace

json::object to_json(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    const Observations& seen = result.seen;
    json::object object;
    put(object, "local", verdict.local, as_endpoint);
    put(object, "public", verdict.public_endpoint, as_endpoint);
    put(object, "mapping", verdict.mapping, as_word);
    put(object, "filtering", verdict.filtering, as_word);
    put(object, "nat_type", verdict.nat_type, as_word);
    put(object, "port_preservation", verdict.port_preservation, as_is);
    put(object, "port_step", verdict.port_step, as_is);
    put(object, "hairpinning", verdict.hairpinning, as_is);
    put(object, "unlisted_ports", verdict.unlisted_ports, as_is);
    put(object, "behind_nat", verdict.behind_nat, as_is);
    object["mapping_varies"] = verdict.mapping.reason == Reason::one_destination
                                   ? json::value(nullptr)
                                   : json::value(verdict.mapping_varies);
    if (!seen.anything_answered() || verdict.mapping.reason == Reason::inconsistent ||
        verdict.mapping.reason == Reason::servers_disagree ||
        verdict.mapping.reason == Reason::plain_address) {
        object["mapping_varies"] = nullptr;
    }
    object["filtered_by"] = filtered_by(result);
    json::array addresses;
    for (const IpAddress& address : verdict.public_addresses) {
        addresses.emplace_back(address.to_string());
    }
    object["public_addresses"] = std::move(addresses);
    put(object, "pooling_paired", verdict.pooling_paired, as_is);
    object["address_rewritten"] = nullptr;
    if (seen.rewritten) {
        object["address_rewritten"] =
            json::object{{"server", seen.rewritten->server.to_string()},
                         {"mapped_address", seen.rewritten->mapped.to_string()},
                         {"xor_mapped_address", seen.rewritten->xor_mapped.to_string()}};
    }
    object["carrier_hop"] = nullptr;
    if (verdict.carrier_hop) object["carrier_hop"] = verdict.carrier_hop->to_string();
    object["carrier_local"] = nullptr;
    if (verdict.carrier_local) object["carrier_local"] = verdict.carrier_local->to_string();
    object["translated_from_ipv6"] = verdict.translated_from_ipv6;
    object["destinations"] = destinations(verdict);
    object["servers"] = servers(seen);
    object["egress"] = egress_to_json(seen);
    object["udp_ports_tried"] = udp_ports_tried(seen);
    object["answers_without_cookie"] = nullptr;
    if (verdict.nat_type.reason == Reason::stun_filtered) {
        object["answers_without_cookie"] = judge_content(seen)->to_string();
    }
    object["controls"] = controls(seen, verdict.mapping_varies);
    object["local_port"] = given_port(seen);
    object["packets"] = packets(seen);
    object["invalid_from"] = nullptr;
    if (seen.invalid_from) object["invalid_from"] = seen.invalid_from->to_string();
    object["answered_elsewhere"] = nullptr;
    if (seen.answered_elsewhere) {
        object["answered_elsewhere"] =
            json::object{{"asked", seen.answered_elsewhere->asked.to_string()},
                         {"from", seen.answered_elsewhere->from.to_string()}};
    }
    return object;
}

void put_nat64(json::object& data, const Nat64Result& nat64) {
    data["nat64"] = nullptr;
    if (!nat64.asked) {
        data["nat64_reason"] = "not-asked";
    } else if (!nat64.found) {
        data["nat64_reason"] = "not-awaited";
    } else if (!*nat64.found) {
        data["nat64_reason"] = "name-lookup";
    } else if (const auto& prefix = **nat64.found) {
        data["nat64"] = json::object{{"prefix", prefix->to_string()}};
    } else {
        data["nat64_reason"] = "not-announced";
    }
}

}  // namespace p2pdiag::nat
