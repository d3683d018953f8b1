// What a shell offers at the cursor, and the man page: both are read off the command line's own
// definition, with the plugins that are there.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace p2pdiag::cli {

struct Candidate {
    std::string word;
    std::string about;  // may be empty
};

// What may be typed as the value of an option. CLI11 knows how to check a value, but not what there
// is.
class Suggestions {
public:
    enum class Names { none, files, directories };
    // Asked only when it comes to that.
    using Words = std::function<std::vector<Candidate>()>;

    struct Entry {
        Words words;
        Names names = Names::none;
    };

    void add(const CLI::Option& option, Words words, Names names = Names::none);
    void add(const CLI::Option& option, Names names);
    // Of these words and no other: CLI11 checks it.
    void one_of(CLI::Option& option, const std::vector<std::string>& words);

    const Entry* find(const CLI::Option& option) const;

private:
    std::map<const CLI::Option*, Entry> entries_;
};

// For the words after the program's name, the last of which is being typed (it may be empty): a
// line for each candidate, "word" or "word<TAB>about", and ":files" or ":directories" where names
// of the file system fit as well. `app` need not have parsed anything.
std::string completions(const CLI::App& app, const Suggestions& suggestions,
                        const std::vector<std::string>& words);

// "--name" of each option that may stand after `app`'s name, and the commands below it.
std::vector<std::string> option_names(const CLI::App& app);
std::vector<std::string> command_names(const CLI::App& app);

// The shells that completion_script() knows.
std::vector<std::string> completion_shells();
// A script that makes the shell ask `p2pdiag __complete`. Empty for a shell that is not known.
std::string_view completion_script(std::string_view shell);

// All commands with all options as a man page, in roff's man macros.
std::string man_page(const CLI::App& app);

}  // namespace p2pdiag::cli
