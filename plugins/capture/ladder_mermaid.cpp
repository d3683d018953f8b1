#include "ladder.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// Mermaid ends a line at ';' and reads '#' as the start of an entity:
// https://mermaid.js.org/syntax/sequenceDiagram.html
std::string mermaid_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case ';': out += "#59;"; break;
            case '#': out += "#35;"; break;
            case '<': out += "#lt;"; break;
            case '>': out += "#gt;"; break;
            case '%': out += "#37;"; break;
            default: out += c;
        }
    }
    return out;
}

std::string_view arrow(const Message& message) {
    if (message.fate == Fate::unanswered || message.fate == Fate::refused) return "-x";
    return message.kind == Kind::answer || message.kind == Kind::error ? "-->>" : "->>";
}

}  // namespace

std::string ladder_mermaid(const Ladder& ladder, const Outcome& result) {
    std::string out = "sequenceDiagram\n";
    for (std::size_t i = 0; i < ladder.columns.size(); ++i) {
        const Column& column = ladder.columns[i];
        out += "    participant c" + std::to_string(i) + " as " + mermaid_text(column.label);
        const std::string address =
            column.addresses.size() == 1 ? column.addresses.front().to_string() : column.title;
        if (address != column.label) out += "<br/>" + mermaid_text(address);
        out += '\n';
    }
    const auto note_over_all = [&](const std::string& text) {
        if (ladder.columns.empty()) return;
        out += "    Note over c0";
        if (ladder.columns.size() > 1) out += ",c" + std::to_string(ladder.columns.size() - 1);
        out += ": " + mermaid_text(text) + '\n';
    };
    for (const Row& row : ladder.rows) {
        if (row.left_out_before > 0) {
            note_over_all(std::to_string(row.left_out_before) + " more, not shown");
        }
        out += "    c" + std::to_string(row.from);
        out += arrow(*row.message);
        out += 'c' + std::to_string(row.to) + ": ";
        out += seconds_text(row.since_start_ns) + " s  " + mermaid_text(row.text) + '\n';
    }
    for (const Finding& finding : result.findings) {
        note_over_all(finding.code + ": " + finding.message);
    }
    return out;
}

}  // namespace p2pdiag::capture_plugin
