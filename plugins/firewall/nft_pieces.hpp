// The rules of nftables that are in force, also where nft does not print them whole as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nft_json.hpp"
#include "readers.hpp"

namespace p2pdiag::firewall {

// More chains than that are not asked for one by one.
inline constexpr std::size_t max_pieces = 200;

// The table at which `listing`, of `nft -j list ruleset`, ends in the middle: "inet filter"; ""
// where it does not. nft 1.0.6 prints freed memory in place of a table's only flag, as "owner" of
// one that a running program keeps, and stops where that is no text.
std::string broken_off_at(std::string_view listing);

// What the whole listing would be, put together from those of sets, maps and single chains, which
// print no table. All tables have a flag that is not known. Nothing where a piece is not to be had,
// or the rules change meanwhile.
std::optional<std::string> list_in_pieces(const Sight& sight);

// The rules in force, if need be in pieces. `answer` becomes what nft said to the whole; an error
// also where that is not good.
Reading list_nft(const Sight& sight, Answer& answer);

}  // namespace p2pdiag::firewall
