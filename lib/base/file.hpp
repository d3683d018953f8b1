// Reading whole files of a bounded size: what the kernel tells in /proc and /sys, and small files.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace p2pdiag {

// The content. The errors are the system's, and file_too_large where it has more than `most` bytes.
inline Result<std::string> read_file(const std::string& path, std::size_t most) {
    const auto system_error = [](int number) {
        return ErrorCode(number, boost::system::system_category());
    };
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.open()) return system_error(errno);
    std::string text;
    std::array<char, 16384> chunk;
    while (true) {
        const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error(errno);
        if (count == 0) return text;
        if (text.size() + static_cast<std::size_t>(count) > most) return system_error(EFBIG);
        text.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

}  // namespace p2pdiag
