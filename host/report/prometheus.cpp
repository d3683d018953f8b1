// No addresses and no texts of others in labels: what can be in them is few and known, so that a
// monitoring system keeps few series. Statuses are state sets: every one is there, one of them
// is 1.
#include "report/prometheus.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "report/delays.hpp"
#include "report/text.hpp"

namespace p2pdiag::report {
namespace {

constexpr Status every_status[] = {Status::pass,    Status::warn,      Status::fail,
                                   Status::skip,    Status::unknown,   Status::error,
                                   Status::crashed, Status::timed_out, Status::cancelled};
constexpr std::string_view every_verdict[] = {"open",       "direct",  "direct-after-fix",
                                              "relay-only", "offline", "unknown"};

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

std::string label_value(std::string_view raw) {
    std::string out;
    for (const char c : single_line(raw, true)) {
        if (c == '\\' || c == '"') out += '\\';
        out += c;
    }
    return out;
}

std::string seconds_value(std::chrono::milliseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(time.count() / 1000),
                  static_cast<long long>(time.count() % 1000));
    return text;
}

// A family of metrics; nothing is written where it has no sample.
class MetricFamily {
public:
    MetricFamily(std::string_view name, std::string_view help) : name_(name), help_(help) {}

    // A second sample with the same labels would make the whole file invalid: the first stands.
    void add(const Labels& labels, std::string_view value) {
        std::string series = name_;
        for (const auto& [label, text] : labels) {
            series += series == name_ ? '{' : ',';
            series += std::string(label) + "=\"" + label_value(text) + '"';
        }
        if (!labels.empty()) series += '}';
        if (!seen_.insert(series).second) return;
        samples_ += series + ' ' + std::string(value) + '\n';
    }

    std::string text() const {
        if (samples_.empty()) return {};
        return "# HELP " + name_ + ' ' + help_ + "\n# TYPE " + name_ + " gauge\n" + samples_;
    }

private:
    std::string name_;
    std::string help_;
    std::string samples_;
    std::set<std::string> seen_;
};

std::string check_metrics(const Report& report) {
    MetricFamily statuses("p2pdiag_check_status", "1 for the status that the check ended with.");
    MetricFamily durations("p2pdiag_check_duration_seconds", "How long the check took.");
    for (const CheckResult& check : report.checks) {
        for (const Status status : every_status) {
            statuses.add(
                {{"check", check.id}, {"plugin", check.plugin}, {"status", to_string(status)}},
                check.status == status ? "1" : "0");
        }
        durations.add({{"check", check.id}, {"plugin", check.plugin}},
                      seconds_value(check.duration));
    }
    return statuses.text() + durations.text();
}

std::string finding_metrics(const Report& report) {
    std::map<std::pair<std::string, Severity>, unsigned> counts;
    const auto count = [&counts](const std::vector<Finding>& findings) {
        for (const Finding& finding : findings) ++counts[{finding.code, finding.severity}];
    };
    count(report.host_findings);
    for (const CheckResult& check : report.checks) count(check.findings);

    MetricFamily family("p2pdiag_findings", "How many findings have the code.");
    for (const auto& [key, number] : counts) {
        family.add({{"code", key.first}, {"severity", to_string(key.second)}},
                   std::to_string(number));
    }
    return family.text();
}

std::string cause_metrics(const Report& report) {
    MetricFamily family("p2pdiag_cause_confidence",
                        "How sure the diagnosis is of the cause, 0 to 1.");
    for (const Cause& cause : report.causes) {
        char value[32];
        std::snprintf(
            value, sizeof value, "%.3f",
            std::isfinite(cause.confidence) ? std::clamp(cause.confidence, 0.0, 1.0) : 0.0);
        family.add({{"cause", cause.code}}, value);
    }
    return family.text();
}

std::string delay_metrics(const Report& report) {
    MetricFamily delays("p2pdiag_round_trip_seconds",
                        "Median round trip to the nearest server on the internet.");
    MetricFamily losses("p2pdiag_loss_ratio", "Share of the requests to it without an answer.");
    for (const Delay& delay : nearest_servers(report)) {
        const std::string_view family = delay.family == "IPv6" ? "ipv6" : "ipv4";
        char value[48];
        std::snprintf(value, sizeof value, "%.6f", delay.rtt_ms / 1000);
        delays.add({{"family", family}}, value);
        if (!delay.loss_percent) continue;
        std::snprintf(value, sizeof value, "%.4f", *delay.loss_percent / 100);
        losses.add({{"family", family}}, value);
    }
    return delays.text() + losses.text();
}

std::string run_metrics(const Report& report) {
    MetricFamily info("p2pdiag_info", "What ran: the version, the profile and the port.");
    info.add({{"version", report.tool_version},
              {"profile", report.profile},
              {"port", std::to_string(report.target_port)}},
             "1");
    MetricFamily started("p2pdiag_run_started_timestamp_seconds",
                         "When the run began, in seconds since 1970.");
    started.add({}, seconds_value(std::chrono::duration_cast<std::chrono::milliseconds>(
                        report.started.time_since_epoch())));
    MetricFamily took("p2pdiag_run_duration_seconds", "How long the run took.");
    took.add({}, seconds_value(report.duration));
    MetricFamily interrupted("p2pdiag_run_interrupted",
                             "1 when a signal or the deadline ended the run early.");
    interrupted.add({}, report.interrupted ? "1" : "0");
    MetricFamily verdict("p2pdiag_verdict", "1 for the verdict of the run.");
    for (const std::string_view status : every_verdict) {
        verdict.add({{"status", status}}, report.verdict.status == status ? "1" : "0");
    }
    return info.text() + started.text() + took.text() + interrupted.text() + verdict.text();
}

}  // namespace

std::string prometheus(const Report& report, const RenderOptions&) {
    return run_metrics(report) + check_metrics(report) + finding_metrics(report) +
           cause_metrics(report) + delay_metrics(report);
}

}  // namespace p2pdiag::report
