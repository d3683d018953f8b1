#include "change/journal.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <tuple>

#include "base/random.hpp"
#include "base/whole_file.hpp"
#include "report/report_json.hpp"

namespace p2pdiag::change {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view suffix = ".json";

std::string now() { return report::timestamp(std::chrono::system_clock::now()); }

bool newer(const Record& left, const Record& right) {
    return std::tie(left.sequence, left.created, left.id) >
           std::tie(right.sequence, right.created, right.id);
}

Maybe<Record> read_record(const fs::path& file, const std::string& id) {
    const auto text = disk::read_whole_file(file, Journal::most_record_bytes);
    if (!text) return text.error();
    auto record = parse_record(*text);
    if (record && record->id != id) return Problem{"holds a record of another name"};
    return record;
}

}  // namespace

Journal::Content Journal::read() const {
    Content content;
    std::error_code error;
    if (!directory_ || !fs::exists(*directory_, error)) return content;
    if (const std::string why = disk::distrust_directory(*directory_); !why.empty()) {
        content.unreadable.push_back({*directory_, why.substr(directory_->native().size() + 2)});
        return content;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(*directory_, error)) {
        const std::string name = entry.path().filename().native();
        if (name.starts_with('.') || !name.ends_with(suffix)) continue;
        auto record = read_record(entry.path(), name.substr(0, name.size() - suffix.size()));
        if (record) {
            content.records.push_back(std::move(*record));
        } else {
            content.unreadable.push_back({entry.path(), record.error().what});
        }
    }
    if (error) content.unreadable.push_back({*directory_, error.message()});
    std::ranges::sort(content.records, newer);
    std::ranges::sort(content.unreadable, {}, &Unreadable::file);
    return content;
}

std::vector<Record> Journal::Content::open() const {
    std::vector<Record> found;
    std::ranges::copy_if(records, std::back_inserter(found), &Record::open);
    return found;
}

const Record* Journal::Content::find(std::string_view id) const {
    const auto found = std::ranges::find(records, id, &Record::id);
    return found == records.end() ? nullptr : &*found;
}

Maybe<Record> Journal::read(const std::string& id) const { return read_record(file_of(id), id); }

Maybe<Lock> Journal::add(Record& record) {
    if (!directory_)
        return Problem{
            "there is no place for it: set XDG_STATE_HOME, HOME or P2PDIAG_STATE_DIR, to an "
            "absolute "
            "path"};
    if (std::string why = disk::make_private_directory(*directory_); !why.empty())
        return Problem{why};
    auto lock = claim_id(record.id);
    if (!lock) return lock;
    if (record.group.empty()) record.group = record.id;
    record.sequence = next_sequence();
    record.created = now();
    if (std::string why = write(record); !why.empty()) return Problem{why};
    return lock;
}

Lock::Taken Journal::resume(Record& record) {
    Lock::Taken taken = lock(record.id);
    if (!taken.lock) return taken;
    const auto known = read(record.id);
    if (!known) return {.problem = record.id + ' ' + known.error().what};
    if (!known->open() || known->change != record.change) {
        return {.problem = record.id + " is no longer in place"};
    }
    record.record = known->record;
    record.verify = known->verify;
    record.state = known->state;
    record.created = known->created;
    record.error = known->error;
    record.sequence = next_sequence();
    if (std::string why = write(record); !why.empty()) return {.problem = why};
    return taken;
}

std::string Journal::write(Record& record) {
    record.updated = now();
    const std::string text = json::to_pretty_text(to_json(record));
    if (text.size() > most_record_bytes) return file_of(record.id).native() + ": is too large";
    return disk::write_whole_file(file_of(record.id), temporary_of(record.id), text);
}

Lock::Taken Journal::lock(const std::string& id) const { return Lock::take(lock_of(id)); }

std::optional<pid_t> Journal::holder(const std::string& id) const {
    return directory_ ? Lock::holder(lock_of(id)) : std::nullopt;
}

void Journal::prune() const {
    std::size_t kept = 0;
    for (const Record& record : read().records) {
        if (record.open() || ++kept <= most_closed) continue;
        const Lock::Taken taken = lock(record.id);
        if (!taken.lock) continue;
        ::unlink(file_of(record.id).c_str());
        ::unlink(temporary_of(record.id).c_str());
    }
}

Maybe<Lock> Journal::claim_id(std::string& id) const {
    for (int attempt = 0; attempt < 16; ++attempt) {
        id = random_name(4);
        Lock::Taken taken = lock(id);
        if (!taken.problem.empty()) return Problem{taken.problem};
        std::error_code error;
        if (taken.lock && !fs::exists(file_of(id), error)) return std::move(*taken.lock);
    }
    return Problem{"no free id was found"};
}

std::int64_t Journal::next_sequence() const {
    const Content content = read();
    return content.records.empty() ? 1 : content.records.front().sequence + 1;
}

fs::path Journal::file_of(const std::string& id) const {
    return directory_.value_or(fs::path()) / (id + std::string(suffix));
}

fs::path Journal::temporary_of(const std::string& id) const {
    return directory_.value_or(fs::path()) / ('.' + id + ".tmp");
}

fs::path Journal::lock_of(const std::string& id) const {
    return directory_.value_or(fs::path()) / (id + ".lock");
}

json::array open_records(const Journal& journal, const std::function<bool(const Record&)>& wanted) {
    json::array all;
    for (const Record& record : journal.read().open()) {
        if (!wanted(record)) continue;
        json::object entry = to_json(record);
        const auto holder = journal.holder(record.id);
        entry["held_by"] = holder ? json::value(*holder) : json::value();
        all.push_back(std::move(entry));
    }
    return all;
}

}  // namespace p2pdiag::change
