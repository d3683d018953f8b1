#include "cli/verb_line.hpp"

#include <CLI/CLI.hpp>

#include "cli/context.hpp"

namespace p2pdiag::cli {

namespace {

std::string type_name(const options::Option& option) {
    using options::Type;
    switch (option.type) {
        case Type::string: return "TEXT";
        case Type::integer: return "N";
        case Type::number: return "NUMBER";
        case Type::boolean: return "";
        case Type::duration: return "DURATION";
        case Type::endpoint: return "HOST:PORT";
        case Type::path: return "PATH";
        case Type::choice: break;
    }
    std::string choices;
    for (const std::string& choice : option.choices)
        choices += (choices.empty() ? "" : "|") + choice;
    return choices;
}

std::string help_of(const options::Option& option) {
    if (!option.default_value || option.default_value->is_null()) return option.help;
    const json::value& value = *option.default_value;
    if (value.is_bool() || (value.is_array() && value.get_array().empty())) return option.help;
    std::string text = value.is_string() ? std::string(value.get_string()) : json::to_text(value);
    if (option.type == options::Type::duration && value.is_int64()) {
        text = options::duration_text(value.get_int64());
    }
    return option.help + " [" + text + ']';
}

}  // namespace

struct VerbLine::Line {
    struct Slot {
        const options::Option* option;
        std::vector<std::string> texts;
        CLI::Option* given = nullptr;
    };

    const options::Command& command;
    CLI::App& app;
    Suggestions& suggestions;
    bool dashes;
    std::vector<std::unique_ptr<Slot>> slots;
    ChangeFlags flags;  // only of a command that the host carries out

    Line(const options::Command& what, CLI::App& where, Suggestions& to_type, bool has_dashes)
        : command(what), app(where), suggestions(to_type), dashes(has_dashes) {
        for (const options::Option& option : command.options) add(option);
        if (command.rest) app.footer("After --: " + *command.rest + '\n' + app.get_footer());
    }

    void add(const options::Option& option) {
        auto slot = std::make_unique<Slot>();
        slot->option = &option;
        const std::string name = option.positional ? option.name : "--" + option.name;
        if (option.type == options::Type::boolean) {
            // A way to say no is needed only where yes is what holds otherwise.
            const bool on = option.default_value && *option.default_value == json::value(true);
            slot->given = app.add_flag(on ? name + ",!--no-" + option.name : name, option.help);
        } else {
            slot->given = app.add_option(name, slot->texts, help_of(option));
            slot->given->type_name(type_name(option));
            suggest_values(option, *slot->given);
            // A repeatable one takes one value each time, so that it cannot swallow what follows
            // it.
            if (option.positional && option.repeat) {
                slot->given->expected(option.required ? 1 : 0, -1);
            } else {
                slot->given->expected(1)->allow_extra_args(false);
                slot->given->multi_option_policy(option.repeat ? CLI::MultiOptionPolicy::TakeAll
                                                               : CLI::MultiOptionPolicy::Throw);
            }
        }
        // One that may stand after "--" is looked for there, see place().
        if (option.required && !(option.positional && dashes)) slot->given->required();
        slots.push_back(std::move(slot));
    }

    void suggest_values(const options::Option& option, const CLI::Option& given) {
        if (option.type == options::Type::path) suggestions.add(given, Suggestions::Names::files);
        if (option.type != options::Type::choice) return;
        suggestions.add(given, [&option] {
            std::vector<Candidate> candidates;
            for (const std::string& choice : option.choices) candidates.push_back({choice, {}});
            return candidates;
        });
    }

    // Into the arguments that nothing was typed for yet.
    void place(const std::vector<std::string>& words) {
        auto next = words.begin();
        for (const auto& slot : slots) {
            if (!slot->option->positional) continue;
            if (slot->option->repeat) {
                slot->texts.insert(slot->texts.end(), next, words.end());
                next = words.end();
            } else if (slot->texts.empty() && next != words.end()) {
                slot->texts.push_back(*next++);
            }
            if (slot->option->required && slot->texts.empty())
                throw UsageError{slot->option->name + " is required"};
        }
        if (next != words.end())
            throw UsageError{app.get_name() + ": nothing may follow --, such as '" + *next + "'"};
    }

    void collect(json::object& values, bool defaults) const {
        for (const auto& slot : slots) {
            const options::Option& option = *slot->option;
            json::value value;
            if (slot->given->count() == 0 && slot->texts.empty()) {
                if (!option.default_value || !defaults) continue;
                value = *option.default_value;
            } else if (option.type == options::Type::boolean) {
                value = slot->given->as<bool>();
            } else if (option.repeat) {
                json::array all;
                for (const std::string& text : slot->texts) all.push_back(checked(option, text));
                value = std::move(all);
            } else {
                value = checked(option, slot->texts.back());
            }
            values[option.name] = std::move(value);
        }
    }

    static json::value checked(const options::Option& option, const std::string& text) {
        auto value = options::from_text(option, text);
        if (!value) throw UsageError{"--" + option.name + ": " + value.error().why};
        return std::move(*value);
    }
};

VerbLine::VerbLine(CLI::App& parent, Suggestions& suggestions, const loader::Plugin& plugin,
                   const loader::Verb& verb, bool dashes)
    : app_(*parent.add_subcommand(verb.name, verb.summary)) {
    const options::VerbSchema& schema = verb.schema;
    app_.footer(schema.epilog);
    lines_.push_back(std::make_unique<Line>(schema.top, app_, suggestions, dashes));
    for (const options::Command& command : schema.commands) {
        CLI::App& sub = *app_.add_subcommand(command.name, command.summary);
        sub.fallthrough();
        lines_.push_back(std::make_unique<Line>(command, sub, suggestions, dashes));
        if (command.change.empty() && command.undo.empty()) continue;
        const bool keeps = !command.change.empty() && plugin.find_change(command.change)->keeps;
        add_change_flags(sub, lines_.back()->flags, keeps, suggestions);
    }
    if (!schema.commands.empty()) app_.require_subcommand(1);
}

VerbLine::~VerbLine() = default;

VerbLine::Line& VerbLine::chosen() const {
    for (const auto& line : lines_) {
        if (line != lines_.front() && line->app.parsed()) return *line;
    }
    return *lines_.front();
}

bool VerbLine::takes_rest() const {
    return lines_.front()->command.rest.has_value() || chosen().command.rest.has_value();
}

void VerbLine::add_words(const std::vector<std::string>& words) {
    const bool as_they_are = takes_rest();
    chosen().place(as_they_are ? std::vector<std::string>() : words);
    if (as_they_are) rest_ = words;
}

const options::Command& VerbLine::command() const { return chosen().command; }

const ChangeFlags& VerbLine::flags() const { return chosen().flags; }

json::object VerbLine::given() const {
    json::object values;
    lines_.front()->collect(values, false);
    if (&chosen() != lines_.front().get()) chosen().collect(values, false);
    return values;
}

json::object VerbLine::take() const {
    const Line& own = *lines_.front();
    const Line& command = chosen();
    const bool has_command = &command != &own;
    json::object values;
    own.collect(values, true);
    if (has_command) command.collect(values, true);
    return {{"command", has_command ? json::value(command.command.name) : json::value()},
            {"options", std::move(values)},
            {"rest", json::array(rest_.begin(), rest_.end())}};
}

}  // namespace p2pdiag::cli
