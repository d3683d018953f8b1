// The check capture.access: docs/checks/capture.access.md.
#include <algorithm>

#include "base/text.hpp"
#include "live_checks.hpp"
#include "source.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// What the helper said of one interface.
struct State {
    std::string kind = "unknown";  // "ok", or as HelperProblem
    std::optional<std::int64_t> link_type;
};

State state_of(const std::string& name, const HelperResult& result) {
    for (const HelperProblem& problem : result.problems) {
        if (problem.interface == name) return {problem.kind, std::nullopt};
    }
    std::string_view rest = result.output;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!line.starts_with(name + '\t')) continue;
        const std::string number(line.substr(name.size() + 1));
        return {"ok", std::atoi(number.c_str())};
    }
    return {};
}

json::object data_of(const std::vector<net::Interface>& interfaces, const HelperResult* result) {
    json::array list;
    for (const net::Interface& interface : interfaces) {
        const State state = result != nullptr ? state_of(interface.name, *result) : State{};
        json::object entry{{"name", printable(interface.name)},
                           {"kind", net::to_string(interface.kind)},
                           {"state", state.kind},
                           {"link_type", nullptr}};
        if (state.link_type) entry["link_type"] = *state.link_type;
        list.push_back(std::move(entry));
    }
    return {{"permitted", nullptr},
            {"helper", helper_path().native()},
            {"command", nullptr},
            {"interfaces", std::move(list)}};
}

p2pdiag_status refuse(Run& run, json::object data, const Refusal& refusal) {
    if (!refusal.not_permitted) {
        run.data(json::to_text(data));
        run.summary("Could not be told: " + refusal.sentence);
        return P2PDIAG_UNKNOWN;
    }
    data["permitted"] = false;
    if (!refusal.command.empty()) data["command"] = refusal.command;
    run.data(json::to_text(data));
    report_not_permitted(run, Severity::info, refusal);
    run.summary(refusal.text());
    return P2PDIAG_SKIP;
}

}  // namespace

p2pdiag_status check_access(Run& run) {
    const auto all = net::interfaces();
    if (!all) {
        run.summary("The kernel does not list its links: " + all.error().message());
        return P2PDIAG_UNKNOWN;
    }
    const auto interfaces = worth_listening(*all);
    if (interfaces.empty()) {
        run.summary("No link is up");
        return P2PDIAG_SKIP;
    }
    errno = 0;
    const auto started = probe(names_of(interfaces));
    if (!started) return refuse(run, data_of(interfaces, nullptr), not_started(errno));
    json::object data = data_of(interfaces, &*started);
    std::vector<std::string> usable;
    std::vector<std::string> others;
    for (const net::Interface& interface : interfaces) {
        const bool ok = state_of(interface.name, *started).kind == "ok";
        (ok ? usable : others).push_back(printable(interface.name));
    }
    if (usable.empty()) return refuse(run, std::move(data), refusal_of(*started));
    data["permitted"] = true;
    run.data(json::to_text(data));
    const std::string on = "Packets can be captured on " + list_of(usable);
    if (others.empty()) {
        run.summary(on);
        return P2PDIAG_PASS;
    }
    run.summary(on + ", not on " + list_of(others) + ": " + started->why());
    return P2PDIAG_WARN;
}

}  // namespace p2pdiag::capture_plugin
