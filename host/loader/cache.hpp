// Descriptions of plugins by the identity of their files: device, inode, size and change times of
// the plugin and of this executable. A file that changed in any way is simply not found.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/json.hpp"

namespace p2pdiag::loader {

class Cache {
public:
    static constexpr std::chrono::seconds hung_for{600};

    // An unreadable, foreign or broken cache file is an empty cache.
    explicit Cache(std::optional<std::filesystem::path> file);

    // What the file is now; empty when it cannot be looked at.
    static std::string identity(const std::filesystem::path& file);

    const json::object* find(const std::filesystem::path& plugin) const;
    // `identity` is that of before the file was read, so that one which changed meanwhile is not
    // found.
    void store(const std::filesystem::path& plugin, const std::string& identity,
               json::object description);
    // A plugin that hangs would cost every start the time that is waited for it. So the reason for
    // which it was refused holds for `hung_for`, with the time left put behind it: it may have been
    // the machine that was busy.
    std::optional<std::string> find_hung(const std::filesystem::path& plugin) const;
    void store_hung(const std::filesystem::path& plugin, const std::string& identity,
                    const std::string& reason);

    // Writes what is new, atomically and for this user alone. Failing to do so costs time at the
    // next start only.
    void save() const;

private:
    const json::object* find_entry(const std::filesystem::path& plugin) const;

    std::optional<std::filesystem::path> file_;
    json::object entries_;
    bool changed_ = false;
};

}  // namespace p2pdiag::loader
