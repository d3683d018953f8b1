#include "report/read.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <unordered_map>

#include "options/shown.hpp"

namespace p2pdiag::report {

namespace {

constexpr std::size_t most_causes = 2000;
constexpr std::size_t most_plugins = 1000;
// A day; no run takes longer, and more would not fit where it is added up.
constexpr std::int64_t longest_ms = 24LL * 3600 * 1000;

constexpr Status all_statuses[] = {Status::pass,    Status::warn,      Status::fail,
                                   Status::skip,    Status::unknown,   Status::error,
                                   Status::crashed, Status::timed_out, Status::cancelled};

constexpr std::string_view verdicts[] = {"open",       "direct",  "direct-after-fix",
                                         "relay-only", "offline", "unknown"};

// Thrown and caught in this file alone.
struct Wrong {
    std::string why;
};

[[noreturn]] void wrong(const std::string& where, const std::string& what) {
    throw Wrong{where + ": " + what};
}

const json::value& member(const json::object& object, std::string_view key,
                          const std::string& where) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr) wrong(where, "has no " + std::string(key));
    return *value;
}

std::string read_text(const json::object& object, std::string_view key, const std::string& where) {
    const json::value& value = member(object, key, where);
    if (!value.is_string()) wrong(where + '.' + std::string(key), "is no text");
    return std::string(value.get_string());
}

const json::object& read_table(const json::object& object, std::string_view key,
                               const std::string& where) {
    const json::value& value = member(object, key, where);
    if (!value.is_object()) wrong(where + '.' + std::string(key), "is no object");
    return value.get_object();
}

// The objects of an array, each with the name of its place.
template <class Each>
void each_of(const json::object& object, std::string_view key, const std::string& where,
             std::size_t most, Each each) {
    const std::string place = where.empty() ? std::string(key) : where + '.' + std::string(key);
    const json::value& value = member(object, key, where.empty() ? "report" : where);
    if (!value.is_array()) wrong(place, "is no array");
    const json::array& elements = value.get_array();
    if (elements.size() > most) wrong(place, "has more than " + std::to_string(most));
    for (std::size_t i = 0; i < elements.size(); ++i) {
        const std::string at = place + '[' + std::to_string(i) + ']';
        if (!elements[i].is_object()) wrong(at, "is no object");
        each(elements[i].get_object(), at);
    }
}

std::chrono::milliseconds read_milliseconds(const json::object& object, std::string_view key,
                                            const std::string& where) {
    const auto value = json::find_integer(object, key);
    if (!value || *value < 0) wrong(where + '.' + std::string(key), "is no number of milliseconds");
    return std::chrono::milliseconds(std::min(*value, longest_ms));
}

std::chrono::milliseconds read_duration(const json::object& object, const std::string& where) {
    return read_milliseconds(object, "duration_ms", where);
}

int digits(std::string_view text, std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(from, count)) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

// As report_json.hpp's timestamp() writes it.
std::chrono::system_clock::time_point read_started(const std::string& given,
                                                   const std::string& where) {
    constexpr std::string_view shape = "0000-00-00T00:00:00.000Z";
    bool fits = given.size() == shape.size();
    for (std::size_t i = 0; fits && i < shape.size(); ++i) {
        const bool digit = given[i] >= '0' && given[i] <= '9';
        fits = shape[i] == '0' ? digit : given[i] == shape[i];
    }
    if (!fits) wrong(where + ".started", "is no time such as 2026-01-31T12:34:56.789Z");
    std::tm parts{};
    parts.tm_year = digits(given, 0, 4) - 1900;
    parts.tm_mon = digits(given, 5, 2) - 1;
    parts.tm_mday = digits(given, 8, 2);
    parts.tm_hour = digits(given, 11, 2);
    parts.tm_min = digits(given, 14, 2);
    parts.tm_sec = digits(given, 17, 2);
    const bool year = parts.tm_year >= 70 && parts.tm_year <= 300;
    if (!year || parts.tm_mon < 0 || parts.tm_mon > 11) wrong(where + ".started", "is no time");
    const std::time_t seconds = ::timegm(&parts);
    return std::chrono::system_clock::from_time_t(seconds) +
           std::chrono::milliseconds(digits(given, 20, 3));
}

Status read_status(const json::object& object, const std::string& where) {
    const std::string given = read_text(object, "status", where);
    const auto found = std::ranges::find(
        all_statuses, given, [](Status status) { return std::string(to_string(status)); });
    if (found == std::end(all_statuses)) {
        wrong(where + ".status", options::shown(given) + " is no status of a check");
    }
    return *found;
}

Finding read_finding(const json::object& object, const std::string& where) {
    Finding finding;
    finding.code = read_text(object, "code", where);
    const std::string severity = read_text(object, "severity", where);
    const auto known = parse_severity(severity);
    if (!known) wrong(where + ".severity", options::shown(severity) + " is no severity");
    finding.severity = *known;
    finding.message = read_text(object, "message", where);
    finding.evidence = read_table(object, "evidence", where);
    const json::value& check = member(object, "check", where);
    if (!check.is_null()) finding.check = read_text(object, "check", where);
    return finding;
}

Cause read_cause(const json::object& object, const std::string& where) {
    Cause cause;
    cause.code = read_text(object, "code", where);
    const auto confidence = json::find_number(object, "confidence");
    if (!confidence || !(*confidence >= 0.0 && *confidence <= 1.0)) {
        wrong(where + ".confidence", "is not from 0 to 1");
    }
    cause.confidence = *confidence;
    return cause;
}

class ReportReader {
public:
    explicit ReportReader(const json::object& document) : document_(document) {}

    Report read() {
        require_version();
        const json::object* error = json::find_object(document_, "error");
        if (error != nullptr && !document_.contains("checks")) {
            wrong("error", "nothing had been run: " +
                               options::shown(json::find_string(*error, "message").value_or("")));
        }
        tool();
        run();
        verdict();
        each_of(document_, "checks", "", most_checks,
                [&](const json::object& each, const std::string& at) { check(each, at); });
        each_of(document_, "findings", "", most_findings,
                [&](const json::object& each, const std::string& at) { finding(each, at); });
        each_of(document_, "causes", "", most_causes,
                [&](const json::object& each, const std::string& at) {
                    report_.causes.push_back(read_cause(each, at));
                });
        return std::move(report_);
    }

private:
    void require_version() {
        const std::string version = read_text(document_, "format_version", "report");
        const std::size_t dot = version.find('.');
        if (version.substr(0, dot) != format_version.substr(0, format_version.find('.'))) {
            wrong("format_version",
                  options::shown(version) + " is not one that this p2pdiag reads");
        }
    }

    void tool() {
        const json::object& tool = read_table(document_, "tool", "report");
        report_.tool_version = read_text(tool, "version", "tool");
        each_of(tool, "plugins", "tool", most_plugins,
                [&](const json::object& each, const std::string& at) {
                    report_.plugins.push_back(
                        {read_text(each, "name", at), read_text(each, "version", at)});
                });
    }

    void run() {
        const json::object& run = read_table(document_, "run", "report");
        report_.run_id = read_text(run, "id", "run");
        report_.started = read_started(read_text(run, "started", "run"), "run");
        report_.duration = read_duration(run, "run");
        report_.profile = read_text(run, "profile", "run");
        report_.interrupted = json::find_bool(run, "interrupted").value_or(false);
        const auto port = json::find_integer(read_table(run, "target", "run"), "port");
        if (!port || *port < 0 || *port > 65535) wrong("run.target.port", "is no port");
        report_.target_port = static_cast<std::uint16_t>(*port);
        if (const json::value* recording = json::find(run, "recording")) {
            report_.recording = *recording;
        }
    }

    void verdict() {
        const json::object& verdict = read_table(document_, "verdict", "report");
        report_.verdict = {read_text(verdict, "status", "verdict"),
                           read_text(verdict, "headline", "verdict")};
        if (std::ranges::find(verdicts, report_.verdict.status) == std::end(verdicts)) {
            wrong("verdict.status", options::shown(report_.verdict.status) + " is no verdict");
        }
    }

    void check(const json::object& object, const std::string& where) {
        CheckResult check;
        check.id = read_text(object, "id", where);
        check.plugin = read_text(object, "plugin", where);
        check.title = read_text(object, "title", where);
        check.status = read_status(object, where);
        check.summary = read_text(object, "summary", where);
        // Null where the check never was started.
        if (json::find(object, "started_ms") != nullptr) {
            check.started = read_milliseconds(object, "started_ms", where);
        }
        check.duration = read_duration(object, where);
        check.data = member(object, "data", where);
        if (!check.data.is_null() && !check.data.is_object()) {
            wrong(where + ".data", "is neither an object nor null");
        }
        const auto [place, fresh] = places_.emplace(check.id, report_.checks.size());
        if (!fresh) wrong(where + ".id", options::shown(check.id) + " is there twice");
        report_.checks.push_back(std::move(check));
    }

    void finding(const json::object& object, const std::string& where) {
        Finding finding = read_finding(object, where);
        if (finding.check.empty()) {
            report_.host_findings.push_back(std::move(finding));
            return;
        }
        const auto place = places_.find(finding.check);

        if (place == places_.end()) {
            wrong(where + ".check", "there is no check " + options::shown(finding.check));
        }
        report_.checks[place->second].findings.push_back(std::move(finding));
    }

    const json::object& document_;
    Report report_;
    std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

boost::system::result<Report, Unreadable> read_report(std::string_view text) {
    if (text.size() > largest_report) return Unreadable{"is larger than a report may be (32 MiB)"};
    const auto document = json::parse(text);
    if (!document) return Unreadable{"is not JSON: " + document.error().message()};
    if (!document->is_object()) return Unreadable{"is no report: not an object"};
    try {
        return ReportReader(document->get_object()).read();
    } catch (const Wrong& found) {
        return Unreadable{found.why};
    }
}

void throw_exception_from_error(const Unreadable& error, const boost::source_location&) {
    throw std::logic_error("unchecked report: " + error.why);
}

}  // namespace p2pdiag::report
