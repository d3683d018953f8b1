// What upnp.mapping has asked routers for and does not know to be gone. It is on disk before a
// router is asked, so that whoever runs next removes what a kill -9 or a power cut left. One file
// for each run, of the form of a record of upnp.forward.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/lock.hpp"
#include "forward_input.hpp"

namespace p2pdiag::upnp_plugin {

// What a router keeps should all else fail.
inline constexpr portmap::Seconds test_lease{120};

// Nothing where this user has no place for state.
std::optional<std::filesystem::path> test_record_dir();

class TestRecord {
public:
    // Makes the directory. Nothing where that cannot be: then the lease alone ends what is left.
    static std::optional<TestRecord> begin(const std::filesystem::path& directory,
                                           const std::string& id);

    // From now on that is what may be there; without attempts nothing is, and there is no file.
    void write(const Step& step, const Record& record);

private:
    TestRecord(std::filesystem::path directory, std::string id, disk::Lock lock)
        : directory_(std::move(directory)), id_(std::move(id)), lock_(std::move(lock)) {}

    std::filesystem::path directory_;
    std::string id_;
    disk::Lock lock_;
};

// What a run left that is over.
class Leftover {
public:
    // Of every such run. Runs that are not over have their lock.
    static std::vector<Leftover> claim_all(const std::filesystem::path& directory);

    const StepInput& input() const { return input_; }
    // What is left of it.
    void write(const std::vector<Attempt>& attempts);

private:
    Leftover(TestRecord file, StepInput input) : file_(std::move(file)), input_(std::move(input)) {}

    TestRecord file_;
    StepInput input_;
};

// The ids of runs that left something, running or not. Takes no lock.
std::vector<std::string> test_ids(const std::filesystem::path& directory);

}  // namespace p2pdiag::upnp_plugin
