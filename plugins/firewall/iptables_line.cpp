#include "iptables_line.hpp"

#include <algorithm>
#include <iterator>

namespace p2pdiag::firewall::xtables {

namespace {

struct Word {
    std::string text;
    bool quoted = false;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// As xtables_save_string() writes them: words with anything unusual stand in double quotes, in
// which a backslash keeps the next character.
std::optional<std::vector<Word>> split(std::string_view text) {
    std::vector<Word> words;
    std::size_t at = 0;
    while (true) {
        while (at < text.size() && is_space(text[at])) ++at;
        if (at == text.size()) return words;
        if (words.size() == max_words) return std::nullopt;
        Word word;
        bool open = false;
        for (; at < text.size() && (open || !is_space(text[at])); ++at) {
            if (text[at] == '"') {
                open = !open;
                word.quoted = true;
            } else if (open && text[at] == '\\' && at + 1 < text.size()) {
                word.text += text[++at];
            } else {
                word.text += text[at];
            }
        }
        if (open) return std::nullopt;
        words.push_back(std::move(word));
    }
}

struct BaseOption {
    std::string_view word;
    std::string_view name;
};

// What is no match's but iptables' own, with one value each but for "f".
constexpr BaseOption base_options[] = {{"-p", "p"},
                                       {"--protocol", "p"},
                                       {"--proto", "p"},
                                       {"-s", "s"},
                                       {"--source", "s"},
                                       {"--src", "s"},
                                       {"-d", "d"},
                                       {"--destination", "d"},
                                       {"--dst", "d"},
                                       {"-i", "i"},
                                       {"--in-interface", "i"},
                                       {"-o", "o"},
                                       {"--out-interface", "o"},
                                       {"-f", "f"},
                                       {"--fragment", "f"},
                                       {"-m", "m"},
                                       {"--match", "m"},
                                       {"-j", "j"},
                                       {"--jump", "j"},
                                       {"-g", "g"},
                                       {"--goto", "g"},
                                       {"-c", "c"},
                                       {"--set-counters", "c"}};

std::string_view base_option(const Word& word) {
    if (word.quoted) return {};
    const auto* found =
        std::find_if(std::begin(base_options), std::end(base_options),
                     [&](const BaseOption& base) { return base.word == word.text; });
    return found == std::end(base_options) ? std::string_view() : found->name;
}

// Of these the next word is the value, even if it looks like an option: it is free text.
bool takes_text(std::string_view option) {
    for (const std::string_view known :
         {"comment", "log-prefix", "nflog-prefix", "ulog-prefix", "string", "hex-string", "u32",
          "name", "helper", "bytecode"}) {
        if (known == option) return true;
    }
    return false;
}

class Reader {
public:
    explicit Reader(std::vector<Word> words) : words_(std::move(words)) {}

    Line read() {
        line_.matches.emplace_back();
        while (at_ < words_.size()) {
            const std::size_t begin = at_;
            const bool negated = is_not(words_[at_]);
            if (negated && ++at_ == words_.size()) {
                line_.odd = true;
            } else if (const std::string_view base = base_option(words_[at_]); !base.empty()) {
                read_base(base, negated);
            } else {
                read_option(negated);
            }
            note(begin);
        }
        return std::move(line_);
    }

private:
    static bool is_not(const Word& word) { return word.text == "!" && !word.quoted; }

    Module& current() { return in_target_ ? *line_.target : line_.matches.back(); }

    void note(std::size_t begin) {
        std::string& text = current().text;
        for (std::size_t i = begin; i < at_; ++i) {
            if (!text.empty()) text += ' ';
            text += words_[i].text;
        }
    }

    bool at_option() const {
        const Word& word = words_[at_];
        return !word.quoted &&
               (is_not(word) || word.text.starts_with("--") || !base_option(word).empty());
    }

    // Where iptables' own options stand among the matches, they go back to the first of these.
    void read_base(std::string_view base, bool negated) {
        ++at_;
        if (base == "f") {
            line_.matches.front().options.push_back({negated, "f", {}});
            return;
        }
        // The form of old: "-s ! 10.0.0.1".
        if (at_ < words_.size() && is_not(words_[at_])) {
            negated = true;
            ++at_;
        }
        std::string value = at_ < words_.size() ? words_[at_++].text : std::string();
        const bool takes_not =
            base.size() == 1 && std::string_view("psdio").find(base) != base.npos;
        if (value.empty() || value.starts_with('-') || (negated && !takes_not)) line_.odd = true;
        if (base == "c") {
            if (at_ < words_.size()) ++at_;
        } else if (base == "m") {
            in_target_ = false;
            line_.matches.push_back({std::move(value), {}, {}});
        } else if (base == "j" || base == "g") {
            in_target_ = true;
            line_.target = Module{std::move(value), {}, {}};
            line_.goes = base == "g";
        } else {
            line_.matches.front().options.push_back(
                {negated, std::string(base), {std::move(value)}});
        }
    }

    void read_option(bool negated) {
        if (!words_[at_].text.starts_with("--")) line_.odd = true;
        std::string name = words_[at_++].text;
        name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
        Option option{negated, std::move(name), {}};
        if (takes_text(option.name) && at_ < words_.size()) {
            option.values.push_back(words_[at_++].text);
        } else if (at_ < words_.size() && is_not(words_[at_])) {
            // The form of old again: "--dport ! 80".
            if (at_ + 1 < words_.size() && !words_[at_ + 1].text.starts_with('-')) {
                option.negated = true;
                ++at_;
            }
        }
        while (at_ < words_.size() && !at_option()) option.values.push_back(words_[at_++].text);
        current().options.push_back(std::move(option));
    }

    std::vector<Word> words_;
    std::size_t at_ = 0;
    Line line_;
    bool in_target_ = false;
};

}  // namespace

std::optional<Line> read_line(std::string_view text) {
    auto words = split(text);
    if (!words) return std::nullopt;
    return Reader(std::move(*words)).read();
}

}  // namespace p2pdiag::firewall::xtables
