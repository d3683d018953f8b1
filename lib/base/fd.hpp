// Owning file descriptors.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace p2pdiag {

// Closes what it holds. -1 = nothing.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() { reset(); }

    int get() const { return fd_; }
    bool open() const { return fd_ >= 0; }
    void reset() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    // The same file under a number of at least 10, close-on-exec. Descriptors that are handed to a
    // child as 0 to 9 come from there, so that the dup2 calls cannot trip over each other.
    Fd above_childs_table() const { return Fd(::fcntl(fd_, F_DUPFD_CLOEXEC, 10)); }

private:
    int fd_ = -1;
};

struct Pipe {
    Fd read;
    Fd write;
};

// Both ends close-on-exec and above a child's table. Nothing open with errno set when there is no
// descriptor left.
inline Pipe make_pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return {};
    const Fd read(fds[0]);
    const Fd write(fds[1]);
    return {read.above_childs_table(), write.above_childs_table()};
}

// False with errno set when not all of it could be written.
inline bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// A file without a name that holds `text`, at its beginning: a child reads it at its own pace, and
// nobody has to feed a pipe. Nothing with errno set when there is no memory or descriptor left.
inline Fd memory_file(std::string_view text) {
    Fd file(static_cast<int>(::memfd_create("p2pdiag", MFD_CLOEXEC)));
    if (file.open() && (!write_all(file.get(), text) || ::lseek(file.get(), 0, SEEK_SET) != 0)) {
        file.reset();
    }
    return file;
}

// Readable once the child `pid` has ended. Nothing with errno set when there is no descriptor left.
inline Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

}  // namespace p2pdiag
