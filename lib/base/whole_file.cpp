#include "base/whole_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/fd.hpp"

namespace p2pdiag::disk {

namespace fs = std::filesystem;

namespace {

std::string failed(const fs::path& path) { return path.native() + ": " + std::strerror(errno); }

bool sync_directory(const fs::path& path) {
    const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return directory.open() && ::fsync(directory.get()) == 0;
}

bool only_owner_writes(const struct stat& info) {
    return info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

std::string write_whole_file(const fs::path& path, const fs::path& temporary,
                             std::string_view content) {
    Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.open()) return failed(temporary);
    std::string problem;
    if (!write_all(file.get(), content) || ::fsync(file.get()) != 0) {
        problem = failed(temporary);
    } else if (::rename(temporary.c_str(), path.c_str()) != 0) {
        problem = failed(path);
    }
    if (!problem.empty()) {
        ::unlink(temporary.c_str());
        return problem;
    }
    return sync_directory(path.parent_path()) ? std::string() : failed(path.parent_path());
}

Maybe<std::string> read_whole_file(const fs::path& path, std::size_t most_bytes) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.open()) return Problem{std::string("cannot be read: ") + std::strerror(errno)};
    struct stat info {};
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return Problem{"is not a regular file"};
    }
    if (!only_owner_writes(info)) return Problem{"can be written by others than you"};
    std::string content;
    std::array<char, 16384> buffer;
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0) return Problem{std::string("cannot be read: ") + std::strerror(errno)};
        if (got == 0) return {boost::system::in_place_value, std::move(content)};
        content.append(buffer.data(), static_cast<std::size_t>(got));
        if (content.size() > most_bytes) return Problem{"is too large"};
    }
}

std::string make_private_directory(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) return distrust_directory(path);
    if (path.has_parent_path() && path != path.parent_path()) {
        std::error_code error;
        if (!fs::exists(path.parent_path(), error)) make_private_directory(path.parent_path());
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(path);
    sync_directory(path.parent_path());
    return distrust_directory(path);
}

std::string distrust_directory(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return failed(path);
    if (!S_ISDIR(info.st_mode)) return path.native() + ": is not a directory";
    if (info.st_uid != ::geteuid()) {
        return path.native() + ": belongs to user " + std::to_string(info.st_uid) +
               ", and you are user " + std::to_string(::geteuid());
    }
    if (!only_owner_writes(info)) {
        return path.native() + ": others than you can write to it (chmod go-w)";
    }
    return {};
}

}  // namespace p2pdiag::disk
