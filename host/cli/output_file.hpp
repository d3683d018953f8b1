// A file that appears whole or not at all.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace p2pdiag::cli {

class OutputFile {
public:
    // Makes a temporary file beside `path`; throws UsageError when that cannot be written.
    // `mode` is that of the file, before the umask.
    explicit OutputFile(std::filesystem::path path, mode_t mode = 0644);
    ~OutputFile();  // without commit() nothing is left, and what stood at `path` still stands
    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;

    // The file that a path names in the end, links followed, whether it is there or not. Nothing
    // for what is written in place and so may be named twice: a device, a pipe.
    static std::optional<std::filesystem::path> target(const std::filesystem::path& path);

    // Writes, and moves the file into place; what went wrong, or nothing.
    std::string commit(std::string_view content);

    // For who writes by itself: where to, and the second half of commit().
    int descriptor() const { return file_.get(); }
    std::string move_into_place();

private:
    std::filesystem::path path_;
    std::filesystem::path temporary_;  // empty = nothing to take back
    Fd file_;
};

}  // namespace p2pdiag::cli
