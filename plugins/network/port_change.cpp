// The change network.port: docs/user/port.md.
#include "checks.hpp"
#include "input.hpp"
#include "net/port_trial.hpp"
#include "port_move.hpp"

namespace p2pdiag::network_plugin {

namespace {

p2pdiag_status said(Run& run, p2pdiag_status status, const std::string& text) {
    run.summary(text);
    return status;
}

std::string why_not_free(std::uint16_t port) {
    for (const Transport transport : {Transport::udp, Transport::tcp}) {
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            const ErrorCode error = net::try_port(transport, family, port);
            if (!error || error == boost::system::errc::address_family_not_supported) continue;
            return std::string(transport == Transport::udp ? "UDP" : "TCP") + " by " +
                   (family == Family::ipv4 ? "IPv4" : "IPv6") + ": " + error.message();
        }
    }
    return {};
}

std::optional<std::uint16_t> port_in(const json::object& object, std::string_view key) {
    const auto value = json::find_integer(object, key);
    if (!value || *value < 1 || *value > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(*value);
}

struct PortStep {
    PortEdit edit;
    std::uint16_t to = 0;
    std::optional<ConfigFile::Place> now;  // where the host finds the port
};

std::optional<PortStep> parse_port_step(const json::object& all) {
    const json::object* step = json::find_object(all, "step");
    const json::object* edit = step == nullptr ? nullptr : json::find_object(*step, "edit");
    const auto parsed = edit == nullptr ? std::nullopt : parse_edit(*edit);
    const auto to = step == nullptr ? std::nullopt : port_in(*step, "to");
    if (!parsed || !to) return std::nullopt;
    PortStep out{*parsed, *to, std::nullopt};
    const json::object* input = json::find_object(all, "input");
    const auto config = input == nullptr ? std::nullopt : ConfigFile::parse(*input);
    // The journal is a file: what it names must be the configuration that is this user's now.
    if (!config || config->file != out.edit.file) return std::nullopt;
    out.now = config->port;
    return out;
}

p2pdiag_status not_ours(Run& run) {
    return said(run, P2PDIAG_ERROR,
                "The step is not one of ours, or of another configuration than that of "
                "XDG_CONFIG_HOME or HOME now");
}

}  // namespace

p2pdiag_status plan_port(Run& run) {
    const json::object all = read_input(run);
    const json::object* arguments = json::find_object(all, "arguments");
    const json::object* input = json::find_object(all, "input");
    const json::object* target = input == nullptr ? nullptr : json::find_object(*input, "target");
    const auto from = target == nullptr ? std::nullopt : port_in(*target, "port");
    if (arguments == nullptr || !from) {
        return said(run, P2PDIAG_ERROR, "The host handed over arguments that cannot be");
    }
    const MoveWanted wanted{*from, port_in(*arguments, "to"), ConfigFile::parse(*input)};
    const ConfigText file = wanted.config ? read_config(wanted.config->file) : ConfigText();
    return hand_over(run, plan_move(wanted, file, why_not_free));
}

p2pdiag_status apply_port(Run& run) {
    const auto step = parse_port_step(read_input(run));
    if (!step) return not_ours(run);
    const ConfigText file = read_config(step->edit.file);
    if (!file.problem.empty()) return said(run, P2PDIAG_FAIL, file.problem);
    const auto text =
        file.exists == step->edit.creates ? std::nullopt : applied(step->edit, file.text);
    if (!text) return said(run, P2PDIAG_FAIL, step->edit.file + " was changed meanwhile");
    run.data(R"({"begun":true})");
    if (const std::string why = write_config(step->edit.file, *text); !why.empty()) {
        return said(run, P2PDIAG_FAIL, why);
    }
    return said(run, P2PDIAG_PASS, step->edit.file + " says port " + std::to_string(step->to));
}

p2pdiag_status verify_port(Run& run) {
    const auto step = parse_port_step(read_input(run));
    if (!step) return not_ours(run);
    const ConfigText file = read_config(step->edit.file);
    const std::string port = std::to_string(step->to);
    if (!file.problem.empty() || !is_applied(step->edit, file.text)) {
        return said(run, P2PDIAG_FAIL, step->edit.file + " does not say port " + port);
    }
    if (const std::string why = why_not_free(step->to); !why.empty()) {
        return said(run, P2PDIAG_FAIL, "Port " + port + " cannot be had any more: " + why);
    }
    return said(run, P2PDIAG_PASS,
                step->edit.file + " says port " + port + ", which is free by UDP and TCP");
}

p2pdiag_status revert_port(Run& run) {
    const auto step = parse_port_step(read_input(run));
    if (!step) return not_ours(run);
    const std::string& path = step->edit.file;
    const ConfigText file = read_config(path);
    if (!file.exists) return said(run, P2PDIAG_PASS, path + " is not there any more");
    if (!file.problem.empty()) return said(run, P2PDIAG_FAIL, file.problem);
    const auto text = reverted(step->edit, file.text, step->now);
    if (!text) {
        return said(run, P2PDIAG_PASS,
                    "The line in " + path + " is not p2pdiag's any more; it is left as it is");
    }
    const bool remove = step->edit.creates && text->empty();
    const std::string why = remove ? remove_config(path) : write_config(path, *text);
    if (!why.empty()) return said(run, P2PDIAG_FAIL, why);
    return said(run, P2PDIAG_PASS,
                remove ? path + " was removed, as it was not there before"
                       : path + " says the port as it did before");
}

// Every command of the verb is a change's.
int no_port_command(Run&) { return 4; }

}  // namespace p2pdiag::network_plugin
