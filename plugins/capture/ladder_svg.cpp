#include <algorithm>

#include "base/text.hpp"
#include "ladder.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// Pixels.
constexpr int time_column = 80;
constexpr int least_column = 130;
constexpr int character = 8;  // of the font below, a little more than it takes
constexpr int row_height = 22;
constexpr int top = 64;
constexpr int least_row_text = 640;

std::string svg_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

class SvgLadder {
public:
    SvgLadder(const Ladder& ladder, const Outcome& result) : ladder_(ladder), result_(result) {
        // What stands above one column must not run into the next: an IPv6 address is long.
        std::size_t longest = 0;
        for (const Column& column : ladder.columns) {
            longest = std::max({longest, column.label.size(), below(column).size()});
        }
        column_ = std::max(least_column, static_cast<int>(longest + 2) * character);
        for (const Row& row : ladder.rows) {
            texts_ = std::max(texts_, static_cast<int>(row.text.size() + 2) * character);
        }
    }

    std::string run() {
        const int width = time_column + columns() * column_ + texts_;
        const int height = top + (rows() + 1) * row_height;
        out_ =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
            "aria-labelledby=\"title description\" width=\"" +
            std::to_string(width) + "\" height=\"" + std::to_string(height) + "\" viewBox=\"0 0 " +
            std::to_string(width) + ' ' + std::to_string(height) +
            "\" font-family=\"ui-monospace, monospace\" font-size=\"12\">\n";
        describe();
        out_ += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
        for (int i = 0; i < columns(); ++i) column(i, height);
        int y = top + row_height;
        for (const Row& row : ladder_.rows) {
            if (row.left_out_before > 0) {
                text(time_column + columns() * column_, y, "#555555",
                     std::to_string(row.left_out_before) + " more, not shown");
                y += row_height;
            }
            draw(row, y);
            y += row_height;
        }
        out_ += "</svg>\n";
        return std::move(out_);
    }

private:
    static std::string below(const Column& column) {
        return column.addresses.size() == 1 ? column.addresses.front().to_string() : column.title;
    }

    int columns() const { return static_cast<int>(ladder_.columns.size()); }
    int rows() const {
        return static_cast<int>(
            ladder_.rows.size() +
            static_cast<std::size_t>(std::ranges::count_if(
                ladder_.rows, [](const Row& row) { return row.left_out_before > 0; })));
    }

    void describe() {
        out_ += "<title id=\"title\">Message ladder: " + times(result_.packets, "packet") + ", " +
                times(ladder_.rows.size(), "message") + "</title>\n";
        std::string text;
        for (const Finding& finding : result_.findings) text += finding.message + ". ";
        if (text.empty()) {
            text = result_.understood     ? "Nothing wrong was found."
                   : result_.packets == 0 ? "There is no packet in it."
                                          : "Nothing in it is understood.";
        }
        out_ += "<desc id=\"description\">" + svg_text(text) + "</desc>\n";
    }

    int middle(std::size_t column) const {
        return time_column + static_cast<int>(column) * column_ + column_ / 2;
    }

    void text(int x, int y, std::string_view colour, std::string_view words,
              std::string_view more = "") {
        out_ += "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y + 4) +
                "\" fill=\"" + std::string(colour) + '"' + std::string(more) + '>' +
                svg_text(words) + "</text>\n";
    }

    void line(int x1, int y1, int x2, int y2, std::string_view more) {
        out_ += "<line x1=\"" + std::to_string(x1) + "\" y1=\"" + std::to_string(y1) + "\" x2=\"" +
                std::to_string(x2) + "\" y2=\"" + std::to_string(y2) + '"' + std::string(more) +
                "/>\n";
    }

    void column(int number, int height) {
        const Column& column = ladder_.columns[static_cast<std::size_t>(number)];
        const int x = middle(static_cast<std::size_t>(number));
        constexpr std::string_view centred = " text-anchor=\"middle\"";
        text(x, 20, "#000000", column.label, " text-anchor=\"middle\" font-weight=\"bold\"");
        const std::string address = below(column);
        if (address != column.label) text(x, 38, "#555555", address, centred);
        line(x, top - 8, x, height, " stroke=\"#bbbbbb\"");
    }

    void draw(const Row& row, int y) {
        const Message& message = *row.message;
        const bool bad = message.fate == Fate::unanswered || message.fate == Fate::refused ||
                         message.kind == Kind::error;
        const std::string colour = bad ? "#b00020" : "#000000";
        text(time_column - 10, y, "#555555", seconds_text(row.since_start_ns),
             " text-anchor=\"end\"");
        const int from = middle(row.from);
        const int to = middle(row.to);
        const int way = to > from ? 1 : -1;
        std::string style = " stroke=\"" + colour + '"';
        if (message.kind == Kind::answer) style += " stroke-dasharray=\"5 3\"";
        if (from == to) {
            out_ += "<circle cx=\"" + std::to_string(from) + "\" cy=\"" + std::to_string(y) +
                    "\" r=\"4\" fill=\"none\"" + style + "/>\n";
        } else {
            line(from, y, to, y, style);
            const std::string at = std::to_string(to - way);
            const std::string back = std::to_string(to - way * 8);
            out_ += "<path d=\"M" + at + ' ' + std::to_string(y) + " L" + back + ' ' +
                    std::to_string(y - 4) + " L" + back + ' ' + std::to_string(y + 4) +
                    " Z\" fill=\"" + colour + "\"/>\n";
        }
        text(time_column + columns() * column_, y, colour, row.text);
    }

    const Ladder& ladder_;
    const Outcome& result_;
    int column_ = least_column;   // width of each
    int texts_ = least_row_text;  // of what stands beside them
    std::string out_;
};

}  // namespace

std::string ladder_svg(const Ladder& ladder, const Outcome& result) {
    return SvgLadder(ladder, result).run();
}

}  // namespace p2pdiag::capture_plugin
