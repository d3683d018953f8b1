// A folder of its own for each test case, gone with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "profile/profile.hpp"

namespace p2pdiag {

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "p2pdiag-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    const std::filesystem::path& path() const { return path_; }

    // Writes a file that its owner alone can read, with the folders it needs.
    std::filesystem::path write(const std::string& name, std::string_view text) const {
        const std::filesystem::path file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
        std::filesystem::permissions(file, std::filesystem::perms(0600));
        return file;
    }

private:
    std::filesystem::path path_;
};

// A request that sees this folder and nothing else: data/profiles, config.toml, profiles.
inline profile::Request request_in(const Folder& folder) {
    profile::Request request;
    request.data_dir = folder.path() / "data";
    request.user_config = folder.path() / "config.toml";
    request.user_profiles = folder.path() / "profiles";
    request.environment = [](const std::string&) { return std::nullopt; };
    return request;
}

// All problems, a line each.
inline std::string problems(const profile::Request& request) {
    const auto loaded = profile::load(request);
    std::string out;
    if (loaded.has_value()) return out;
    for (const auto& problem : loaded.error()) out += problem.to_string() + '\n';
    return out;
}

// What is wrong with a profile of this text; "at" stands for the file's path.
inline std::string problems_of(std::string_view text, profile::Request request = {}) {
    const Folder folder;
    const std::string file = folder.write("x.toml", text).string();
    request.data_dir = folder.path();
    request.profile = file;
    std::string out = problems(request);
    for (std::size_t at = out.find(file); at != out.npos; at = out.find(file)) {
        out.replace(at, file.size(), "at");
    }
    return out;
}

}  // namespace p2pdiag
