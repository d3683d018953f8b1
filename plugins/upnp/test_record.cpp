#include "test_record.hpp"

#include <unistd.h>

#include <utility>

#include "base/user_dirs.hpp"
#include "base/whole_file.hpp"

namespace p2pdiag::upnp_plugin {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view record_suffix = ".json";
constexpr std::size_t most_record_bytes = 64 << 10;
// A run leaves one at most, and the next one removes it.
constexpr std::size_t most_records = 16;

fs::path record_file(const fs::path& directory, const std::string& id) {
    return directory / (id + std::string(record_suffix));
}

std::optional<StepInput> read_record_file(const fs::path& directory, const std::string& id) {
    const auto text = disk::read_whole_file(record_file(directory, id), most_record_bytes);
    if (!text) return std::nullopt;
    auto input = parse_step_input(*text);
    if (!input || input->id != id || !input->record) return std::nullopt;
    return input;
}

}  // namespace

std::optional<fs::path> test_record_dir() {
    const auto state = state_dir(process_environment);
    return state ? std::optional(*state / "mapping-tests") : std::nullopt;
}

std::vector<std::string> test_ids(const fs::path& directory) {
    std::vector<std::string> ids;
    std::error_code error;
    if (!fs::exists(directory, error) || !disk::distrust_directory(directory).empty()) return ids;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
        const std::string name = entry.path().filename().native();
        if (!name.ends_with(record_suffix) || ids.size() == most_records) continue;
        const std::string id = name.substr(0, name.size() - record_suffix.size());
        if (is_ours(describe_as(id))) ids.push_back(id);
    }
    return ids;
}

std::optional<TestRecord> TestRecord::begin(const fs::path& directory, const std::string& id) {
    if (!disk::make_private_directory(directory).empty()) return std::nullopt;
    disk::Lock::Taken taken = disk::Lock::take(directory / (id + ".lock"));
    if (!taken.lock) return std::nullopt;
    return TestRecord(directory, id, std::move(*taken.lock));
}

void TestRecord::write(const Step& step, const Record& record) {
    const fs::path file = record_file(directory_, id_);
    if (record.attempts.empty()) {
        ::unlink(file.c_str());
        return;
    }
    const json::object content{{"id", id_}, {"step", to_json(step)}, {"record", to_json(record)}};
    disk::write_whole_file(file, directory_ / ('.' + id_ + ".tmp"), json::to_text(content));
}

std::vector<Leftover> Leftover::claim_all(const fs::path& directory) {
    std::vector<Leftover> all;
    for (const std::string& id : test_ids(directory)) {
        auto file = TestRecord::begin(directory, id);
        if (!file) continue;
        // It may have been removed until it was ours.
        auto input = read_record_file(directory, id);
        if (input) all.push_back(Leftover(std::move(*file), std::move(*input)));
    }
    return all;
}

void Leftover::write(const std::vector<Attempt>& attempts) {
    file_.write(input_.step, Record{attempts});
}

}  // namespace p2pdiag::upnp_plugin
