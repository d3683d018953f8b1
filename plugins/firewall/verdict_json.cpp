#include "verdict_json.hpp"

#include <algorithm>

namespace p2pdiag::firewall {

namespace {

json::object to_json(const RuleRef& rule) {
    json::object object{{"table", rule.table},
                        {"chain", rule.chain},
                        {"handle", nullptr},
                        {"text", rule.text},
                        {"owner", rule.owner}};
    if (rule.handle != 0) object["handle"] = rule.handle;
    if (!rule.comment.empty()) object["comment"] = rule.comment;
    return object;
}

}  // namespace

std::string protocol_name(std::uint8_t protocol) {
    if (protocol == protocol_udp) return "udp";
    return protocol == protocol_tcp ? "tcp" : std::to_string(protocol);
}

std::string spelled(const Question& question) {
    return std::string(question.protocol == protocol_udp ? "UDP" : "TCP") + " port " +
           std::to_string(question.port) + " by " +
           (question.family == Family::ipv4 ? "IPv4" : "IPv6") + " on " + question.interface;
}

json::object to_json(const Question& question, const Verdict& verdict, std::size_t max_trace) {
    json::object object{{"family", to_string(question.family)},
                        {"protocol", protocol_name(question.protocol)},
                        {"port", question.port},
                        {"interface", question.interface},
                        {"verdict", to_string(verdict.kind)},
                        {"why", verdict.why},
                        {"passes", nullptr},
                        {"open", json::array(verdict.open.begin(), verdict.open.end())},
                        {"deciding_rule", nullptr}};
    if (verdict.passes) object["passes"] = *verdict.passes;
    if (verdict.deciding_rule) object["deciding_rule"] = to_json(*verdict.deciding_rule);
    if (verdict.kind == VerdictKind::reject) object["reject"] = verdict.reject_kind;
    if (verdict.delivery && verdict.delivery->is_exact()) {
        const Endpoint to{verdict.delivery->destination, verdict.delivery->port};
        object["delivered_to"] = to.to_string();
    }
    if (max_trace == 0) return object;
    json::array trace;
    for (std::size_t i = 0; i < std::min(max_trace, verdict.trace.size()); ++i) {
        const TraceStep& step = verdict.trace[i];
        json::object shown = to_json(step.rule);
        shown["hook"] = to_string(step.hook);
        shown["outcome"] = step.outcome;
        shown["certain"] = step.certain;
        trace.push_back(std::move(shown));
    }
    object["trace"] = std::move(trace);
    object["trace_cut"] = verdict.trace_cut || verdict.trace.size() > max_trace;
    return object;
}

}  // namespace p2pdiag::firewall
