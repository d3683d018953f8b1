#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/text.hpp"
#include "foreign/macos.hpp"

namespace p2pdiag::firewall::macos {

namespace {

constexpr std::size_t most_unread = 20;
constexpr std::size_t most_entries = 1'000'000;  // of all tables
constexpr std::size_t most_lists = 10'000;

enum class Section : std::uint8_t { rules, info, interfaces, anchors, table, other };

struct Title {
    std::string_view text;
    Section section;
};

// Of `pfctl -s all`.
constexpr Title titles[] = {
    {"TRANSLATION RULES:", Section::rules},
    {"FILTER RULES:", Section::rules},
    {"DUMMYNET RULES:", Section::other},
    {"STATES:", Section::other},
    {"INFO:", Section::info},
    {"LABEL COUNTERS:", Section::other},
    {"TIMEOUTS:", Section::other},
    {"LIMITS:", Section::other},
    {"TABLES:", Section::other},
    {"OS FINGERPRINTS:", Section::other},
    {"INTERFACES:", Section::interfaces},
    {"ALTQ:", Section::other},
};

bool is_noise(std::string_view line) {
    return line == "No ALTQ support in kernel" || line == "ALTQ related functions disabled" ||
           (line.front() == '#' && !line.starts_with("# pf "));
}

// "% sudo pfctl -s rules": what was typed, copied along.
bool is_typed(std::string_view line) {
    return (line.find("pfctl -") != std::string_view::npos ||
            line.find("socketfilterfw --") != std::string_view::npos) &&
           !line.starts_with("pfctl:");
}

class Reader {
public:
    Ruleset read(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            std::string_view line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
                line.remove_suffix(1);
            if (line.find_first_not_of(" \t") == std::string_view::npos || is_noise(line)) continue;
            take(line);
        }
        if (titled_ && !ended_) unread("the end, which is missing");
        while (!open_.empty()) {
            unread("an anchor without its end");
            close();
        }
        ruleset_.applications = applications_.finish();
        if (any_pf_) ruleset_.packets = std::move(pf_);
        return std::move(ruleset_);
    }

private:
    // An anchor whose braces are open, in the list `path_` or in the anchor before it.
    struct Inner {
        pf::List list;
    };

    void unread(std::string_view line) {
        auto& lines = any_pf_ ? pf_.unread : ruleset_.unread;
        if (lines.size() < most_unread) lines.push_back(printable(line, 120));
    }

    void take(std::string_view line) {
        if (line.starts_with("# pf ")) return marker(line.substr(5));
        if (line.starts_with("Status: Enabled") || line.starts_with("Status: Disabled")) {
            any_pf_ = true;
            pf_.enabled = line.starts_with("Status: Enabled");
            section_ = Section::info;
            return;
        }
        for (const Title& title : titles) {
            if (line != title.text) continue;
            any_pf_ = true;
            section_ = title.section;
            path_.clear();
            pf_.has_translations = pf_.has_translations || line.starts_with("TRANSLATION");
            pf_.has_rules = pf_.has_rules || line.starts_with("FILTER");
            pf_.has_interfaces = pf_.has_interfaces || section_ == Section::interfaces;
            return;
        }
        if (is_typed(line)) {
            if (section_ != Section::rules) section_ = Section::rules;
            return;
        }
        const bool indented = line.front() == ' ' || line.front() == '\t';
        switch (section_) {
            case Section::rules: return rule(line);
            case Section::interfaces:
                if (indented) return;
                if (pf::is_rule_line(line)) return rule(line);
                if (pf_.interfaces.size() < most_lists)
                    pf_.interfaces.emplace(line.substr(0, line.find_first_of(" \t")));
                if (line.find("(skip)") != std::string_view::npos)
                    pf_.skipped.emplace(line.substr(0, line.find_first_of(" \t")));
                return;
            case Section::anchors: return anchor_name(line);
            case Section::table: return table_entry(line);
            case Section::info:
                // Counters are named "match" and the like.
                if (!indented && (pf::is_rule_line(line) || applications_.take(line))) {
                    section_ = Section::rules;
                    if (pf::is_rule_line(line)) rule(line);
                }
                return;
            case Section::other: return;
        }
    }

    void marker(std::string_view what) {
        any_pf_ = titled_ = true;
        path_.clear();
        const std::size_t space = std::min(what.find(' '), what.size());
        const std::string_view first = what.substr(0, space);
        const std::string name(what.substr(std::min(space + 1, what.size())));
        section_ = Section::rules;
        if (first == "end") {
            ended_ = true;
        } else if (first == "rules") {
            pf_.has_rules = true;
        } else if (first == "nat") {
            pf_.has_translations = true;
        } else if (first == "info") {
            section_ = Section::info;
        } else if (first == "interfaces") {
            section_ = Section::interfaces;
            pf_.has_interfaces = true;
        } else if (first == "anchors") {
            section_ = Section::anchors;
            if (!pf_.anchors) pf_.anchors.emplace();
        } else if (first == "anchor" && !name.empty() && pf_.lists.size() < most_lists) {
            path_ = name;
            pf_.lists[path_];
        } else if (first == "table" && !name.empty() && pf_.tables.size() < most_lists) {
            // The name is the last word; an anchor's may have spaces in it.
            const std::size_t last = name.rfind(' ');
            section_ = Section::table;
            table_ = last == std::string::npos
                         ? '\n' + name
                         : name.substr(0, last) + '\n' + name.substr(last + 1);
            pf_.tables[table_];
        } else {
            unread(what);
        }
    }

    void rule(std::string_view line) {
        const std::string_view bare = line.substr(line.find_first_not_of(" \t"));
        if (bare == "}" && !open_.empty()) return close();
        if (!pf::is_rule_line(line)) {
            // The list of apps has lines that only it understands.
            if (!applications_.take(line)) unread(line);
            return;
        }
        any_pf_ = true;
        pf::List& list = open_.empty() ? pf_.lists[path_] : open_.back().list;
        if (path_.empty() && open_.empty()) note_listing(bare);
        if (pf::add_line(bare, list).opens) {
            if (open_.size() < 16)
                open_.emplace_back();
            else
                unread(line);
        }
    }

    // Without titles the first line of a listing tells that it is there.
    void note_listing(std::string_view line) {
        const bool translation = line.starts_with("nat") || line.starts_with("rdr") ||
                                 line.starts_with("binat") || line.starts_with("no ");
        if (translation && !line.starts_with("no scrub"))
            pf_.has_translations = true;
        else
            pf_.has_rules = true;
    }

    void close() {
        pf::List inner = std::move(open_.back().list);
        open_.pop_back();
        pf::List& outer = open_.empty() ? pf_.lists[path_] : open_.back().list;
        if (outer.rules.empty()) return unread("a bracket without its anchor");
        outer.rules.back().inner = std::move(inner.rules);
        outer.rules.back().has_inner = !inner.cut;
        std::move(inner.redirects.begin(), inner.redirects.end(),
                  std::back_inserter(outer.redirects));
    }

    void anchor_name(std::string_view line) {
        if (pf::is_rule_line(line) || line.starts_with("pfctl:")) {
            section_ = Section::rules;
            return rule(line);
        }
        const std::string_view name = line.substr(line.find_first_not_of(" \t"));
        if (pf_.anchors->size() < most_lists)
            pf_.anchors->emplace(name);
        else
            unread("more anchors than are read");
    }

    void table_entry(std::string_view line) {
        const auto entry = pf::read_entry(line);
        if (!entry || ++entries_ > most_entries) {
            // Without this entry the table is not the one that decides.
            pf_.tables.erase(table_);
            section_ = Section::other;
            return unread(line);
        }
        pf_.tables[table_].push_back(*entry);
    }

    Ruleset ruleset_;
    AlfReader applications_;
    pf::Ruleset pf_;
    bool any_pf_ = false;
    bool titled_ = false;  // written by collect_command, which says where it ends
    bool ended_ = false;
    Section section_ = Section::rules;
    std::string path_;   // of the anchor whose lines are being read
    std::string table_;  // and the key of the table
    std::vector<Inner> open_;
    std::size_t entries_ = 0;
};

}  // namespace

Ruleset read_text(std::string_view text) { return Reader().read(text); }

// pfctl's own line about ALTQ goes to the file too, and is known; every other complaint shows.
const std::string_view collect_command =
    "sudo sh -c 'f=/usr/libexec/ApplicationFirewall/socketfilterfw; "
    "for o in globalstate blockall stealthmode allowsigned; do $f --get$o; done; $f --listapps; "
    "echo \"# pf info\"; pfctl -s info; echo \"# pf interfaces\"; pfctl -v -s Interfaces; "
    "echo \"# pf nat\"; pfctl -s nat; echo \"# pf rules\"; pfctl -s rules; "
    "for t in $(pfctl -s Tables 2>/dev/null); do echo \"# pf table $t\"; pfctl -t $t -T show; "
    "done; "
    "echo \"# pf anchors\"; pfctl -v -s Anchors; pfctl -v -s Anchors 2>/dev/null | "
    "while read -r a; do echo \"# pf anchor $a\"; pfctl -a \"$a\" -s nat; pfctl -a \"$a\" -s "
    "rules; "
    "for t in $(pfctl -a \"$a\" -s Tables 2>/dev/null); do echo \"# pf table $a $t\"; "
    "pfctl -a \"$a\" -t $t -T show; done; done; echo \"# pf end\"' > firewall.txt 2>&1";

}  // namespace p2pdiag::firewall::macos
