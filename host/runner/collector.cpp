#include "runner/collector.hpp"

#include <p2pdiag/abi.h>

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "child/serve.hpp"
#include "options/name.hpp"

namespace p2pdiag::runner {

namespace {

using report::Status;

std::optional<Status> status_of(std::int64_t number) {
    switch (number) {
        case P2PDIAG_PASS: return Status::pass;
        case P2PDIAG_WARN: return Status::warn;
        case P2PDIAG_FAIL: return Status::fail;
        case P2PDIAG_SKIP: return Status::skip;
        case P2PDIAG_UNKNOWN: return Status::unknown;
        case P2PDIAG_ERROR: return Status::error;
        default: return std::nullopt;
    }
}

// host.* is what the host itself says of a plugin.
bool is_code(std::string_view code) {
    return options::is_dotted_name(code) && !code.starts_with("host.");
}

}  // namespace

Collector::Collector(Subject subject, Listeners listeners)
    : kind_(std::move(subject.kind)), listeners_(std::move(listeners)) {
    result_.id = std::move(subject.id);
    result_.plugin = std::move(subject.plugin);
    result_.title = std::move(subject.title);
}

void Collector::take(std::string_view line) {
    if (!misbehaved_.empty()) return;
    const auto message = json::parse(line);
    if (!message) {
        misbehaved_ = "handed over a line that is not JSON in UTF-8: " + message.error().message();
    } else if (!message->is_object() || !take_message(message->get_object())) {
        misbehaved_ = "handed over a message that the plugin interface does not know";
    }
}

bool Collector::take_message(const json::object& message) {
    const std::string_view type = json::find_string(message, "type").value_or("");
    const auto text = json::find_string(message, "text");
    if (type == "finding") return take_finding(message);
    if (type == child::returned_type) return take_status(message);
    if (type == "flow") {
        if (listeners_.on_flow) listeners_.on_flow({result_.id, message});
        return true;
    }
    if (type == "data") {
        const json::object* data = json::find_object(message, "data");
        if (data != nullptr) result_.data = *data;
        if (data != nullptr && listeners_.on_data) listeners_.on_data(*data);
        return data != nullptr;
    }
    if (!text) return false;
    if (type == "summary") {
        result_.summary = *text;
        if (listeners_.on_summary) listeners_.on_summary(result_.summary);
    } else if (type == "progress") {
        const double fraction = json::find_number(message, "fraction").value_or(0);
        if (listeners_.on_progress)
            listeners_.on_progress(
                {result_.id, std::clamp(fraction, 0.0, 1.0), std::string(*text)});
    } else if (type == "log") {
        const auto level = json::find_string(message, "level").value_or("info");
        if (listeners_.on_log)
            listeners_.on_log({result_.id, std::string(level), std::string(*text)});
    } else {
        return false;
    }
    return true;
}

bool Collector::take_finding(const json::object& message) {
    const auto code = json::find_string(message, "code");
    const auto severity =
        report::parse_severity(json::find_string(message, "severity").value_or(""));
    const auto text = json::find_string(message, "message");
    if (!code || !is_code(*code) || !severity || !text) return false;
    report::Finding finding;
    finding.code = *code;
    finding.severity = *severity;
    finding.check = result_.id;
    finding.message = *text;
    if (const json::object* evidence = json::find_object(message, "evidence")) {
        finding.evidence = *evidence;
    }
    result_.findings.push_back(std::move(finding));
    return true;
}

bool Collector::take_status(const json::object& message) {
    said_ = status_of(json::find_integer(message, "status").value_or(0));
    return said_.has_value();
}

void Collector::add_host_finding(std::string_view code, const std::string& what,
                                 const std::string& output) {
    report::Finding finding;
    finding.code = code;
    finding.severity = report::Severity::error;
    finding.check = result_.id;
    finding.message = "plugin " + result_.plugin + ": " + kind_ + ' ' + result_.id + ' ' + what;
    finding.evidence = {{"plugin", result_.plugin}, {"reason", what}};
    // The end of what it printed may begin in the middle of a character, or be no text at all.
    if (!output.empty()) finding.evidence["output"] = to_valid_utf8(output);
    result_.findings.push_back(std::move(finding));
    if (result_.summary.empty()) result_.summary = what;
}

report::CheckResult Collector::finish(const std::optional<child::Exit>& exit,
                                      Milliseconds duration) {
    using How = child::Exit::How;
    result_.duration = duration;
    const How how = exit ? exit->how : How::exited;
    const std::string output = exit ? exit->output : std::string();
    if (how == How::flooded || !misbehaved_.empty()) {
        result_.status = Status::error;
        add_host_finding("host.plugin-crashed",
                         how == How::flooded ? to_string(*exit) : misbehaved_, output);
    } else if (said_ && how != How::signalled && how != How::timed_out &&
               !(how == How::cancelled && said_ == Status::error)) {
        result_.status = *said_;
    } else if (how == How::timed_out) {
        result_.status = Status::timed_out;
        add_host_finding("host.plugin-timed-out", to_string(*exit) + " and was stopped", output);
    } else if (how == How::cancelled) {
        result_.status = Status::cancelled;
        // An operation that was broken off is an error to the check that waits for it, and none to
        // anybody else. One that did not stop in time may not even have begun on a busy machine.
        if (result_.summary.empty()) result_.summary = "cancelled before it had a result";
        if (exit->killed) result_.summary += " (killed: it had not stopped)";
    } else if (how == How::exited) {
        result_.status = Status::error;
        const std::string code = std::to_string(exit ? exit->value : 0);
        add_host_finding("host.plugin-crashed", "ended without a result (exit code " + code + ')',
                         output);
    } else {
        result_.status = Status::crashed;
        add_host_finding("host.plugin-crashed", to_string(*exit), output);
    }
    return std::move(result_);
}

}  // namespace p2pdiag::runner
