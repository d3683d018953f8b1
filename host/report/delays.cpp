#include "report/delays.hpp"

#include <algorithm>
#include <cmath>

namespace p2pdiag::report {
namespace {

constexpr std::size_t most_delays = 32;
constexpr std::pair<const char*, const char*> families[] = {{"ipv4", "IPv4"}, {"ipv6", "IPv6"}};

// A time that can be drawn; a plugin may have said anything.
std::optional<double> milliseconds_of(const json::object& from, std::string_view member) {
    const auto value = json::find_number(from, member);
    if (!value || !std::isfinite(*value) || *value < 0 || *value > 1e6) return std::nullopt;
    return value;
}

class Delays {
public:
    void add(const char* family, std::string where, const json::object& measured,
             std::string_view address_member) {
        const auto rtt = milliseconds_of(measured, "rtt_ms");
        if (!rtt || all_.size() >= most_delays) return;
        Delay delay{family,
                    std::move(where),
                    std::string(json::find_string(measured, address_member).value_or("")),
                    *rtt,
                    milliseconds_of(measured, "rtt_min_ms"),
                    milliseconds_of(measured, "jitter_ms"),
                    std::nullopt};
        const auto loss = json::find_number(measured, "loss_percent");
        if (loss && *loss >= 0 && *loss <= 100) delay.loss_percent = loss;
        all_.push_back(std::move(delay));
    }

    std::vector<Delay> take() { return std::move(all_); }

private:
    std::vector<Delay> all_;
};

const json::object* data_of(const Report& report, std::string_view id) {
    const auto found = std::ranges::find(report.checks, id, &CheckResult::id);
    return found == report.checks.end() ? nullptr : found->data.if_object();
}

template <class Each>
void each_object(const json::object& from, std::string_view member, Each each) {
    const json::array* all = json::find_array(from, member);
    if (all == nullptr) return;
    for (const json::value& one : *all) {
        if (const json::object* object = one.if_object()) each(*object);
    }
}

void add_path(Delays& delays, const char* family, const json::object& path) {
    std::string router;
    if (const json::object* gateway = json::find_object(path, "gateway")) {
        router = json::find_string(*gateway, "address").value_or("");
        delays.add(family, "router", *gateway, "address");
    }
    each_object(path, "hops", [&](const json::object& hop) {
        if (json::find_bool(hop, "server").value_or(false)) return;
        if (json::find_string(hop, "address") == router) return;
        const auto ttl = json::find_integer(hop, "ttl").value_or(0);
        delays.add(family, "hop " + std::to_string(ttl), hop, "address");
    });
    each_object(path, "targets", [&](const json::object& target) {
        delays.add(family, "server", target, "server");
    });
}

}  // namespace

std::vector<Delay> delays_of(const Report& report) {
    Delays delays;
    const json::object* path = data_of(report, "network.path");
    const json::object* nat = data_of(report, "stun.nat");
    for (const auto& [member, family] : families) {
        const json::object* measured = path == nullptr ? nullptr : json::find_object(*path, member);
        if (measured != nullptr) add_path(delays, family, *measured);
        const bool has_servers = measured != nullptr && measured->contains("targets") &&
                                 measured->at("targets").is_array() &&
                                 !measured->at("targets").get_array().empty();
        const json::object* seen = nat == nullptr ? nullptr : json::find_object(*nat, member);
        if (has_servers || seen == nullptr) continue;
        each_object(*seen, "servers", [&, name = family](const json::object& server) {
            delays.add(name, "server", server, "address");
        });
    }
    return delays.take();
}

std::vector<Delay> nearest_servers(const Report& report) {
    std::vector<Delay> nearest;
    for (Delay& delay : delays_of(report)) {
        if (delay.where != "server") continue;
        const auto known = std::ranges::find(nearest, delay.family, &Delay::family);
        if (known == nearest.end()) {
            nearest.push_back(std::move(delay));
        } else if (delay.rtt_ms < known->rtt_ms) {
            *known = std::move(delay);
        }
    }
    return nearest;
}

}  // namespace p2pdiag::report
