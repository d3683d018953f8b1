#include "nft_pieces.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

namespace p2pdiag::firewall {

namespace {

using Words = std::vector<std::string>;

class Pieces {
public:
    explicit Pieces(const Sight& sight) : sight_(sight) {}

    std::optional<std::string> list() {
        const auto before = rules_as_text();
        if (!before || !tables() || !take({"list", "sets"}, "set") ||
            !take({"list", "maps"}, "map") || !take({"list", "chains"}, "chain") || !rules()) {
            return std::nullopt;
        }
        if (rules_as_text() != before) return std::nullopt;
        return json::to_text(json::object{{"nftables", std::move(entries_)}});
    }

private:
    // Without what is counted.
    std::optional<std::string> rules_as_text() const {
        const Answer answer = sight_.run({"nft", "-s", "list", "ruleset"});
        return answer.good() ? std::optional(answer.output) : std::nullopt;
    }

    // Lines of "table inet filter".
    bool tables() {
        const Answer answer = sight_.run({"nft", "list", "tables"});
        if (!answer.good()) return false;
        for (std::string_view text = answer.output; !text.empty();) {
            const std::string_view line = take_line(text);
            const std::size_t family = line.find(' ') + 1;
            const std::size_t name = line.find(' ', family) + 1;
            if (!line.starts_with("table ") || name == 0) return false;
            entries_.push_back(json::object{
                {"table", json::object{{"family", line.substr(family, name - 1 - family)},
                                       {"name", line.substr(name)},
                                       {"flags", "?"}}}});
        }
        return true;
    }

    // What the command lists of that kind.
    bool take(const Words& command, std::string_view kind) {
        Words argv = {"nft", "-j"};
        argv.insert(argv.end(), command.begin(), command.end());
        const Answer answer = sight_.run(argv);
        size_ += answer.output.size();
        if (!answer.good() || size_ > max_answer) return false;
        const auto document = json::parse(answer.output);
        const json::object* object = document ? document->if_object() : nullptr;
        const json::array* all = object ? json::find_array(*object, "nftables") : nullptr;
        if (all == nullptr) return false;
        for (const json::value& entry : *all) {
            if (entry.is_object() && json::find(entry.get_object(), kind) != nullptr)
                entries_.push_back(entry);
        }
        return true;
    }

    bool rules() {
        std::vector<Words> commands;
        for (const json::value& entry : entries_) {
            const json::object* chain = json::find_object(entry.get_object(), "chain");
            if (chain == nullptr) continue;
            Words command = {"list", "chain"};
            for (const char* member : {"family", "table", "name"})
                command.emplace_back(json::find_string(*chain, member).value_or(""));
            commands.push_back(std::move(command));
        }
        if (commands.size() > max_pieces) return false;
        for (const Words& command : commands) {
            if (!take(command, "rule")) return false;
        }
        return true;
    }

    const Sight& sight_;
    json::array entries_;
    std::size_t size_ = 0;
};

}  // namespace

std::string broken_off_at(std::string_view listing) {
    constexpr std::string_view start = R"({"table": {"family": ")";
    constexpr std::string_view middle = R"(", "name": ")";
    while (!listing.empty() && (listing.back() == '\n' || listing.back() == ' '))
        listing.remove_suffix(1);
    if (!listing.ends_with(R"("flags":)")) return {};
    const std::size_t at = listing.rfind(start);
    if (at == listing.npos) return {};
    const std::string_view table = listing.substr(at + start.size());
    const std::size_t family_end = table.find(middle);
    if (family_end == table.npos) return {};
    const std::string_view name = table.substr(family_end + middle.size());
    return printable(std::string(table.substr(0, family_end)) + ' ' +
                         std::string(name.substr(0, name.find('"'))),
                     200);
}

std::optional<std::string> list_in_pieces(const Sight& sight) { return Pieces(sight).list(); }

Reading list_nft(const Sight& sight, Answer& answer) {
    answer = sight.run({"nft", "-j", "list", "ruleset"});
    if (!answer.good()) return ReadError{why_failed("nft", answer)};
    Reading reading = read_nft_json(answer.output);
    if (reading || broken_off_at(answer.output).empty()) return reading;
    const auto pieces = list_in_pieces(sight);
    return pieces ? read_nft_json(*pieces) : reading;
}

}  // namespace p2pdiag::firewall
