// The rules of other programs as these wrote them (tests/firewall/recorded), where they are put to
// the kernel too.
#include <catch2/catch.hpp>

#include "saved.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

std::string recorded(const std::string& name) {
    std::ifstream file(std::string(FIREWALL_RECORDED) + '/' + name);
    if (!file) throw std::runtime_error("no recorded " + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

// As a machine with iptables-nft shows it: nft's JSON, and what that loses from iptables-save.
Ruleset joined(const std::string& name) {
    Ruleset nft = parsed(recorded(name + ".json"));
    replace_tables(nft, saved(recorded(name + ".iptables"), Family::ipv4, Source::iptables_nft));
    if (name == "ufw") {
        replace_tables(nft, saved(recorded("ufw.ip6tables"), Family::ipv6, Source::iptables_nft));
    }
    return nft;
}

std::vector<std::string> not_understood(const Ruleset& ruleset) {
    std::vector<std::string> found = ruleset.unplaced;
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules) {
            for (const Step& step : rule.steps) {
                const auto* uncertain = std::get_if<Uncertain>(&step);
                const bool odd = uncertain != nullptr && !uncertain->why.circumstantial;
                if (odd || std::holds_alternative<Opaque>(step)) found.push_back(rule.text);
            }
        }
    }
    return found;
}

std::string owner(const Verdict& verdict) {
    return verdict.deciding_rule ? verdict.deciding_rule->owner : "";
}

}  // namespace

TEST_CASE("nothing that these programs write is left unread") {
    for (const char* name : {"ufw", "docker", "podman"}) {
        INFO(name);
        CHECK(not_understood(joined(name)) == std::vector<std::string>());
        CHECK(not_understood(saved(recorded(std::string(name) + ".iptables"))) ==
              std::vector<std::string>());
    }
    CHECK(not_understood(parsed(recorded("firewalld.json"))) == std::vector<std::string>());
    CHECK(not_understood(parsed(recorded("miniupnpd.json"))) == std::vector<std::string>());
}

TEST_CASE("ufw") {
    for (const Ruleset& ruleset : {joined("ufw"), saved(recorded("ufw.iptables"))}) {
        const World world = with(ruleset);
        const Verdict open = assess_inbound(world, packet());
        CHECK(open.kind == VerdictKind::accept);
        CHECK(owner(open) == "ufw");
        CHECK(open.deciding_rule->text == "-A ufw-user-input -p udp -m udp --dport 4000 -j ACCEPT");
        const Verdict shut = assess_inbound(world, packet(5000));
        CHECK(shut.kind == VerdictKind::reply_only);
        CHECK(owner(shut) == "ufw");
        CHECK(shut.deciding_rule->text == "policy drop");
        Packet limited = tcp(packet(2222));
        CHECK(assess_inbound(world, limited).kind == VerdictKind::depends);
    }
    // Tables of nft have handles, for `nft delete rule`.
    CHECK(assess_inbound(with(joined("ufw")), packet()).deciding_rule->handle > 0);
    CHECK(assess_inbound(with(joined("ufw")), packet(5000, Family::ipv6)).kind ==
          VerdictKind::reply_only);
}

TEST_CASE("firewalld") {
    const World world = with(parsed(recorded("firewalld.json")));
    const Verdict open = assess_inbound(world, packet());
    CHECK(open.kind == VerdictKind::accept);
    CHECK(owner(open) == "firewalld");
    const Verdict shut = evaluate(world, packet(5000));
    CHECK(shut.kind == VerdictKind::reject);
    CHECK(shut.reject_kind == "icmp admin-prohibited");
    CHECK(owner(shut) == "firewalld");
    CHECK(assess_inbound(world, packet(5000)).kind == VerdictKind::reply_only);
    const Verdict forwarded = evaluate(world, packet(4001));
    CHECK(forwarded.kind == VerdictKind::accept);
}

TEST_CASE("docker and podman send a published port to the container") {
    for (const auto& [name, container, link_name] :
         {std::tuple{"docker", "172.17.0.2", "docker0"},
          std::tuple{"podman", "10.88.0.2", "podman0"}}) {
        INFO(name);
        World world = with(joined(name));
        world.interfaces.push_back(
            link(link_name, 9, net::LinkKind::bridge, {{ip(container), 16}}));
        // The address is the container's, beside which the bridge has one of its own.
        world.interfaces.back().addresses.front().address =
            name == std::string("docker") ? ip("172.17.0.1") : ip("10.88.0.1");
        Route route;
        route.destination = world.interfaces.back().addresses.front().address;
        route.prefix = 16;
        route.interface = 9;
        world.routes->push_back(route);
        world.sysctls.ipv4_forwarding = true;
        world.sysctls.rp_filter[link_name] = 0;
        const Verdict verdict = evaluate(world, packet());
        CHECK(verdict.kind == VerdictKind::accept);
        REQUIRE(verdict.delivery);
        CHECK_FALSE(verdict.delivery->local);
        CHECK(verdict.delivery->destination == ip(container));
        CHECK(verdict.delivery->interface == link_name);
        CHECK(owner(verdict) == name);
    }
}

TEST_CASE("miniupnpd") {
    const Ruleset ruleset = parsed(recorded("miniupnpd.json"));
    World world = with(ruleset);
    world.interfaces.push_back(link("wan0", 8, net::LinkKind::ethernet, {{ip("11.22.33.7"), 24}}));
    world.interfaces.push_back(link("lan0", 9, net::LinkKind::ethernet, {{ip("192.168.7.1"), 24}}));
    Route route;
    route.destination = ip("192.168.7.0");
    route.prefix = 24;
    route.interface = 9;
    world.routes->push_back(route);
    world.sysctls.ipv4_forwarding = true;
    world.sysctls.rp_filter["wan0"] = 0;
    Packet mapped = packet();
    mapped.interface = "wan0";
    mapped.source = ip("11.22.33.10");
    mapped.destination = ip("11.22.33.7");
    const Verdict verdict = evaluate(world, mapped);
    CHECK(verdict.kind == VerdictKind::accept);
    REQUIRE(verdict.delivery);
    CHECK(verdict.delivery->destination == ip("192.168.7.2"));
    bool named = false;
    for (const TraceStep& step : verdict.trace) named = named || step.rule.owner == "miniupnpd";
    CHECK(named);
}
