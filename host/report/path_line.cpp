#include "report/path_line.hpp"

#include <algorithm>

#include "report/console_style.hpp"

namespace p2pdiag::report {
namespace {

using Legs = std::array<PathLeg, 4>;

// No leg is told by its colour alone.
struct LegStyle {
    std::string_view line;
    std::string_view ascii_line;
    Mark mark;  // in the middle of it; no symbol = the line goes on
};

LegStyle style_of(PathState state) {
    switch (state) {
        case PathState::works: return {"─", "-", {"", "", sgr::green, ""}};
        case PathState::limited: return {"─", "-", mark_of(Status::warn)};
        case PathState::broken: return {"─", "-", mark_of(Status::fail)};
        case PathState::unknown: break;
    }
    return {"·", ".", {"?", "?", sgr::dim, ""}};
}

std::string leg_text(PathState state, std::size_t length, const RenderOptions& options) {
    const LegStyle style = style_of(state);
    const std::string_view line = options.unicode ? style.line : style.ascii_line;
    const std::string_view mark = options.unicode ? style.mark.symbol : style.mark.ascii;
    std::string text;
    for (std::size_t i = 0; i < length; ++i) {
        text += i == length / 2 && !mark.empty() ? mark : line;
    }
    return coloured(text, style.mark.colour, options);
}

std::string sentence(std::string_view head, const Legs& legs, PathState state) {
    std::string out;
    for (std::size_t i = 0; i < legs.size(); ++i) {
        if (legs[i].state != state) continue;
        out += out.empty() ? std::string(head) + ": " : ", ";
        out += path_leg_name(i);
        if (!legs[i].code.empty()) out += " (" + legs[i].code + ')';
    }
    return out.empty() ? out : out + '.';
}

}  // namespace

std::optional<Legs> drawn_path(const Report& report) {
    static constexpr std::string_view of_the_way[] = {"firewall.inbound", "stun.nat",
                                                      "network.internet"};
    Legs legs = path_of(report);
    const bool known = std::ranges::any_of(
        legs, [](const PathLeg& leg) { return leg.state != PathState::unknown; });
    const bool asked = std::ranges::any_of(report.checks, [](const CheckResult& check) {
        return std::ranges::find(of_the_way, check.id) != std::end(of_the_way);
    });
    if (!known && !asked) return std::nullopt;
    return legs;
}

std::string path_line(const Legs& legs, const RenderOptions& options) {
    std::size_t names = 0;
    for (const std::string_view station : path_stations) names += station.size();
    // The longest legs that fit, with a space at both ends where there is room for one.
    std::size_t length = 2;
    std::string_view space;
    for (const std::size_t longer : {3U, 5U}) {
        if (names + legs.size() * (longer + 2) > options.width) break;
        length = longer;
        space = " ";
    }
    std::string out(path_stations[0]);
    for (std::size_t i = 0; i < legs.size(); ++i) {
        out += space;
        out += leg_text(legs[i].state, length, options);
        out += space;
        out += path_stations[i + 1];
    }
    return out;
}

std::string path_words(const Legs& legs) {
    std::string out;
    for (const std::string& each : {sentence("Broken", legs, PathState::broken),
                                    sentence("Limited", legs, PathState::limited),
                                    sentence("Not measured", legs, PathState::unknown)}) {
        if (!each.empty()) out += (out.empty() ? "" : " ") + each;
    }
    return out;
}

}  // namespace p2pdiag::report
