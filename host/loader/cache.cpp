#include "loader/cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace p2pdiag::loader {

namespace {

constexpr std::uintmax_t max_cache_bytes = 4 << 20;

// What this executable makes of a table may change with it.
const std::string& own_identity() {
    static const std::string own = Cache::identity("/proc/self/exe");
    return own;
}

std::int64_t now_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

bool is_ours(const std::filesystem::path& file) {
    struct stat info {};
    return ::lstat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
           info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

std::string Cache::identity(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return {};
    std::string text;
    for (const long long part :
         {static_cast<long long>(info.st_dev), static_cast<long long>(info.st_ino),
          static_cast<long long>(info.st_size), static_cast<long long>(info.st_mtim.tv_sec),
          static_cast<long long>(info.st_mtim.tv_nsec), static_cast<long long>(info.st_ctim.tv_sec),
          static_cast<long long>(info.st_ctim.tv_nsec)}) {
        text += std::to_string(part) + ':';
    }
    return text;
}

Cache::Cache(std::optional<std::filesystem::path> file) : file_(std::move(file)) {
    if (!file_ || !is_ours(*file_)) return;
    std::error_code error;
    if (std::filesystem::file_size(*file_, error) > max_cache_bytes || error) return;
    std::ifstream stream(*file_, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    const auto parsed = json::parse(content);
    if (!parsed || !parsed->is_object()) return;
    const json::object& document = parsed->get_object();
    if (json::find_string(document, "host") != own_identity()) return;
    if (const json::object* entries = json::find_object(document, "plugins")) entries_ = *entries;
}

const json::object* Cache::find_entry(const std::filesystem::path& plugin) const {
    const json::object* entry = json::find_object(entries_, plugin.native());
    if (entry == nullptr || json::find_string(*entry, "identity") != identity(plugin))
        return nullptr;
    return entry;
}

const json::object* Cache::find(const std::filesystem::path& plugin) const {
    const json::object* entry = find_entry(plugin);
    return entry == nullptr ? nullptr : json::find_object(*entry, "description");
}

std::optional<std::string> Cache::find_hung(const std::filesystem::path& plugin) const {
    const json::object* entry = find_entry(plugin);
    if (entry == nullptr) return std::nullopt;
    const auto reason = json::find_string(*entry, "hung");
    const auto since = json::find_integer(*entry, "since");
    // A clock that was set back makes no longer memory.
    const std::int64_t age = since ? now_seconds() - *since : -1;
    if (!reason || age < 0 || age >= hung_for.count()) return std::nullopt;
    const std::int64_t minutes = (hung_for.count() - age + 59) / 60;
    return std::string(*reason) + " (tried again in " + std::to_string(minutes) +
           " min, by 'p2pdiag validate', or when the file changes)";
}

void Cache::store_hung(const std::filesystem::path& plugin, const std::string& identity,
                       const std::string& reason) {
    entries_[plugin.native()] =
        json::object{{"identity", identity}, {"hung", reason}, {"since", now_seconds()}};
    changed_ = true;
}

void Cache::store(const std::filesystem::path& plugin, const std::string& identity,
                  json::object description) {
    entries_[plugin.native()] =
        json::object{{"identity", identity}, {"description", std::move(description)}};
    changed_ = true;
}

namespace {

// A home directory that is not there is not made: nobody lives there. XDG wants 0700 of what is.
bool make_place(const std::filesystem::path& directory) {
    std::error_code error;
    const auto base = directory.parent_path();
    if (!std::filesystem::is_directory(base, error)) {
        if (!std::filesystem::is_directory(base.parent_path(), error)) return false;
        if (::mkdir(base.c_str(), 0700) != 0) return false;
    }
    return ::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST;
}

}  // namespace

void Cache::save() const {
    if (!file_ || !changed_) return;
    std::error_code error;
    if (!make_place(file_->parent_path())) return;
    std::filesystem::path temporary = *file_;
    temporary += "." + std::to_string(::getpid());
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return;
    const std::string text =
        json::to_text(json::object{{"host", own_identity()}, {"plugins", entries_}});
    const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(fd);
    if (written) std::filesystem::rename(temporary, *file_, error);
    if (!written || error) std::filesystem::remove(temporary, error);
}

}  // namespace p2pdiag::loader
