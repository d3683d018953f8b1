// What the situation of the two transports means.
#include <algorithm>

#include "port_state.hpp"

namespace p2pdiag::network_plugin {

namespace {

// Linux, where the setting is not there.
constexpr std::uint64_t usual_unprivileged_start = 1024;

std::string upper(Transport transport) { return transport == Transport::udp ? "UDP" : "TCP"; }

std::string spelled(const PortRange& range) {
    std::string text = std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
    return text;
}

class PortJudge {
public:
    explicit PortJudge(const PortState& state)
        : state_(state),
          views_{view_of(state, Transport::udp), view_of(state, Transport::tcp)},
          port_(std::to_string(state.port)) {}

    Judgement run() {
        for (const PortView& view : views_) judge_view(view);
        no_listener();
        not_permitted();
        at_random();
        describe();
        result_.status = std::max(status_of(views_[0]), status_of(views_[1]), worse);
        result_.summary = summary();
        return std::move(result_);
    }

private:
    // The worst last. Unknown is worse than a warning: there may be more to it.
    static bool worse(p2pdiag_status a, p2pdiag_status b) {
        const auto rank = [](p2pdiag_status status) {
            return status == P2PDIAG_FAIL      ? 3
                   : status == P2PDIAG_UNKNOWN ? 2
                   : status == P2PDIAG_WARN    ? 1
                                               : 0;
        };
        return rank(a) < rank(b);
    }

    static p2pdiag_status status_of(const PortView& view) {
        switch (view.use) {
            case PortUse::free:
            case PortUse::reachable:
            case PortUse::left_over: return P2PDIAG_PASS;
            // Peers come by UDP.
            case PortUse::loopback:
                return view.transport == Transport::udp ? P2PDIAG_FAIL : P2PDIAG_WARN;
            case PortUse::elsewhere:
            case PortUse::silent:
            case PortUse::invisible:
            case PortUse::forbidden: return P2PDIAG_WARN;
            case PortUse::perhaps:
            case PortUse::own_run:
            case PortUse::unclear: break;
        }
        return P2PDIAG_UNKNOWN;
    }

    std::string named(const PortView& view) const {
        return upper(view.transport) + " port " + port_ + ": ";
    }

    void judge_view(const PortView& view) {
        const bool udp = view.transport == Transport::udp;
        const std::string holder = holders_text(state_, view);
        const std::string who = named(view) + holder + " ";
        switch (view.use) {
            case PortUse::reachable:
            case PortUse::perhaps:
                return add(view, "net.port-in-use", Severity::info,
                           who + use_text(view) +
                               ". If that is not the program that you mean, yours cannot have "
                               "this port.");
            case PortUse::loopback:
                return add(view, "net.listener-loopback-only",
                           udp ? Severity::error : Severity::warning,
                           who +
                               "listens on a loopback address only, so nobody outside of this "
                               "machine reaches it. It has to listen on 0.0.0.0 or ::.");
            case PortUse::elsewhere:
                return add(view, "net.listener-elsewhere", Severity::warning,
                           who + "listens on other addresses only than " + doorways() +
                               ", where packets from the internet come in.");
            case PortUse::silent:
                return add(view, "net.port-in-use", Severity::warning,
                           who + (udp ? "talks to a single peer there, and takes nothing from "
                                        "others."
                                      : "holds it, but does not listen."));
            case PortUse::left_over:
                return add(view, "net.port-in-use", Severity::info,
                           named(view) +
                               "nobody listens, but connections that use it are there or have "
                               "just ended. A program without SO_REUSEADDR has to wait.");
            case PortUse::invisible:
                return add(view, "net.port-in-use", Severity::warning,
                           named(view) + "taken, by what cannot be seen from here.");
            case PortUse::free:
            case PortUse::forbidden:
            case PortUse::own_run:
            case PortUse::unclear: return;
        }
    }

    std::string doorways() const {
        std::string text;
        for (const Doorway& door : state_.doorways) {
            text += (text.empty() ? "" : " and ") + door.address.to_string();
        }
        return text;
    }

    std::vector<std::string> protocols(PortUse use) const {
        std::vector<std::string> all;
        for (const PortView& view : views_) {
            if (view.use == use) all.emplace_back(p2pdiag::to_string(view.transport));
        }
        return all;
    }

    // "UDP or TCP"
    static std::string joined(const std::vector<std::string>& protocols) {
        std::string text;
        for (const std::string& one : protocols) {
            text += (text.empty() ? "" : " or ") + std::string(one == "udp" ? "UDP" : "TCP");
        }
        return text;
    }

    static json::array list(const std::vector<std::string>& protocols) {
        json::array array;
        for (const std::string& one : protocols) array.push_back(json::value(one));
        return array;
    }

    void no_listener() {
        const auto all = protocols(PortUse::free);
        if (all.empty()) return;
        result_.add("net.no-listener", Severity::info,
                    "No program listens on " + joined(all) + " port " + port_ +
                        "; it is free for one that does.",
                    {{"port", state_.port}, {"protocols", list(all)}});
    }

    void not_permitted() {
        const auto all = protocols(PortUse::forbidden);
        if (all.empty()) return;
        const auto start = state_.unprivileged_start.value_or(usual_unprivileged_start);
        const bool low = state_.port < start;
        std::string message = "This user may not have " + joined(all) + " port " + port_;
        if (low) {
            message += ", as it lies below " + std::to_string(start) +
                       ". Take a higher one, or allow it: sudo sysctl "
                       "net.ipv4.ip_unprivileged_port_start=" +
                       port_;
        } else {
            message += ": something on this machine forbids it (SELinux, a sandbox?)";
        }
        result_.add("net.port-not-permitted", Severity::warning, std::move(message),
                    {{"port", state_.port},
                     {"protocols", list(all)},
                     {"reason", low ? "privileged" : "forbidden"},
                     {"unprivileged_start", start}});
    }

    bool is_reserved() const { return state_.reserved && contains(*state_.reserved, state_.port); }

    // Only a port that nobody has yet can be lost to somebody else.
    void at_random() {
        const bool waiting = std::any_of(views_.begin(), views_.end(), [](const PortView& view) {
            return view.use == PortUse::free;
        });
        const bool in_range = state_.ephemeral && state_.ephemeral->contains(state_.port);
        if (!waiting || !in_range || !state_.reserved || is_reserved()) return;
        // The setting is replaced as a whole.
        std::string reserved;
        for (const PortRange& range : *state_.reserved) reserved += spelled(range) + ",";
        reserved += port_;
        const std::string command = "sudo sysctl net.ipv4.ip_local_reserved_ports=" + reserved;
        result_.add(
            "net.port-ephemeral", Severity::info,
            "Port " + port_ + " is one of those that the system gives to any program (" +
                spelled(*state_.ephemeral) +
                "), so it may be taken when yours starts. To keep it: " + command,
            {{"port", state_.port}, {"range", spelled(*state_.ephemeral)}, {"command", command}});
    }

    void describe() {
        json::object& data = result_.data;
        data["port"] = state_.port;
        for (const PortView& view : views_) {
            data[p2pdiag::to_string(view.transport)] = to_json(state_, view);
        }
        data["unprivileged_start"] = nullptr;
        if (state_.unprivileged_start) data["unprivileged_start"] = *state_.unprivileged_start;
        data["ephemeral"] = nullptr;
        if (state_.ephemeral) data["ephemeral"] = state_.ephemeral->contains(state_.port);
        data["reserved"] = nullptr;
        if (state_.reserved) data["reserved"] = is_reserved();
        data["sockets_reason"] = nullptr;
        if (state_.unreadable) {
            data["sockets_reason"] = state_.unreadable->message();
        } else if (!state_.sockets.complete) {
            data["sockets_reason"] = "more sockets than can be read";
        }
    }

    std::string short_text(const PortView& view) const {
        const bool plain = view.use == PortUse::free || view.use == PortUse::left_over ||
                           view.use == PortUse::invisible || view.use == PortUse::forbidden ||
                           view.use == PortUse::own_run || view.use == PortUse::unclear;
        const std::string text = use_text(view);
        return plain ? text : holders_text(state_, view) + " " + text;
    }

    std::string summary() const {
        const PortView& udp = views_[0];
        const PortView& tcp = views_[1];
        if (udp.use == PortUse::free && tcp.use == PortUse::free) {
            return "Port " + port_ + " is free by UDP and TCP; no program listens on it yet";
        }
        if (udp.use == tcp.use && short_text(udp) == short_text(tcp)) {
            return "UDP and TCP port " + port_ + ": " + short_text(udp);
        }
        return "UDP port " + port_ + ": " + short_text(udp) + "; TCP: " + short_text(tcp);
    }

    void add(const PortView& view, std::string code, Severity severity, std::string message) {
        json::object evidence = to_json(state_, view);
        evidence["port"] = state_.port;
        evidence["protocol"] = p2pdiag::to_string(view.transport);
        result_.add(std::move(code), severity, std::move(message), std::move(evidence));
    }

    const PortState& state_;
    std::array<PortView, 2> views_;  // UDP, TCP
    std::string port_;
    Judgement result_;
};

}  // namespace

Judgement judge(const PortState& state) { return PortJudge(state).run(); }

}  // namespace p2pdiag::network_plugin
