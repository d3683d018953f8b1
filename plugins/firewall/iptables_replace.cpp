#include <algorithm>
#include <utility>
#include <variant>

#include "iptables_save.hpp"

namespace p2pdiag::firewall {

namespace {

bool is_lost(const Unknowable& why) { return why.what.starts_with("xt "); }

class Replacement {
public:
    Replacement(Ruleset& nft, Ruleset saved) : nft_(nft), saved_(std::move(saved)) {}

    void run() {
        // iptables' rules refer to sets by number: theirs come behind those that are there.
        offset_ = static_cast<std::uint32_t>(nft_.sets.size());
        nft_.sets.insert(nft_.sets.end(), saved_.sets.begin(), saved_.sets.end());
        for (const Table& table : saved_.tables) tables_.push_back(find_or_add(table));
        for (const Chain& chain : saved_.chains) chains_.push_back(find_or_add(chain));
        for (std::size_t i = 0; i < saved_.chains.size(); ++i) {
            if (chains_[i] != no_index) merge(nft_.chains[chains_[i]], saved_.chains[i]);
        }
        for (std::string& what : saved_.unplaced) nft_.unplaced.push_back(std::move(what));
    }

private:
    std::uint32_t find_or_add(const Table& table) {
        const auto same = [&](const Table& other) {
            return other.family == table.family && other.name == table.name;
        };
        const auto found = std::find_if(nft_.tables.begin(), nft_.tables.end(), same);
        const auto index = static_cast<std::uint32_t>(found - nft_.tables.begin());
        if (found == nft_.tables.end()) nft_.tables.push_back(table);
        return index;
    }

    std::uint32_t find_or_add(const Chain& chain) {
        const std::uint32_t table = tables_[chain.table];
        const auto same = [&](const Chain& other) {
            return other.table == table && other.name == chain.name;
        };
        const auto found = std::find_if(nft_.chains.begin(), nft_.chains.end(), same);
        if (found != nft_.chains.end())
            return static_cast<std::uint32_t>(found - nft_.chains.begin());
        // iptables-nft prints the built-in chains that the table could have, too.
        if (chain.is_base && chain.rules.empty() && !chain.drops) return no_index;
        nft_.chains.push_back(chain);
        nft_.chains.back().table = table;
        nft_.chains.back().rules.clear();
        return static_cast<std::uint32_t>(nft_.chains.size() - 1);
    }

    // Rule by rule where both lists have as many, which they do unless the rules changed in
    // between.
    void merge(Chain& chain, const Chain& from) {
        const std::size_t lines =
            from.rules.empty() ? 0 : static_cast<std::size_t>(from.rules.back().handle);
        const bool aligned = lines == chain.rules.size();
        if (!aligned && std::none_of(chain.rules.begin(), chain.rules.end(), has_lost) &&
            !chain.rules.empty()) {
            return;
        }
        std::vector<Rule> rules;
        std::size_t line = 0;
        for (std::size_t i = 0; i < from.rules.size(); ++i) {
            const bool begins = i == 0 || from.rules[i].handle != from.rules[i - 1].handle;
            if (begins) ++line;
            if (!aligned) {
                rules.push_back(translated(from.rules[i]));
                rules.back().handle = 0;
                continue;
            }
            const Rule& own = chain.rules[line - 1];
            if (has_lost(own)) {
                rules.push_back(translated(from.rules[i]));
            } else if (begins) {
                rules.push_back(own);
                rules.back().text = from.rules[i].text;
                rules.back().comment = from.rules[i].comment;
            } else {
                continue;
            }
            rules.back().handle = own.handle;
        }
        chain.rules = std::move(rules);
    }

    Rule translated(Rule rule) const {
        for (Step& step : rule.steps) {
            if (auto* match = std::get_if<Match>(&step);
                match != nullptr && match->set != no_index) {
                match->set += offset_;
            } else if (auto* decision = std::get_if<Decision>(&step);
                       decision != nullptr && decision->chain != no_index) {
                decision->chain = chains_[decision->chain];
            }
        }
        return rule;
    }

    Ruleset& nft_;
    Ruleset saved_;
    std::uint32_t offset_ = 0;
    std::vector<std::uint32_t> tables_;  // of saved_ -> of nft_
    std::vector<std::uint32_t> chains_;
};

}  // namespace

bool has_lost(const Rule& rule) {
    return std::any_of(rule.steps.begin(), rule.steps.end(), [](const Step& step) {
        if (const auto* uncertain = std::get_if<Uncertain>(&step)) return is_lost(uncertain->why);
        if (const auto* opaque = std::get_if<Opaque>(&step)) return is_lost(opaque->why);
        return false;
    });
}

void replace_tables(Ruleset& nft, Ruleset saved) { Replacement(nft, std::move(saved)).run(); }

}  // namespace p2pdiag::firewall
