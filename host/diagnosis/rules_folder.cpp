#include "diagnosis/rules_folder.hpp"

#include <algorithm>

#include "profile/file.hpp"
#include "profile/toml.hpp"

namespace p2pdiag::diagnosis {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 200;  // of one folder

}  // namespace

void read_rules_file(const fs::path& file, Rules& rules, Problems& problems) {
    const auto text = profile::read_file(file, profile::largest_profile);
    if (!text) {
        problems.push_back(text.error());
        return;
    }
    read_rules(text->text, file.string(), rules, problems);
}

void read_folders(const std::vector<fs::path>& folders, Rules& rules, Problems& problems) {
    for (const fs::path& folder : folders) {
        std::vector<fs::path> files;
        std::error_code ended;
        for (fs::directory_iterator entry(folder, ended), end; !ended && entry != end;
             entry.increment(ended)) {
            if (entry->path().extension() != ".toml") continue;
            if (files.size() == most_files) {
                problems.push_back({folder.string(), 0, 0, "holds more files than there may be"});
                break;
            }
            files.push_back(entry->path());
        }
        std::ranges::sort(files);
        for (const fs::path& file : files) read_rules_file(file, rules, problems);
    }
}

}  // namespace p2pdiag::diagnosis
