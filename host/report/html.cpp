// Everything is in the page: no script, no font, no picture from elsewhere, and a policy that
// forbids them, so that a text from the network that got past the escaping could still do nothing.
#include "report/html.hpp"

#include "report/html/checks.hpp"
#include "report/html/delay_plot.hpp"
#include "report/html/findings.hpp"
#include "report/html/ladder.hpp"
#include "report/html/path_drawing.hpp"
#include "report/html/style.hpp"
#include "report/html/text.hpp"
#include "report/report_json.hpp"

namespace p2pdiag::report {
namespace html {
namespace {

std::string headline_of(const Report& report) {
    return report.verdict.headline.empty() ? "Verdict: " + report.verdict.status
                                           : report.verdict.headline;
}

std::string_view kind_of_verdict(const Verdict& verdict) {
    if (verdict.status == "open" || verdict.status == "direct") return "works";
    if (verdict.status == "offline") return "broken";
    return verdict.status == "unknown" ? "unknown" : "limited";
}

std::string head(const Report& report) {
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
           "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"referrer\" content=\"no-referrer\">\n"
           "<meta name=\"generator\" content=\"p2pdiag\">\n<title>" +
           text("p2pdiag: " + headline_of(report)) + "</title>\n<style>" +
           std::string(style_sheet) + "</style>\n</head>\n";
}

std::string fact(std::string_view name, const std::string& value) {
    return "<div><dt>" + std::string(name) + "</dt><dd>" + value + "</dd></div>\n";
}

// "2026-01-31 12:34:56 UTC"
std::string started_text(const Report& report) {
    const std::string stamp = timestamp(report.started);
    return "<time datetime=\"" + stamp + "\">" + stamp.substr(0, 10) + ' ' + stamp.substr(11, 8) +
           " UTC</time>";
}

std::string top(const Report& report) {
    std::string out = "<header>\n<p class=\"brand\">p2pdiag report</p>\n";
    out += chip(kind_of_verdict(report.verdict), report.verdict.status) + "\n<h1>" +
           text(headline_of(report)) + "</h1>\n";
    if (report.interrupted) {
        out +=
            "<p class=\"notice\" role=\"note\">The run was ended early; what follows is what was "
            "known by then.</p>\n";
    }
    out += "<dl class=\"facts\">\n" + fact("started", started_text(report)) +
           fact("took", duration_text(report.duration)) + fact("profile", text(report.profile)) +
           fact("port", std::to_string(report.target_port)) + "</dl>\n";
    return out + "</header>\n";
}

std::string bottom(const Report& report) {
    std::string out = "<footer>\n<p>p2pdiag " + text(report.tool_version);
    const char* separator = " with ";
    for (const PluginVersion& plugin : report.plugins) {
        out += separator + text(plugin.name) + ' ' + text(plugin.version);
        separator = ", ";
    }
    return out + "; run " + code(report.run_id) +
           "</p>\n<p>This page has no scripts and loads nothing.</p>\n</footer>\n";
}

}  // namespace
}  // namespace html

std::string html_document(const Report& report, const RenderOptions&) {
    return html::head(report) + "<body>\n<a class=\"skip\" href=\"#main\">To the report</a>\n" +
           html::top(report) + "<main id=\"main\">\n" + html::path_section(report) +
           html::causes_section(report) + html::findings_section(report) +
           html::checks_section(report) + html::delay_section(report) +
           html::ladder_section(report) + "</main>\n" + html::bottom(report) + "</body>\n</html>\n";
}

}  // namespace p2pdiag::report
