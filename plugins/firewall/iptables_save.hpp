// What `iptables-save` and `ip6tables-save` print, both of the legacy and of the nft kind, read
// into a Ruleset.
#pragma once

#include "nft_json.hpp"

namespace p2pdiag::firewall {

// Tables become tables of family ip or ip6, INPUT and its like base chains at the fixed priorities
// of xtables. Matches and targets that it does not understand become unknown ones.
Reading read_iptables_save(std::string_view text, Family family, Source source);

// nft's JSON loses the parameters of iptables' rules: replaces in `nft` each table that `saved`
// also has (family and name). `saved` is of Source::iptables_nft.
void replace_tables(Ruleset& nft, Ruleset saved);

}  // namespace p2pdiag::firewall
