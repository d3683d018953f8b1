// Finds plugins and learns what they offer. No plugin code runs in this process: each table is read
// in a child, all of them in parallel, and a cache by file identity keeps the next start short.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "options/options.hpp"

namespace p2pdiag::loader {

struct Check {
    std::string id;
    std::string title;
    std::vector<std::string> needs;
    bool deep = false;
    std::uint32_t privileges = 0;  // p2pdiag_privilege bits
    Milliseconds deadline{0};      // 0 = the host's default
};

struct Verb {
    std::string name;
    std::string summary;
    options::VerbSchema schema;
};

struct Change {
    std::string id;
    std::string title;
    std::uint32_t privileges = 0;  // p2pdiag_privilege bits
    bool keeps = false;            // can be kept up: has a keep function
};

struct Recorder {
    std::string id;
    std::string title;
};

struct Plugin {
    std::filesystem::path file;
    std::string id;
    std::string version;
    std::string summary;
    std::vector<options::Option> options;
    std::vector<Check> checks;
    std::vector<Verb> verbs;
    std::vector<Change> changes;
    std::vector<Recorder> recorders;

    const Change* find_change(std::string_view id) const;
};

struct Rejected {
    std::filesystem::path path;  // a plugin file, or a whole directory
    std::string reason;
};

struct Plugins {
    std::vector<Plugin> loaded;  // by id
    std::vector<Rejected> rejected;

    const Plugin* find(std::string_view id) const;
    // Of the id of a check or change.
    const Plugin* owner_of(std::string_view id) const;
    const Check* find_check(std::string_view check_id) const;
};

// A plugin whose table cannot be read in this time hangs in a static constructor. All are read at
// once, and on a small or busy machine from a cold disk.
inline constexpr Milliseconds describe_deadline{10'000};

struct Search {
    std::vector<std::filesystem::path> directories;   // an earlier one wins a clash of ids
    std::optional<std::filesystem::path> cache_file;  // nothing = no cache
    // Told once whom it waits for, when that takes long.
    std::function<void(const std::string& message)> on_wait;
};

// Directories that do not exist are passed over. Reads every *.so in the others.
Plugins load(const Search& search);

// One file, read anew and whatever its directory: for `p2pdiag validate`. Either one loaded or one
// rejected. What is found out is remembered.
Plugins load_file(const std::filesystem::path& file,
                  const std::optional<std::filesystem::path>& cache_file);

}  // namespace p2pdiag::loader
