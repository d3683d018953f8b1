// The outputs for people, word for word. After a wanted change renew the files with
//   P2PDIAG_RENEW_GOLDEN=1 build/dev/bin/unit_host_report "[golden]"
// and look at what git says of them.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "report/console.hpp"
#include "report/markdown.hpp"
#include "samples.hpp"

using namespace p2pdiag;

namespace {

void compare(const std::string& name, const std::string& text) {
    const std::string path = std::string(GOLDEN_DIR) + '/' + name;
    if (std::getenv("P2PDIAG_RENEW_GOLDEN") != nullptr) {
        std::ofstream(path, std::ios::binary) << text;
    }
    std::ifstream file(path, std::ios::binary);
    std::ostringstream golden;
    golden << file.rdbuf();
    CAPTURE(path);
    CHECK(text == golden.str());
}

report::RenderOptions options(bool verbose = false, unsigned width = 80) {
    report::RenderOptions out;
    out.verbose = verbose;
    out.width = width;
    return out;
}

}  // namespace

TEST_CASE("console, word for word", "[golden]") {
    for (const auto& [name, report] : report::all_samples()) {
        compare("console-" + name + ".txt", report::console(report, options()));
    }
    compare("console-verbose.txt", report::console(report::all_statuses(), options(true)));
    compare("console-narrow.txt", report::console(report::all_statuses(), options(false, 40)));
    report::RenderOptions ascii = options();
    ascii.unicode = false;
    compare("console-ascii.txt", report::console(report::hostile(), ascii));
    report::RenderOptions colour = options();
    colour.colour = true;
    compare("console-colour.txt", report::console(report::diagnosed(), colour));
}

TEST_CASE("markdown, word for word", "[golden]") {
    for (const auto& [name, report] : report::all_samples()) {
        compare("markdown-" + name + ".txt", report::markdown(report, options()));
    }
}
