#include "analysis_json.hpp"

#include "base/utf8.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// Milliseconds since the first packet, with a fraction: captures are finer than that.
double milliseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

std::string name_of(const Endpoint& endpoint) {
    return endpoint.port == 0 ? endpoint.address.to_string() : endpoint.to_string();
}

template <class Value>
json::value or_null(const std::optional<Value>& value) {
    return value ? json::value(*value) : json::value();
}

json::object to_json(const Message& message, std::int64_t first_ns) {
    json::object object{{"number", message.sequence},
                        {"packet", message.packet},
                        {"time_ms", milliseconds(message.time_ns - first_ns)},
                        {"last_ms", milliseconds(message.last_ns - first_ns)},
                        {"from", name_of(message.from)},
                        {"to", name_of(message.to)},
                        {"protocol", to_string(message.protocol)},
                        {"kind", to_string(message.kind)},
                        {"text", message.text},
                        {"copies", message.copies},
                        {"seen_again", message.seen_again},
                        {"answers", or_null(message.answers)},
                        {"answered_by", or_null(message.answered_by)},
                        {"transaction", nullptr},
                        {"delay_ms", nullptr},
                        {"fate", nullptr},
                        {"comment", nullptr}};
    if (message.delay_ns) object["delay_ms"] = milliseconds(*message.delay_ns);
    if (message.fate != Fate::none) object["fate"] = to_string(message.fate);
    if (!message.transaction.empty()) object["transaction"] = message.transaction;
    if (!message.comment.empty()) object["comment"] = message.comment;
    return object;
}

json::object to_json(const Host& host) {
    json::object object{{"address", host.address.to_string()},
                        {"role", nullptr},
                        {"reason", nullptr},
                        {"messages", host.messages}};
    if (host.role != Role::unknown) {
        object["role"] = to_string(host.role);
        object["reason"] = host.reason;
    }
    return object;
}

json::object to_json(const Conversation& one, std::int64_t first_ns) {
    return {{"protocol", to_string(one.carrier)},
            {"from", name_of(one.from)},
            {"to", name_of(one.to)},
            {"packets_out", one.packets_out},
            {"packets_in", one.packets_in},
            {"bytes_out", one.bytes_out},
            {"bytes_in", one.bytes_in},
            {"first_ms", milliseconds(one.first_ns - first_ns)},
            {"last_ms", milliseconds(one.last_ns - first_ns)}};
}

json::object to_json(const Finding& finding) {
    return {{"code", finding.code},
            {"severity", to_string(finding.severity)},
            {"message", finding.message},
            {"evidence", finding.evidence}};
}

}  // namespace

json::object to_json(const Outcome& result, std::string_view source) {
    json::array findings, hosts, mappings, messages, conversations, remarks;
    for (const Finding& one : result.findings) findings.push_back(to_json(one));
    for (const Host& one : result.hosts) hosts.push_back(to_json(one));
    for (const Mapping& one : result.mappings) {
        mappings.push_back(json::object{{"protocol", to_string(one.transport)},
                                        {"local", one.local.to_string()},
                                        {"server", one.server.to_string()},
                                        {"mapped", one.mapped.to_string()}});
    }
    for (const Message& one : result.messages) messages.push_back(to_json(one, result.first_ns));
    for (const Conversation& one : result.conversations) {
        conversations.push_back(to_json(one, result.first_ns));
    }
    for (const std::string& one : result.remarks) remarks.push_back(json::value(one));
    return {{"format_version", "1.0"},
            {"source", to_valid_utf8(source)},
            {"packets", result.packets},
            {"bytes", result.bytes},
            {"duration_ms", result.span_known
                                ? json::value(milliseconds(result.last_ns - result.first_ns))
                                : json::value()},
            {"understood", result.understood},
            {"findings", std::move(findings)},
            {"hosts", std::move(hosts)},
            {"mappings", std::move(mappings)},
            {"messages", std::move(messages)},
            {"open_requests", result.open_requests},
            {"messages_left_out", result.messages_left_out},
            {"conversation_count", result.conversation_count},
            {"conversations", std::move(conversations)},
            {"remarks", std::move(remarks)}};
}

}  // namespace p2pdiag::capture_plugin
