// Opening a plugin file and judging its table before a single one of its functions is called.
#pragma once

#include <p2pdiag/abi.h>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace p2pdiag::child {

// Why a plugin is refused, in words for its author.
struct Refusal {
    std::string reason;
};
using Table = boost::system::result<const p2pdiag_plugin*, Refusal>;

inline std::string_view text(p2pdiag_str str) { return {str.data, str.size}; }

// Loads the file for the rest of this process (nothing is ever unloaded: what a plugin handed out
// may outlive any dlclose) and checks the table. Static constructors of the plugin run in here.
Table open_table(const std::filesystem::path& file);

// The same for a file that a host has had described before. Its symbols are not looked at once
// more: reading all of them takes longer than loading it.
Table reopen_table(const std::filesystem::path& file);

// None where the plugin was built before there were changes.
std::span<const p2pdiag_change* const> changes_of(const p2pdiag_plugin& plugin);

// None where the plugin was built before there were recorders.
std::span<const p2pdiag_recorder* const> recorders_of(const p2pdiag_plugin& plugin);

// The table as JSON, for the host's side. Only for a table that open_table accepted.
json::object to_json(const p2pdiag_plugin& plugin);

}  // namespace p2pdiag::child
