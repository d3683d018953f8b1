#include "config_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/fd.hpp"

namespace p2pdiag::network_plugin {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_config_bytes = 1 << 20;

std::string failed(const fs::path& path) { return path.native() + ": " + std::strerror(errno); }

// Where it really lies.
fs::path target_of(const std::string& path) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    return error ? fs::path(path) : real;
}

// Begun and not finished by a process that was killed: the next one writes over it.
fs::path temporary_of(const fs::path& path) { return path.native() + ".p2pdiag-new"; }

std::string write_new(const fs::path& path, std::string_view text, mode_t mode, gid_t group) {
    const fs::path temporary = temporary_of(path);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    const Fd file(::open(temporary.c_str(), flags, 0600));
    if (!file.open()) return failed(temporary);
    std::string problem;
    // Another group than the user's own cannot be given by everybody: then it keeps this one.
    if (::fchown(file.get(), static_cast<uid_t>(-1), group) != 0) mode &= ~mode_t{S_IRWXG};
    if (::fchmod(file.get(), mode) != 0 || !write_all(file.get(), text) ||
        ::fsync(file.get()) != 0) {
        problem = failed(temporary);
    } else if (::rename(temporary.c_str(), path.c_str()) != 0) {
        problem = failed(path);
    }
    if (!problem.empty()) ::unlink(temporary.c_str());
    return problem;
}

}  // namespace

ConfigText read_config(const std::string& path) {
    ConfigText out;
    const fs::path real = target_of(path);
    const Fd file(::open(real.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.open()) {
        if (errno != ENOENT) out.problem = failed(real);
        return out;
    }
    out.exists = true;
    struct stat info {};
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        out.problem = real.native() + ": is not a regular file";
    } else if (info.st_uid != ::geteuid()) {
        out.problem = real.native() + ": belongs to another user";
    }
    std::array<char, 16384> buffer;
    while (out.problem.empty()) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got == 0) return out;
        if (got < 0) {
            out.problem = failed(real);
        } else {
            out.text.append(buffer.data(), static_cast<std::size_t>(got));
        }
        if (out.text.size() > most_config_bytes) out.problem = real.native() + ": is too large";
    }
    return out;
}

std::string write_config(const std::string& path, std::string_view text) {
    const fs::path real = target_of(path);
    struct stat info {};
    if (::stat(real.c_str(), &info) == 0) {
        return write_new(real, text, info.st_mode & 07777, info.st_gid);
    }
    std::error_code error;
    fs::create_directories(real.parent_path(), error);
    if (error) return real.parent_path().native() + ": " + error.message();
    return write_new(real, text, 0600, ::getegid());
}

std::string remove_config(const std::string& path) {
    const fs::path real = target_of(path);
    return ::unlink(real.c_str()) == 0 || errno == ENOENT ? std::string() : failed(real);
}

}  // namespace p2pdiag::network_plugin
