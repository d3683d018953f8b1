// What a ruleset's file is, by its text alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"

namespace p2pdiag::firewall {

enum class RulesetFormat : std::uint8_t {
    nft_json,       // for read_nft_json
    iptables_save,  // for read_iptables_save, after split_saves
    windows,        // for read_foreign, as macos
    macos,
    unreadable  // `advice` says why, and what to run instead
};
std::string_view to_string(RulesetFormat format);  // "nft-json", "iptables-save", "windows", …

struct Recognised {
    RulesetFormat format = RulesetFormat::unreadable;
    std::string advice;  // one sentence; empty where the format can be read
};

// `text` is what decode_file made of the file. Looks at its beginning; that all of it is of that
// format only its reader can tell.
Recognised recognise(std::string_view text);

// What one run of iptables-save or ip6tables-save printed. A file may hold both, one after the
// other.
struct SavedTables {
    std::optional<Family> family;  // by its first line, or by addresses; absent: neither tells
    std::string_view text;         // of the text that was split
};
std::vector<SavedTables> split_saves(std::string_view text);

}  // namespace p2pdiag::firewall
