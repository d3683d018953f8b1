// Which limits are reached, or nearly.
#include <algorithm>

#include "limits_state.hpp"

#include "base/json.hpp"

namespace p2pdiag::network_plugin {

namespace {

std::string spelled(const Amount& amount) {
    return std::to_string(amount.used) + " of " + std::to_string(amount.limit);
}

json::object to_json(const Amount& amount) {
    return {{"used", amount.used}, {"limit", amount.limit}};
}

json::value to_json(const std::optional<Amount>& amount) {
    return amount ? json::value(to_json(*amount)) : json::value();
}

json::value number_or_null(const std::optional<std::uint64_t>& number) {
    return number ? json::value(*number) : json::value();
}

json::value to_json(const std::optional<PortAmount>& amount) {
    if (!amount) return {};
    json::object object = to_json(amount->ports);
    object["busiest"] = nullptr;
    object["to_busiest"] = nullptr;
    if (amount->busiest) {
        object["busiest"] = amount->busiest->to_string();
        object["to_busiest"] = amount->to_busiest;
    }
    return object;
}

class LimitsJudge {
public:
    explicit LimitsJudge(const Limits& limits) : limits_(limits) {}

    Judgement run() {
        conntrack();
        ports("udp", limits_.udp_ports);
        ports("tcp", limits_.tcp_ports);
        connections();
        files();
        own_files();
        describe();
        finish();
        return std::move(result_);
    }

private:
    void conntrack() {
        if (!limits_.conntrack || !limits_.conntrack->near()) return;
        const std::string numbers = " (" + spelled(*limits_.conntrack) + " entries)";
        const std::string message =
            limits_.conntrack->full()
                ? "This machine's connection tracking is full" + numbers +
                      ": packets of new connections are dropped"
                : "This machine's connection tracking is nearly full" + numbers;
        add("net.conntrack-full", limits_.conntrack->full(), message,
            {{"entries", to_json(*limits_.conntrack)}});
    }

    void ports(std::string_view protocol, const std::optional<PortAmount>& amount) {
        if (!amount || !amount->ports.near()) return;
        const bool udp = protocol == "udp";
        const std::string numbers =
            std::string(udp ? "UDP" : "TCP") + " ports (" + spelled(amount->ports) + ")";
        const bool full = amount->ports.full();
        std::string message = full ? "The system has given out all of its " + numbers
                                   : "The system has given out nearly all of its " + numbers;
        if (full) {
            message += udp ? ": no program gets another one"
                           : ": no program gets another one to listen on, while connections to "
                             "other places may still be made";
        }
        // Connections share ports, so a busy machine that works may look like this by TCP.
        add("net.ports-exhausted", full && udp, std::move(message),
            {{"protocol", protocol}, {"ports", to_json(amount->ports)}});
    }

    void connections() {
        const auto& tcp = limits_.tcp_ports;
        if (!tcp || !tcp->busiest) return;
        const Amount amount{tcp->to_busiest, tcp->ports.limit};
        if (!amount.near()) return;
        const std::string where = tcp->busiest->to_string() + " (" + spelled(amount) + ")";
        add("net.ports-exhausted", amount.full(),
            amount.full() ? "All TCP ports are used by connections to " + where +
                                ": there can be no further one"
                          : "Nearly all TCP ports are used by connections to " + where,
            {{"protocol", "tcp"},
             {"ports", to_json(amount)},
             {"destination", tcp->busiest->to_string()}});
    }

    void files() {
        if (!limits_.files || !limits_.files->near()) return;
        const std::string numbers = " (" + spelled(*limits_.files) + ")";
        add("net.files-exhausted", limits_.files->full(),
            limits_.files->full() ? "The system can open no more files and sockets" + numbers
                                  : "The system can open few more files and sockets" + numbers,
            {{"scope", "system"}, {"files", to_json(*limits_.files)}});
    }

    void own_files() {
        if (!limits_.process_files || *limits_.process_files >= enough_files) return;
        const std::string limit = std::to_string(*limits_.process_files);
        json::object evidence{{"scope", "process"}, {"limit", *limits_.process_files}};
        evidence["hard_limit"] = number_or_null(limits_.process_files_hard);
        add("net.files-exhausted", false,
            "A program started from here may have only " + limit +
                " files and sockets open, which is little for one with many peers. More: "
                "ulimit -n 1024",
            std::move(evidence));
    }

    void describe() {
        json::object& data = result_.data;
        data["conntrack"] = to_json(limits_.conntrack);
        data["conntrack_reason"] = json::text_or_null(limits_.conntrack_reason);
        data["udp_ports"] = to_json(limits_.udp_ports);
        data["tcp_ports"] = to_json(limits_.tcp_ports);
        data["ports_reason"] = json::text_or_null(limits_.ports_reason);
        data["files"] = to_json(limits_.files);
        data["process_files"] = number_or_null(limits_.process_files);
        data["process_files_hard"] = number_or_null(limits_.process_files_hard);
    }

    void finish() {
        const auto& findings = result_.findings;
        const auto worst = std::find_if(findings.begin(), findings.end(), [](const Finding& one) {
            return one.severity == Severity::error;
        });
        if (worst != findings.end()) {
            result_.status = P2PDIAG_FAIL;
            result_.summary = worst->message;
            return;
        }
        // A machine without connection tracking has none that could be full.
        const bool seen = limits_.udp_ports && limits_.tcp_ports && limits_.files &&
                          (limits_.conntrack || limits_.conntrack_reason == "not-loaded");
        if (!seen) {
            result_.status = P2PDIAG_UNKNOWN;
            result_.summary = "Not every limit could be read: " + unread();
        } else if (!findings.empty()) {
            result_.status = P2PDIAG_WARN;
            result_.summary = findings.front().message;
        } else {
            result_.status = P2PDIAG_PASS;
            result_.summary = "Room for more: " + headroom();
        }
    }

    std::string unread() const {
        std::string text;
        const auto name = [&](const char* what) {
            text += (text.empty() ? "" : ", ") + std::string(what);
        };
        if (!limits_.udp_ports || !limits_.tcp_ports) name("ports");
        if (!limits_.files) name("files");
        if (!limits_.conntrack && limits_.conntrack_reason != "not-loaded") {
            name("connection tracking");
        }
        return text;
    }

    std::string headroom() const {
        std::string text = spelled(limits_.udp_ports->ports) + " UDP ports and " +
                           spelled(limits_.tcp_ports->ports) + " TCP ports used";
        if (limits_.conntrack) text += ", " + spelled(*limits_.conntrack) + " tracked connections";
        return text;
    }

    void add(std::string code, bool full, std::string message, json::object evidence) {
        result_.add(std::move(code), full ? Severity::error : Severity::warning, std::move(message),
                    std::move(evidence));
    }

    const Limits& limits_;
    Judgement result_;
};

}  // namespace

std::optional<Amount> parse_file_numbers(std::string_view text) {
    const std::size_t first = text.find('\t');
    const std::size_t second = text.find('\t', first + 1);
    if (first == text.npos || second == text.npos) return std::nullopt;
    // Linux counts what is free as used no longer, so the second number is 0 since 2.6.
    const auto used = parse_setting(text.substr(0, first));
    const auto limit = parse_setting(text.substr(second));
    if (!used || !limit) return std::nullopt;
    return Amount{*used, *limit};
}

Judgement judge(const Limits& limits) { return LimitsJudge(limits).run(); }

}  // namespace p2pdiag::network_plugin
