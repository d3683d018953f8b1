// What `nft -j list ruleset` prints (json_schema_version 1), read into a Ruleset.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

#include "ruleset.hpp"

namespace p2pdiag::firewall {

// Why a text is no ruleset: printable, says where.
struct ReadError {
    std::string message;
};
using Reading = boost::system::result<Ruleset, ReadError>;

// 64 MiB; a ruleset of 10 000 rules and 100 000 elements has 4.
inline constexpr std::size_t max_ruleset_text = std::size_t{64} << 20;

// Refuses what is not JSON of that shape or too large. Single rules, elements and statements that
// it does not understand become unknown ones.
Reading read_nft_json(std::string_view text);

// nft 1.0.6 prints a table's name where its flags should be. `text` is what `nft list ruleset`
// (without -j) prints; settles `dormant` and `owned` of the tables it finds there.
void settle_dormant(Ruleset& ruleset, std::string_view text);

// nft 1.0.6 does not print the interfaces of ingress and egress chains. Takes them from the same
// text; a chain that is not found there stays on an unknown one.
void settle_devices(Ruleset& ruleset, std::string_view text);

}  // namespace p2pdiag::firewall
