#include "report/html/checks.hpp"

#include <algorithm>
#include <cmath>

#include "report/html/text.hpp"

namespace p2pdiag::report::html {
namespace {

// What the timeline is long; at least the end of the last check.
double whole_of(const Report& report) {
    double whole = static_cast<double>(report.duration.count());
    for (const CheckResult& check : report.checks) {
        if (!check.started) continue;
        whole = std::max(whole, static_cast<double>(check.started->count()) +
                                    static_cast<double>(check.duration.count()));
    }
    return std::max(whole, 1.0);
}

std::string bar(const CheckResult& check, double whole) {
    if (!check.started) return "<p class=\"small when\">never started</p>\n";
    const double from = static_cast<double>(check.started->count()) / whole;
    // Never so short that it cannot be seen.
    const double width = std::max(static_cast<double>(check.duration.count()) / whole, 0.008);
    const double start = std::min(from, 1.0 - width);
    return "<div class=\"when\"><svg class=\"bar " + std::string(kind_of(check.status)) +
           "\" aria-hidden=\"true\" width=\"100%\" height=\"10\"><rect class=\"rail\" "
           "width=\"100%\" height=\"10\" rx=\"5\"/><rect class=\"fill\" x=\"" +
           percent(start) + "\" width=\"" + percent(width) +
           "\" height=\"10\" rx=\"5\"/></svg>\n<p class=\"small\">at " +
           duration_text(*check.started) + ", for " + duration_text(check.duration) +
           "</p></div>\n";
}

std::string row(const CheckResult& check, double whole) {
    std::string status(to_string(check.status));
    std::ranges::replace(status, '_', ' ');
    std::string out = "<li>\n<p class=\"check\">" + code(check.id) + ' ' +
                      chip(kind_of(check.status), status) + "</p>\n<div class=\"said\">";
    out += "<p>" + (check.summary.empty() ? "It said nothing." : text(check.summary)) + "</p>\n";
    if (!check.data.is_null()) {
        out += "<details><summary>Data<span class=\"unseen\"> of " + text(check.id) +
               "</span></summary>\n" + data_block(to_json(check).at("data")) + "</details>\n";
    }
    return out + "</div>\n" + bar(check, whole) + "</li>\n";
}

}  // namespace

std::string checks_section(const Report& report) {
    std::string out = "<section aria-labelledby=\"checks\">\n<h2 id=\"checks\">Checks</h2>\n";
    if (report.checks.empty()) {
        return out + "<p class=\"quiet\">No check was run.</p>\n</section>\n";
    }
    const double whole = whole_of(report);
    out += "<p class=\"quiet\">The bars show when each of them ran, within " +
           duration_text(std::chrono::milliseconds(std::llround(std::min(whole, 1e15)))) +
           ".</p>\n<ol class=\"card checks\">\n";
    for (const CheckResult& check : report.checks) out += row(check, whole);
    return out + "</ol>\n</section>\n";
}

}  // namespace p2pdiag::report::html
