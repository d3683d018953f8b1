// Every change that was made, one file each, so that it can be taken back after a crash or a
// reboot. docs/user/changes.md describes the files. Several processes may use one journal at a
// time: whoever works on a record holds its lock.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/lock.hpp"
#include "change/problem.hpp"
#include "change/record.hpp"

namespace p2pdiag::change {

using disk::Lock;

class Journal {
public:
    // Kept of what was taken back or forgotten; older ones go.
    static constexpr std::size_t most_closed = 100;
    // Two messages of a plugin (child::max_message_bytes) and the rest.
    static constexpr std::size_t most_record_bytes = 8 << 20;

    // Nothing when the user has no place for state: then every write fails, and says so. A
    // directory that is not there is an empty journal; it is made by the first record.
    explicit Journal(std::optional<std::filesystem::path> directory)
        : directory_(std::move(directory)) {}

    struct Unreadable {
        std::filesystem::path file;
        std::string why;
    };
    struct Content {
        std::vector<Record> records;  // newest first
        std::vector<Unreadable> unreadable;

        std::vector<Record> open() const;
        const Record* find(std::string_view id) const;
    };
    Content read() const;
    Maybe<Record> read(const std::string& id) const;

    // Gives the record id, group (when it has none), sequence and times, and writes it. The lock is
    // the caller's until it is done with the record.
    Maybe<Lock> add(Record& record);

    // Takes up an open record again, by the id, change, title, undo, match and step of `record`;
    // what was done so far is read into it. It becomes the newest. A record that is no longer open
    // is a problem.
    Lock::Taken resume(Record& record);

    // Writes what the record is now, with the time. The caller holds its lock. What went wrong, or
    // nothing.
    std::string write(Record& record);

    Lock::Taken lock(const std::string& id) const;
    std::optional<pid_t> holder(const std::string& id) const;

    // Removes the oldest of those that are no longer open.
    void prune() const;

private:
    std::filesystem::path file_of(const std::string& id) const;
    std::filesystem::path temporary_of(const std::string& id) const;
    std::filesystem::path lock_of(const std::string& id) const;
    std::int64_t next_sequence() const;
    Maybe<Lock> claim_id(std::string& id) const;

    std::optional<std::filesystem::path> directory_;
};

// The open records that are wanted, newest first, as plugins get them: with the member "held_by",
// the process that works on it or keeps it up, or null.
json::array open_records(const Journal& journal, const std::function<bool(const Record&)>& wanted);

}  // namespace p2pdiag::change
