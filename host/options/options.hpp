// The one language in which options are described: a plugin's profile section and a verb's command
// line both use it. docs/plugin-author/reference.md has the table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/host_port.hpp"
#include "base/json.hpp"

namespace p2pdiag::options {

enum class Type { string, integer, number, boolean, duration, endpoint, path, choice };

struct Option {
    std::string name;  // as on the command line: [a-z0-9-]+
    Type type = Type::string;
    std::vector<std::string> choices;
    std::optional<double> min;
    std::optional<double> max;
    std::optional<json::value> default_value;
    bool repeat = false;
    bool required = false;
    bool positional = false;
    std::string help;

    std::string profile_key() const;  // name with _ for -
};

struct Command {
    std::string name;  // empty for a verb without commands
    std::string summary;
    std::vector<Option> options;
    std::optional<std::string>
        rest;  // help for what comes after "--"; nothing = it may not be there
    // Id of the change that the host carries out, or takes back, instead of running the verb.
    // Empty = neither; never both.
    std::string change;
    std::string undo;
};

struct VerbSchema {
    Command top;
    std::vector<Command> commands;
    std::string epilog;
};

// Why a text or value does not fit, in words for the person who wrote it: "70000 is not from 1 to
// 65535".
struct Mismatch {
    std::string why;
};
template <class T>
using Checked = boost::system::result<T, Mismatch>;

// A table whose schema is not right is the plugin's fault: `why` names the member.
Checked<std::vector<Option>> parse_options(const json::value& schema);
Checked<VerbSchema> parse_verb(const json::value& schema);

// A value that came as text (command line, environment), as JSON of the option's type; durations
// become milliseconds. One element of a repeated option.
Checked<json::value> from_text(const Option& option, std::string_view text);

// A value that came typed (TOML as JSON); the whole array of a repeated option.
Checked<json::value> from_value(const Option& option, const json::value& value);

// Milliseconds from "250ms", "20s", "2m", "1h" or a bare number of milliseconds.
Checked<std::int64_t> parse_duration(std::string_view text);
// The same the other way, in the largest unit that fits: "2h".
std::string duration_text(std::int64_t milliseconds);

// "host:port" or "[v6]:port"; with a default, the port may be missing. The result has one. No
// resolving.
Checked<HostPort> read_endpoint(std::string_view text,
                                std::optional<std::uint16_t> default_port = std::nullopt);

// The known name nearest to `name`, when it is near enough to be what was meant.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known);

// boost::system::result finds it by its argument; thrown only where nobody asked for the error.
[[noreturn]] void throw_exception_from_error(const Mismatch& mismatch,
                                             const boost::source_location& where);

}  // namespace p2pdiag::options
