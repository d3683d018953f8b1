#include "profile/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fd.hpp"
#include "profile/toml.hpp"

namespace p2pdiag::profile {
boost::system::result<FileText, Problem> read_file(const std::filesystem::path& path,
                                                   std::size_t limit) {
    const auto problem = [&](std::string why) {
        return Problem{path.string(), 0, 0, std::move(why)};
    };
    const auto failed = [&] {
        return problem(std::string("cannot be read: ") + std::strerror(errno));
    };

    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.open()) return failed();
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return failed();
    if (S_ISDIR(status.st_mode)) return problem("is a directory, not a file");
    if (!S_ISREG(status.st_mode)) return problem("is not a regular file");

    FileText out;
    out.readable_by_others = (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
    char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed();
        if (got == 0) return out;
        out.text.append(buffer, static_cast<std::size_t>(got));
        if (out.text.size() > limit) {
            return problem("is larger than the " + std::to_string(limit) + " bytes it may be");
        }
    }
}

}  // namespace p2pdiag::profile
