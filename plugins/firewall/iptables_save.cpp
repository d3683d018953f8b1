#include "iptables_save.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/text.hpp"
#include "iptables_rule.hpp"

namespace p2pdiag::firewall {

namespace {

using xtables::Conditions;
using xtables::Line;
using xtables::Steps;

// What hangs where, and when: include/uapi/linux/netfilter_ipv4.h, the modules iptable_*.c.
struct BuiltIn {
    std::string_view table;
    std::string_view chain;
    Hook hook;
    std::int32_t priority;
};

constexpr BuiltIn built_ins[] = {{"raw", "PREROUTING", Hook::prerouting, -300},
                                 {"raw", "OUTPUT", Hook::output, -300},
                                 {"mangle", "PREROUTING", Hook::prerouting, -150},
                                 {"mangle", "INPUT", Hook::input, -150},
                                 {"mangle", "FORWARD", Hook::forward, -150},
                                 {"mangle", "OUTPUT", Hook::output, -150},
                                 {"mangle", "POSTROUTING", Hook::postrouting, -150},
                                 {"nat", "PREROUTING", Hook::prerouting, -100},
                                 {"nat", "INPUT", Hook::input, 100},
                                 {"nat", "OUTPUT", Hook::output, -100},
                                 {"nat", "POSTROUTING", Hook::postrouting, 100},
                                 {"filter", "INPUT", Hook::input, 0},
                                 {"filter", "FORWARD", Hook::forward, 0},
                                 {"filter", "OUTPUT", Hook::output, 0},
                                 {"security", "INPUT", Hook::input, 50},
                                 {"security", "FORWARD", Hook::forward, 50},
                                 {"security", "OUTPUT", Hook::output, 50}};

const BuiltIn* find_built_in(std::string_view table, std::string_view chain) {
    const auto* found = std::find_if(
        std::begin(built_ins), std::end(built_ins),
        [&](const BuiltIn& entry) { return entry.table == table && entry.chain == chain; });
    return found == std::end(built_ins) ? nullptr : found;
}

bool is_known_table(std::string_view name) {
    return std::any_of(std::begin(built_ins), std::end(built_ins),
                       [&](const BuiltIn& entry) { return entry.table == name; });
}

constexpr std::size_t most_text = 400;

std::string shown(std::string_view text) {
    if (text.size() <= most_text) return printable(text, most_text);
    return printable(text, most_text - 3) + "...";
}

// The next word, taken off the text.
std::string_view take_word(std::string_view& text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    return word;
}

class SaveReader {
public:
    SaveReader(Family family, Source source) : family_(family) { ruleset_.source = source; }

    Reading read(std::string_view text) {
        std::size_t number = 0;
        while (!text.empty()) {
            ++number;
            const std::size_t end = std::min(text.find('\n'), text.size());
            std::string_view line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
                line.remove_suffix(1);
            line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
            if (line.empty() || line.front() == '#') continue;
            if (!read_line(line)) {
                return ReadError{"line " + std::to_string(number) +
                                 " is not what iptables-save prints: " + printable(line, 80)};
            }
        }
        if (in_table_) {
            return ReadError{"the text ends within table " + ruleset_.tables.back().name +
                             ", before its COMMIT"};
        }
        return std::move(ruleset_);
    }

private:
    void unplaced(std::string_view line) {
        constexpr std::size_t most = 20;
        if (ruleset_.unplaced.size() < most) ruleset_.unplaced.push_back(printable(line, 200));
    }

    bool read_line(std::string_view line) {
        if (line.front() == '*') return begin_table(line.substr(1));
        if (!in_table_) return false;
        if (line == "COMMIT") {
            in_table_ = false;
        } else if (line.front() == ':') {
            declare(line);
        } else {
            command(line);
        }
        return true;
    }

    bool begin_table(std::string_view name) {
        if (in_table_) return false;
        in_table_ = true;
        chains_.clear();
        Table table;
        table.family = family_ == Family::ipv4 ? TableFamily::ip : TableFamily::ip6;
        table.name = printable(name, 40);
        const auto same = [&](const Table& other) { return other.name == table.name; };
        if (std::any_of(ruleset_.tables.begin(), ruleset_.tables.end(), same)) {
            unplaced("table " + table.name + " for the second time");
        }
        if (!is_known_table(table.name)) unplaced("table " + table.name);
        ruleset_.tables.push_back(std::move(table));
        return true;
    }

    std::uint32_t table() const { return static_cast<std::uint32_t>(ruleset_.tables.size() - 1); }

    // ":INPUT DROP [0:0]", or "-" for the policy of a chain that no hook calls.
    void declare(std::string_view line) {
        std::string_view rest = line.substr(1);
        const std::string_view name = take_word(rest);
        const std::string_view policy = take_word(rest);
        if (name.empty() || chains_.contains(std::string(name))) return unplaced(line);
        const std::uint32_t index = add_chain(name);
        Chain& chain = ruleset_.chains[index];
        if (!chain.is_base) {
            if (policy != "-") unplaced(line);
            return;
        }
        set_policy(chain, policy);
    }

    std::uint32_t add_chain(std::string_view name) {
        Chain chain;
        chain.name = printable(name, 64);
        chain.table = table();
        const std::string& table_name = ruleset_.tables.back().name;
        if (const BuiltIn* built_in = find_built_in(table_name, name)) {
            chain.is_base = true;
            chain.hook = built_in->hook;
            chain.priority = built_in->priority;
            if (table_name == "nat") chain.type = ChainType::nat;
            if (table_name == "mangle" && chain.hook == Hook::output) chain.type = ChainType::route;
        }
        const auto index = static_cast<std::uint32_t>(ruleset_.chains.size());
        ruleset_.chains.push_back(std::move(chain));
        chains_.emplace(name, index);
        return index;
    }

    // "[5:300] -A INPUT …": rules, and the few other commands that files written by hand have.
    void command(std::string_view line) {
        std::string_view rest = line;
        if (rest.front() == '[') take_word(rest);
        std::string_view word = take_word(rest);
        if (word == "-4" || word == "-6") {
            if ((word == "-4") != (family_ == Family::ipv4)) return;
            word = take_word(rest);
        }
        const std::string_view whole(word.data(),
                                     static_cast<std::size_t>(line.end() - word.begin()));
        const std::string name(take_word(rest));
        if (name.empty()) return unplaced(line);
        const bool known = chains_.contains(name);
        if (word == "-N" && !known && rest.empty()) {
            add_chain(name);
        } else if (word == "-P" && known && ruleset_.chains[chains_[name]].is_base) {
            set_policy(ruleset_.chains[chains_[name]], take_word(rest));
        } else if ((word == "-A" || word == "-I") && (known || built_in_here(name))) {
            const bool first = word == "-I" && !starts_with_number(rest);
            if (word == "-I" && !first) return unplaced(line);
            add_rule(known ? chains_[name] : add_undeclared(name), whole, rest, first);
        } else {
            unplaced(line);
        }
    }

    static void set_policy(Chain& chain, std::string_view policy) {
        chain.drops = policy == "DROP";
        chain.unread = policy != "DROP" && policy != "ACCEPT";
    }

    static bool starts_with_number(std::string_view text) {
        const std::string_view word = take_word(text);
        return !word.empty() && word.front() >= '0' && word.front() <= '9';
    }

    bool built_in_here(std::string_view name) const {
        return find_built_in(ruleset_.tables.back().name, name) != nullptr;
    }

    // Loading such a file leaves the policy as it was.
    std::uint32_t add_undeclared(const std::string& name) {
        const std::uint32_t index = add_chain(name);
        ruleset_.chains[index].unread = true;
        return index;
    }

    void add_rule(std::uint32_t chain, std::string_view whole, std::string_view text, bool first) {
        Rule rule;
        rule.text = shown(whole);
        std::vector<Steps> ways;
        if (const auto line = xtables::read_line(text); line && !line->odd) {
            xtables::Context context{ruleset_, family_, ruleset_.tables.back().name};
            Conditions conditions(context);
            rule.comment = xtables::read_matches(*line, conditions);
            ways = std::move(conditions).take();
            if (line->target) add_target(*line, context, ways);
        } else {
            ways = {{Opaque{{rule.text, false}}}};
        }
        std::vector<Rule>& rules = ruleset_.chains[chain].rules;
        rule.handle = rules.empty() ? 1 : rules.back().handle + 1;
        for (std::size_t i = 0; i < ways.size(); ++i) {
            Rule one = rule;
            one.steps = std::move(ways[i]);
            rules.insert(first ? rules.begin() + static_cast<std::ptrdiff_t>(i) : rules.end(),
                         std::move(one));
        }
        if (first) number(rules, ways.size());
    }

    // After `fresh` rules of one line were put before the others.
    static void number(std::vector<Rule>& rules, std::size_t fresh) {
        for (std::size_t i = 0; i < rules.size(); ++i) {
            if (i < fresh)
                rules[i].handle = 1;
            else
                ++rules[i].handle;
        }
    }

    void add_target(const Line& line, const xtables::Context& context, std::vector<Steps>& ways) {
        Steps target;
        if (const auto chain = chains_.find(line.target->name); chain != chains_.end()) {
            target = {
                Decision{line.goes ? Decision::Kind::go : Decision::Kind::jump, chain->second}};
        } else {
            target = xtables::read_target(*line.target, context);
        }
        for (Steps& way : ways) way.insert(way.end(), target.begin(), target.end());
    }

    Family family_;
    Ruleset ruleset_;
    bool in_table_ = false;
    std::unordered_map<std::string, std::uint32_t> chains_;  // of the table that is being read
};

}  // namespace

Reading read_iptables_save(std::string_view text, Family family, Source source) {
    if (text.size() > max_ruleset_text) {
        return ReadError{"the rules are larger than " + std::to_string(max_ruleset_text >> 20) +
                         " MiB"};
    }
    return SaveReader(family, source).read(text);
}

}  // namespace p2pdiag::firewall
