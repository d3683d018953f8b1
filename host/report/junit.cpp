// The shape that the common JUnit schema asks for: a suite per plugin, a case per check. What could
// not be told is skipped with its reason, never passed.
#include "report/junit.hpp"

#include <cstdio>

#include "base/utf8.hpp"
#include "report/report_json.hpp"

namespace p2pdiag::report {
namespace {

struct Counts {
    unsigned tests = 0;
    unsigned failures = 0;
    unsigned errors = 0;
    unsigned skipped = 0;

    Counts& operator+=(const Counts& other) {
        tests += other.tests;
        failures += other.failures;
        errors += other.errors;
        skipped += other.skipped;
        return *this;
    }
};

struct Suite {
    std::string name;
    Counts counts;
    std::chrono::milliseconds time{0};
    std::string cases;
};

// XML 1.0 §2.2, Char: no other control character, no surrogate, neither U+FFFE nor U+FFFF may
// occur, not even escaped.
bool is_xml_char(char32_t code) {
    return code == 0x09 || code == 0x0A || code == 0x0D || (code >= 0x20 && code <= 0xD7FF) ||
           (code >= 0xE000 && code <= 0xFFFD) || code >= 0x10000;
}

std::string escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        switch (next.code) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            // An attribute's line breaks and tabs would be read back as spaces.
            case '\n': out += "&#10;"; break;
            case '\r': out += "&#13;"; break;
            case '\t': out += "&#9;"; break;
            default:
                if (next.valid && is_xml_char(next.code)) {
                    out += text.substr(0, next.size);
                } else {
                    out += "\xEF\xBF\xBD";  // U+FFFD
                }
        }
        text.remove_prefix(next.size);
    }
    return out;
}

std::string attribute(std::string_view name, std::string_view value) {
    std::string out = " ";
    out += name;
    return out + "=\"" + escaped(value) + '"';
}

std::string seconds(std::chrono::milliseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(time.count() / 1000),
                  static_cast<long long>(time.count() % 1000));
    return text;
}

std::string attributes(const Counts& counts, std::chrono::milliseconds time) {
    return attribute("tests", std::to_string(counts.tests)) +
           attribute("failures", std::to_string(counts.failures)) +
           attribute("errors", std::to_string(counts.errors)) +
           attribute("skipped", std::to_string(counts.skipped)) + attribute("time", seconds(time));
}

std::string findings_text(const std::vector<Finding>& findings) {
    std::string out;
    for (const Finding& finding : findings) {
        out += to_string(finding.severity);
        out += ' ' + finding.code + ": " + finding.message + '\n';
    }
    return out;
}

// The first finding that says why, for the type of a failure.
std::string failure_type(const CheckResult& check) {
    for (const Severity wanted : {Severity::error, Severity::warning}) {
        for (const Finding& finding : check.findings) {
            if (finding.severity == wanted) return finding.code;
        }
    }
    return std::string(to_string(check.status));
}

std::string element(std::string_view name, std::string_view message, std::string_view type,
                    std::string_view text) {
    std::string out = "      <";
    out += name;
    out += attribute("message", message);
    if (!type.empty()) out += attribute("type", type);
    if (text.empty()) return out + "/>\n";
    out += '>' + escaped(text) + "</";
    out += name;
    return out + ">\n";
}

std::string outcome(const CheckResult& check, Counts& counts) {
    const std::string status(to_string(check.status));
    const std::string details = findings_text(check.findings);
    switch (check.status) {
        case Status::pass:
        case Status::warn: break;
        case Status::fail:
            ++counts.failures;
            return element("failure", check.summary, failure_type(check), details);
        case Status::error:
        case Status::crashed:
        case Status::timed_out:
            ++counts.errors;
            return element("error", check.summary, status, details);
        case Status::skip:
        case Status::unknown:
        case Status::cancelled: {
            ++counts.skipped;
            // The schema gives skipped no text of its own: findings go to system-out.
            std::string out = element("skipped", status + ": " + check.summary, "", "");
            if (!details.empty())
                out += "      <system-out>" + escaped(details) + "</system-out>\n";
            return out;
        }
    }
    const std::string text = check.summary.empty() ? details : check.summary + '\n' + details;
    if (text.empty()) return {};
    return "      <system-out>" + escaped(text) + "</system-out>\n";
}

void add_case(Suite& suite, const std::string& name, std::chrono::milliseconds time,
              const std::string& content) {
    ++suite.counts.tests;
    suite.time += time;
    suite.cases += "    <testcase" + attribute("classname", suite.name) + attribute("name", name) +
                   attribute("time", seconds(time));
    suite.cases += content.empty() ? "/>\n" : ">\n" + content + "    </testcase>\n";
}

Suite& suite_of(std::vector<Suite>& suites, const std::string& name) {
    for (Suite& suite : suites) {
        if (suite.name == name) return suite;
    }
    suites.push_back({name, {}, {}, {}});
    return suites.back();
}

std::vector<Suite> suites_of(const Report& report) {
    std::vector<Suite> suites;
    for (const Finding& finding : report.host_findings) {
        Suite& suite = suite_of(suites, "p2pdiag");
        std::string content;
        if (finding.severity == Severity::error) {
            ++suite.counts.errors;
            content = element("error", finding.message, finding.code, "");
        } else {
            content = "      <system-out>" + escaped(finding.message) + "</system-out>\n";
        }
        add_case(suite, finding.code, {}, content);
    }
    for (const CheckResult& check : report.checks) {
        Suite& suite = suite_of(suites, check.plugin);
        add_case(suite, check.id, check.duration, outcome(check, suite.counts));
    }
    return suites;
}

}  // namespace

std::string junit(const Report& report, const RenderOptions&) {
    const std::vector<Suite> suites = suites_of(report);
    Counts all;
    for (const Suite& suite : suites) all += suite.counts;

    // Without the Z: the schema's type for a timestamp has no zone.
    const std::string started = timestamp(report.started).substr(0, 19);
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites";
    out += attribute("name", "p2pdiag") + attributes(all, report.duration) + ">\n";
    for (const Suite& suite : suites) {
        out +=
            "  <testsuite" + attribute("name", suite.name) + attributes(suite.counts, suite.time);
        out += attribute("timestamp", started) + ">\n" + suite.cases + "  </testsuite>\n";
    }
    return out + "</testsuites>\n";
}

}  // namespace p2pdiag::report
