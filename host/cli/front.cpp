#include "cli/front.hpp"

#include <algorithm>
#include <iostream>

#include "cli/known.hpp"
#include "cli/log.hpp"
#include "report/exit_code.hpp"
#include "report/formats.hpp"

namespace p2pdiag::cli {

namespace {

// As options::from_text reads it: CLI11 would take 0x50, and tell nobody why not abc.
void add_port(CLI::App& app, std::optional<std::int64_t>& into) {
    const auto read = [&into](const CLI::results_t& words) {
        options::Option port;
        port.type = options::Type::integer;
        port.min = 1;
        port.max = 65535;
        const auto value = options::from_text(port, words.back());
        if (!value) throw UsageError{"--port: " + value.error().why};
        into = value->as_int64();
        return true;
    };
    app.add_option("--port", read, "UDP and TCP port of your program [8000]")->type_name("PORT");
}

// "$FILE" where FILE is not set is no value, and not the same as leaving the option out.
void require_values(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        const auto& given = option->results();
        if (std::ranges::find(given, "") != given.end()) {
            throw UsageError{option->get_name() + ": the value is empty"};
        }
    }
    for (const CLI::App* sub : app.get_subcommands()) require_values(*sub);
}

}  // namespace

Front::Front(Context& context, const Words& words) : context_(context), words_(words) {
    app_.get_formatter()->column_width(34);
    app_.require_subcommand(1);
    add_globals();
    add_run();
    add_lookups();
    add_fix();
    add_undo();
    add_shell_help();
    add_verbs();
    app_.footer("Start here:  p2pdiag run all");
}

CLI::App& Front::command(const std::string& name, const std::string& summary,
                         std::function<int()> action) {
    CLI::App& sub = *app_.add_subcommand(name, summary);
    sub.fallthrough();
    sub.callback([this, name, action = std::move(action)] {
        if (words_.after && !words_.after->empty()) {
            throw UsageError{name + ": nothing may follow --, such as '" + words_.after->front() +
                             "'"};
        }
        action_ = action;
    });
    commands_.insert(name);
    return sub;
}

void Front::add_globals() {
    Globals& globals = context_.globals;
    app_.set_version_flag("--version", "p2pdiag " P2PDIAG_VERSION, "Print the version and end");
    CLI::Option& profile =
        *app_.add_option("--profile", globals.profile, "Profile by name or file [default]")
             ->type_name("NAME|FILE");
    suggestions_.add(
        profile, [this] { return known_profiles(context_); }, Suggestions::Names::files);
    // Read before the command line is set up, since plugins add to it.
    CLI::Option& dir = *app_.add_option("--plugin-dir", ignored_plugin_dirs_,
                                        "Also load plugins from DIR; repeatable")
                            ->type_name("DIR")
                            ->allow_extra_args(false);
    suggestions_.add(dir, Suggestions::Names::directories);
    CLI::Option& colour =
        *app_.add_option("--color", globals.colour, "Colour: auto, always or never [auto]")
             ->type_name("WHEN");
    suggestions_.one_of(colour, {"auto", "always", "never"});
    app_.add_flag("-v,--verbose", globals.verbose, "Say more on stderr");
    app_.add_flag("--no-input", globals.no_input,
                  "Never ask; what would have to be asked is declined");
}

void Front::add_skip_and_deep(CLI::App& app, std::vector<std::string>& skip, bool& deep) {
    suggestions_.add(*app.add_option("--skip", skip, "Leave out checks that match; repeatable")
                          ->type_name("GLOB")
                          ->allow_extra_args(false),
                     [this] { return known_checks(context_); });
    app.add_flag("--deep", deep, "Also run checks that take minutes");
}

void Front::add_run() {
    CLI::App& run = command("run", "Run checks and report what they found",
                            [this] { return run_command(context_, run_); });
    const auto list = [&](const char* name, std::vector<std::string>& into, const char* help,
                          const char* type) -> CLI::Option& {
        return *run.add_option(name, into, help)->type_name(type)->allow_extra_args(false);
    };
    const auto one_of = [&](const char* name, std::string& into, const char* help, const char* type,
                            const std::vector<std::string>& words) {
        suggestions_.one_of(*run.add_option(name, into, help)->type_name(type), words);
    };
    std::vector<std::string> formats;
    for (const report::Format& format : report::formats()) formats.emplace_back(format.name);
    const auto checks = [this] { return known_checks(context_); };

    suggestions_.add(
        *run.add_option("checks", run_.checks, "all, check ids, or globs such as 'stun.*' [all]"),
        [this] {
            auto words = known_checks(context_);
            words.insert(words.begin(), {"all", "Everything that takes seconds"});
            return words;
        });
    suggestions_.add(list("--only", run_.only, "Keep only checks that match; repeatable", "GLOB"),
                     checks);
    add_skip_and_deep(run, run_.skip, run_.deep);
    run.add_option("--peer", run_.peer, "A peer that network.connect tries")
        ->type_name("HOST:PORT");
    add_port(run, run_.port);
    list("--stun", run_.stun, "STUN server to ask, instead of the profile's; repeatable",
         "HOST:PORT");
    run.add_option("--deadline", run_.deadline, "End the whole run after this long [20s]")
        ->type_name("DURATION");
    one_of("--format", run_.format, "Format on stdout [console]", "FORMAT", formats);
    list("--output", run_.outputs, "Also write FORMAT to a file; repeatable", "FORMAT=PATH");
    one_of("--fail-on", run_.fail_on, "Exit 1 from this on: warn, fail or unknown [fail]", "STATUS",
           {"warn", "fail", "unknown"});
    CLI::Option* capture = run.add_option("--capture", run_.capture,
                                          "Record what goes over the wire meanwhile (pcapng)")
                               ->type_name("FILE");
    run.add_flag("--capture-on-failure", run_.capture_on_failure,
                 "Keep the recording only when the exit code is not 0")
        ->needs(capture);
    one_of("--isolation", run_.isolation, "child, or none: in this process, for debuggers [child]",
           "HOW", {"child", "none"});
    const auto file = [&](const char* name, std::string& into, const char* help) {
        suggestions_.add(*run.add_option(name, into, help)->type_name("FILE"),
                         Suggestions::Names::files);
    };
    file("--offline", run_.offline,
         "Run nothing: diagnose the report in FILE (--format json) again");
    file("--baseline", run_.baseline,
         "Say what is different from the report in FILE (--format json)");
    run.add_option("--watch", run_.watch, "Run again this long after each run; print what changes")
        ->type_name("DURATION");
    run.footer(
        "Exit code: 0 nothing at the threshold, 1 findings, 2 usage, 3 could not determine,\n"
        "4 internal or plugin error, 124 deadline, 130 or 143 interrupted. With --format nagios:\n"
        "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n"
        "Examples:\n"
        "  p2pdiag run all\n"
        "  p2pdiag run stun.nat --stun stun.example.org:3478 --format json\n"
        "  p2pdiag run all --output junit=report.xml --fail-on warn\n"
        "  p2pdiag run all --output prometheus=/var/lib/node_exporter/p2pdiag.prom\n"
        "  p2pdiag run all --capture run.pcapng --capture-on-failure\n"
        "  p2pdiag run all --output json=before.json\n"
        "  p2pdiag run all --baseline before.json\n"
        "  p2pdiag run --offline before.json\n"
        "  p2pdiag run all --watch 30s");
}

void Front::add_lookups() {
    CLI::App& list = command("list", "List plugins, checks, verbs and profiles",
                             [this] { return list_command(context_, list_); });
    suggestions_.one_of(
        *list.add_option("what", list_.what, "plugins, checks, verbs or profiles [all of them]")
             ->type_name(""),
        {"plugins", "checks", "verbs", "profiles"});
    suggestions_.one_of(*list.add_option("--format", list_.format, "console or json [console]")
                             ->type_name("FORMAT"),
                        {"console", "json"});

    const auto argument = [this](CLI::App& sub, const char* what,
                                 const char* help) -> CLI::Option& {
        return *sub.add_option(what, name_, help)->required()->type_name("");
    };
    CLI::App& describe = command("describe", "Say what a check measures and how",
                                 [this] { return describe_command(context_, name_); });
    suggestions_.add(argument(describe, "check", "Id of the check, for example stun.nat"),
                     [this] { return known_checks(context_); });
    CLI::App& explain = command("explain", "Say what a code of a report means and what to do",
                                [this] { return explain_command(context_, name_); });
    suggestions_.add(argument(explain, "code", "For example nat.symmetric"),
                     [this] { return known_code_words(context_); });
    CLI::App& validate = command("validate", "Check a plugin file, or rules of the diagnosis",
                                 [this] { return validate_command(context_, name_); });
    suggestions_.add(*validate
                          .add_option("file", name_,
                                      "A plugin (.so) or a file of rules (.toml) "
                                      "[the rules in force]")
                          ->type_name(""),
                     Suggestions::Names::files);
}

void Front::add_shell_help() {
    CLI::App& completion =
        command("completion", "Print a script that completes p2pdiag's commands in a shell",
                [this] { return print_result(completion_script(name_)); });
    suggestions_.one_of(
        *completion.add_option("shell", name_, "bash, zsh or fish")->required()->type_name(""),
        completion_shells());
    completion.footer(
        "Examples:\n"
        "  source <(p2pdiag completion bash)\n"
        "  p2pdiag completion fish > ~/.config/fish/completions/p2pdiag.fish");
    CLI::App& man = command("man", "Print the man page, with the commands of all plugins",
                            [this] { return print_result(man_page(app_)); });
    man.footer("Example:\n  p2pdiag man | man -l -");
}

void Front::add_fix() {
    CLI::App& fix = command("fix", "Do what the diagnosis says helps, and check again",
                            [this] { return fix_command(context_, fix_); });
    fix.add_option("--only", fix_.only, "Only the remedy with this id; repeatable")
        ->type_name("REMEDY")
        ->allow_extra_args(false);
    add_skip_and_deep(fix, fix_.skip, fix_.deep);
    add_port(fix, fix_.port);
    add_change_flags(fix, fix_.flags, false, suggestions_);
    fix.footer(
        "Runs all checks, plans, asks, does it, runs the checks again that it concerns, and says\n"
        "what is different. What did not help is taken back at once; the rest by 'p2pdiag undo'.\n"
        "Exit code: 0 fixed, or nothing was wrong; 1 something is left; 2 usage; 3 it could not\n"
        "be proven, or not be planned; 4 a plugin or the journal went wrong; 5 declined; 130 or\n"
        "143 interrupted.\n"
        "Examples:\n"
        "  p2pdiag fix --dry-run\n"
        "  sudo p2pdiag fix --yes\n"
        "  p2pdiag fix --only forward-port\n"
        "  sudo p2pdiag fix --deep --skip stun.lifetime   # a forward behind two NATs, too");
}

void Front::add_undo() {
    CLI::App& undo = command("undo", "Take back what p2pdiag changed",
                             [this] { return undo_command(context_, undo_); });
    undo.add_option("ids", undo_.ids, "Ids of changes [what the last command did]")->type_name("");
    undo.add_flag("--all", undo_.all, "Everything that is still in place, the newest first");
    undo.add_flag("--list", undo_.list,
                  "Only list what is in place; with --verbose also what was taken back");
    undo.add_flag(
        "--forget", undo_.forget,
        "Give up on these ids without taking them back, as when the router is gone for good");
    add_change_flags(undo, undo_.flags, false, suggestions_);
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
            verb_lines_.push_back(std::make_unique<VerbLine>(app_, suggestions_, plugin, verb,
                                                             words_.after.has_value()));
            VerbLine& line = *verb_lines_.back();
            line.app().fallthrough();
            line.app().callback([this, &plugin, &verb, &line] {
                action_ = [this, &plugin, &verb, &line] { return run_verb(plugin, verb, line); };
            });
        }
    }
}

int Front::run_verb(const loader::Plugin& plugin, const loader::Verb& verb, VerbLine& line) const {
    if (words_.after) line.add_words(*words_.after);
    json::object arguments = line.take();
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

// What is meant for the command that runs somewhere else stands behind --.
std::string Front::words_after_dashes(const CLI::App& place, const std::string& word) const {
    for (const auto& line : verb_lines_) {
        if (&line->app() != place.get_parent() && &line->app() != &place) continue;
        if (line->takes_rest()) return "\nWrite -- before '" + word + "', as --help shows.";
    }
    return {};
}

// Wrong where no command or option was taken for what it is: which, and what was perhaps meant.
std::string Front::message_of(const CLI::ParseError& error) const {
    const int kind = error.get_exit_code();
    const bool left_over = kind == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
                           kind == static_cast<int>(CLI::ExitCodes::RequiredError) ||
                           kind == static_cast<int>(CLI::ExitCodes::Success);
    const std::vector<std::string> extra = app_.remaining(true);
    if (!left_over || extra.empty()) return error.what();
    const CLI::App* place = &app_;
    while (!place->get_subcommands().empty()) place = place->get_subcommands().front();
    const std::string word = extra.front().substr(0, extra.front().find('='));
    const bool is_option = word.starts_with('-');
    const auto known = is_option ? option_names(*place) : command_names(*place);
    if (known.empty()) {
        return "nothing is expected where '" + extra.front() + "' stands" +
               words_after_dashes(*place, extra.front());
    }
    const auto near = options::nearest(word, known);
    std::string message = is_option ? "unknown option '" : "unknown command '";
    message += word + '\'' + (near ? ": did you mean '" + *near + "'?" : "");
    // It may be the command of a plugin that was refused.
    if (!is_option && place == &app_) message += refused_plugins(context_);
    return message;
}

int Front::parse_error(const CLI::ParseError& error) const {
    const int kind = error.get_exit_code();
    // No help on a command that is not there: it would be on another one.
    if (kind == static_cast<int>(CLI::ExitCodes::Success) && app_.remaining(true).empty()) {
        const bool help = dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr;
        return print_result(help ? app_.help() : std::string(error.what()) + '\n');
    }
    const bool nothing_typed = app_.get_subcommands().empty() && app_.remaining().empty();
    if (nothing_typed && kind == static_cast<int>(CLI::ExitCodes::RequiredError)) {
        std::cerr << app_.help();
        return report::exit_codes::usage;
    }
    throw UsageError{message_of(error) + "\nSee 'p2pdiag --help', or --help after a command."};
}

int Front::run() {
    // CLI11 wants the words last first.
    std::vector<std::string> reversed(words_.before.rbegin(), words_.before.rend());
    try {
        app_.parse(reversed);
    } catch (const CLI::ParseError& error) {
        return parse_error(error);
    }
    require_values(app_);
    if (context_.globals.verbose) be_verbose();
    return action_();
}

int Front::complete(const std::vector<std::string>& words) const {
    return print_result(completions(app_, suggestions_, words));
}

}  // namespace p2pdiag::cli
