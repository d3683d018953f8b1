#include "series.hpp"

#include <algorithm>
#include <cstdlib>

namespace p2pdiag::network_plugin {

using std::chrono::microseconds;

namespace {

json::value ms(const std::optional<microseconds>& time) {
    if (!time) return nullptr;
    return static_cast<double>(time->count()) / 1000;
}

}  // namespace

std::optional<microseconds> Series::fastest() const {
    if (round_trips.empty()) return std::nullopt;
    return *std::min_element(round_trips.begin(), round_trips.end());
}

std::optional<microseconds> Series::median() const {
    if (round_trips.empty()) return std::nullopt;
    auto sorted = round_trips;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
}

std::optional<microseconds> Series::jitter() const {
    if (round_trips.size() < 2) return std::nullopt;
    microseconds sum{0};
    for (std::size_t i = 1; i < round_trips.size(); ++i) {
        sum += microseconds(std::abs((round_trips[i] - round_trips[i - 1]).count()));
    }
    return sum / static_cast<long>(round_trips.size() - 1);
}

json::object Series::describe() const {
    json::object text{
        {"sent", sent},           {"answered", answered()},      {"loss_percent", nullptr},
        {"rtt_ms", ms(median())}, {"rtt_min_ms", ms(fastest())}, {"jitter_ms", ms(jitter())}};
    // Silence may have other reasons.
    if (answered() > 0 && sent > 0 && !fell_silent()) text["loss_percent"] = 100 * lost() / sent;
    return text;
}

}  // namespace p2pdiag::network_plugin
