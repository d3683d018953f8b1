#include "cli/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "cli/context.hpp"

namespace p2pdiag::cli {

namespace {

// A device such as /dev/stdout or a pipe cannot be replaced: it is written in place.
bool replaceable(const std::filesystem::path& path) {
    std::error_code error;
    const auto kind = std::filesystem::status(path, error).type();
    return kind == std::filesystem::file_type::regular ||
           kind == std::filesystem::file_type::not_found;
}

// Also where that is not there: weakly_canonical would stop at the link.
std::filesystem::path where_it_leads(std::filesystem::path path) {
    constexpr int most_links = 40;  // as the kernel has it, path_resolution(7)
    std::error_code error;
    for (int links = 0; links < most_links && std::filesystem::is_symlink(path, error); ++links) {
        const auto next = std::filesystem::read_symlink(path, error);
        if (error) break;
        path = path.parent_path() / next;
    }
    return path;
}

Fd create(const std::filesystem::path& path, mode_t mode) {
    const auto create_new = [&path, mode] {
        return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    };
    Fd file = create_new();
    if (file.open() || errno != EEXIST) return file;
    // Left by a run that was killed, and that had the same number.
    ::unlink(path.c_str());
    return create_new();
}

}  // namespace

std::optional<std::filesystem::path> OutputFile::target(const std::filesystem::path& path) {
    if (!replaceable(path)) return std::nullopt;
    std::error_code error;
    const auto absolute = where_it_leads(std::filesystem::absolute(path, error));
    const auto target = std::filesystem::weakly_canonical(absolute, error);
    return error ? absolute : target;
}

OutputFile::OutputFile(std::filesystem::path path, mode_t mode) : path_(std::move(path)) {
    std::error_code error;
    if (std::filesystem::is_directory(path_, error)) {
        throw UsageError{path_.native() + ": is a directory"};
    }
    const bool replace = replaceable(path_);
    // A link stays one: what it points to is replaced, also where that is not there yet.
    if (const auto where = target(path_)) path_ = *where;
    if (replace) {
        temporary_ = path_;
        temporary_ += ".p2pdiag-" + std::to_string(::getpid());
        file_ = create(temporary_, mode);
    } else {
        file_ = Fd(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
    }
    if (file_.open()) {
        // A child may get it.
        file_ = file_.above_childs_table();
        return;
    }
    temporary_.clear();
    throw UsageError{path_.native() + ": cannot be written: " + std::strerror(errno)};
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)) {}

OutputFile::~OutputFile() {
    std::error_code error;
    if (!temporary_.empty()) std::filesystem::remove(temporary_, error);
}

std::string OutputFile::commit(std::string_view content) {
    if (!write_all(file_.get(), content)) return path_.native() + ": " + std::strerror(errno);
    return move_into_place();
}

std::string OutputFile::move_into_place() {
    file_.reset();
    if (temporary_.empty()) return {};
    std::error_code error;
    std::filesystem::rename(temporary_, path_, error);
    if (error) return path_.native() + ": " + error.message();
    temporary_.clear();
    return {};
}

}  // namespace p2pdiag::cli
