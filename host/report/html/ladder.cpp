#include "report/html/ladder.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "report/html/text.hpp"

namespace p2pdiag::report::html {
namespace {

// Of a recorder that would say more than can be looked at.
constexpr std::size_t most_columns = 12;
constexpr std::size_t most_rows = 200;

// Pixels.
constexpr int time_width = 84;
constexpr int column_width = 132;
constexpr int row_height = 24;
constexpr int head_height = 58;
constexpr int text_width = 620;

struct Post {
    std::string label;
    std::string address;  // empty where it is the label, or more than one
};

struct Arrow {
    double since_start_ms = 0;
    std::size_t from = 0;
    std::size_t to = 0;
    std::string text;
    std::string outcome;  // "sent", "answer", "unanswered", "refused"
    std::int64_t left_out_before = 0;
};

struct Handshakes {
    std::vector<Post> posts;
    std::vector<Arrow> arrows;
};

std::string string_of(const json::object& from, std::string_view member) {
    return std::string(json::find_string(from, member).value_or(""));
}

std::optional<std::size_t> post_of(const json::object& row, std::string_view member,
                                   const std::vector<Post>& posts) {
    const auto index = json::find_integer(row, member);
    if (!index || *index < 0 || static_cast<std::size_t>(*index) >= posts.size()) return {};
    return static_cast<std::size_t>(*index);
}

// One of the words that the style knows; a recorder may have said anything.
std::string outcome_of(const json::object& row) {
    const std::string said = string_of(row, "outcome");
    for (const char* known : {"answer", "unanswered", "refused"}) {
        if (said == known) return said;
    }
    return "sent";
}

Handshakes read(const json::object& ladder) {
    Handshakes out;
    const json::array* columns = json::find_array(ladder, "columns");
    const json::array* rows = json::find_array(ladder, "rows");
    if (columns == nullptr || rows == nullptr) return out;
    for (const json::value& column : *columns) {
        if (!column.is_object() || out.posts.size() == most_columns) break;
        Post post{string_of(column.get_object(), "label"),
                  string_of(column.get_object(), "address")};
        if (post.address == post.label) post.address.clear();
        out.posts.push_back(std::move(post));
    }
    for (const json::value& one : *rows) {
        const json::object* row = one.if_object();
        if (row == nullptr || out.arrows.size() == most_rows) break;
        const auto from = post_of(*row, "from", out.posts);
        const auto to = post_of(*row, "to", out.posts);
        if (!from || !to) continue;
        const auto microseconds = json::find_integer(*row, "since_start_us").value_or(0);
        out.arrows.push_back({static_cast<double>(microseconds) / 1000, *from, *to,
                              string_of(*row, "text"), outcome_of(*row),
                              json::find_integer(*row, "left_out_before").value_or(0)});
    }
    return out;
}

std::string time_text(double since_start_ms) {
    char out[48];
    std::snprintf(out, sizeof out, "%.1f ms", since_start_ms);
    return out;
}

std::string left_out_text(std::int64_t count) { return std::to_string(count) + " more, not shown"; }

int middle(std::size_t post) {
    return time_width + static_cast<int>(post) * column_width + column_width / 2;
}

std::string words(std::string_view kind, int x, int y, std::string_view anchor,
                  std::string_view what) {
    return "<text class=\"" + std::string(kind) + "\" x=\"" + std::to_string(x) + "\" y=\"" +
           std::to_string(y + 4) + "\" text-anchor=\"" + std::string(anchor) + "\">" + text(what) +
           "</text>";
}

std::string drawn_post(const Post& post, std::size_t index, int height) {
    const std::string x = std::to_string(middle(index));
    return words("head", middle(index), 14, "middle", post.label) +
           words("time", middle(index), 32, "middle", post.address) + "<line class=\"post\" x1=\"" +
           x + "\" x2=\"" + x + "\" y1=\"" + std::to_string(head_height - 10) + "\" y2=\"" +
           std::to_string(height) + "\"/>\n";
}

std::string drawn_arrow(const Arrow& arrow, int y) {
    const int from = middle(arrow.from);
    const int to = middle(arrow.to);
    const int back = to > from ? -7 : 7;
    std::string shape = "M" + std::to_string(from) + ' ' + std::to_string(y);
    if (from == to) {
        shape += "h18v8h-12";
    } else {
        shape += 'H' + std::to_string(to) + 'm' + std::to_string(back) + "-4L" +
                 std::to_string(to) + ' ' + std::to_string(y) + 'l' + std::to_string(back) + " 4";
    }
    return "<path class=\"arrow\" d=\"" + shape + "\"/>";
}

std::string drawing(const Handshakes& handshakes) {
    const int right = time_width + static_cast<int>(handshakes.posts.size()) * column_width;
    int y = head_height;
    std::string rows;
    for (const Arrow& arrow : handshakes.arrows) {
        if (arrow.left_out_before > 0) {
            y += row_height;
            rows += words("gap", right, y, "start", left_out_text(arrow.left_out_before)) + '\n';
        }
        y += row_height;
        rows += "<g class=\"" + arrow.outcome + "\">" +
                words("time", time_width - 12, y, "end", time_text(arrow.since_start_ms)) +
                drawn_arrow(arrow, y) + words("", right, y, "start", arrow.text) + "</g>\n";
    }
    const std::string width = std::to_string(right + text_width);
    const std::string height = std::to_string(y + row_height);
    std::string posts;
    for (std::size_t i = 0; i < handshakes.posts.size(); ++i) {
        posts += drawn_post(handshakes.posts[i], i, y + row_height);
    }
    return "<div class=\"ladder-box\" role=\"region\" aria-label=\"Ladder of messages\" "
           "tabindex=\"0\">\n<svg class=\"ladder\" role=\"img\" aria-labelledby=\"ladder-title "
           "ladder-desc\" width=\"" +
           width + "\" height=\"" + height + "\" viewBox=\"0 0 " + width + ' ' + height +
           "\">\n<title id=\"ladder-title\">Messages between you and the servers</title>\n<desc "
           "id=\"ladder-desc\">The same stands below, as a list.</desc>\n" +
           posts + rows + "</svg>\n</div>\n";
}

std::string as_list(const Handshakes& handshakes) {
    std::string out =
        "<details><summary>The messages as a list</summary>\n<ol class=\"messages\">\n";
    for (const Arrow& arrow : handshakes.arrows) {
        if (arrow.left_out_before > 0) {
            out += "<li>" + left_out_text(arrow.left_out_before) + "</li>\n";
        }
        out += "<li>" + time_text(arrow.since_start_ms) + ", " +
               text(handshakes.posts[arrow.from].label) + " to " +
               text(handshakes.posts[arrow.to].label) + ": " + text(arrow.text) +
               (arrow.outcome == "sent" ? "" : " (" + arrow.outcome + ")") + "</li>\n";
    }
    return out + "</ol>\n</details>\n";
}

}  // namespace

std::string ladder_section(const Report& report) {
    const json::object* recording = report.recording.if_object();
    if (recording == nullptr) return {};
    std::string out =
        "<section aria-labelledby=\"handshakes\">\n<h2 id=\"handshakes\">Handshakes</h2>\n";
    out += "<p class=\"quiet\">" + text(string_of(*recording, "summary")) + "</p>\n";
    const json::object* data = json::find_object(*recording, "data");
    const json::object* ladder = data == nullptr ? nullptr : json::find_object(*data, "ladder");
    const Handshakes handshakes = ladder == nullptr ? Handshakes() : read(*ladder);
    const std::string file = string_of(*recording, "file");
    if (handshakes.arrows.empty() && file.empty()) return {};
    out += "<div class=\"card\">\n";
    if (!handshakes.arrows.empty()) out += drawing(handshakes) + as_list(handshakes);
    if (!file.empty()) {
        out += "<p class=\"small\">All that was recorded, with what it means:</p>\n" +
               command("p2pdiag capture analyze " + file);
    }
    return out + "</div>\n</section>\n";
}

}  // namespace p2pdiag::report::html
