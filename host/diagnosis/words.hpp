// Placeholders in the texts of rules:
//   {port}         the target port of the run
//   {CODE}         the message of a finding
//   {CODE|path}    a value of its evidence
//   {CHECK|path}   a value of a check's data
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/facts.hpp"

namespace p2pdiag::diagnosis {

struct Placeholder {
    std::string_view subject;  // "port", a code or a check
    std::string_view path;     // empty: the message
};

// What stands in `text`; nothing where a brace has no partner or is empty.
std::optional<std::vector<Placeholder>> placeholders(std::string_view text);

class Words {
public:
    // Of the findings of a code, those in `first` are taken before others. Both must outlive this.
    Words(const Facts& facts, const std::vector<Found>& first) : facts_(facts), first_(first) {}

    // Nothing where a value is missing. For people to read: what came from the network is in it.
    std::optional<std::string> text(std::string_view raw) const;

    // The same for a line that somebody pastes into a shell: nothing as well where a value is more
    // than letters, digits and . _ : / -, or begins with -.
    std::optional<std::string> command(std::string_view raw) const;

private:
    // Nothing where a placeholder has no value, or one that `accept` refuses.
    template <class Accept>
    std::optional<std::string> filled(std::string_view raw, Accept accept) const;
    std::optional<std::string> value(const Placeholder& placeholder) const;
    const report::Finding* finding(std::string_view code) const;

    const Facts& facts_;
    const std::vector<Found>& first_;
};

}  // namespace p2pdiag::diagnosis
