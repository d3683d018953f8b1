#include <algorithm>
#include <utility>

#include "ladder.hpp"

namespace p2pdiag::capture_plugin {

namespace {

struct Signs {
    std::string_view lane, start, line, cross, right, left, lost, here;
};
constexpr Signs unicode_signs = {"│", "●", "─", "┼", "▶", "◀", "✕", "◎"};
constexpr Signs ascii_signs = {"|", "o", "-", "+", ">", "<", "x", "@"};

constexpr std::size_t time_width = 9;
constexpr std::size_t least_lane = 7;
constexpr std::size_t most_lane = 14;
// Narrower than that, a text is no text.
constexpr std::size_t least_text = 24;

// At most `room` characters of a label, so that those that differ still do: of "STUN 12" the number
// counts. Bases differ in their first three letters.
std::string shortened(const std::string& label, std::size_t room) {
    if (label.size() <= room) return label;
    const std::size_t blank = label.rfind(' ');
    if (blank == std::string::npos) return label.substr(0, room);
    const std::string number = label.substr(blank + 1);
    const std::size_t left = room - std::min(room, number.size());
    return label.substr(0, std::min(blank, left)) + number;
}

class TextLadder {
public:
    TextLadder(const Ladder& ladder, std::size_t width, bool unicode)
        : ladder_(ladder), signs_(unicode ? unicode_signs : ascii_signs), width_(width) {
        const std::size_t count = std::max<std::size_t>(ladder.columns.size(), 1);
        const std::size_t beside = time_width + least_text + 2;
        const std::size_t room = width > beside ? width - beside : 0;
        has_lanes_ = room >= least_lane * count;
        lane_ = std::clamp(room / count, least_lane, most_lane);
        text_width_ = has_lanes_ ? width - time_width - 2 - lane_ * count : width - 2;
        name_columns();
    }

    std::string run() {
        legend();
        if (has_lanes_) header();
        for (const Row& row : ladder_.rows) {
            if (row.left_out_before > 0) gap(row.left_out_before);
            has_lanes_ ? draw(row) : tell(row);
        }
        return std::move(out_);
    }

private:
    // What does not fit above its lane is numbered: the beginnings of two addresses look alike.
    void name_columns() {
        const std::size_t room = has_lanes_ ? lane_ - 1 : most_lane;
        std::size_t numbered = 0;
        for (const Column& column : ladder_.columns) {
            const bool is_address = column.addresses.size() == 1 &&
                                    column.label == column.addresses.front().to_string();
            const bool fits = !is_address || column.label.size() <= room;
            const std::string label = fits ? column.label : "host " + std::to_string(++numbered);
            names_.push_back(shortened(label, room));
        }
    }

    void lines(std::string_view text, std::string_view first, std::string_view others) {
        const std::size_t width = width_ > others.size() + 1 ? width_ - others.size() : width_;
        bool begun = false;
        for (const std::string& line : wrapped(text, width)) {
            out_ += std::exchange(begun, true) ? others : first;
            out_ += line + '\n';
        }
    }

    void legend() {
        for (std::size_t i = 0; i < ladder_.columns.size(); ++i) {
            const Column& column = ladder_.columns[i];
            std::string text = names_[i];
            text.resize(std::max<std::size_t>(text.size(), 10), ' ');
            if (column.addresses.size() == 1) {
                const std::string address = column.addresses.front().to_string();
                if (address != names_[i]) text += "  " + address;
                if (column.title.empty()) text += "  role not known";
                if (!column.title.empty()) text += "  " + column.title;
                if (!column.reason.empty()) text += ": " + column.reason;
            } else {
                text += "  " + column.title + ", named in the rows";
            }
            lines(text, "  ", "    ");
        }
        out_ += '\n';
    }

    void header() {
        out_.append(time_width + 1, ' ');
        for (const std::string& name : names_) {
            std::string label = name;
            const std::size_t before = (lane_ - label.size()) / 2;
            label.insert(0, before, ' ');
            label.resize(lane_, ' ');
            out_ += label;
        }
        while (out_.ends_with(' ')) out_.pop_back();
        out_ += '\n';
    }

    // On a terminal that has no room for lanes: who to whom, and what.
    void tell(const Row& row) {
        lines(seconds_text(row.since_start_ns) + "  " + names_[row.from] + " > " + names_[row.to],
              "", "  ");
        lines(row.text, "  ", "  ");
    }

    std::size_t place(std::size_t column) const { return column * lane_ + lane_ / 2; }

    // The sign at each character of the lanes, without a message.
    std::vector<std::string_view> lanes() const {
        std::vector<std::string_view> cells(lane_ * ladder_.columns.size(), " ");
        for (std::size_t i = 0; i < ladder_.columns.size(); ++i) cells[place(i)] = signs_.lane;
        return cells;
    }

    void append(const std::vector<std::string_view>& cells) {
        for (const std::string_view cell : cells) out_ += cell;
    }

    std::vector<std::string_view> arrow(const Row& row) const {
        std::vector<std::string_view> cells = lanes();
        const std::size_t from = place(row.from);
        const std::size_t to = place(row.to);
        if (from == to) {
            cells[from] = signs_.here;
            return cells;
        }
        for (std::size_t at = std::min(from, to) + 1; at < std::max(from, to); ++at) {
            cells[at] = cells[at] == signs_.lane ? signs_.cross : signs_.line;
        }
        cells[from] = signs_.start;
        cells[to] = to > from ? signs_.right : signs_.left;
        const Fate fate = row.message->fate;
        // It went out; whether it arrived nobody knows.
        if (fate == Fate::unanswered || fate == Fate::refused) {
            cells[to] = signs_.lane;
            cells[to > from ? to - 1 : to + 1] = signs_.lost;
        }
        return cells;
    }

    void draw(const Row& row) {
        std::string time = seconds_text(row.since_start_ns);
        if (time.size() < time_width) time.insert(0, time_width - time.size(), ' ');
        const std::vector<std::string> lines = wrapped(row.text, text_width_);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            out_ += i == 0 ? time : std::string(time_width, ' ');
            out_ += ' ';
            append(i == 0 ? arrow(row) : lanes());
            out_ += ' ' + lines[i] + '\n';
        }
    }

    void gap(std::uint64_t count) {
        const std::string text = std::to_string(count) + " more, not shown";
        if (!has_lanes_) return lines(text, "  ", "  ");
        out_.append(time_width + 1, ' ');
        append(lanes());
        out_ += ' ' + text + '\n';
    }

    const Ladder& ladder_;
    const Signs& signs_;
    std::size_t width_;
    bool has_lanes_;
    std::size_t lane_;
    std::size_t text_width_;
    std::vector<std::string> names_;  // of the columns, as they stand above and in the legend
    std::string out_;
};

}  // namespace

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    while (text.size() > width) {
        std::size_t end = text.rfind(' ', width);
        if (end == std::string_view::npos || end == 0) end = width;
        std::string_view line = text.substr(0, end);
        line = line.substr(0, line.find_last_not_of(' ') + 1);
        lines.emplace_back(line);
        text.remove_prefix(end);
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    }
    if (!text.empty() || lines.empty()) lines.emplace_back(text);
    return lines;
}

std::string ladder_text(const Ladder& ladder, std::size_t width, bool unicode) {
    return TextLadder(ladder, width, unicode).run();
}

}  // namespace p2pdiag::capture_plugin
