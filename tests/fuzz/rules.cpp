// The reader and the checker of diagnosis rules over arbitrary bytes: what is wrong is said in
// words that are safe to show, and whatever is taken can be used.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "diagnosis/engine.hpp"
#include "diagnosis/rules_check.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_harmless(std::string_view text) {
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        require(next.valid && !is_unsafe_to_show(next.code));
        text.remove_prefix(next.size);
    }
}

report::Report some_report() {
    report::Report report;
    report.target_port = 8000;
    report::CheckResult check;
    check.id = "stun.nat";
    check.status = report::Status::warn;
    check.data = json::object{{"outside", "private"}};
    for (const char* code : {"net.no-link", "nat.symmetric"}) {
        report::Finding finding;
        finding.code = code;
        finding.severity = report::Severity::error;
        finding.evidence = {{"family", "ipv4"}, {"n", 1}};
        check.findings.push_back(finding);
    }
    report.checks = {check};
    return report;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const diagnosis::Known known{{"net.no-link", "nat.symmetric"}, {"stun.nat"}, {}};
    diagnosis::Rules rules;
    diagnosis::Problems problems;
    diagnosis::read_rules({reinterpret_cast<const char*>(data), size}, "file", rules, problems);
    for (auto& problem : diagnosis::check_rules(rules, known)) problems.push_back(problem);
    for (const profile::Problem& problem : problems) {
        require(!problem.message.empty());
        require_harmless(problem.to_string());
    }
    report::Report report = some_report();
    diagnosis::diagnose(report, rules);
    for (const report::Cause& cause : report.causes) {
        require(cause.confidence >= 0.0 && cause.confidence <= 1.0 && cause.explained_by.empty());
    }
    return 0;
}
