#include "panic.hpp"

#include <algorithm>

namespace p2pdiag::firewall {

namespace {

constexpr std::string_view table_name = "firewalld_policy_drop";

bool has_table(const Ruleset& ruleset) {
    return std::ranges::find(ruleset.tables, table_name, &Table::name) != ruleset.tables.end();
}

}  // namespace

bool is_of_panic(const RuleRef& rule) {
    return rule.owner == "firewalld" && rule.table.ends_with(table_name);
}

void read_panic(const Sight& sight, World& world) {
    if (std::ranges::none_of(world.rulesets, has_table)) return;
    const Answer answer = sight.run({"firewall-cmd", "--query-panic"});
    if (answer.kind != Answer::Kind::ended) return;
    // It answers in words, and with 252 where firewalld does not run.
    if (answer.output.starts_with("yes")) world.panic = true;
    if (answer.output.starts_with("no\n")) world.panic = false;
}

std::string about_panic(const World& world) {
    if (world.panic == true) {
        return std::string(
                   "firewalld's panic mode is on, which drops everything in both "
                   "directions; `sudo ") +
               end_of_panic + "` ends it.";
    }
    if (world.panic == false) {
        return "firewalld was reloading, during which it drops what is new; it is not in panic "
               "mode. Ask again.";
    }
    return "firewalld drops everything so in panic mode, and what is new for a moment while it "
           "reloads: `sudo firewall-cmd --query-panic` tells whether that mode is on.";
}

}  // namespace p2pdiag::firewall
