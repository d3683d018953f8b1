#include "capture/input.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace p2pdiag::capture {

namespace {

// Large enough that the system calls do not count, small enough to stay in the cache.
constexpr std::size_t window_size = 512 * 1024;

class FileInput : public Input {
public:
    FileInput(Fd file, int cancel_fd) : file_(std::move(file)), cancel_fd_(cancel_fd) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        while (true) {
            // A disk is always ready; only a pipe or a terminal makes us wait here.
            if (cancel_fd_ >= 0) {
                pollfd watched[] = {{cancel_fd_, POLLIN, 0}, {file_.get(), POLLIN, 0}};
                if (::poll(watched, 2, -1) < 0 && errno != EINTR) return system_error();
                if (watched[0].revents != 0) {
                    return make_error_code(boost::system::errc::operation_canceled);
                }
                if (watched[1].revents == 0) continue;
            }
            const ssize_t size = ::read(file_.get(), into.data(), into.size());
            if (size >= 0) return static_cast<std::size_t>(size);
            if (errno != EINTR) return system_error();
        }
    }

private:
    static ErrorCode system_error() { return {errno, boost::system::system_category()}; }

    Fd file_;
    int cancel_fd_;
};

class MemoryInput : public Input {
public:
    explicit MemoryInput(ByteView bytes) : rest_(bytes) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        const std::size_t size = std::min(into.size(), rest_.size());
        std::copy_n(rest_.begin(), size, into.begin());
        rest_ = rest_.subspan(size);
        return size;
    }

private:
    ByteView rest_;
};

}  // namespace

std::unique_ptr<Input> input_of(Fd file, int cancel_fd) {
    return std::make_unique<FileInput>(std::move(file), cancel_fd);
}

std::unique_ptr<Input> input_of(ByteView bytes) { return std::make_unique<MemoryInput>(bytes); }

Window::Window(std::unique_ptr<Input> input) : input_(std::move(input)), buffer_(window_size) {}

void Window::fill(std::size_t size) {
    if (at_end_) return;
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= std::exchange(begin_, 0);
    if (size > buffer_.size()) buffer_.resize(size);
    while (end_ < size && !at_end_) {
        const auto read = input_->read(std::span(buffer_).subspan(end_));
        if (!read) error_ = read.error();
        at_end_ = !read || *read == 0;
        if (read) end_ += *read;
    }
}

std::uint64_t Window::skip_unseen(std::uint64_t size) {
    std::uint64_t skipped = 0;
    while (skipped < size) {
        const ByteView some =
            peek(static_cast<std::size_t>(std::min<std::uint64_t>(size - skipped, window_size)));
        if (some.empty()) break;
        skip(some.size());
        skipped += some.size();
    }
    return skipped;
}

}  // namespace p2pdiag::capture
