// What `iptables-save` and `ip6tables-save` print, both of the legacy and of the nft kind, read
// into a Ruleset.
#pragma once

#include "nft_json.hpp"

namespace p2pdiag::firewall {

// Tables become tables of family ip or ip6, INPUT and its like base chains at the fixed priorities
// of xtables. Matches and targets that it does not understand become unknown ones. The handle of a
// rule is its number in the chain, as `iptables -L --line-numbers` prints it; a line that says "or"
// becomes several rules with the same number. Refuses what ends before a table's COMMIT.
Reading read_iptables_save(std::string_view text, Family family, Source source);

// Whether nft printed no more of some part of the rule than a name, "xt match …".
bool has_lost(const Rule& rule);

// nft's JSON loses the parameters of iptables' rules, printed as "xt match …": takes these rules of
// `nft` from `saved`, which is of Source::iptables_nft. Rules keep nft's handles and get iptables'
// text. A table that `nft` does not have is added.
void replace_tables(Ruleset& nft, Ruleset saved);

}  // namespace p2pdiag::firewall
