#include "cli/completion.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "report/text.hpp"

namespace p2pdiag::cli {

namespace {

using Names = Suggestions::Names;

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// Options that may stand after `app`'s name: its own, and those of the commands before it.
std::vector<const CLI::Option*> options_at(const CLI::App& app) {
    std::vector<const CLI::Option*> found;
    for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
        for (const CLI::Option* option : at->get_options()) {
            // Each command has a --help of its own.
            const bool again = at != &app && option == at->get_help_ptr();
            if (option->nonpositional() && !again) found.push_back(option);
        }
    }
    return found;
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
    return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

// "--format", "--no-check", "-v"; null for anything else.
const CLI::Option* find_option(const CLI::App& app, const std::string& word) {
    for (const CLI::Option* option : options_at(app)) {
        if (option->check_name(word)) return option;
        if (word.starts_with("--") && option->check_fname(word.substr(2))) return option;
    }
    return nullptr;
}

const CLI::App* find_command(const CLI::App& app, const std::string& word) {
    for (const CLI::App* sub : app.get_subcommands({})) {
        if (sub->get_name() == word) return sub;
    }
    return nullptr;
}

// Where the words before the cursor lead.
struct Place {
    const CLI::App* app;
    std::size_t positionals = 0;         // typed so far
    const CLI::Option* value = nullptr;  // the option whose value comes next
    bool after_dashes = false;

    Place(const CLI::App& root, const std::vector<std::string>& words) : app(&root) {
        for (std::size_t i = 0; i + 1 < words.size() && !after_dashes; ++i) step(words[i]);
    }

    void step(const std::string& word) {
        if (value != nullptr) {
            value = nullptr;
        } else if (word == "--") {
            after_dashes = true;
        } else if (word.starts_with('-') && word.size() > 1) {
            const CLI::Option* option = find_option(*app, word);
            if (option != nullptr && takes_value(*option)) value = option;
        } else if (const CLI::App* sub = positionals == 0 ? find_command(*app, word) : nullptr) {
            app = sub;
        } else {
            ++positionals;
        }
    }

    const CLI::Option* positional() const {
        const auto all = positionals_of(*app);
        if (positionals < all.size()) return all[positionals];
        const bool last_repeats = !all.empty() && all.back()->get_expected_max() > 1;
        return last_repeats ? all.back() : nullptr;
    }
};

// Collects what fits what has been typed.
class Offer {
public:
    Offer(const Suggestions& suggestions, std::string typed, std::string before = {})
        : suggestions_(suggestions), typed_(std::move(typed)), before_(std::move(before)) {}

    void word(const std::string& word, const std::string& about) {
        // A ':' in front is what marks the other lines.
        if (!word.starts_with(typed_) || word.starts_with(':') || word.empty()) return;
        text_ += report::single_line(before_ + word, true);
        if (!about.empty()) text_ += '\t' + report::single_line(about, true);
        text_ += '\n';
    }

    void value_of(const CLI::Option* option) {
        const Suggestions::Entry* entry = option != nullptr ? suggestions_.find(*option) : nullptr;
        if (entry == nullptr) return;
        if (entry->words) {
            for (const Candidate& candidate : entry->words()) word(candidate.word, candidate.about);
        }
        if (entry->names == Names::files) text_ += ":files\n";
        if (entry->names == Names::directories) text_ += ":directories\n";
    }

    void commands(const CLI::App& app) {
        for (const CLI::App* sub : app.get_subcommands({})) {
            word(sub->get_name(), sub->get_description());
        }
    }

    void options(const CLI::App& app) {
        for (const CLI::Option* option : options_at(app)) {
            for (const std::string& name : option->get_lnames()) {
                word("--" + name, option->get_description());
            }
        }
    }

    bool empty() const { return text_.empty(); }
    std::string take() { return std::move(text_); }

private:
    const Suggestions& suggestions_;
    std::string typed_;
    std::string before_;
    std::string text_;
};

}  // namespace

void Suggestions::add(const CLI::Option& option, Words words, Names names) {
    entries_[&option] = {std::move(words), names};
}

void Suggestions::add(const CLI::Option& option, Names names) { add(option, nullptr, names); }

void Suggestions::one_of(CLI::Option& option, const std::vector<std::string>& words) {
    const auto is_one = [words](const std::string& given) {
        if (std::ranges::find(words, given) != words.end()) return std::string();
        const auto near = options::nearest(given, words);
        return '\'' + given + "' is none of " + report::joined(words) +
               (near ? ": did you mean '" + *near + "'?" : std::string());
    };
    option.check(CLI::Validator(is_one, '{' + report::joined(words, ",") + '}'));
    add(option, [words] {
        std::vector<Candidate> candidates;
        for (const std::string& word : words) candidates.push_back({word, {}});
        return candidates;
    });
}

const Suggestions::Entry* Suggestions::find(const CLI::Option& option) const {
    const auto found = entries_.find(&option);
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : options_at(app)) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
    return names;
}

std::string completions(const CLI::App& app, const Suggestions& suggestions,
                        const std::vector<std::string>& words) {
    if (words.empty()) return {};
    const Place place(app, words);
    const std::string& typed = words.back();
    if (place.after_dashes) return ":files\n";
    Offer offer(suggestions, typed);
    if (place.value != nullptr) {
        offer.value_of(place.value);
        return offer.take();
    }
    const std::size_t equals = typed.find('=');
    if (typed.starts_with("--") && equals != typed.npos) {
        Offer values(suggestions, typed.substr(equals + 1), typed.substr(0, equals + 1));
        values.value_of(find_option(*place.app, typed.substr(0, equals)));
        return values.take();
    }
    if (!typed.starts_with('-')) {
        if (place.positionals == 0) offer.commands(*place.app);
        offer.value_of(place.positional());
    }
    // What follows without a dash is known: options are offered where nothing else is.
    if (typed.starts_with('-') || (typed.empty() && offer.empty())) offer.options(*place.app);
    return offer.take();
}

}  // namespace p2pdiag::cli
