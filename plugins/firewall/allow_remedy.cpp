#include "allow_remedy.hpp"

#include <algorithm>
#include <optional>

#include "owner.hpp"
#include "panic.hpp"
#include "verdict.hpp"

namespace p2pdiag::firewall {

namespace {

std::string spelled(const Opening& opening) {
    return std::to_string(opening.port) + '/' + std::string(protocol_word(opening.protocol));
}

bool has_chain(const World& world, std::string_view name) {
    for (const Ruleset& ruleset : world.rulesets) {
        for (const Chain& chain : ruleset.chains) {
            if (chain.name == name) return true;
        }
    }
    return false;
}

// Whatever does not come to a program on this machine under this very port.
Refusal refuse_rewritten(const World& world, const Obstacle& obstacle, const Opening& opening) {
    if (!obstacle.elsewhere) {
        return {"A rule sends packets to " + described(opening) + " on to port " +
                std::to_string(obstacle.port) +
                (obstacle.spot ? ", and there " + named(obstacle.rule) + " stops them"
                               : ". There they do not come in: " + obstacle.why) +
                ". Allow that port, or take the redirection away"};
    }
    std::string text = "Packets to " + described(opening) +
                       " are sent on to another machine or container" +
                       (obstacle.spot ? ", and " + named(obstacle.rule) + " stops them on the way"
                                      : ". They do not get there: " + obstacle.why);
    if (has_chain(world, "DOCKER-USER")) {
        text += ". Docker leaves the chain DOCKER-USER to you: sudo iptables -I DOCKER-USER -p " +
                std::string(protocol_word(opening.protocol)) + " -m conntrack --ctorigdstport " +
                std::to_string(opening.port) + " -j ACCEPT";
    }
    return {text};
}

// No rule's doing.
Refusal refuse_other(const Obstacle& obstacle) {
    std::string text = "No rule stops it, but: " + obstacle.why;
    if (obstacle.why.find("rp_filter") != std::string::npos) {
        text +=
            ". The routes of this machine do not fit the way that packets take: a route back "
            "through the same interface is missing. A rule cannot change that";
    }
    return {text};
}

Refusal refuse_owned(const Obstacle& obstacle, const Opening& opening) {
    const std::string start = named(obstacle.rule) + " stops it, a rule of " + obstacle.rule.owner;
    const std::string port = std::to_string(opening.port);
    const std::string& owner = obstacle.rule.owner;
    if (owner == "docker") {
        return {start + ". Publish the port where the container is started: docker run -p " + port +
                ":" + spelled(opening)};
    }
    if (owner == "podman") {
        return {start + ". Publish the port where the container is started: podman run -p " + port +
                ":" + spelled(opening)};
    }
    if (owner == "libvirt") {
        return {start +
                ", which protects its virtual networks. Put the guest on a bridge, or "
                "forward the port in a hook of libvirt (/etc/libvirt/hooks/qemu)"};
    }
    if (owner == "fail2ban") {
        return {start +
                ": it has banned the sender. See who is banned: sudo fail2ban-client "
                "banned"};
    }
    if (owner == "miniupnpd") {
        return {start +
                ", which opens ports by itself when programs ask it: p2pdiag forward add "
                "--port " +
                port};
    }
    return {start +
            ". It would come back when that program writes its rules anew: change its own "
            "configuration"};
}

// The same packet with the step in place.
bool is_gone(const World& after, const Packet& packet, const Obstacle& obstacle) {
    return !is_still_there(find_obstacles(after, packet), obstacle);
}

std::variant<Remedy, Refusal> ask_ufw(const World& world, const Packet& packet,
                                      const Obstacle& obstacle, const Opening& opening) {
    Remedy remedy;
    remedy.step.tool = Tool::ufw;
    remedy.step.opening = opening;
    remedy.after = world;
    const bool v4_too = !opening.source || opening.source->address.is_v4();
    const bool v6_too = !opening.source || !opening.source->address.is_v4();
    if (v4_too) append_to_chains(remedy.after, "filter", "ufw-user-input", opening);
    if (v6_too) append_to_chains(remedy.after, "filter", "ufw6-user-input", opening);
    if (is_gone(remedy.after, packet, obstacle)) return remedy;
    return Refusal{named(obstacle.rule) +
                   " stops it before the rules are asked that 'ufw allow' adds. Look at it with "
                   "'sudo ufw status numbered' and take it away with 'sudo ufw delete NUMBER'; "
                   "what does not stand there is in /etc/ufw/before.rules or before6.rules"};
}

// "public", where the packet came through the zone's own chain filter_IN_public.
std::string zone_of(const std::vector<TraceStep>& trace) {
    constexpr std::string_view start = "jump filter_IN_";
    constexpr std::string_view end = "_allow";
    for (auto step = trace.rbegin(); step != trace.rend(); ++step) {
        const std::string_view outcome = step->outcome;
        if (step->rule.owner != "firewalld" || !outcome.starts_with(start)) continue;
        if (!outcome.ends_with(end) || outcome.size() <= start.size() + end.size()) continue;
        const std::string_view zone =
            outcome.substr(start.size(), outcome.size() - start.size() - end.size());
        if (!zone.starts_with("policy_")) return std::string(zone);
    }
    return {};
}

std::variant<Remedy, Refusal> ask_firewalld(const World& world, const Packet& packet,
                                            const Stopped& stopped, const Obstacle& obstacle,
                                            const Opening& opening) {
    if (is_of_panic(obstacle.rule)) {
        std::string about = about_panic(world);
        about.pop_back();  // the full stop
        return Refusal{named(obstacle.rule) + " stops it. " + about};
    }
    Remedy remedy;
    remedy.step.tool = Tool::firewalld;
    remedy.step.opening = opening;
    remedy.step.zone = zone_of(stopped.trace);
    remedy.after = world;
    const std::string chain = "filter_IN_" + remedy.step.zone + "_allow";
    const bool known = !remedy.step.zone.empty() &&
                       append_to_chains(remedy.after, "firewalld", chain, opening) > 0;
    if (known && is_gone(remedy.after, packet, obstacle)) return remedy;
    return Refusal{named(obstacle.rule) +
                   " stops it, and the ports of a zone are not asked before. Look at 'sudo "
                   "firewall-cmd --list-all-zones', '--list-all-policies' and '--direct "
                   "--get-all-rules'"};
}

RulePlace place_of(const World& world, const Spot& spot, bool of_iptables) {
    const Chain& chain = chain_at(world, spot);
    const Table& table = table_at(world, spot);
    RulePlace place;
    place.family = std::string(to_string(table.family));
    place.table = table.name;
    place.chain = chain.name;
    place.for_this_machine = sees_others_packets(world, spot);
    if (!spot.rule) return place;
    const Rule& rule = chain.rules[*spot.rule];
    place.text = rule.text;
    if (world.rulesets[spot.ruleset].source == Source::nft) place.handle = rule.handle;
    if (!of_iptables) return place;
    // A line that says "or" stands here as several rules with the same number.
    place.line = 1;
    for (std::size_t i = 0; i < *spot.rule; ++i) {
        const bool same_line =
            chain.rules[i].handle != 0 && chain.rules[i].handle == chain.rules[i + 1].handle;
        if (!same_line) ++place.line;
    }
    return place;
}

Tool tool_of(const World& world, const Spot& spot) {
    if (!is_of_iptables(world, spot)) return Tool::nft;
    const Source source = world.rulesets[spot.ruleset].source;
    return source == Source::iptables_legacy ? Tool::iptables_legacy : Tool::iptables_nft;
}

std::optional<Remedy> write_rule(const World& world, const Packet& packet, const Spot& spot,
                                 const Obstacle& obstacle, const Opening& opening) {
    Remedy remedy;
    remedy.step.tool = tool_of(world, spot);
    remedy.step.opening = opening;
    remedy.step.place = place_of(world, spot, remedy.step.tool != Tool::nft);
    const bool has_handle = remedy.step.tool != Tool::nft || !spot.rule ||
                            chain_at(world, spot).rules[*spot.rule].handle != 0;
    if (!has_handle) return std::nullopt;
    remedy.after = world;
    insert_rule(remedy.after, spot, opening, remedy.step.place.for_this_machine);
    if (!is_gone(remedy.after, packet, obstacle)) return std::nullopt;
    return remedy;
}

}  // namespace

std::variant<Remedy, Refusal> find_remedy(const World& world, const Packet& packet,
                                          const Stopped& stopped, const Opening& opening) {
    const Obstacle& obstacle = stopped.obstacles.front();
    if (obstacle.elsewhere || (obstacle.port != 0 && obstacle.port != opening.port)) {
        return refuse_rewritten(world, obstacle, opening);
    }
    if (!obstacle.spot) return refuse_other(obstacle);
    const std::string& owner = obstacle.rule.owner;
    if (owner == "ufw") return ask_ufw(world, packet, obstacle, opening);
    if (owner == "firewalld") return ask_firewalld(world, packet, stopped, obstacle, opening);
    if (owner != "nft" && owner != "iptables-nft" && owner != "iptables-legacy") {
        return refuse_owned(obstacle, opening);
    }
    if (table_at(world, *obstacle.spot).owned) {
        return Refusal{
            named(obstacle.rule) +
            " stops it. A running program owns that table (flags owner), and nobody else "
            "may change it: change that program's own configuration"};
    }
    std::vector<Spot> spots = {*obstacle.spot};
    if (!obstacle.spot->rule) {
        const auto ways = ways_to_the_policy(world, *obstacle.spot, stopped.trace);
        spots.insert(spots.end(), ways.begin(), ways.end());
    }
    for (const Spot& spot : spots) {
        const Spot place = before_the_log(world, spot);
        if (auto remedy = write_rule(world, packet, place, obstacle, opening)) return *remedy;
    }
    return Refusal{named(obstacle.rule) +
                   " stops it, and no place was found where a rule before it would help"};
}

}  // namespace p2pdiag::firewall
