#include "links.hpp"

#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "link_owner.hpp"

namespace p2pdiag::network_plugin {

namespace {

using net::Interface;
using net::LinkKind;

// A host of containers may have thousands.
constexpr std::size_t max_listed = 64;

// The tunnel of a 464XLAT client is no VPN.
bool is_translator(const Interface& link) {
    return std::any_of(link.addresses.begin(), link.addresses.end(),
                       [](const auto& one) { return one.address.is_clat_side(); });
}

bool is_real_address(const net::InterfaceAddress& one) {
    const AddressScope scope = one.address.scope();
    return one.usable && scope != AddressScope::link_local && scope != AddressScope::loopback &&
           scope != AddressScope::unspecified;
}

class LinkJudge {
public:
    explicit LinkJudge(const Snapshot& machine) : machine_(machine) {}

    Judgement run() {
        describe();
        if (!has_link()) {
            no_link();
        } else if (!machine_.internet_v4 && !machine_.internet_v6) {
            default_route() == nullptr ? no_default_route() : route_refused();
        } else {
            connected();
        }
        return std::move(result_);
    }

private:
    const Interface* find(int index) const {
        const auto& all = machine_.interfaces;
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const Interface& one) { return one.index == index; });
        return found == all.end() ? nullptr : &*found;
    }

    std::string name_of(int index) const {
        const Interface* link = find(index);
        return link == nullptr ? std::string() : printable(link->name);
    }

    // The link that traffic of the family leaves by.
    const Interface* egress(const std::optional<net::Route>& route) const {
        return route ? find(route->interface) : nullptr;
    }

    // Could this link lead anywhere? A bridge without a real member joins containers of this
    // machine only.
    bool leads_out(const Interface& link) const {
        if (!link.working()) return false;
        if (link.kind == LinkKind::loopback || link.kind == LinkKind::dummy) return false;
        if (link.kind != LinkKind::bridge) return true;
        if (&link == egress(machine_.internet_v4) || &link == egress(machine_.internet_v6)) {
            return true;
        }
        const auto& all = machine_.interfaces;
        return std::any_of(all.begin(), all.end(), [&](const Interface& member) {
            const bool real = member.kind == LinkKind::ethernet || member.kind == LinkKind::wifi;
            return member.master == link.index && real && member.working();
        });
    }

    bool has_link() const {
        const auto& all = machine_.interfaces;
        return std::any_of(all.begin(), all.end(), [&](const Interface& link) {
            const auto& addresses = link.addresses;
            return leads_out(link) &&
                   std::any_of(addresses.begin(), addresses.end(), is_real_address);
        });
    }

    void no_link() {
        const auto& all = machine_.interfaces;
        const bool connected = std::any_of(all.begin(), all.end(),
                                           [&](const Interface& link) { return leads_out(link); });
        json::array links;
        for (const Interface& link : all) {
            if (link.kind == LinkKind::loopback || links.size() == max_listed) continue;
            const char* state = !link.up          ? "switched off"
                                : !link.carrier   ? "not connected"
                                : leads_out(link) ? "without an address"
                                                  : "leads nowhere";
            links.push_back(json::object{{"interface", printable(link.name)}, {"state", state}});
        }
        std::string message =
            connected ? "A network link is up, but none has an IP address (no DHCP answer?)"
                      : "No network link but loopback is up and connected";
        result_.add("net.no-link", Severity::error, message, {{"interfaces", std::move(links)}});
        result_.finish(P2PDIAG_FAIL, message);
    }

    void no_default_route() {
        const std::string message = "There is a network link, but no route to the internet";
        json::array links;
        for (const Interface& link : machine_.interfaces) {
            if (leads_out(link) && links.size() < max_listed) {
                links.push_back(json::value(printable(link.name)));
            }
        }
        result_.add("net.no-default-route", Severity::error, message,
                    {{"interfaces", std::move(links)}});
        result_.finish(P2PDIAG_FAIL, message);
    }

    // One that stands, by a link that works.
    const net::DefaultRoute* default_route() const {
        const auto& all = machine_.default_routes;
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& route) {
            const Interface* link = find(route.interface);
            return link != nullptr && leads_out(*link);
        });
        return found == all.end() ? nullptr : &*found;
    }

    // The kernel refuses all the same: something comes before the route.
    void route_refused() {
        constexpr std::size_t most = 16;
        json::array rules;
        for (const std::string& rule : machine_.own_rules) {
            if (rules.size() < most) rules.push_back(json::value(printable(rule)));
        }
        const std::string message =
            "There is a default route by " + name_of(default_route()->interface) +
            ", but this machine refuses to send to the internet: " +
            (rules.empty() ? "another route" : "a rule of `ip rule` or another route") +
            " comes before it";
        result_.add(
            "net.route-refused", Severity::error, message,
            {{"interface", name_of(default_route()->interface)}, {"rules", std::move(rules)}});
        result_.finish(P2PDIAG_FAIL, message);
    }

    void connected() {
        const bool vpn = check_vpn();
        check_ipv6();
        const bool duplicate = check_duplicates();
        const bool silent_v4 = check_gateway(machine_.internet_v4);
        const bool silent_v6 = check_gateway(machine_.internet_v6);
        result_.finish(vpn || duplicate || silent_v4 || silent_v6 ? P2PDIAG_WARN : P2PDIAG_PASS,
                       "IPv4 " + path_text(machine_.internet_v4) + "; IPv6 " +
                           path_text(machine_.internet_v6));
    }

    bool check_vpn() {
        json::object through;
        std::string name;
        const auto look = [&](std::string_view family, const std::optional<net::Route>& route) {
            const Interface* link = egress(route);
            if (link == nullptr || link->kind != LinkKind::tunnel || is_translator(*link)) return;
            name = printable(link->name);
            through[family] = name;
        };
        look("ipv4", machine_.internet_v4);
        look("ipv6", machine_.internet_v6);
        if (through.empty()) return false;
        result_.add("net.vpn-default-route", Severity::warning,
                    "Traffic leaves through the tunnel " + name +
                        ": the NAT that peers see is the VPN's, not that of this network",
                    std::move(through));
        return true;
    }

    void check_ipv6() {
        if (!machine_.internet_v6) return;
        const Interface* link = egress(machine_.internet_v6);
        if (link == nullptr) return;
        const auto found =
            std::find_if(link->addresses.begin(), link->addresses.end(), [](const auto& one) {
                return one.usable && !one.address.is_v4() && one.address.is_public();
            });
        if (found == link->addresses.end()) return;
        result_.add(
            "net.ipv6-available", Severity::info,
            "This machine has a public IPv6 address and a route for it",
            {{"interface", printable(link->name)}, {"address", found->address.to_string()}});
    }

    // The kernel leaves such an address on the link, and does not use it.
    bool check_duplicates() {
        bool any = false;
        for (const Interface& link : machine_.interfaces) {
            for (const net::InterfaceAddress& one : link.addresses) {
                if (!link.working() || one.check != net::AddressCheck::failed) continue;
                if (std::exchange(any, true)) continue;
                const std::string address = one.address.to_string();
                result_.add("net.address-duplicate", Severity::warning,
                            "Another machine on the link of " + printable(link.name) +
                                " has the address " + address +
                                ": this machine does not use it, and nothing comes in to it",
                            {{"interface", printable(link.name)}, {"address", address}});
            }
        }
        return any;
    }

    const net::Neighbour* neighbour(const std::optional<net::Route>& route) const {
        if (!route || !route->gateway) return nullptr;
        const auto& all = machine_.neighbours;
        const auto found = std::find_if(all.begin(), all.end(), [&](const net::Neighbour& one) {
            return one.address == *route->gateway && one.interface == route->interface;
        });
        return found == all.end() ? nullptr : &*found;
    }

    bool check_gateway(const std::optional<net::Route>& route) {
        const net::Neighbour* gateway = neighbour(route);
        if (gateway == nullptr || gateway->state != net::NeighbourState::failed) return false;
        const std::string address = gateway->address.to_string();
        result_.add("net.gateway-silent", Severity::warning,
                    "The router " + address + " did not answer when it was last looked for on " +
                        name_of(gateway->interface),
                    {{"gateway", address}, {"interface", name_of(gateway->interface)}});
        return true;
    }

    std::string path_text(const std::optional<net::Route>& route) const {
        const Interface* link = egress(route);
        if (link == nullptr) return "has no route";
        std::string text = "by " + printable(link->name) + " (";
        text += net::to_string(link->kind);
        text += ")";
        if (route->source) text += " from " + route->source->to_string();
        return text;
    }

    void describe() {
        json::array links;
        for (const Interface& link : machine_.interfaces) {
            if (links.size() < max_listed) links.push_back(describe(link));
        }
        result_.data["interfaces_left_out"] = machine_.interfaces.size() - links.size();
        result_.data["interfaces"] = std::move(links);
        json::array routes;
        for (const net::DefaultRoute& route : machine_.default_routes) {
            if (routes.size() < max_listed) routes.push_back(describe(route));
        }
        result_.data["default_routes"] = std::move(routes);
        describe_path("ipv4", machine_.internet_v4);
        describe_path("ipv6", machine_.internet_v6);
    }

    json::object describe(const Interface& link) const {
        json::array addresses;
        for (const auto& one : link.addresses) {
            if (addresses.size() == max_listed) break;
            addresses.push_back(json::object{{"address", one.address.to_string()},
                                             {"prefix", one.prefix},
                                             {"scope", to_string(one.address.scope())},
                                             {"usable", one.usable},
                                             {"check", net::to_string(one.check)}});
        }
        const std::string_view owner = owner_of(link.name);
        const Interface* master = link.master == 0 ? nullptr : find(link.master);
        return {
            {"name", printable(link.name)},
            {"kind", net::to_string(link.kind)},
            {"owner", owner.empty() ? json::value() : json::value(owner)},
            {"master", master == nullptr ? json::value() : json::value(printable(master->name))},
            {"leads_out", leads_out(link)},
            {"up", link.up},
            {"carrier", link.carrier},
            {"mtu", link.mtu},
            {"addresses", std::move(addresses)}};
    }

    json::object describe(const net::DefaultRoute& route) const {
        json::object text{{"family", to_string(route.family)},
                          {"gateway", nullptr},
                          {"interface", nullptr},
                          {"metric", route.metric}};
        if (route.gateway) text["gateway"] = route.gateway->to_string();
        if (find(route.interface) != nullptr) text["interface"] = name_of(route.interface);
        return text;
    }

    void describe_path(std::string_view family, const std::optional<net::Route>& route) {
        const std::string reason = std::string(family) + "_reason";
        const Interface* link = egress(route);
        if (link == nullptr) {
            result_.data[family] = nullptr;
            result_.data[reason] = "no-route";
            return;
        }
        json::object path{{"interface", printable(link->name)},
                          {"kind", net::to_string(link->kind)},
                          {"mtu", link->mtu},
                          {"source", nullptr},
                          {"gateway", nullptr},
                          {"gateway_state", nullptr}};
        if (const net::Neighbour* gateway = neighbour(route)) {
            path["gateway_state"] = net::to_string(gateway->state);
        }
        if (route->source) path["source"] = route->source->to_string();
        if (route->gateway) path["gateway"] = route->gateway->to_string();
        result_.data[family] = std::move(path);
        result_.data[reason] = nullptr;
    }

    const Snapshot& machine_;
    Judgement result_;
};

}  // namespace

Judgement judge(const Snapshot& machine) { return LinkJudge(machine).run(); }

}  // namespace p2pdiag::network_plugin
