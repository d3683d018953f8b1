// Reading and writing network byte order with every access length-checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace p2pdiag {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads from the front. A read past the end gives zeros and turns ok() false for good, so that a
// parser may read a whole header and ask once.
class ByteReader {
public:
    explicit ByteReader(ByteView bytes) : rest_(bytes) {}

    bool ok() const { return ok_; }
    std::size_t remaining() const { return rest_.size(); }

    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }

    // A view into the input, empty when there are not `size` bytes left.
    ByteView take(std::size_t size) {
        if (size > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const ByteView taken = rest_.first(size);
        rest_ = rest_.subspan(size);
        return taken;
    }

private:
    std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : take(size)) value = value << 8 | byte;
        return value;
    }

    ByteView rest_;
    bool ok_ = true;
};

// Appends to a buffer of its own.
class ByteWriter {
public:
    std::size_t size() const { return bytes_.size(); }
    ByteView view() const { return bytes_; }
    Bytes take() { return std::move(bytes_); }

    void u8(std::uint8_t value) { bytes_.push_back(value); }
    void u16(std::uint16_t value) { number(value, 2); }
    void u32(std::uint32_t value) { number(value, 4); }
    void u64(std::uint64_t value) { number(value, 8); }
    void append(ByteView more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
    void zeros(std::size_t count) { bytes_.insert(bytes_.end(), count, 0); }

    // Overwrites two bytes written before; for length fields that are known only at the end.
    void patch_u16(std::size_t offset, std::uint16_t value) {
        bytes_.at(offset) = static_cast<std::uint8_t>(value >> 8);
        bytes_.at(offset + 1) = static_cast<std::uint8_t>(value);
    }

private:
    void number(std::uint64_t value, unsigned size) {
        for (unsigned shift = size * 8; shift > 0; shift -= 8) {
            bytes_.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
        }
    }

    Bytes bytes_;
};

}  // namespace p2pdiag
