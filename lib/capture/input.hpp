// Where the bytes of a capture come from: a descriptor or memory, compressed or not, read forwards
// only and in bounded memory.
#pragma once

#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace p2pdiag::capture {

class Input {
public:
    virtual ~Input() = default;
    // Some of the next bytes, at least one; 0 at the end. `into` is not empty.
    virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
};

// Reads a file, pipe or terminal. When `cancel_fd` becomes readable the error is
// operation_canceled; -1 = never. The descriptor of the latter stays the caller's.
std::unique_ptr<Input> input_of(Fd file, int cancel_fd = -1);
// `bytes` must outlive it.
std::unique_ptr<Input> input_of(ByteView bytes);

// The same bytes uncompressed where they are gzip (RFC 1952, several members too), as they are
// where not. Reads a little to tell. A damaged stream is an error of input_category, one that stops
// before its end too.
Result<std::unique_ptr<Input>> uncompressed(std::unique_ptr<Input> input);

enum class InputError {
    damaged_gzip = 1,
    cut_gzip  // the compressed stream ends before it says so
};
const boost::system::error_category& input_category();
ErrorCode make_error_code(InputError error);

// The part of an input that a parser looks at.
class Window {
public:
    explicit Window(std::unique_ptr<Input> input);

    // The next `size` bytes, or what is left where that is less. Valid until the next call.
    ByteView peek(std::size_t size) {
        if (end_ - begin_ < size) fill(size);
        return {buffer_.data() + begin_, std::min(size, end_ - begin_)};
    }
    // Of what peek() has shown.
    void skip(std::size_t size) {
        begin_ += size;
        position_ += size;
    }
    // Any number of bytes, without holding them; how many there were.
    std::uint64_t skip_unseen(std::uint64_t size);
    std::uint64_t position() const { return position_; }  // bytes skipped so far, uncompressed
    // Set once reading has failed; what came before is still there.
    ErrorCode error() const { return error_; }

private:
    void fill(std::size_t size);

    std::unique_ptr<Input> input_;
    Bytes buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t position_ = 0;
    bool at_end_ = false;
    ErrorCode error_;
};

}  // namespace p2pdiag::capture

namespace boost::system {
template <>
struct is_error_code_enum<p2pdiag::capture::InputError> : std::true_type {};
}  // namespace boost::system
