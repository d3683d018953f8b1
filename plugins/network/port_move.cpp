#include "port_move.hpp"

namespace p2pdiag::network_plugin {

namespace {

// Below that a program needs rights.
constexpr unsigned first_free_port = 1024;
constexpr unsigned most_tried = 1000;

Judgement ended(p2pdiag_status status, std::string summary) {
    Judgement out;
    out.status = status;
    out.summary = std::move(summary);
    return out;
}

std::optional<std::uint16_t> next_free(std::uint16_t from, const PortQuestion& trial) {
    unsigned port = from;
    for (unsigned tried = 0; tried < most_tried; ++tried) {
        port = port >= 65535 || port + 1 < first_free_port ? first_free_port : port + 1;
        if (trial(static_cast<std::uint16_t>(port)).empty()) {
            return static_cast<std::uint16_t>(port);
        }
    }
    return std::nullopt;
}

std::string by_hand(std::uint16_t port) {
    return "say there by hand: port = " + std::to_string(port) + " in [target]";
}

Judgement planned(const PortEdit& edit, std::uint16_t from, std::uint16_t to) {
    const std::string port = std::to_string(to);
    const std::string old = std::to_string(from);
    json::object step{{"edit", to_json(edit)}, {"from", from}, {"to", to}};
    const std::string undo = edit.creates ? "remove that file" : "put that line back as it was";
    json::object entry{{"title", "Have " + edit.file + " say port " + port + " in place of " + old},
                       {"undo", undo},
                       {"match", json::object{{"to", to}}},
                       {"step", std::move(step)}};
    Judgement out = ended(P2PDIAG_PASS, "Port " + port + " is free by UDP and TCP");
    out.data = {
        {"steps", json::array{std::move(entry)}},
        {"notes", json::array{json::value("Your program has to use port " + port +
                                          " as well: p2pdiag looks at that one from then on."),
                              json::value("What was forwarded or allowed for port " + old +
                                          " stays as it is.")}}};
    return out;
}

}  // namespace

Judgement plan_move(const MoveWanted& wanted, const ConfigText& file, const PortQuestion& trial) {
    if (!wanted.config) {
        return ended(P2PDIAG_FAIL,
                     "There is no place for a configuration of yours: HOME and XDG_CONFIG_HOME "
                     "are not set");
    }
    const ConfigFile& config = *wanted.config;
    if (!config.overridden_by.empty()) {
        return ended(P2PDIAG_FAIL, "The port is said by " + config.overridden_by +
                                       ", which counts more than " + config.file +
                                       ": a change there would not help");
    }
    if (!file.problem.empty()) return ended(P2PDIAG_FAIL, file.problem);
    if (wanted.to == wanted.from) {
        return ended(P2PDIAG_SKIP,
                     "Nothing to do: the port is " + std::to_string(wanted.from) + " already");
    }
    if (wanted.to) {
        if (const std::string why = trial(*wanted.to); !why.empty()) {
            return ended(P2PDIAG_FAIL,
                         "Port " + std::to_string(*wanted.to) + " cannot be had: " + why);
        }
    }
    const auto to = wanted.to ? wanted.to : next_free(wanted.from, trial);
    if (!to) return ended(P2PDIAG_FAIL, "No port is free among the next thousand");
    const auto edit = edit_for(config, file.text, *to);
    if (!edit || config.exists != file.exists) {
        return ended(P2PDIAG_FAIL, config.file +
                                       ": [target] is written in a way that is not edited here; " +
                                       by_hand(*to));
    }
    return planned(*edit, wanted.from, *to);
}

}  // namespace p2pdiag::network_plugin
