// Who works on a file, or with what it tells of. Released by the kernel when its process ends,
// however it ends.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "base/fd.hpp"

namespace p2pdiag::disk {

class Lock {
public:
    struct Taken;

    // Of the lock file at `path`, which is made, and holds the process id of who has it.
    static Taken take(const std::filesystem::path& path);

    // The process that has it now; 0 when it cannot be told which; nothing when nobody has it.
    static std::optional<pid_t> holder(const std::filesystem::path& path);

    Lock(Lock&& other) noexcept;
    Lock& operator=(Lock&&) = delete;
    ~Lock();  // removes the file

private:
    Lock(std::filesystem::path path, Fd file) : path_(std::move(path)), file_(std::move(file)) {}

    std::filesystem::path path_;
    Fd file_;
};

// The lock, or else who has it, or what went wrong.
struct Lock::Taken {
    std::optional<Lock> lock = std::nullopt;
    std::optional<pid_t> holder = std::nullopt;
    std::string problem = {};
};

}  // namespace p2pdiag::disk
