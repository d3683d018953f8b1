#include <algorithm>

#include "ladder.hpp"

namespace p2pdiag::capture_plugin {

namespace {

std::string_view outcome_of(const Message& message) {
    if (message.kind == Kind::error || message.fate == Fate::refused) return "refused";
    if (message.kind == Kind::answer) return "answer";
    return message.fate == Fate::unanswered ? "unanswered" : "sent";
}

json::value column_address(const Column& column) {
    if (column.addresses.size() != 1) return nullptr;
    return json::value(column.addresses.front().to_string());
}

}  // namespace

json::object ladder_json(const Ladder& ladder) {
    json::array columns;
    for (const Column& column : ladder.columns) {
        columns.push_back(
            json::object{{"label", column.label}, {"address", column_address(column)}});
    }
    json::array rows;
    for (const Row& row : ladder.rows) {
        rows.push_back(json::object{{"since_start_us", row.since_start_ns / 1000},
                                    {"from", row.from},
                                    {"to", row.to},
                                    {"text", row.text},
                                    {"outcome", outcome_of(*row.message)},
                                    {"left_out_before", row.left_out_before}});
    }
    return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

}  // namespace p2pdiag::capture_plugin
