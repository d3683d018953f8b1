#include "base/lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace p2pdiag::disk {

namespace {

// Each failed attempt means that another process let go in between.
constexpr int attempts = 64;

// An open file description lock (fcntl(2)): flock's rules, and one may ask about it without taking
// it, so that a look at the list never stands in anybody's way.
struct flock whole_file() {
    struct flock wanted {};
    wanted.l_type = F_WRLCK;
    wanted.l_whence = SEEK_SET;
    return wanted;
}

pid_t pid_in(int fd) {
    std::array<char, 16> digits{};
    const ssize_t got = ::pread(fd, digits.data(), digits.size(), 0);
    pid_t pid = 0;
    if (got > 0) std::from_chars(digits.data(), digits.data() + got, pid);
    return pid > 0 ? pid : 0;
}

// Whoever had the file removed it when letting go: a lock on what has no name locks nobody out.
bool still_there(int fd, const std::filesystem::path& path) {
    struct stat held {};
    struct stat named {};
    return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

Lock::Taken Lock::take(const std::filesystem::path& path) {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file.open()) return {.problem = path.native() + ": " + std::strerror(errno)};
        struct flock wanted = whole_file();
        if (::fcntl(file.get(), F_OFD_SETLK, &wanted) != 0) {
            if (errno == EAGAIN || errno == EACCES) return {.holder = pid_in(file.get())};
            return {.problem = path.native() + ": " + std::strerror(errno)};
        }
        if (!still_there(file.get(), path)) continue;
        // Only for messages: a full disk does not make the lock worth less.
        if (::ftruncate(file.get(), 0) == 0) write_all(file.get(), std::to_string(::getpid()));
        return {.lock = Lock(path, std::move(file))};
    }
    return {.problem = path.native() + ": cannot be locked"};
}

std::optional<pid_t> Lock::holder(const std::filesystem::path& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct flock wanted = whole_file();
    if (!file.open() || ::fcntl(file.get(), F_OFD_GETLK, &wanted) != 0) return std::nullopt;
    if (wanted.l_type == F_UNLCK) return std::nullopt;
    return pid_in(file.get());
}

Lock::Lock(Lock&& other) noexcept
    : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)) {}

Lock::~Lock() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace p2pdiag::disk
