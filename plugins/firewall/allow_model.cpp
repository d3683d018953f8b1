#include "allow_model.hpp"

#include <algorithm>
#include <set>

#include "iptables_rule.hpp"
#include "journey.hpp"
#include "nft_expressions.hpp"
#include "owner.hpp"
#include "verdict.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr std::size_t most_ways = 8;

Spot spot_of(const World& world, const Place& place) {
    Spot spot;
    spot.ruleset = static_cast<std::size_t>(place.ruleset - world.rulesets.data());
    spot.chain = static_cast<std::size_t>(place.chain - place.ruleset->chains.data());
    if (place.rule != nullptr) {
        spot.rule = static_cast<std::size_t>(place.rule - place.chain->rules.data());
    }
    return spot;
}

bool is_for_another(const Packet& packet, const State& state) {
    // A redirection leads to this machine, whichever of its addresses that is.
    return !state.goes_to_some_own_address &&
           state.destination != Known{to_bits(packet.destination), 0};
}

// The chains that a rule may lead to.
void add_targets(const Ruleset& ruleset, const Rule& rule, std::vector<std::uint32_t>& targets) {
    const auto add = [&](const Decision& decision) {
        if (decision.chain != no_index) targets.push_back(decision.chain);
    };
    for (const Step& step : rule.steps) {
        if (const auto* decision = std::get_if<Decision>(&step)) add(*decision);
        const auto* map = std::get_if<VerdictMap>(&step);
        if (map == nullptr || map->lookup.set == no_index) continue;
        for (const Datum& datum : ruleset.sets[map->lookup.set].values) {
            if (datum.decision) add(*datum.decision);
        }
    }
}

bool decides_nothing(const Rule& rule) {
    return std::ranges::all_of(rule.steps, [](const Step& step) {
        return std::holds_alternative<Match>(step) || std::holds_alternative<Uncertain>(step) ||
               std::holds_alternative<Effectless>(step);
    });
}

bool leads_to(const Ruleset& ruleset, std::uint32_t from, std::size_t chain) {
    std::set<std::uint32_t> seen = {from};
    std::vector<std::uint32_t> open = {from};
    while (!open.empty()) {
        const std::uint32_t here = open.back();
        open.pop_back();
        if (here == chain) return true;
        std::vector<std::uint32_t> targets;
        for (const Rule& rule : ruleset.chains[here].rules) add_targets(ruleset, rule, targets);
        for (const std::uint32_t target : targets) {
            if (seen.insert(target).second) open.push_back(target);
        }
    }
    return false;
}

bool is_built_in(const Chain& chain) {
    for (const std::string_view name :
         {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}) {
        if (chain.name == name) return chain.is_base;
    }
    return false;
}

std::vector<Step> read_nft(Ruleset& ruleset, std::uint32_t table, const Opening& opening,
                           bool for_this_machine) {
    const nft::Names names;
    const Table& where = ruleset.tables[table];
    const std::string family(to_string(where.family));
    const std::string name = where.name;
    nft::Context context{ruleset, names, family, name};
    std::vector<Step> steps;
    for (const json::value& statement : nft_statements(opening, for_this_machine)) {
        nft::read_statement(statement, context, steps);
    }
    return steps;
}

std::vector<Step> read_iptables(Ruleset& ruleset, std::uint32_t table, const Opening& opening,
                                bool for_this_machine) {
    std::string text;
    // The comment is one word here.
    for (const std::string& word : iptables_words(opening, for_this_machine, "p2pdiag")) {
        text += (text.empty() ? "" : " ") + word;
    }
    const std::string name = ruleset.tables[table].name;
    const bool v4 = ruleset.tables[table].family == TableFamily::ip;
    xtables::Context context{ruleset, v4 ? Family::ipv4 : Family::ipv6, name};
    xtables::Conditions conditions(context);
    const auto line = xtables::read_line(text);
    xtables::read_matches(*line, conditions);
    std::vector<Step> steps = std::move(std::move(conditions).take().front());
    steps.push_back(Decision{Decision::Kind::accept, no_index});
    return steps;
}

}  // namespace

Stopped find_obstacles(const World& world, const Packet& packet) {
    Stopped stopped;
    const Findings findings = Journey(world, packet, Limits()).run();
    stopped.trace = findings.trace;
    if (judge(findings).ordinarily_passes != false) return stopped;
    for (const Ending& ending : findings.endings) {
        // Who is on a list, or sends too much, is to be stopped further on.
        if (!ending.state.ordinary) continue;
        Obstacle obstacle;
        obstacle.why = ending.why;
        obstacle.elsewhere = is_for_another(packet, ending.state);
        if (ending.state.destination_port.is_exact()) {
            obstacle.port = static_cast<std::uint16_t>(ending.state.destination_port.value);
        }
        if (ending.place.chain != nullptr) {
            obstacle.spot = spot_of(world, ending.place);
            obstacle.rule = describe(ending.place);
        }
        stopped.obstacles.push_back(std::move(obstacle));
    }
    return stopped;
}

bool is_still_there(const Stopped& stopped, const Obstacle& obstacle) {
    return std::any_of(stopped.obstacles.begin(), stopped.obstacles.end(),
                       [&](const Obstacle& other) {
                           return other.rule == obstacle.rule &&
                                  other.spot.has_value() == obstacle.spot.has_value();
                       });
}

const Chain& chain_at(const World& world, const Spot& spot) {
    return world.rulesets[spot.ruleset].chains[spot.chain];
}

const Table& table_at(const World& world, const Spot& spot) {
    return world.rulesets[spot.ruleset].tables[chain_at(world, spot).table];
}

bool is_of_iptables(const World& world, const Spot& spot) {
    const Ruleset& ruleset = world.rulesets[spot.ruleset];
    if (ruleset.source != Source::nft) return true;
    const Table& table = table_at(world, spot);
    if (table.family != TableFamily::ip && table.family != TableFamily::ip6) return false;
    bool any = false;
    for (const Chain& chain : ruleset.chains) {
        if (&ruleset.tables[chain.table] != &table || !chain.is_base) continue;
        if (!is_built_in(chain)) return false;
        any = true;
    }
    return any;
}

bool sees_others_packets(const World& world, const Spot& spot) {
    const Ruleset& ruleset = world.rulesets[spot.ruleset];
    for (std::uint32_t i = 0; i < ruleset.chains.size(); ++i) {
        const Chain& base = ruleset.chains[i];
        if (!base.is_base || base.hook == Hook::input) continue;
        if (base.table != chain_at(world, spot).table) continue;
        if (leads_to(ruleset, i, spot.chain)) return true;
    }
    return false;
}

Spot before_the_log(const World& world, const Spot& spot) {
    const std::vector<Rule>& rules = chain_at(world, spot).rules;
    std::size_t at = spot.rule.value_or(rules.size());
    while (at > 0 && decides_nothing(rules[at - 1])) --at;
    Spot earlier = spot;
    if (at < rules.size()) earlier.rule = at;
    return earlier;
}

void insert_rule(World& world, const Spot& spot, const Opening& opening, bool for_this_machine) {
    const bool of_iptables = is_of_iptables(world, spot);
    Ruleset& ruleset = world.rulesets[spot.ruleset];
    const std::uint32_t table = ruleset.chains[spot.chain].table;
    Rule rule;
    rule.text = nft_rule_text(opening, for_this_machine);
    rule.steps = of_iptables ? read_iptables(ruleset, table, opening, for_this_machine)
                             : read_nft(ruleset, table, opening, for_this_machine);
    std::vector<Rule>& rules = ruleset.chains[spot.chain].rules;
    auto at = rules.end();
    if (spot.rule) at = rules.begin() + static_cast<std::ptrdiff_t>(*spot.rule);
    // A line of iptables that says "or" stands here as several rules with the same number.
    if (of_iptables && at != rules.end() && at->handle != 0) {
        while (at != rules.begin() && std::prev(at)->handle == at->handle) --at;
    }
    rules.insert(at, std::move(rule));
}

std::size_t append_to_chains(World& world, std::string_view table, std::string_view chain,
                             const Opening& opening) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < world.rulesets.size(); ++i) {
        for (std::size_t j = 0; j < world.rulesets[i].chains.size(); ++j) {
            const Spot spot{i, j, std::nullopt};
            if (chain_at(world, spot).name != chain || table_at(world, spot).name != table)
                continue;
            insert_rule(world, spot, opening, false);
            ++count;
        }
    }
    return count;
}

std::vector<Spot> ways_to_the_policy(const World& world, const Spot& spot,
                                     const std::vector<TraceStep>& trace) {
    std::vector<Spot> ways;
    const auto add = [&](const Spot& way) {
        if (ways.size() < most_ways && std::find(ways.begin(), ways.end(), way) == ways.end())
            ways.push_back(way);
    };
    const Ruleset& ruleset = world.rulesets[spot.ruleset];
    const std::string table = table_at(world, spot).title();
    for (auto step = trace.rbegin(); step != trace.rend(); ++step) {
        if (step->rule.table != table) continue;
        for (std::size_t i = 0; i < ruleset.chains.size(); ++i) {
            const Chain& chain = ruleset.chains[i];
            if (chain.table != ruleset.chains[spot.chain].table) continue;
            if (step->outcome == "goto " + chain.name) add({spot.ruleset, i, std::nullopt});
            if (chain.name != step->rule.chain || step->outcome != "return") continue;
            for (std::size_t j = 0; j < chain.rules.size(); ++j) {
                if (chain.rules[j].handle == step->rule.handle) add({spot.ruleset, i, j});
            }
        }
    }
    return ways;
}

}  // namespace p2pdiag::firewall
