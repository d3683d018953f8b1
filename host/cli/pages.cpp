#include "cli/pages.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

#include "loader/trust.hpp"

namespace p2pdiag::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view heading = "## ";
// Of a plugin's page more is not read.
constexpr int max_lines = 100000;

std::string read_file(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

// What stands under the heading of that name.
std::optional<std::string> section(const fs::path& file, std::string_view name) {
    std::ifstream stream(file);
    std::string page;
    bool inside = false;
    int lines = 0;
    for (std::string line; lines < max_lines && std::getline(stream, line); ++lines) {
        if (line.starts_with(heading)) {
            if (inside) break;
            inside = std::string_view(line).substr(heading.size()) == name;
        } else if (inside) {
            page += line + '\n';
        }
    }
    if (!inside) return std::nullopt;
    page.erase(0, page.find_first_not_of('\n'));
    page.erase(page.find_last_not_of('\n') + 1);
    return page + '\n';
}

void add_headings(const fs::path& file, std::vector<std::string>& names) {
    std::ifstream stream(file);
    int lines = 0;
    for (std::string line; lines < max_lines && std::getline(stream, line); ++lines) {
        if (line.starts_with(heading)) names.push_back(line.substr(heading.size()));
    }
}

// Files of the project's own pages.
std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".md") files.push_back(entry.path());
    }
    return files;
}

// Judged as the plugin itself was: its folder is one that only its owner can write to.
std::optional<fs::path> trusted_pages_of(const loader::Plugin& plugin) {
    const fs::path file = pages_of(plugin);
    std::error_code error;
    if (!fs::is_regular_file(file, error) || loader::distrust(file)) return std::nullopt;
    return file;
}

}  // namespace

fs::path pages_of(const loader::Plugin& plugin) {
    return fs::path(plugin.file).replace_extension(".md");
}

std::optional<std::string> Pages::of_code(std::string_view code) const {
    const std::string area(code.substr(0, code.find('.')));
    if (area.find('/') != area.npos) return std::nullopt;
    if (auto own = section(context_.paths.data_dir / "codes" / (area + ".md"), code)) return own;
    for (const loader::Plugin& plugin : context_.plugins.loaded) {
        const auto file = trusted_pages_of(plugin);
        if (!file || context_.plugins.find_check(code) != nullptr) continue;
        if (auto page = section(*file, code)) return page;
    }
    return std::nullopt;
}

std::optional<std::string> Pages::of_check(std::string_view check) const {
    if (check.find('/') != check.npos) return std::nullopt;
    std::string own = read_file(context_.paths.data_dir / "checks" / (std::string(check) + ".md"));
    if (!own.empty()) return own;
    const loader::Plugin* plugin = context_.plugins.owner_of(check);
    const auto file = plugin == nullptr ? std::nullopt : trusted_pages_of(*plugin);
    return file ? section(*file, check) : std::nullopt;
}

std::vector<std::string> Pages::codes() const {
    std::vector<std::string> codes;
    for (const fs::path& file : files_in(context_.paths.data_dir / "codes")) {
        add_headings(file, codes);
    }
    for (const loader::Plugin& plugin : context_.plugins.loaded) {
        if (const auto file = trusted_pages_of(plugin)) add_headings(*file, codes);
    }
    std::erase_if(codes, [this](const std::string& name) {
        return context_.plugins.find_check(name) != nullptr;
    });
    std::sort(codes.begin(), codes.end());
    return codes;
}

std::vector<std::string> Pages::checks() const {
    std::vector<std::string> checks;
    for (const fs::path& file : files_in(context_.paths.data_dir / "checks")) {
        checks.push_back(file.stem().string());
    }
    std::sort(checks.begin(), checks.end());
    return checks;
}

}  // namespace p2pdiag::cli
