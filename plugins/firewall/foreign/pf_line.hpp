// A line of pfctl's taken apart, and the parts of it that both rules and redirects have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "foreign/pf.hpp"

namespace p2pdiag::firewall::pf {

// Words. What stands in quotes is one, without them; what stands in round brackets is one, with
// them. Nothing past most_words.
inline constexpr std::size_t most_words = 400;
std::vector<std::string> words_of(std::string_view line);

// A place in the words, which never goes past their end.
class Words {
public:
    explicit Words(const std::vector<std::string>& words) : words_(words) {}

    bool done() const { return at_ >= words_.size(); }
    // The next word; empty at the end.
    const std::string& next() const;
    void skip() { ++at_; }
    // Takes the next word if it is this one.
    bool take(std::string_view word);
    std::string take();

private:
    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
};

// "! 10.0.0.0/8 port = 53", after "from" or "to".
Host read_host(Words& words);

// "10.0.0.0/8" without a name behind it.
std::optional<TableEntry> read_network(std::string_view text);

}  // namespace p2pdiag::firewall::pf
