// The reader of reports over arbitrary bytes: it may refuse them, with words that are safe to show,
// and what it takes can be diagnosed, again with the same result, and written and read once more.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "diagnosis/compare.hpp"
#include "diagnosis/engine.hpp"
#include "diagnosis/rules_folder.hpp"
#include "report/formats.hpp"
#include "report/read.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_harmless(std::string_view text) {
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        require(next.valid && (next.code == '\n' || !is_unsafe_to_show(next.code)));
        text.remove_prefix(next.size);
    }
}

diagnosis::Rules shipped_rules() {
    diagnosis::Rules rules;
    diagnosis::Problems problems;
    diagnosis::read_folders({RULES_DIR}, rules, problems);
    require(problems.empty() && !rules.causes.empty());
    return rules;
}

// What is pasted into a shell holds nothing that a shell would run.
void require_plain_commands(const report::Report& report) {
    for (const report::Cause& cause : report.causes) {
        for (const report::Remedy& remedy : cause.remedies) {
            require(remedy.command.find_first_of(";&|`$<>\n\\\"'") == std::string::npos);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const diagnosis::Rules rules = shipped_rules();
    const auto read = report::read_report({reinterpret_cast<const char*>(data), size});
    if (!read.has_value()) {
        require(!read.error().why.empty());
        require_harmless(read.error().why);
        return 0;
    }
    report::Report report = *read;
    diagnosis::diagnose(report, rules);
    require_plain_commands(report);
    const std::string once = json::to_text(to_json(report));
    diagnosis::diagnose(report, rules);
    require(json::to_text(to_json(report)) == once);
    const auto again = report::read_report(once);
    require(again.has_value());
    require(diagnosis::compare(report, *again).list.empty());
    for (const report::Format& format : report::formats()) {
        if (format.name == "console") require_harmless(format.render(report, {}));
    }
    return 0;
}
