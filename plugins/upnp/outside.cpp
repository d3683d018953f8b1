#include "outside.hpp"

#include <algorithm>

namespace p2pdiag::upnp_plugin {

SeenByStun SeenByStun::from_input(const json::object& input) {
    SeenByStun seen;
    const json::object* needs = json::find_object(input, "needs");
    const json::object* nat = needs == nullptr ? nullptr : json::find_object(*needs, "stun.nat");
    const json::object* data = nat == nullptr ? nullptr : json::find_object(*nat, "data");
    const json::object* ipv4 = data == nullptr ? nullptr : json::find_object(*data, "ipv4");
    if (ipv4 == nullptr) return seen;
    seen.behind_nat = json::find_bool(*ipv4, "behind_nat");
    seen.full_cone = json::find_string(*ipv4, "nat_type") == "full-cone";
    if (const auto hop = json::find_string(*ipv4, "carrier_hop")) {
        seen.carrier_hop = IpAddress::parse(*hop);
    }
    const auto add = [&seen](std::optional<IpAddress> address) {
        if (!address) return;
        const auto known = std::find(seen.addresses.begin(), seen.addresses.end(), *address);
        if (known == seen.addresses.end()) seen.addresses.push_back(*address);
    };
    if (const auto text = json::find_string(*ipv4, "public")) {
        if (const auto endpoint = Endpoint::parse(*text)) add(endpoint->address.unmapped());
    }
    if (const json::array* all = json::find_array(*ipv4, "public_addresses")) {
        for (const json::value& one : *all) {
            if (one.is_string()) add(IpAddress::parse(std::string(one.get_string())));
        }
    }
    return seen;
}

std::string_view to_string(Outside outside) {
    switch (outside) {
        case Outside::not_told: return "not-told";
        case Outside::unusable: return "unusable";
        case Outside::private_use: return "private";
        case Outside::carrier_grade: return "carrier-grade";
        case Outside::same_as_stun: return "same-as-stun";
        case Outside::differs: return "differs-from-stun";
        case Outside::not_compared: break;
    }
    return "not-compared";
}

Outside judge_outside(const std::optional<IpAddress>& external, const SeenByStun& seen) {
    if (!external) return Outside::not_told;
    switch (external->scope()) {
        case AddressScope::private_use: return Outside::private_use;
        case AddressScope::carrier_grade: return Outside::carrier_grade;
        case AddressScope::public_use: break;
        default: return Outside::unusable;
    }
    if (seen.addresses.empty()) return Outside::not_compared;
    const auto same = std::find(seen.addresses.begin(), seen.addresses.end(), *external);
    return same != seen.addresses.end() ? Outside::same_as_stun : Outside::differs;
}

bool is_not_reachable(Outside outside) {
    return outside == Outside::unusable || outside == Outside::private_use ||
           outside == Outside::carrier_grade;
}

std::vector<std::string> ways_out(Outside outside) {
    std::vector<std::string> ways;
    if (outside == Outside::carrier_grade) {
        ways.push_back(
            "The provider shares one public IPv4 address among its customers (carrier-grade NAT). "
            "No setting of your own router changes that.");
        ways.push_back("Ask the provider for a public IPv4 address.");
    } else {
        ways.push_back(
            "Another router stands between yours and the internet. If it is yours as well, forward "
            "the port there too, towards your inner router, or switch it to bridge mode.");
        ways.push_back(
            "If it is the provider's, ask for bridge mode or for a public IPv4 address.");
    }
    ways.push_back("Use IPv6 with peers that have it.");
    ways.push_back("Use a relay (TURN), or a VPN with a public port.");
    return ways;
}

}  // namespace p2pdiag::upnp_plugin
