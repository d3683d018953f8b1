#include "rules_there.hpp"

#include <algorithm>

namespace p2pdiag::firewall {

namespace {

bool asks_for_connection(const std::vector<Expression>& expressions) {
    return std::any_of(expressions.begin(), expressions.end(), [](const Expression& expression) {
        if (std::holds_alternative<Ct>(expression.form)) return true;
        if (const auto* arithmetic = std::get_if<Arithmetic>(&expression.form))
            return asks_for_connection(arithmetic->operands);
        const auto* lookup = std::get_if<MapLookup>(&expression.form);
        return lookup != nullptr && asks_for_connection(lookup->key);
    });
}

bool wants_tracking(const Step& step) {
    if (std::holds_alternative<Translate>(step)) return true;
    if (const auto* match = std::get_if<Match>(&step)) return asks_for_connection(match->left);
    if (const auto* map = std::get_if<VerdictMap>(&step))
        return asks_for_connection(map->lookup.key);
    const auto* mark = std::get_if<SetMark>(&step);
    return mark != nullptr && (mark->of_connection || asks_for_connection({mark->value}));
}

bool is_of(const Table& table, Family family) {
    const TableFamily own = family == Family::ipv4 ? TableFamily::ip : TableFamily::ip6;
    return table.family == own || table.family == TableFamily::inet;
}

}  // namespace

bool is_tracking_wanted(const World& world, Family family) {
    for (const Ruleset& ruleset : world.rulesets) {
        for (const Chain& chain : ruleset.chains) {
            if (!is_of(ruleset.tables[chain.table], family)) continue;
            for (const Rule& rule : chain.rules) {
                if (std::any_of(rule.steps.begin(), rule.steps.end(), wants_tracking)) return true;
            }
        }
    }
    return false;
}

bool does_something(const Ruleset& ruleset, const Chain& chain) {
    const bool idle = chain.rules.empty() && !chain.drops && !chain.unread;
    return chain.is_base && !ruleset.tables[chain.table].dormant && !idle;
}

bool has_rules_of(const World& world, TableFamily family) {
    for (const Ruleset& ruleset : world.rulesets) {
        for (const Chain& chain : ruleset.chains) {
            const bool of_family = ruleset.tables[chain.table].family == family;
            if (of_family && does_something(ruleset, chain)) return true;
        }
    }
    return false;
}

bool is_on(const Chain& chain, std::string_view device) {
    return std::any_of(chain.devices.begin(), chain.devices.end(), [&](std::string_view name) {
        if (!name.ends_with('*')) return name == device;
        return device.starts_with(name.substr(0, name.size() - 1));
    });
}

}  // namespace p2pdiag::firewall
