#include "report/html/delay_plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "report/delays.hpp"
#include "report/html/text.hpp"

namespace p2pdiag::report::html {
namespace {

std::string number_text(double value) {
    char out[32];
    std::snprintf(out, sizeof out, value < 10 && value != std::floor(value) ? "%.1f" : "%.0f",
                  value);
    return out;
}

double upper_end(const Delay& delay) { return delay.rtt_ms + delay.jitter_ms.value_or(0); }

// The end of the scale: 1, 2 or 5 times a power of ten.
double scale_for(const std::vector<Delay>& delays) {
    double most = 1;
    for (const Delay& delay : delays) most = std::max(most, upper_end(delay));
    const double power = std::pow(10, std::floor(std::log10(most)));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (most <= step * power) return step * power;
    }
    return 10 * power;
}

std::string values(const Delay& delay) {
    std::string out = number_text(delay.rtt_ms) + " ms";
    if (delay.jitter_ms) out += ", jitter " + number_text(*delay.jitter_ms) + " ms";
    if (delay.loss_percent) out += ", " + number_text(*delay.loss_percent) + " % lost";
    return out;
}

std::string drawing(const Delay& delay, double scale) {
    const double low = delay.rtt_min_ms.value_or(delay.rtt_ms);
    std::string out = "<svg class=\"delay\" aria-hidden=\"true\" width=\"100%\" height=\"20\">";
    for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
        out += "<line class=\"grid\" x1=\"" + percent(tick) + "\" x2=\"" + percent(tick) +
               "\" y2=\"20\"/>";
    }
    out += "<line class=\"range\" x1=\"" + percent(low / scale) + "\" x2=\"" +
           percent(upper_end(delay) / scale) +
           "\" y1=\"10\" y2=\"10\"/><circle class=\"dot\" cx=\"" + percent(delay.rtt_ms / scale) +
           "\" cy=\"10\" r=\"5\"/></svg>\n";
    return out;
}

std::string scale_line(double scale) {
    return "<div class=\"scale small\" aria-hidden=\"true\"><span>0</span><span>" +
           number_text(scale / 2) + "</span><span>" + number_text(scale) + " ms</span></div>\n";
}

}  // namespace

std::string delay_section(const Report& report) {
    const std::vector<Delay> delays = delays_of(report);
    if (delays.empty()) return {};
    const double scale = scale_for(delays);
    std::string out =
        "<section aria-labelledby=\"delay\">\n<h2 id=\"delay\">Delay</h2>\n<p "
        "class=\"quiet\">There "
        "and back. The dot is the median; the line reaches from the fastest answer to the median "
        "plus "
        "the jitter.</p>\n<div class=\"card\">\n<ol class=\"delays\">\n";
    for (const Delay& delay : delays) {
        out += "<li><p>" + text(delay.family + ' ' + delay.where) + ' ' + code(delay.address) +
               "</p>\n" + drawing(delay, scale) + "<p class=\"small\">" + text(values(delay)) +
               "</p></li>\n";
    }
    return out + "</ol>\n" + scale_line(scale) + "</div>\n</section>\n";
}

}  // namespace p2pdiag::report::html
