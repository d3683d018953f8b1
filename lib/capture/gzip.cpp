#include <zlib.h>

#include <algorithm>
#include <utility>

#include "capture/input.hpp"

namespace p2pdiag::capture {

namespace {

struct InputCategory : boost::system::error_category {
    const char* name() const noexcept override { return "capture input"; }
    std::string message(int value) const override {
        switch (static_cast<InputError>(value)) {
            case InputError::damaged_gzip: return "the gzip data is damaged";
            case InputError::cut_gzip: return "the gzip data is cut off";
        }
        return "unknown input error";
    }
};

// RFC 1952 section 2.3.1: ID1 and ID2.
constexpr std::uint8_t gzip_magic[] = {0x1f, 0x8b};

// Gives back the bytes that were read to tell what it is.
class Prefixed : public Input {
public:
    Prefixed(Bytes prefix, std::unique_ptr<Input> rest)
        : prefix_(std::move(prefix)), rest_(std::move(rest)) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        if (given_ == prefix_.size()) return rest_->read(into);
        const std::size_t size = std::min(into.size(), prefix_.size() - given_);
        std::copy_n(prefix_.begin() + static_cast<std::ptrdiff_t>(given_), size, into.begin());
        given_ += size;
        return size;
    }

private:
    Bytes prefix_;
    std::size_t given_ = 0;
    std::unique_ptr<Input> rest_;
};

class GzipInput : public Input {
public:
    explicit GzipInput(std::unique_ptr<Input> compressed)
        : compressed_(std::move(compressed)), chunk_(chunk_size) {
        // 32 more than the window bits: a gzip or zlib header is expected and checked.
        ready_ = ::inflateInit2(&stream_, 15 + 32) == Z_OK;
    }
    ~GzipInput() override { ::inflateEnd(&stream_); }
    GzipInput(const GzipInput&) = delete;
    GzipInput& operator=(const GzipInput&) = delete;

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        if (!ready_) return make_error_code(boost::system::errc::not_enough_memory);
        if (damaged_) return make_error_code(InputError::damaged_gzip);
        stream_.next_out = into.data();
        stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(into.size(), 1 << 30));
        const uInt wanted = stream_.avail_out;
        while (stream_.avail_out == wanted) {
            if (stream_.avail_in == 0) {
                const auto more = compressed_->read(chunk_);
                if (!more) return more.error();
                if (*more == 0) return end();
                stream_.next_in = chunk_.data();
                stream_.avail_in = static_cast<uInt>(*more);
            }
            if (between_members_) begin_member();
            const int result = ::inflate(&stream_, Z_NO_FLUSH);
            between_members_ = result == Z_STREAM_END;
            if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) continue;
            // What came out before it counts.
            damaged_ = true;
            if (stream_.avail_out == wanted) return make_error_code(InputError::damaged_gzip);
        }
        return wanted - stream_.avail_out;
    }

private:
    static constexpr std::size_t chunk_size = 64 * 1024;

    Result<std::size_t> end() const {
        if (!between_members_) return make_error_code(InputError::cut_gzip);
        return std::size_t{0};
    }

    // RFC 1952 section 2.2: "A gzip file consists of a series of members".
    void begin_member() {
        ::inflateReset(&stream_);
        between_members_ = false;
    }

    std::unique_ptr<Input> compressed_;
    Bytes chunk_;
    z_stream stream_{};
    bool ready_ = false;
    bool between_members_ = false;
    bool damaged_ = false;
};

}  // namespace

const boost::system::error_category& input_category() {
    static const InputCategory category;
    return category;
}

ErrorCode make_error_code(InputError error) { return {static_cast<int>(error), input_category()}; }

Result<std::unique_ptr<Input>> uncompressed(std::unique_ptr<Input> input) {
    Bytes start(std::size(gzip_magic));
    std::size_t got = 0;
    while (got < start.size()) {
        const auto read = input->read(std::span(start).subspan(got));
        if (!read) return read.error();
        if (*read == 0) break;
        got += *read;
    }
    start.resize(got);
    const bool gzip = std::ranges::equal(start, gzip_magic);
    auto whole = std::make_unique<Prefixed>(std::move(start), std::move(input));
    if (!gzip) return std::unique_ptr<Input>(std::move(whole));
    return std::unique_ptr<Input>(std::make_unique<GzipInput>(std::move(whole)));
}

}  // namespace p2pdiag::capture
