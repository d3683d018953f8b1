#include "change/journal.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <set>

#include "base/whole_file.hpp"
#include "fixture.hpp"

using namespace p2pdiag;
using change::Journal;
using change::Record;

namespace {

Record record_of(const std::string& name) {
    Record record;
    record.change = "p.change";
    record.plugin = "p";
    record.plugin_version = "1.0";
    record.title = "Do " + name;
    record.undo = "undo " + name;
    record.step = {{"name", name}};
    return record;
}

Record added(Journal& journal, const std::string& name,
             change::State state = change::State::planned) {
    Record record = record_of(name);
    const auto lock = journal.add(record);
    REQUIRE(lock.has_value());
    if (state != record.state) {
        record.state = state;
        REQUIRE(journal.write(record).empty());
    }
    return record;
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
}

// Every file that is written fails after this many bytes, as on a full disk.
class FullDisk {
public:
    explicit FullDisk(rlim_t bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit small{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

private:
    rlimit before_{};
};

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "records come back, the newest first, from files that nobody else reads") {
    CHECK(journal.read().records.empty());
    const Record first = added(journal, "first");
    const Record second = added(journal, "second", change::State::applied);
    CHECK(change::is_record_id(first.id));
    CHECK(first.group == first.id);
    CHECK(states() == Strings{"second applied", "first planned"});
    CHECK(mode_of(directory) == 0700);
    CHECK(mode_of(directory / (first.id + ".json")) == 0600);
    CHECK(journal.read(second.id)->sequence > first.sequence);
    CHECK(journal.read().find(first.id)->title == "Do first");
    // Nothing else is left there.
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        names.insert(entry.path().filename());
    }
    CHECK(names == std::set<std::string>{first.id + ".json", second.id + ".json"});
}

TEST_CASE_METHOD(Fixture, "the order holds when the clock jumps back") {
    Record later = added(journal, "first");
    later.created = "2099-01-01T00:00:00.000Z";
    REQUIRE(journal.write(later).empty());
    added(journal, "second");
    CHECK(states() == Strings{"second planned", "first planned"});
}

TEST_CASE_METHOD(Fixture, "a disk that is full leaves the record as it was") {
    Record record = added(journal, "first");
    const std::string before = json::to_text(to_json(*journal.read(record.id)));
    record.title = std::string(100, 'x');
    record.state = change::State::applied;
    {
        const FullDisk full(64);
        CHECK_FALSE(journal.write(record).empty());
        Record other = record_of("second");
        const auto lock = journal.add(other);
        REQUIRE(lock.has_error());
        CHECK(lock.error().what.find("File too large") != std::string::npos);
    }
    CHECK(json::to_text(to_json(*journal.read(record.id))) == before);
    CHECK(journal.read().unreadable.empty());
    CHECK(journal.read().records.size() == 1);
}

TEST_CASE_METHOD(Fixture, "without a place for it nothing can be added") {
    Record record = record_of("x");
    Journal nowhere(std::nullopt);
    CHECK(nowhere.add(record).error().what.find("XDG_STATE_HOME") != std::string::npos);
    CHECK(nowhere.read().records.empty());

    folder.write("state", "a file");
    CHECK(journal.add(record).has_error());
    CHECK(journal.read().records.empty());
}

TEST_CASE_METHOD(Fixture, "a directory that others can write to is used by nobody") {
    added(journal, "first");
    std::filesystem::permissions(directory, std::filesystem::perms(0777));
    Record record = record_of("x");
    CHECK(journal.add(record).error().what.find("chmod go-w") != std::string::npos);
    const auto content = journal.read();
    CHECK(content.records.empty());
    REQUIRE(content.unreadable.size() == 1);
    CHECK(content.unreadable[0].why.find("others than you can write") == 0);
}

TEST_CASE_METHOD(Fixture, "a directory of another user is used by nobody") {
    if (::geteuid() != 0) return;
    added(journal, "first");
    REQUIRE(::chown(directory.c_str(), 12345, 12345) == 0);
    Record record = record_of("x");
    CHECK(journal.add(record).error().what.find("belongs to user 12345") != std::string::npos);
    CHECK(journal.read().records.empty());
}

TEST_CASE_METHOD(Fixture, "a record that cannot be read is named, and the others are read") {
    const Record good = added(journal, "good");
    const Record stolen = added(journal, "stolen");
    const auto put = [this](const std::string& name, const std::string& text) {
        folder.write("state/changes/" + name, text);
    };
    put("00000001.json", "{ cut of");
    put("00000002.json", json::to_text(to_json(good)));
    put("00000003.json", R"({"format_version":"9.0"})");
    put("00000005.json", std::string(Journal::most_record_bytes + 1, ' '));
    std::filesystem::create_symlink(good.id + ".json", directory / "00000004.json");
    std::filesystem::create_directory(directory / "00000006.json");
    std::filesystem::permissions(directory / (stolen.id + ".json"), std::filesystem::perms(0666));
    put(".00000007.tmp", "half of a record");
    put("notes.txt", "somebody's own");

    const auto content = journal.read();
    REQUIRE(content.records.size() == 1);
    CHECK(content.records[0].id == good.id);
    Strings said;
    for (const auto& one : content.unreadable) {
        const std::string name = one.file.filename();
        said.push_back((name == stolen.id + ".json" ? "stolen" : name) + ": " +
                       one.why.substr(0, 24));
    }
    std::ranges::sort(said);
    CHECK(said ==
          Strings{"00000001.json: is not valid JSON", "00000002.json: holds a record of anothe",
                  "00000003.json: has format_version 9.0, ",
                  "00000004.json: cannot be read: Too many", "00000005.json: is too large",
                  "00000006.json: is not a regular file", "stolen: can be written by others"});
}

TEST_CASE_METHOD(Fixture, "of what was taken back the last hundred are kept, and everything open") {
    added(journal, "open");
    for (int i = 0; i < 103; ++i) added(journal, std::to_string(i), change::State::undone);
    const Record held = *journal.read(journal.read().records[101].id);
    CHECK(held.step.at("name") == "1");
    {
        const auto taken = journal.lock(held.id);
        REQUIRE(taken.lock);
        journal.prune();
    }
    Strings left = states();
    CHECK(left.size() == 102);
    CHECK(left.front() == "102 undone");
    CHECK(left[left.size() - 3] == "3 undone");
    CHECK(left[left.size() - 2] == "1 undone");  // somebody works on it
    CHECK(left.back() == "open planned");
}

TEST_CASE_METHOD(Fixture, "processes that add at once do not harm each other") {
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
        const pid_t child = ::fork();
        children.push_back(child);
        if (child != 0) continue;
        Journal own(directory);
        for (int n = 0; n < 10; ++n) {
            Record record = record_of(std::to_string(i) + '/' + std::to_string(n));
            auto lock = own.add(record);
            if (!lock) ::_exit(1);
            record.state = change::State::applied;
            if (!own.write(record).empty()) ::_exit(2);
        }
        ::_exit(0);
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    const auto content = journal.read();
    CHECK(content.unreadable.empty());
    std::set<std::string> names;
    for (const Record& record : content.records) {
        CHECK(record.state == change::State::applied);
        names.insert(record.title);
    }
    CHECK(names.size() == 40);
}

TEST_CASE_METHOD(Fixture, "plugins see open records with who holds them") {
    const Record mine = added(journal, "mine");
    added(journal, "other");
    added(journal, "gone", change::State::undone);
    const auto taken = journal.lock(mine.id);
    REQUIRE(taken.lock);
    const json::array open = change::open_records(journal, [](const Record&) { return true; });
    REQUIRE(open.size() == 2);
    CHECK(open[0].at("held_by").is_null());
    CHECK(open[1].at("id").as_string() == mine.id);
    CHECK(open[1].at("held_by") == json::value(::getpid()));
}
