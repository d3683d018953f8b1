#include "cli/pages.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

namespace p2pdiag::cli {

namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

constexpr std::string_view heading = "## ";

}  // namespace

std::optional<std::string> code_page(const fs::path& data_dir, std::string_view code) {
    const std::string area(code.substr(0, code.find('.')));
    if (area.find('/') != area.npos) return std::nullopt;
    std::ifstream stream(data_dir / "codes" / (area + ".md"));
    std::string page;
    bool inside = false;
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(heading)) {
            if (inside) break;
            inside = std::string_view(line).substr(heading.size()) == code;
        } else if (inside) {
            page += line + '\n';
        }
    }
    if (!inside) return std::nullopt;
    page.erase(0, page.find_first_not_of('\n'));
    page.erase(page.find_last_not_of('\n') + 1);
    return page + '\n';
}

std::vector<std::string> known_codes(const fs::path& data_dir) {
    std::vector<std::string> codes;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(data_dir / "codes", error)) {
        std::ifstream stream(entry.path());
        for (std::string line; std::getline(stream, line);) {
            if (line.starts_with(heading)) codes.push_back(line.substr(heading.size()));
        }
    }
    std::sort(codes.begin(), codes.end());
    return codes;
}

std::optional<std::string> check_page(const fs::path& data_dir, std::string_view check) {
    if (check.find('/') != check.npos) return std::nullopt;
    const std::string page = read_file(data_dir / "checks" / (std::string(check) + ".md"));
    if (page.empty()) return std::nullopt;
    return page;
}

std::vector<std::string> pages_of_checks(const fs::path& data_dir) {
    std::vector<std::string> checks;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(data_dir / "checks", error)) {
        if (entry.path().extension() == ".md") checks.push_back(entry.path().stem().string());
    }
    std::sort(checks.begin(), checks.end());
    return checks;
}

}  // namespace p2pdiag::cli
