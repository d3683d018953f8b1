// Taking back changes: by id, the last ones, all of them, or those that a plugin's command names.
#include "change/children.hpp"
#include "change/json.hpp"
#include "cli/change_text.hpp"
#include "cli/change_watch.hpp"
#include "cli/commands.hpp"
#include "cli/confirm.hpp"
#include "cli/log.hpp"
#include "cli/terminal.hpp"
#include "report/exit_code.hpp"

namespace p2pdiag::cli {

namespace {

namespace exit_codes = report::exit_codes;
using change::Journal;
using change::Record;
using change::Undone;

class UndoCommand {
public:
    UndoCommand(const Context& context, const ChangeFlags& flags)
        : context_(context),
          flags_(flags),
          unicode_(use_unicode(context.environment)),
          journal_(context.paths.changes),
          content_(journal_.read()) {
        for (const Journal::Unreadable& one : content_.unreadable) {
            complain(one.file.native() + ": left alone, since it " + one.why);
        }
    }

    const Journal::Content& content() const { return content_; }

    // In the order of the journal, whatever order they were named in.
    std::vector<Record> named(const std::vector<std::string>& ids) const {
        for (const std::string& id : ids) {
            if (content_.find(id) == nullptr) throw UsageError{unknown(id)};
        }
        std::vector<Record> found = content_.records;
        std::erase_if(found, [&](const Record& record) {
            return std::ranges::find(ids, record.id) == ids.end();
        });
        return found;
    }

    int list() const {
        const bool history = context_.globals.verbose || flags_.json();
        std::vector<Record> records = history ? content_.records : content_.open();
        std::vector<std::optional<pid_t>> holders;
        for (const Record& record : records) holders.push_back(journal_.holder(record.id));
        if (!flags_.json()) return print_result(list_text(records, holders, unicode_));
        json::array changes;
        for (std::size_t i = 0; i < records.size(); ++i) {
            changes.push_back(change::summary_json(records[i], holders[i]));
        }
        return print_result(
            json::to_pretty_text(json::object{{"format_version", report::format_version},
                                              {"changes", std::move(changes)},
                                              {"unreadable", unreadable()}}));
    }

    int nothing(std::string_view text, int code) const {
        if (flags_.json()) return print_document("nothing", code, {});
        if (code != exit_codes::nothing) {
            complain(text);
            return code;
        }
        return print_result(std::string(text) + '\n');
    }

    // `code`: what the exit code is at least, when everything goes well.
    int take_back(const std::vector<Record>& records, int code) {
        const Question question{records_text(records, unicode_), "Take this back?", "taken back"};
        return after_asking(question, records, code, [&](SignalWatch& signals) {
            change::Children children(
                signals.fd(),
                count_interrupts(signals, "Stopping after this one. Once more ends it at once.\n"));
            // A way back has to work whatever a configuration says.
            profile::Request request = profile_request(context_);
            request.lenient = true;
            const profile::Profile profile = load_profile(context_, request);
            const auto input_for = [&profile](const loader::Plugin& plugin) {
                return plugin_input(profile, plugin);
            };
            return change::take_back(journal_, children, context_.plugins, input_for, records,
                                     watch_change(context_, false));
        });
    }

    int forget(std::vector<Record> records) {
        std::erase_if(records, [](const Record& record) { return !record.open(); });
        if (records.empty()) return nothing("There is nothing to forget.", exit_codes::nothing);
        const Question question{forgetting_text(records, unicode_), "Forget this?", "forgotten"};
        return after_asking(question, records, exit_codes::nothing,
                            [&](SignalWatch&) { return change::forget(journal_, records); });
    }

private:
    struct Question {
        std::string about;  // lines
        std::string words;
        std::string done;  // "taken back"
    };

    template <class Work>
    int after_asking(const Question& question, const std::vector<Record>& records, int code,
                     Work work) {
        if (flags_.dry_run) {
            if (!flags_.json()) return print_result(question.about);
            return print_document("planned", exit_codes::nothing, untouched(records));
        }
        note(question.about);
        SignalWatch signals;
        if (!flags_.yes) {
            const Answer answer = ask_and_tell(context_, signals, question.words, question.done);
            if (answer == Answer::interrupted) {
                return end("interrupted", signals.exit_code(), untouched(records));
            }
            if (answer != Answer::yes) {
                return end("declined", exit_codes::declined, untouched(records));
            }
        }
        const std::vector<Undone> all = work(signals);
        return report(all, code, signals);
    }

    int report(const std::vector<Undone>& all, int code, SignalWatch& signals) const {
        const bool interrupted = signals.last() != 0;
        signals.dismiss();
        json::array steps;
        for (const Undone& one : all) {
            code = std::max(code, code_of(one.outcome));
            steps.push_back(change::to_json(one));
        }
        const bool complete = std::ranges::all_of(all, &Undone::settled);
        const bool forgotten = std::ranges::any_of(
            all, [](const Undone& one) { return one.outcome == Undone::Outcome::forgotten; });
        if (interrupted) code = signals.exit_code();
        if (!flags_.json()) {
            const int printed = print_result(undone_text(all, unicode_));
            return printed == exit_codes::nothing ? code : printed;
        }
        return print_document(!complete   ? "incomplete"
                              : forgotten ? "forgotten"
                                          : "undone",
                              code, std::move(steps));
    }

    static int code_of(Undone::Outcome outcome) {
        switch (outcome) {
            case Undone::Outcome::undone:
            case Undone::Outcome::already:
            case Undone::Outcome::forgotten: return exit_codes::nothing;
            case Undone::Outcome::held:
            case Undone::Outcome::failed:
            case Undone::Outcome::interrupted: return exit_codes::findings;
            case Undone::Outcome::no_plugin:
            case Undone::Outcome::error: break;
        }
        return exit_codes::internal;
    }

    int end(std::string_view status, int code, json::array steps) const {
        return flags_.json() ? print_document(status, code, std::move(steps)) : code;
    }

    int print_document(std::string_view status, int code, json::array steps) const {
        const int printed = print_result(
            json::to_pretty_text(json::object{{"format_version", report::format_version},
                                              {"status", status},
                                              {"exit_code", code},
                                              {"steps", std::move(steps)},
                                              {"unreadable", unreadable()}}));
        return printed == exit_codes::nothing ? code : printed;
    }

    static json::array untouched(const std::vector<Record>& records) {
        json::array steps;
        for (const Record& record : records) {
            steps.push_back(change::summary_json(record, std::nullopt));
        }
        return steps;
    }

    json::array unreadable() const {
        json::array all;
        for (const Journal::Unreadable& one : content_.unreadable) {
            all.push_back(json::object{{"file", one.file.native()}, {"reason", one.why}});
        }
        return all;
    }

    std::string unknown(const std::string& id) const {
        std::vector<std::string> known;
        for (const Record& record : content_.records) known.push_back(record.id);
        const auto near = options::nearest(id, known);
        return "no change has the id '" + id + "'" +
               (near ? ": did you mean '" + *near + "'?" : ": see 'p2pdiag undo --list'");
    }

    const Context& context_;
    const ChangeFlags& flags_;
    const bool unicode_;
    Journal journal_;
    Journal::Content content_;
};

}  // namespace

int undo_command(const Context& context, const UndoArguments& arguments) {
    if (int(arguments.list) + int(arguments.all) + int(!arguments.ids.empty()) > 1) {
        throw UsageError{"undo takes ids, or --all, or --list: one of them"};
    }
    if (arguments.forget && arguments.ids.empty()) {
        throw UsageError{
            "undo --forget takes the ids of what is to be forgotten: see 'p2pdiag undo "
            "--list'"};
    }
    UndoCommand command(context, arguments.flags);
    if (arguments.list) return command.list();
    if (arguments.forget) return command.forget(command.named(arguments.ids));
    // What cannot be read may be in place still.
    const bool blind = arguments.all && !command.content().unreadable.empty();
    const int code = blind ? exit_codes::findings : exit_codes::nothing;
    const std::vector<Record> records = !arguments.ids.empty() ? command.named(arguments.ids)
                                        : arguments.all        ? command.content().open()
                                                               : last_command(command.content());
    if (records.empty()) return command.nothing("There is nothing to take back.", code);
    return command.take_back(records, code);
}

int undo_matching_command(const Context& context, const std::string& change,
                          const json::object& given, const ChangeFlags& flags) {
    UndoCommand command(context, flags);
    const std::vector<Record> records = matching(command.content(), change, given);
    if (records.empty()) {
        return command.nothing(
            "p2pdiag made no such change that is still in place, and takes back only what it made: "
            "see 'p2pdiag undo --list'",
            exit_codes::findings);
    }
    return command.take_back(records, exit_codes::nothing);
}

}  // namespace p2pdiag::cli
