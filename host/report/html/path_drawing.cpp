// Drawn twice, along the page and down it; the style shows the one that fits the width. No leg is
// told by its colour alone: the line differs, and a word stands beside it.
#include "report/html/path_drawing.hpp"

#include <cctype>

#include "report/html/text.hpp"
#include "report/path.hpp"

namespace p2pdiag::report::html {
namespace {

using Legs = std::array<PathLeg, 4>;

// Within 24 x 24, round the middle.
constexpr std::string_view icons[] = {
    // a laptop
    "<rect x=\"-9\" y=\"-8\" width=\"18\" height=\"12\" rx=\"1.5\"/><path d=\"M-12 8h24\"/>",
    // a shield
    "<path d=\"M0-10l9 3v6c0 6-4 9-9 11c-5-2-9-5-9-11v-6z\"/>",
    // a box with two aerials
    "<rect x=\"-11\" y=\"0\" width=\"22\" height=\"8\" rx=\"1.5\"/>"
    "<path d=\"M-6 0v-9M6 0v-9M-7 4h.01M-3 4h.01\"/>",
    // a mast
    "<path d=\"M0-4l-6 14M0-4l6 14M-3.5 4h7M-5-9a6 6 0 0 0 0 9M5-9a6 6 0 0 1 0 9\"/>"
    "<circle cx=\"0\" cy=\"-4.5\" r=\"1.5\"/>",
    // a globe
    "<circle r=\"10\"/><path d=\"M-10 0h20M0-10c-6 6-6 14 0 20M0-10c6 6 6 14 0 20\"/>"};

std::string station_name(std::size_t index) {
    std::string name(path_stations[index]);
    name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
    return name;
}

std::string leg_name(std::size_t index) {
    return station_name(index) + " to " + std::string(path_stations[index + 1]);
}

std::string description(const Legs& legs) {
    std::string out;
    for (std::size_t i = 0; i < legs.size(); ++i) {
        out += (i == 0 ? "" : "; ") + leg_name(i) + ": " + std::string(to_string(legs[i].state));
    }
    return out + '.';
}

std::string number(int value) { return std::to_string(value); }

std::string at(int x, int y) { return "translate(" + number(x) + ' ' + number(y) + ')'; }

std::string station(std::size_t index, int x, int y) {
    return "<g class=\"station\" transform=\"" + at(x, y) +
           "\"><circle r=\"27\"/><g class=\"icon\">" + std::string(icons[index]) + "</g></g>\n";
}

std::string label(std::string_view kind, int x, int y, std::string_view words,
                  std::string_view anchor) {
    return "<text class=\"" + std::string(kind) + "\" x=\"" + number(x) + "\" y=\"" + number(y) +
           "\" text-anchor=\"" + std::string(anchor) + "\">" + text(words) + "</text>\n";
}

// What is at the middle of a leg that does not work.
std::string_view mark(PathState state) {
    switch (state) {
        case PathState::broken:
            return "<circle class=\"halo\" r=\"17\"/><path class=\"mark\" d=\"M-8-8l16 16M8-8l-16 "
                   "16\"/>";
        case PathState::limited:
            return "<circle class=\"halo\" r=\"18\"/><path class=\"mark\" d=\"M0-11l11.5 "
                   "20h-23z\"/><path class=\"inner\" "
                   "d=\"M0-3v5M0 5.5v.01\"/>";
        case PathState::unknown:
        case PathState::works: break;
    }
    return "";
}

std::string leg(const PathLeg& leg, int x1, int y1, int x2, int y2) {
    return "<g class=\"leg " + std::string(to_string(leg.state)) + "\"><line x1=\"" + number(x1) +
           "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" + number(y2) +
           "\"/><g transform=\"" + at((x1 + x2) / 2, (y1 + y2) / 2) + "\">" +
           std::string(mark(leg.state)) + "</g></g>\n";
}

std::string begin(std::string_view which, int width, int height, const Legs& legs) {
    const std::string id = "path-" + std::string(which);
    return "<svg class=\"path " + std::string(which) + "\" role=\"img\" aria-labelledby=\"" + id +
           "-title " + id + "-desc\" viewBox=\"0 0 " + number(width) + ' ' + number(height) +
           "\">\n<title id=\"" + id +
           "-title\">The way from you to the internet</title>\n<desc id=\"" + id + "-desc\">" +
           text(description(legs)) + "</desc>\n";
}

std::string along(const Legs& legs) {
    constexpr int first = 56;
    constexpr int step = 197;
    constexpr int line = 48;
    std::string out = begin("along", 900, 112, legs);
    for (std::size_t i = 0; i < legs.size(); ++i) {
        const int x = first + step * static_cast<int>(i);
        out += leg(legs[i], x + 35, line, x + step - 35, line);
        out += label("state " + std::string(to_string(legs[i].state)), x + step / 2, line - 20,
                     to_string(legs[i].state), "middle");
    }
    for (std::size_t i = 0; i < path_stations.size(); ++i) {
        const int x = first + step * static_cast<int>(i);
        out += station(i, x, line) + label("name", x, line + 50, station_name(i), "middle");
    }
    return out + "</svg>\n";
}

std::string down(const Legs& legs) {
    constexpr int first = 30;
    constexpr int step = 104;
    constexpr int line = 30;
    std::string out = begin("down", 300, first + 4 * step + 30, legs);
    for (std::size_t i = 0; i < legs.size(); ++i) {
        const int y = first + step * static_cast<int>(i);
        out += leg(legs[i], line, y + 33, line, y + step - 33);
        out += label("state " + std::string(to_string(legs[i].state)), line + 26, y + step / 2 + 6,
                     to_string(legs[i].state), "start");
    }
    for (std::size_t i = 0; i < path_stations.size(); ++i) {
        const int y = first + step * static_cast<int>(i);
        out += station(i, line, y) + label("name", line + 42, y + 6, station_name(i), "start");
    }
    return out + "</svg>\n";
}

std::string in_words(const Legs& legs) {
    std::string out = "<ol class=\"legs\">\n";
    for (std::size_t i = 0; i < legs.size(); ++i) {
        const PathLeg& leg = legs[i];
        const std::string state(to_string(leg.state));
        out += "<li><p class=\"leg-name\">" + text(leg_name(i)) + ' ' + chip(state, state) +
               "</p>\n<p>" + text(leg.why) + "</p>\n";
        if (!leg.code.empty()) out += "<p class=\"small\">" + code(leg.code) + "</p>\n";
        out += "</li>\n";
    }
    return out + "</ol>\n";
}

}  // namespace

std::string path_section(const Report& report) {
    const Legs legs = path_of(report);
    return "<section aria-labelledby=\"path\">\n<h2 id=\"path\">The way to the internet</h2>\n"
           "<div class=\"card\">\n" +
           along(legs) + down(legs) + in_words(legs) + "</div>\n</section>\n";
}

}  // namespace p2pdiag::report::html
