#include "change/undo.hpp"

#include <algorithm>

#include "change/revert.hpp"

namespace p2pdiag::change {

namespace {

using report::Status;
using Undoing = Undone::Outcome;

bool agrees(const json::value& known, const json::value& given) {
    if (const json::array* several = given.if_array()) {
        return std::ranges::find(*several, known) != several->end();
    }
    return known == given;
}

Undoing undoing_of(Status status) {
    switch (status) {
        case Status::pass: return Undoing::undone;
        case Status::warn:
        case Status::fail:
        case Status::skip:
        case Status::unknown: return Undoing::failed;
        case Status::cancelled: return Undoing::interrupted;
        case Status::error:
        case Status::crashed:
        case Status::timed_out: break;
    }
    return Undoing::error;
}

std::string held_text(pid_t holder) {
    if (holder == 0) return "another p2pdiag works on it now";
    const std::string pid = std::to_string(holder);
    return "process " + pid + " keeps it up or works on it now: end that with Ctrl-C or kill " +
           pid + ", and it takes it back itself";
}

Undone& end(Undone& done, Undoing outcome, const std::string& problem) {
    done.outcome = outcome;
    done.problem = problem;
    return done;
}

// The record as it is now, to work on; without a lock `done` says why there is nothing to do.
std::optional<Lock> claim(const Journal& journal, Undone& done) {
    Lock::Taken taken = journal.lock(done.record.id);
    if (!taken.problem.empty()) {
        end(done, Undoing::error, "the journal cannot be written: " + taken.problem);
        return std::nullopt;
    }
    if (!taken.lock) {
        done.holder = taken.holder.value_or(0);
        end(done, Undoing::held, held_text(done.holder));
        return std::nullopt;
    }
    // It may have changed until it was ours.
    auto now = journal.read(done.record.id);
    if (!now) {
        end(done, Undoing::error, "its record " + now.error().what);
        return std::nullopt;
    }
    done.record = std::move(*now);
    if (done.record.state == State::undone) {
        end(done, Undoing::already, "was taken back already");
        return std::nullopt;
    }
    return std::move(*taken.lock);
}

class TakingBack {
public:
    TakingBack(Journal& journal, Caller& caller, const loader::Plugins& plugins,
               const InputFor& input_for, const Events& events)
        : journal_(journal),
          caller_(caller),
          plugins_(plugins),
          input_for_(input_for),
          events_(events) {}

    Undone one(const Record& record) {
        Undone done{.record = record};
        if (caller_.interrupts() > 0) return end(done, Undoing::interrupted, "not tried");
        if (const auto lock = claim(journal_, done)) revert_it(done);
        return done;
    }

private:
    void revert_it(Undone& done) {
        Record& record = done.record;
        const loader::Plugin* plugin = plugins_.find(record.plugin);
        const loader::Change* change =
            plugin == nullptr ? nullptr : plugin->find_change(record.change);
        if (change == nullptr) {
            end(done, Undoing::no_plugin,
                "the plugin " + record.plugin + ' ' + record.plugin_version +
                    (plugin == nullptr ? " that made it is not loaded"
                                       : " no longer knows the change " + record.change));
            return;
        }
        Reverted reverted =
            revert(journal_, caller_, *plugin, *change, input_for_(*plugin), record, events_);
        done.outcome = undoing_of(reverted.said.status);
        if (done.outcome != Undoing::undone) done.problem = reverted.said.summary;
        done.said = std::move(reverted.said);
        if (!reverted.problem.empty()) {
            end(done, Undoing::error, "the journal cannot be written: " + reverted.problem);
        }
    }

    Journal& journal_;
    Caller& caller_;
    const loader::Plugins& plugins_;
    const InputFor& input_for_;
    const Events& events_;
};

}  // namespace

std::string_view to_string(Undoing outcome) {
    switch (outcome) {
        case Undoing::undone: return "undone";
        case Undoing::already: return "already";
        case Undoing::held: return "held";
        case Undoing::no_plugin: return "no-plugin";
        case Undoing::failed: return "failed";
        case Undoing::error: return "error";
        case Undoing::interrupted: return "interrupted";
        case Undoing::forgotten: break;
    }
    return "forgotten";
}

std::vector<Record> last_command(const Journal::Content& content) {
    std::vector<Record> open = content.open();
    if (open.empty()) return open;
    const std::string group = open.front().group;
    std::erase_if(open, [&](const Record& record) { return record.group != group; });
    return open;
}

std::vector<Record> matching(const Journal::Content& content, std::string_view change,
                             const json::object& given) {
    std::vector<Record> found = content.open();
    std::erase_if(found, [&](const Record& record) {
        if (record.change != change) return true;
        return std::ranges::any_of(given, [&](const auto& option) {
            const json::value* known = json::find(record.match, option.key());
            return known == nullptr || !agrees(*known, option.value());
        });
    });
    return found;
}

std::vector<Undone> take_back(Journal& journal, Caller& caller, const loader::Plugins& plugins,
                              const InputFor& input_for, const std::vector<Record>& records,
                              const Events& events) {
    TakingBack taking_back(journal, caller, plugins, input_for, events);
    std::vector<Undone> all;
    for (const Record& record : records) all.push_back(taking_back.one(record));
    journal.prune();
    return all;
}

std::vector<Undone> forget(Journal& journal, const std::vector<Record>& records) {
    std::vector<Undone> all;
    for (const Record& record : records) {
        Undone done{.record = record};
        if (const auto lock = claim(journal, done)) {
            done.record.state = State::forgotten;
            done.outcome = Undoing::forgotten;
            if (const std::string problem = journal.write(done.record); !problem.empty()) {
                end(done, Undoing::error, "the journal cannot be written: " + problem);
            }
        }
        all.push_back(std::move(done));
    }
    journal.prune();
    return all;
}

}  // namespace p2pdiag::change
