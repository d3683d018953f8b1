#include "owner.hpp"

#include <algorithm>
#include <iterator>

namespace p2pdiag::firewall {

namespace {

struct OwnerSign {
    std::string_view start;  // of a name
    std::string_view owner;
    bool whole = false;  // and nothing behind it
};

// What these programs call their chains, in tables that they share.
constexpr OwnerSign chain_signs[] = {
    {"ufw-", "ufw"},
    {"ufw6-", "ufw"},
    {"DOCKER", "docker"},
    {"NETAVARK", "podman"},
    {"CNI-", "podman"},
    {"LIBVIRT_", "libvirt"},
    {"MINIUPNPD", "miniupnpd"},
    {"miniupnpd", "miniupnpd"},
    {"prerouting_miniupnpd", "miniupnpd"},
    {"postrouting_miniupnpd", "miniupnpd"},
    {"KUBE-", "kubernetes"},
    {"ts-", "tailscale"},
    {"f2b-", "fail2ban"},
};

// And tables of their own.
constexpr OwnerSign table_signs[] = {
    // TABLE_NAME, and that with "_" and TABLE_NAME_POLICY, of firewalld's core/nftables.py: the
    // second stands during a reload and in panic mode.
    {"firewalld", "firewalld", true},
    {"firewalld_policy_drop", "firewalld", true},
    {"netavark", "podman"},
    {"libvirt", "libvirt"},
    {"miniupnpd", "miniupnpd"},
    {"kube-proxy", "kubernetes"},
    {"f2b-", "fail2ban"},
    {"docker", "docker"},
};

template <std::size_t size>
std::string_view find(const OwnerSign (&signs)[size], std::string_view name) {
    const auto* found =
        std::find_if(std::begin(signs), std::end(signs), [&](const OwnerSign& sign) {
            return sign.whole ? name == sign.start : name.starts_with(sign.start);
        });
    return found == std::end(signs) ? std::string_view() : found->owner;
}

// ufw and Docker set the policy of a chain that is not theirs by name.
std::string_view owner_of_policy(const Ruleset& ruleset, const Chain& chain) {
    for (const Chain& other : ruleset.chains) {
        if (other.table != chain.table) continue;
        const std::string_view owner = find(chain_signs, other.name);
        if (owner == "ufw" || (owner == "docker" && chain.name == "FORWARD")) return owner;
    }
    return {};
}

std::string_view owner_of_jump(const Ruleset& ruleset, const Rule& rule) {
    for (const Step& step : rule.steps) {
        const auto* decision = std::get_if<Decision>(&step);
        if (decision == nullptr || decision->chain == no_index) continue;
        return find(chain_signs, ruleset.chains[decision->chain].name);
    }
    return {};
}

bool is_of_iptables(const Table& table, const Chain& chain) {
    if (table.family != TableFamily::ip && table.family != TableFamily::ip6) return false;
    for (const std::string_view name :
         {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}) {
        if (chain.name == name) return true;
    }
    return false;
}

}  // namespace

std::string_view owner_of(const Place& place) {
    if (place.chain == nullptr) return {};
    const Table& table = place.ruleset->tables[place.chain->table];
    std::string_view owner = find(table_signs, table.name);
    if (owner.empty()) owner = find(chain_signs, place.chain->name);
    if (owner.empty() && place.rule == nullptr)
        owner = owner_of_policy(*place.ruleset, *place.chain);
    if (owner.empty() && place.rule != nullptr) owner = owner_of_jump(*place.ruleset, *place.rule);
    if (!owner.empty()) return owner;
    const bool compatible =
        place.ruleset->source == Source::nft && is_of_iptables(table, *place.chain);
    return to_string(compatible ? Source::iptables_nft : place.ruleset->source);
}

}  // namespace p2pdiag::firewall
