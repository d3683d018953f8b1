#include "report/html/findings.hpp"

#include <algorithm>
#include <cmath>

#include "report/html/text.hpp"
#include "report/report_json.hpp"

namespace p2pdiag::report::html {
namespace {

std::string remedy_item(const Remedy& remedy) {
    std::string out = "<li><p>" + text(remedy.title);
    if (remedy.needs_root) out += ' ' + chip("plain", "as root");
    if (remedy.reversible) out += ' ' + chip("plain", "can be undone");
    if (remedy.automatic) out += ' ' + chip("plain", "p2pdiag can do it");
    out += "</p>\n";
    if (!remedy.command.empty()) out += command(remedy.command);
    return out + "</li>\n";
}

std::string remedy_list(const std::vector<Remedy>& remedies) {
    if (remedies.empty()) return {};
    std::string out = "<ul class=\"remedies\">\n";
    for (const Remedy& remedy : remedies) out += remedy_item(remedy);
    return out + "</ul>\n";
}

std::string sureness(double confidence) {
    const double share = std::isfinite(confidence) ? std::clamp(confidence, 0.0, 1.0) : 0.0;
    return "<p class=\"sure\">" + std::to_string(std::lround(share * 100)) +
           " % sure <svg class=\"bar\" aria-hidden=\"true\" width=\"100%\" height=\"6\"><rect "
           "class=\"rail\" width=\"100%\" height=\"6\" rx=\"3\"/><rect class=\"fill\" width=\"" +
           percent(share) + "\" height=\"6\" rx=\"3\"/></svg></p>\n";
}

std::string cause_card(const Cause& cause) {
    const std::string heading =
        cause.title.empty() ? code(cause.code) : text(cause.title) + ' ' + code(cause.code);
    std::string out = "<article class=\"card\">\n<h3>" + heading + "</h3>\n" +
                      sureness(cause.confidence) + "<p class=\"lead\">" + text(cause.explanation) +
                      "</p>\n";
    if (!cause.findings.empty()) {
        out += "<p class=\"small\">It stands on";
        for (std::size_t i = 0; i < cause.findings.size(); ++i) {
            out += (i == 0 ? " " : ", ") + code(cause.findings[i]);
        }
        out += ".</p>\n";
    }
    if (!cause.settle.empty()) {
        out += "<h4>What would settle it</h4>\n<ul>\n";
        for (const std::string& how : cause.settle) out += "<li>" + text(how) + "</li>\n";
        out += "</ul>\n";
    }
    if (!cause.remedies.empty()) out += "<h4>What to do</h4>\n" + remedy_list(cause.remedies);
    return out + "</article>\n";
}

// Of the causes that stand on it; the page about its code says the rest.
std::string remedies_for(const Report& report, const Finding& finding) {
    std::string out;
    for (const Cause& cause : report.causes) {
        if (std::ranges::find(cause.findings, finding.code) == cause.findings.end()) continue;
        out += remedy_list(cause.remedies);
    }
    return "<h4>What to do</h4>\n" + out + command("p2pdiag explain " + finding.code);
}

std::string finding_card(const Report& report, const Finding& finding) {
    std::string out = "<article class=\"card finding\">\n<h3>" + code(finding.code) + ' ' +
                      chip(kind_of(finding.severity), to_string(finding.severity)) + "</h3>\n<p>" +
                      text(finding.message) + "</p>\n<p class=\"small\">found by " +
                      (finding.check.empty() ? "p2pdiag itself" : code(finding.check)) + "</p>\n";
    if (!finding.evidence.empty()) {
        out += "<details><summary>Evidence</summary>\n" +
               data_block(to_json(finding).at("evidence")) + "</details>\n";
    }
    out += "<details" + std::string(finding.severity == Severity::error ? " open" : "") +
           "><summary>Remedy</summary>\n" + remedies_for(report, finding) + "</details>\n";
    return out + "</article>\n";
}

}  // namespace

std::string causes_section(const Report& report) {
    if (report.causes.empty()) return {};
    std::string out = "<section aria-labelledby=\"why\">\n<h2 id=\"why\">Why</h2>\n";
    for (const Cause& cause : report.causes) out += cause_card(cause);
    return out + "</section>\n";
}

std::string findings_section(const Report& report) {
    std::string grave;
    std::string others;
    std::size_t count = 0;
    for (const Severity severity : {Severity::error, Severity::warning, Severity::info}) {
        for (const Finding* finding : all_findings(report)) {
            if (finding->severity != severity) continue;
            if (severity == Severity::info) ++count;
            (severity == Severity::info ? others : grave) += finding_card(report, *finding);
        }
    }
    if (grave.empty() && others.empty()) return {};
    std::string out = "<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Findings</h2>\n";
    out += grave.empty() ? "<p class=\"quiet\">No error and no warning.</p>\n" : grave;
    if (count != 0) {
        out += "<details class=\"more\"><summary>" + std::to_string(count) +
               " for your information</summary>\n" + others + "</details>\n";
    }
    return out + "</section>\n";
}

}  // namespace p2pdiag::report::html
