#include "check_report.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"

namespace p2pdiag::firewall {

namespace {

std::string heading(const Question& question) {
    std::string text = question.protocol == protocol_udp ? "UDP " : "TCP ";
    text += std::to_string(question.port);
    text += question.family == Family::ipv4 ? " by IPv4" : " by IPv6";
    if (!question.interface.empty()) text += " on " + printable(question.interface);
    return text;
}

std::string verdict_words(const Verdict& verdict) {
    std::string words(to_string(verdict.kind));
    if (verdict.kind == VerdictKind::reject && !verdict.reject_kind.empty())
        words += " (" + verdict.reject_kind + ')';
    if (verdict.delivery && !verdict.delivery->local) {
        words += ", on to " +
                 Endpoint{verdict.delivery->destination, verdict.delivery->port}.to_string();
    }
    return words;
}

// "inet filter input"
std::string place(const RuleRef& rule) { return rule.table + ' ' + rule.chain; }

void put_line(std::string& text, const std::string& line) { text += "  " + line + '\n'; }

void put_rule(std::string& text, const RuleRef& rule) {
    std::string line = "Rule: " + rule.text + "   (" + place(rule);
    if (rule.handle != 0) line += ", handle " + std::to_string(rule.handle);
    put_line(text, line + ", of " + rule.owner + ')');
}

void put_trace(std::string& text, const Verdict& verdict) {
    for (const TraceStep& step : verdict.trace) {
        std::string line(to_string(step.hook));
        line += std::string(line.size() < 12 ? 12 - line.size() : 1, ' ');
        line += place(step.rule) + ": " + step.rule.text + " -> " + step.outcome;
        if (!step.certain) line += " (not certain)";
        put_line(text, line);
    }
    if (verdict.trace_cut) put_line(text, "… and more");
}

}  // namespace

int exit_code(const CheckReport& report) {
    const auto any = [&](auto holds) {
        return std::any_of(report.lines.begin(), report.lines.end(),
                           [&](const CheckLine& line) { return holds(line.asked.verdict); });
    };
    if (any([](const Verdict& verdict) { return verdict.passes == false; })) return 1;
    const auto is_open = [](const Verdict& verdict) { return verdict.kind != VerdictKind::accept; };
    return report.lines.empty() || report.left_out || any(is_open) ? 3 : 0;
}

json::object to_json(const CheckReport& report, bool trace) {
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    json::array verdicts;
    for (const CheckLine& line : report.lines) {
        json::object object =
            to_json(line.asked.question, line.asked.verdict, trace ? all : max_trace_in_data);
        object["some_differ"] = line.asked.some_differ;
        object["listener"] = nullptr;
        if (line.listener) object["listener"] = to_json(*line.listener);
        object["remedy"] = json::array(line.remedy.begin(), line.remedy.end());
        object["no_remedy"] = nullptr;
        if (!line.no_remedy.empty()) object["no_remedy"] = line.no_remedy;
        verdicts.push_back(std::move(object));
    }
    return {{"format_version", "1.0"},
            {"verdicts", std::move(verdicts)},
            {"notes", json::array(report.notes.begin(), report.notes.end())}};
}

std::string to_text(const CheckReport& report, bool trace) {
    std::string text;
    for (const CheckLine& line : report.lines) {
        const Verdict& verdict = line.asked.verdict;
        text += heading(line.asked.question) + ": " + verdict_words(verdict) + '\n';
        put_line(text, verdict.why);
        if (line.asked.some_differ)
            put_line(text,
                     "That is for a stranger on the internet; some senders are treated "
                     "otherwise.");
        if (verdict.deciding_rule) put_rule(text, *verdict.deciding_rule);
        if (trace) put_trace(text, verdict);
        if (line.listener) put_line(text, line.listener->words());
        for (const std::string& remedy : line.remedy) put_line(text, "To open it: " + remedy);
        if (!line.no_remedy.empty())
            put_line(text, "`p2pdiag firewall allow` does not open it: " + line.no_remedy);
    }
    return text;
}

}  // namespace p2pdiag::firewall
