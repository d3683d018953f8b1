// The messages as a ladder: a column for each endpoint, a row for each message.
#pragma once

#include "model.hpp"

namespace p2pdiag::capture_plugin {

struct Column {
    std::string label;  // short and unique: "you", "STUN 2", an address
    std::string title;  // "STUN server", or what else there is to say
    std::string reason;
    std::vector<IpAddress> addresses;  // more than one: everybody for whom there was no column
};

struct Row {
    const Message* message = nullptr;
    std::size_t from = 0;  // index of a column
    std::size_t to = 0;
    std::int64_t since_start_ns = 0;
    std::string text;                   // protocol, what it says, copies, ports, delay or fate
    std::uint64_t left_out_before = 0;  // messages between this row and the one before it
};

struct Ladder {
    std::vector<Column> columns;
    std::vector<Row> rows;
};

// At least two columns and two rows; what is more than that is merged into a last column, or left
// out in the middle. Refers to `result`.
Ladder make_ladder(const Outcome& result, std::size_t max_columns, std::size_t max_rows);

// "12.345" seconds; "+3.4 ms".
std::string seconds_text(std::int64_t nanoseconds);
std::string delay_text(std::int64_t nanoseconds);

// Lines of at most `width` characters, broken at blanks where there are any. Of ASCII.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

// Lines of at most `width` characters, each with its end. ASCII alone where `unicode` is false.
std::string ladder_text(const Ladder& ladder, std::size_t width, bool unicode);
// A sequenceDiagram of https://mermaid.js.org.
std::string ladder_mermaid(const Ladder& ladder, const Outcome& result);
// One self-contained drawing, with a title and a description for those who cannot see it.
std::string ladder_svg(const Ladder& ladder, const Outcome& result);
// For who draws it by itself: "columns" and "rows", as docs/user/capture.md says of a recording.
json::object ladder_json(const Ladder& ladder);

}  // namespace p2pdiag::capture_plugin
