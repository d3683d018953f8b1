#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "foreign/pf_line.hpp"
#include "literals.hpp"

namespace p2pdiag::firewall::pf {

namespace {

constexpr std::size_t most_rules = 100'000;  // of one list

enum class Kind : std::uint8_t { rule, redirect, inert, other };

struct Start {
    std::string_view word;
    Kind kind;
};

constexpr Start starts[] = {
    {"pass", Kind::rule},           {"block", Kind::rule},       {"anchor", Kind::rule},
    {"match", Kind::inert},         {"scrub", Kind::inert},      {"scrub-anchor", Kind::inert},
    {"dummynet", Kind::inert},      {"altq", Kind::inert},       {"dummynet-anchor", Kind::inert},
    {"nat", Kind::inert},           {"nat-anchor", Kind::inert}, {"rdr", Kind::redirect},
    {"rdr-anchor", Kind::redirect}, {"binat", Kind::redirect},   {"binat-anchor", Kind::redirect},
};

Kind kind_of(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    // Exceptions from what comes after them: to leave them out is to think more open, not less.
    if (line.starts_with("no ")) return Kind::inert;
    // "pfctl -v" puts the number in front.
    if (line.starts_with('@')) {
        line.remove_prefix(std::min(line.find(' '), line.size()));
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    }
    const std::string_view word = line.substr(0, line.find_first_of(" \t"));
    const auto* found = std::find_if(std::begin(starts), std::end(starts),
                                     [&](const Start& one) { return one.word == word; });
    return found == std::end(starts) ? Kind::other : found->kind;
}

std::optional<std::uint8_t> flag_bits(std::string_view letters) {
    constexpr std::string_view all = "FSRPAUEW";  // in the order of the TCP header's bits
    std::uint8_t bits = 0;
    for (const char letter : letters) {
        const std::size_t bit = all.find(letter);
        if (bit == std::string_view::npos) return std::nullopt;
        bits |= static_cast<std::uint8_t>(1U << bit);
    }
    return bits;
}

class RuleReader {
public:
    RuleReader(std::string_view line, std::int64_t number) : all_(words_of(line)), words_(all_) {
        rule_.number = number;
        rule_.text = printable(line, 400);
    }

    Rule read() {
        if (words_.next().starts_with('@')) words_.skip();
        const std::string action = words_.take();
        if (action == "block") {
            rule_.action = Rule::Action::block;
            read_return();
        } else if (action != "pass") {
            rule_.action = Rule::Action::anchor;
            if (!is_condition(words_.next())) rule_.anchor = words_.take();
        }
        read_conditions();
        if (all_.size() == most_words) open("a rule of more words than are read", false);
        return std::move(rule_);
    }

    bool opens() const { return opens_; }

    // "rdr pass on en0 inet proto udp from any to any port = 8000 -> 10.0.0.5"
    Redirect read_redirect() {
        Redirect redirect;
        const std::string word = words_.take();
        redirect.anchor = word.ends_with("-anchor");
        if (redirect.anchor && !is_condition(words_.next())) rule_.anchor = words_.take();
        words_.take("pass");
        read_conditions();
        // It is written for what goes out, and turned round for what comes in.
        if (word == "binat") rule_.from = rule_.to = Host();
        redirect.match = std::move(rule_);
        return redirect;
    }

private:
    static bool is_condition(const std::string& word) {
        for (const std::string_view known : {"all", "in", "out", "on", "from", "inet", "inet6",
                                             "proto", "quick", "log", "pass", "{", ""}) {
            if (word == known) return true;
        }
        return false;
    }

    void read_return() {
        if (words_.take("drop")) return;
        for (const std::string_view how : {"return", "return-rst", "return-icmp", "return-icmp6"}) {
            if (words_.take(how)) rule_.returns = how;
        }
        if (!rule_.returns.empty() && words_.next().starts_with('(')) words_.skip();
    }

    void open(std::string text, bool circumstantial) {
        rule_.open.push_back({printable(text, 200), circumstantial});
    }

    void opaque(const std::string& word) {
        if (rule_.action == Rule::Action::pass) rule_.opaque.push_back(printable(word, 80));
    }

    // In the order of pfctl's print_rule, but none is counted on. Where a word is not understood,
    // neither is what follows it.
    void read_conditions() {
        while (!words_.done()) {
            const std::string word = words_.take();
            if (word == "->") return;
            if (word == "{" && words_.done()) {
                opens_ = true;
                return;
            }
            if (!read_place(word) && !read_packet(word) && !read_state(word) && !read_other(word)) {
                opaque(word);
                return open("\"" + word + "\" in the rule `" + rule_.text + '`', false);
            }
        }
    }

    bool read_place(const std::string& word) {
        if (word == "in" || word == "out") {
            rule_.direction = word == "in" ? Direction::in : Direction::out;
        } else if (word == "log") {
            if (words_.next().starts_with('(')) words_.skip();
        } else if (word == "quick") {
            rule_.quick = true;
        } else if (word == "on") {
            rule_.not_interface = words_.take("!");
            rule_.interface = words_.take();
        } else if (word == "reply-to" || word == "dup-to" || word == "route-to") {
            opaque(word);
            const bool list = words_.next() == "{";
            const bool bracket = words_.next().starts_with('(');
            do words_.skip();
            while (list && !words_.done() && words_.next() != "}");
            if (list) words_.skip();
            if (!list && !bracket && words_.next().starts_with('(')) words_.skip();
        } else {
            return false;
        }
        return true;
    }

    bool read_packet(const std::string& word) {
        if (word == "inet" || word == "inet6") {
            rule_.family = word == "inet" ? Family::ipv4 : Family::ipv6;
        } else if (word == "proto") {
            const std::string name = words_.take();
            rule_.protocol = protocol_number(name);
            if (!rule_.protocol) open("the protocol " + name, false);
        } else if (word == "from") {
            rule_.from = read_host(words_);
            if (words_.take("os")) {
                words_.skip();
                open("what system the peer has", true);
            }
        } else if (word == "to") {
            rule_.to = read_host(words_);
        } else if (word == "flags") {
            read_flags(words_.take());
        } else if (word == "icmp6-type" || word == "icmp-type") {
            read_icmp(words_.take(), word == "icmp6-type");
        } else if (word == "fragment") {
            rule_.never = true;
        } else {
            return word == "all" || word == "allow-opts";
        }
        return true;
    }

    // Discovery's types by name; of the others, which no packet in question is, a number will do.
    void read_icmp(const std::string& text, bool v6) {
        if (words_.take("code")) words_.skip();
        if (v6 && (text == "neighbrsol" || text == "neighbradv")) {
            rule_.icmp_type = text == "neighbrsol" ? nd_solicitation : nd_advertisement;
        } else if (text == "echoreq" || text == "echorep" || text == "routersol" ||
                   text == "routeradv" || text == "unreach" || text == "toobig" ||
                   text == "timex" || text == "paramprob" || text == "redir" || !v6) {
            rule_.icmp_type = 0;
        } else if (word_is_number(text) && text.size() <= 3 && std::stoi(text) <= 255) {
            rule_.icmp_type = static_cast<std::uint8_t>(std::stoi(text));
        } else {
            open("the type of ICMPv6 " + text, false);
        }
    }

    void read_flags(const std::string& text) {
        if (text == "any") return;
        const std::size_t slash = text.find('/');
        const auto set = flag_bits(std::string_view(text).substr(0, slash));
        const auto of = slash == std::string::npos
                            ? std::nullopt
                            : flag_bits(std::string_view(text).substr(slash + 1));
        if (!set || !of || *of == 0) return open("the flags " + text, false);
        rule_.flags = *set;
        rule_.flags_of = *of;
    }

    bool read_state(const std::string& word) {
        const bool keeps = word == "keep" || word == "modulate" || word == "synproxy";
        if ((!keeps && word != "no") || words_.next() != "state") return false;
        words_.skip();
        rule_.keeps_state = keeps;
        if (words_.next().starts_with('(')) {
            const std::string options = words_.take();
            rule_.limited = options.find("max") != std::string::npos;
        }
        return true;
    }

    bool read_other(const std::string& word) {
        if (word == "label" || word == "tag" || word == "queue" || word == "rtable") {
            words_.skip();
        } else if (word == "user" || word == "group") {
            // "= 501", "501 >< 600"
            words_.skip();
            words_.skip();
            if (word_is_number(words_.next())) words_.skip();
            open(word == "user" ? "which user runs the program" : "which group runs the program",
                 true);
        } else if (word == "probability") {
            words_.skip();
            open("chance", true);
        } else {
            return false;
        }
        return true;
    }

    static bool word_is_number(const std::string& word) {
        return !word.empty() &&
               std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    }

    std::vector<std::string> all_;
    Words words_;
    Rule rule_;
    bool opens_ = false;
};

}  // namespace

bool is_rule_line(std::string_view line) { return kind_of(line) != Kind::other; }

Added add_line(std::string_view line, List& list) {
    Added added;
    const Kind kind = kind_of(line);
    if (list.rules.size() + list.redirects.size() >= most_rules) {
        list.cut = true;
    } else if (kind == Kind::rule) {
        RuleReader reader(line, static_cast<std::int64_t>(list.rules.size() + 1));
        list.rules.push_back(reader.read());
        added.opens = reader.opens();
    } else if (kind == Kind::redirect) {
        list.redirects.push_back(
            RuleReader(line, static_cast<std::int64_t>(list.redirects.size() + 1)).read_redirect());
    }
    return added;
}

}  // namespace p2pdiag::firewall::pf
