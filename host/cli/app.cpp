#include "cli/app.hpp"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <set>

#include "cli/commands.hpp"
#include "cli/verb_line.hpp"
#include "report/exit_code.hpp"
#include "report/formats.hpp"

namespace p2pdiag::cli {

namespace {

// The command line cut at the first "--": what follows belongs to a verb and is never ours to read.
struct Words {
    std::vector<std::string> before;
    std::optional<std::vector<std::string>> after;

    Words(int argc, char** argv) {
        const std::vector<std::string> all(argv + 1, argv + argc);
        const auto cut = std::find(all.begin(), all.end(), "--");
        before.assign(all.begin(), cut);
        if (cut != all.end()) after.emplace(cut + 1, all.end());
    }

    // Values of an option that has to be known before CLI11 can be set up.
    std::vector<std::string> values_of(const std::string& option) const {
        std::vector<std::string> values;
        for (std::size_t i = 0; i < before.size(); ++i) {
            if (before[i] == option && i + 1 < before.size()) values.push_back(before[i + 1]);
            if (before[i].starts_with(option + '='))
                values.push_back(before[i].substr(option.size() + 1));
        }
        return values;
    }
};

// The command line as CLI11 sees it, with what was typed and what is to be done.
class Front {
public:
    Front(Context& context, const Words& words);

    int run();

private:
    void add_globals();
    void add_run();
    void add_lookups();
    void add_undo();
    void add_verbs();
    CLI::App& command(const std::string& name, const std::string& summary,
                      std::function<int()> action);
    int parse_error(const CLI::ParseError& error);
    int run_verb(const loader::Plugin& plugin, const loader::Verb& verb,
                 const VerbLine& line) const;

    Context& context_;
    const Words& words_;
    CLI::App app_{"Finds out why two computers cannot talk directly, and proves when they can.",
                  "p2pdiag"};
    RunArguments run_;
    ListArguments list_;
    UndoArguments undo_;
    std::string name_;  // the argument of describe, explain, validate
    std::vector<std::string> ignored_plugin_dirs_;
    std::vector<std::unique_ptr<VerbLine>> verb_lines_;
    std::set<std::string> commands_;
    std::function<int()> action_;
};

Front::Front(Context& context, const Words& words) : context_(context), words_(words) {
    app_.get_formatter()->column_width(34);
    app_.require_subcommand(1);
    add_globals();
    add_run();
    add_lookups();
    add_undo();
    add_verbs();
    app_.footer("Start here:  p2pdiag run all");
}

CLI::App& Front::command(const std::string& name, const std::string& summary,
                         std::function<int()> action) {
    CLI::App& sub = *app_.add_subcommand(name, summary);
    sub.fallthrough();
    sub.callback([this, action = std::move(action)] { action_ = action; });
    commands_.insert(name);
    return sub;
}

void Front::add_globals() {
    Globals& globals = context_.globals;
    app_.set_version_flag("--version", "p2pdiag " P2PDIAG_VERSION, "Print the version and end");
    app_.add_option("--profile", globals.profile, "Profile by name or file [default]")
        ->type_name("NAME|FILE");
    // Read before the command line is set up, since plugins add to it.
    app_.add_option("--plugin-dir", ignored_plugin_dirs_, "Also load plugins from DIR; repeatable")
        ->type_name("DIR")
        ->allow_extra_args(false);
    app_.add_option("--color", globals.colour, "Colour: auto, always or never [auto]")
        ->type_name("WHEN")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    app_.add_flag("-v,--verbose", globals.verbose, "Say more on stderr");
    app_.add_flag("--no-input", globals.no_input,
                  "Never ask; what would have to be asked is declined");
}

void Front::add_run() {
    CLI::App& run = command("run", "Run checks and report what they found",
                            [this] { return run_command(context_, run_); });
    const auto list = [&](const char* name, std::vector<std::string>& into, const char* help,
                          const char* type) {
        run.add_option(name, into, help)->type_name(type)->allow_extra_args(false);
    };
    std::set<std::string> formats;
    for (const report::Format& format : report::formats()) formats.emplace(format.name);

    run.add_option("checks", run_.checks, "all, check ids, or globs such as 'stun.*' [all]");
    list("--only", run_.only, "Keep only checks that match; repeatable", "GLOB");
    list("--skip", run_.skip, "Leave out checks that match; repeatable", "GLOB");
    run.add_flag("--deep", run_.deep, "Also run checks that take minutes");
    run.add_option("--port", run_.port, "UDP and TCP port of your program [8000]")
        ->type_name("PORT");
    list("--stun", run_.stun, "STUN server to ask, instead of the profile's; repeatable",
         "HOST:PORT");
    run.add_option("--deadline", run_.deadline, "End the whole run after this long [20s]")
        ->type_name("DURATION");
    run.add_option("--format", run_.format, "Format on stdout [console]")
        ->check(CLI::IsMember(formats))
        ->type_name("FORMAT");
    list("--output", run_.outputs, "Also write FORMAT to a file; repeatable", "FORMAT=PATH");
    run.add_option("--fail-on", run_.fail_on, "Exit 1 from this on: warn, fail or unknown [fail]")
        ->check(CLI::IsMember({"warn", "fail", "unknown"}))
        ->type_name("STATUS");
    run.add_option("--isolation", run_.isolation,
                   "child, or none: in this process, for debuggers [child]")
        ->check(CLI::IsMember({"child", "none"}))
        ->type_name("HOW");
    run.footer(
        "Exit code: 0 nothing at the threshold, 1 findings, 2 usage, 3 could not determine,\n"
        "4 internal or plugin error, 124 deadline, 130 or 143 interrupted.\n"
        "Examples:\n"
        "  p2pdiag run all\n"
        "  p2pdiag run stun.nat --stun stun.example.org:3478 --format json\n"
        "  p2pdiag run all --output junit=report.xml --fail-on warn");
}

void Front::add_lookups() {
    CLI::App& list = command("list", "List plugins, checks, verbs and profiles",
                             [this] { return list_command(context_, list_); });
    list.add_option("what", list_.what, "plugins, checks, verbs or profiles [all of them]")
        ->check(CLI::IsMember({"plugins", "checks", "verbs", "profiles"}))
        ->type_name("");
    list.add_option("--format", list_.format, "console or json [console]")
        ->check(CLI::IsMember({"console", "json"}))
        ->type_name("FORMAT");

    CLI::App& describe = command("describe", "Say what a check measures and how",
                                 [this] { return describe_command(context_, name_); });
    describe.add_option("check", name_, "Id of the check, for example stun.nat")
        ->required()
        ->type_name("");
    CLI::App& explain = command("explain", "Say what a code of a report means and what to do",
                                [this] { return explain_command(context_, name_); });
    explain.add_option("code", name_, "For example nat.symmetric")->required()->type_name("");
    CLI::App& validate = command("validate", "Check a plugin file against the plugin interface",
                                 [this] { return validate_command(name_); });
    validate.add_option("file", name_, "The plugin, a .so file")->required()->type_name("");
}

void Front::add_undo() {
    CLI::App& undo = command("undo", "Take back what p2pdiag changed",
                             [this] { return undo_command(context_, undo_); });
    undo.add_option("ids", undo_.ids, "Ids of changes [what the last command did]")->type_name("");
    undo.add_flag("--all", undo_.all, "Everything that is still in place, the newest first");
    undo.add_flag("--list", undo_.list,
                  "Only list what is in place; with --verbose also what was taken back");
    add_change_flags(undo, undo_.flags, false);
    undo.footer(
        "Exit code: 0 taken back, 1 something of it is still in place, 2 usage, 4 a plugin or the\n"
        "journal went wrong, 5 declined, 130 or 143 interrupted.");
}

void Front::add_verbs() {
    for (const loader::Plugin& plugin : context_.plugins.loaded) {
        for (const loader::Verb& verb : plugin.verbs) {
            if (!commands_.insert(verb.name).second) {
                complain("plugin " + plugin.id + ": its command '" + verb.name +
                         "' is left out, since another one has that name");
                continue;
            }
            verb_lines_.push_back(std::make_unique<VerbLine>(app_, plugin, verb));
            VerbLine& line = *verb_lines_.back();
            line.app().fallthrough();
            line.app().callback([this, &plugin, &verb, &line] {
                action_ = [this, &plugin, &verb, &line] { return run_verb(plugin, verb, line); };
            });
        }
    }
}

int Front::run_verb(const loader::Plugin& plugin, const loader::Verb& verb,
                    const VerbLine& line) const {
    json::object arguments = line.take(words_.after ? &*words_.after : nullptr);
    const options::Command& command = line.command();
    if (!command.undo.empty()) {
        return undo_matching_command(context_, command.undo, line.given(), line.flags());
    }
    if (command.change.empty()) {
        return verb_command(context_, plugin, verb.name, std::move(arguments));
    }
    const profile::Profile profile = load_profile(context_, profile_request(context_));
    const change::Target target{&plugin, plugin.find_change(command.change),
                                plugin_input(profile, plugin)};
    return change_command(context_, target, arguments["options"].as_object(), line.flags());
}

int Front::parse_error(const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
        return app_.exit(error);  // --help
    }
    std::string message = error.what();
    if (app_.get_subcommands().empty()) {
        const std::vector<std::string> extra = app_.remaining();
        if (extra.empty() &&
            error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError)) {
            std::cerr << app_.help();
            return report::exit_codes::usage;
        }
        if (!extra.empty() && !extra.front().starts_with('-')) {
            const std::vector<std::string> known(commands_.begin(), commands_.end());
            message = "unknown command '" + extra.front() + "'";
            if (const auto near = options::nearest(extra.front(), known)) {
                message += ": did you mean '" + *near + "'?";
            }
        }
    }
    throw UsageError{message + "\nSee 'p2pdiag --help', or --help after a command."};
}

int Front::run() {
    // CLI11 wants the words last first.
    std::vector<std::string> reversed(words_.before.rbegin(), words_.before.rend());
    try {
        app_.parse(reversed);
    } catch (const CLI::ParseError& error) {
        return parse_error(error);
    }
    return action_();
}

// With a machine format on stdout there is one document there, also when nothing could be run.
int fail(const Words& words, int code, const std::string& message) {
    complain(message);
    const auto formats = words.values_of("--format");
    if (std::find(formats.begin(), formats.end(), "json") != formats.end()) {
        print(json::to_pretty_text(
            json::object{{"format_version", report::format_version},
                         {"error", json::object{{"exit_code", code}, {"message", message}}}}));
    }
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    const Words words(argc, argv);
    if (!words.before.empty() && words.before.front() == "--version") {
        return print_result("p2pdiag " P2PDIAG_VERSION "\n");
    }
    try {
        Context context;
        context.environment = process_environment;
        context.command_line = words.before;
        context.globals.plugin_dirs = words.values_of("--plugin-dir");
        for (const std::string& dir : context.globals.plugin_dirs) {
            if (!std::filesystem::is_directory(dir))
                throw UsageError{"--plugin-dir " + dir + ": no such directory"};
        }
        context.paths = find_paths(context.globals.plugin_dirs, context.environment);
        context.plugins = loader::load({context.paths.plugin_dirs, context.paths.plugin_cache});
        return Front(context, words).run();
    } catch (const UsageError& error) {
        return fail(words, report::exit_codes::usage, error.message);
    } catch (const std::exception& error) {
        return fail(words, report::exit_codes::internal,
                    std::string("internal error: ") + error.what());
    }
}

}  // namespace p2pdiag::cli
