// A plugin's description of its options, from JSON. A member that is not known is refused: a
// mistyped one would otherwise be ignored in silence.
#include <algorithm>
#include <initializer_list>

#include "base/utf8.hpp"
#include "options/name.hpp"
#include "options/options.hpp"
#include "options/shown.hpp"

namespace p2pdiag::options {
namespace {

constexpr std::size_t most_options = 256;
constexpr std::size_t most_commands = 64;

constexpr std::pair<std::string_view, Type> type_names[] = {
    {"string", Type::string},   {"integer", Type::integer},   {"number", Type::number},
    {"boolean", Type::boolean}, {"duration", Type::duration}, {"endpoint", Type::endpoint},
    {"path", Type::path},       {"choice", Type::choice},
};

// Collects the first thing that is wrong; the readers below go on harmlessly after it.
class Reader {
public:
    Reader(const json::object& object, std::string where)
        : object_(object), where_(std::move(where)) {}

    bool ok() const { return why_.empty(); }
    Mismatch problem() const { return {where_ + ": " + why_}; }
    void fail(const std::string& why) {
        if (ok()) why_ = why;
    }

    void only(std::initializer_list<const char*> known) {
        const std::vector<std::string> names(known.begin(), known.end());
        for (const auto& member : object_) {
            const std::string key(member.key());
            if (std::ranges::find(names, key) != names.end()) continue;
            const auto near = nearest(key, names);
            fail("unknown member " + shown(key) +
                 (near ? ", did you mean \"" + *near + "\"?" : ""));
        }
    }

    std::string string(const char* key) {
        const json::value* member = json::find(object_, key);
        if (member == nullptr) return {};
        if (!member->is_string()) return fail(std::string(key) + " is not a string"), std::string();
        return std::string(member->get_string());
    }

    bool boolean(const char* key) {
        const json::value* member = json::find(object_, key);
        if (member == nullptr) return false;
        if (!member->is_bool()) return fail(std::string(key) + " is not true or false"), false;
        return member->get_bool();
    }

    std::optional<double> number(const char* key) {
        const json::value* member = json::find(object_, key);
        if (member == nullptr) return std::nullopt;
        if (!member->is_number()) return fail(std::string(key) + " is not a number"), std::nullopt;
        return json::find_number(object_, key);
    }

    const json::array* array(const char* key) {
        const json::value* member = json::find(object_, key);
        if (member == nullptr) return nullptr;
        if (!member->is_array()) fail(std::string(key) + " is not an array");
        return member->if_array();
    }

    const json::value* any(const char* key) { return json::find(object_, key); }

private:
    const json::object& object_;
    std::string where_;
    std::string why_;
};

void read_type(Reader& reader, Option& option) {
    const std::string type = reader.string("type");
    if (type.empty()) return reader.fail("type is missing");
    const auto* found =
        std::ranges::find(type_names, type, &std::pair<std::string_view, Type>::first);
    if (found == std::end(type_names)) return reader.fail("type " + shown(type) + " is not known");
    option.type = found->second;
}

void read_choices(Reader& reader, Option& option) {
    if (const json::array* choices = reader.array("choices")) {
        for (const json::value& choice : *choices) {
            if (!choice.is_string())
                return reader.fail("choices holds something else than strings");
            option.choices.emplace_back(choice.get_string());
        }
    }
    if ((option.type == Type::choice) == option.choices.empty()) {
        reader.fail("choices must be there for a choice, and only there");
    }
}

void read_range(Reader& reader, Option& option) {
    option.min = reader.number("min");
    option.max = reader.number("max");
    const bool measurable = option.type == Type::integer || option.type == Type::number ||
                            option.type == Type::duration;
    if ((option.min || option.max) && !measurable) {
        reader.fail("min and max are for integer, number and duration");
    }
    if (option.min && option.max && *option.min > *option.max) reader.fail("min is above max");
}

void read_default(Reader& reader, Option& option) {
    const json::value* given = reader.any("default");
    if (given == nullptr || !reader.ok()) return;
    const auto checked = from_value(option, *given);
    if (!checked) return reader.fail("default " + checked.error().why);
    if (option.required) return reader.fail("default is never used, since it is required");
    option.default_value = *checked;
}

Checked<Option> parse_option(const json::value& schema, const std::string& where) {
    const json::object* object = schema.if_object();
    if (object == nullptr) return Mismatch{where + " is not an object"};
    Reader reader(*object, where);
    reader.only({"name", "type", "choices", "min", "max", "default", "repeat", "required",
                 "positional", "help"});
    Option option;
    option.name = reader.string("name");
    if (!is_name(option.name)) reader.fail("name " + shown(option.name) + " is not [a-z0-9-]+");
    if (option.name == "help") reader.fail("name \"help\" is the host's own");
    option.repeat = reader.boolean("repeat");
    option.required = reader.boolean("required");
    option.positional = reader.boolean("positional");
    option.help = reader.string("help");
    read_type(reader, option);
    if (option.positional && option.type == Type::boolean)
        reader.fail("a boolean is never positional");
    read_choices(reader, option);
    read_range(reader, option);
    read_default(reader, option);
    if (!reader.ok()) return reader.problem();
    return option;
}

// A boolean "x" that is true by default can be switched off as --no-x.
bool clashes_with_a_no(const Option& added, const std::vector<Option>& options) {
    const auto claims = [](const Option& option, const std::string& name) {
        const bool on = option.default_value && *option.default_value == json::value(true);
        return on && name == "no-" + option.name;
    };
    return std::ranges::any_of(options, [&](const Option& other) {
        return claims(other, added.name) || claims(added, other.name);
    });
}

Checked<std::vector<Option>> parse_list(const json::array& schema, const std::string& where) {
    if (schema.size() > most_options) return Mismatch{where + " are too many"};
    std::vector<Option> options;
    bool positional_ends = false;
    for (const json::value& element : schema) {
        const std::string here = where + '[' + std::to_string(options.size()) + ']';
        auto option = parse_option(element, here);
        if (!option) return option.error();
        if (std::ranges::find(options, option->name, &Option::name) != options.end()) {
            return Mismatch{here + ": name \"" + option->name + "\" is there twice"};
        }
        if (clashes_with_a_no(*option, options)) {
            return Mismatch{here +
                            ": a boolean that is true by default has a --no- form, and another "
                            "option has that name"};
        }
        if (option->positional) {
            if (positional_ends)
                return Mismatch{here + ": nothing can follow a repeated positional"};
            positional_ends = option->repeat;
        }
        options.push_back(std::move(*option));
    }
    return options;
}

Checked<std::vector<Option>> options_of(Reader& reader, const std::string& where) {
    const json::array* list = reader.array("options");
    return list == nullptr ? std::vector<Option>() : parse_list(*list, where + "options");
}

std::optional<std::string> rest_of(Reader& reader) {
    if (reader.any("rest") == nullptr) return std::nullopt;
    return reader.string("rest");
}

Checked<Command> parse_command(const json::value& schema, const std::string& where) {
    const json::object* object = schema.if_object();
    if (object == nullptr) return Mismatch{where + " is not an object"};
    Reader reader(*object, where);
    reader.only({"name", "summary", "options", "rest", "change", "undo"});
    Command command;
    command.name = reader.string("name");
    if (!is_name(command.name)) reader.fail("name " + shown(command.name) + " is not [a-z0-9-]+");
    if (command.name == "help") reader.fail("name \"help\" is the host's own");
    command.summary = reader.string("summary");
    command.rest = rest_of(reader);
    command.change = reader.string("change");
    command.undo = reader.string("undo");
    if (!command.change.empty() && !command.undo.empty()) {
        reader.fail("change and undo exclude each other");
    }
    const bool by_host = !command.change.empty() || !command.undo.empty();
    if (by_host && command.rest) reader.fail("rest goes with neither change nor undo");
    auto options = options_of(reader, where + '.');
    if (!reader.ok()) return reader.problem();
    if (!options) return options.error();
    command.options = std::move(*options);
    return command;
}

// The host adds options of its own to a command that it carries out.
std::optional<std::string> taken_by_host(const Command& command,
                                         const std::vector<Option>& shared) {
    if (command.change.empty() && command.undo.empty()) return std::nullopt;
    for (const char* name : {"yes", "dry-run", "format", "keep"}) {
        for (const auto* options : {&command.options, &shared}) {
            if (std::ranges::find(*options, name, &Option::name) == options->end()) continue;
            return ": option \"" + std::string(name) +
                   "\" is added by the host to a command with change or undo";
        }
    }
    return std::nullopt;
}

Checked<std::vector<Command>> parse_commands(const json::array& schema,
                                             const std::vector<Option>& shared) {
    if (schema.size() > most_commands) return Mismatch{"commands are too many"};
    std::vector<Command> commands;
    for (const json::value& element : schema) {
        const std::string where = "commands[" + std::to_string(commands.size()) + ']';
        auto command = parse_command(element, where);
        if (!command) return command.error();
        if (std::ranges::find(commands, command->name, &Command::name) != commands.end()) {
            return Mismatch{where + ": name \"" + command->name + "\" is there twice"};
        }
        for (const Option& option : command->options) {
            if (std::ranges::find(shared, option.name, &Option::name) == shared.end()) continue;
            return Mismatch{where + ": option \"" + option.name + "\" is the verb's already"};
        }
        if (auto taken = taken_by_host(*command, shared)) return Mismatch{where + *taken};
        commands.push_back(std::move(*command));
    }
    return commands;
}

}  // namespace

Checked<std::vector<Option>> parse_options(const json::value& schema) {
    if (!schema.is_array()) return Mismatch{"options is not an array"};
    return parse_list(schema.get_array(), "options");
}

Checked<VerbSchema> parse_verb(const json::value& schema) {
    const json::object* object = schema.if_object();
    if (object == nullptr) return Mismatch{"schema is not an object"};
    Reader reader(*object, "schema");
    reader.only({"options", "commands", "rest", "epilog"});
    VerbSchema verb;
    verb.epilog = reader.string("epilog");
    verb.top.rest = rest_of(reader);
    auto options = options_of(reader, "");
    const json::array* commands = reader.array("commands");
    if (!reader.ok()) return reader.problem();
    if (!options) return options.error();
    verb.top.options = std::move(*options);
    if (commands != nullptr) {
        auto parsed = parse_commands(*commands, verb.top.options);
        if (!parsed) return parsed.error();
        verb.commands = std::move(*parsed);
    }
    return verb;
}

}  // namespace p2pdiag::options
