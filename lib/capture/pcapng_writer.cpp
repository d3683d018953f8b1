#include "capture/pcapng_writer.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/utf8.hpp"
#include "capture/pcapng.hpp"

namespace p2pdiag::capture {

namespace {

using pcapng::Block;
namespace option = pcapng::option;

// Little endian: most other readers were only ever tried with it.
void number(Bytes& out, std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void padded(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
    out.insert(out.end(), (4 - bytes.size() % 4) % 4, 0);
}

// Begins a block, and fills in its length at both ends once it is done.
class BlockWriter {
public:
    BlockWriter(Bytes& out, Block type) : out_(out), start_(out.size()) {
        u32(static_cast<std::uint32_t>(type));
        u32(0);
    }
    ~BlockWriter() {
        if (has_options_) number(out_, 0, 4);  // option::end with a length of 0
        const std::uint64_t size = out_.size() - start_ + 4;
        for (unsigned i = 0; i < 4; ++i) {
            out_[start_ + 4 + i] = static_cast<std::uint8_t>(size >> (8 * i));
        }
        number(out_, size, 4);
    }
    BlockWriter(const BlockWriter&) = delete;
    BlockWriter& operator=(const BlockWriter&) = delete;

    void u16(std::uint16_t value) { number(out_, value, 2); }
    void u32(std::uint32_t value) { number(out_, value, 4); }
    void u64(std::uint64_t value) { number(out_, value, 8); }
    void data(ByteView bytes) { padded(out_, bytes); }

    // Section 4.3: the upper half of a time comes first, whatever the byte order.
    void time(std::int64_t nanoseconds) {
        const auto units = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0));
        u32(static_cast<std::uint32_t>(units >> 32));
        u32(static_cast<std::uint32_t>(units));
    }

    void add(std::uint16_t code, ByteView value) {
        has_options_ = true;
        u16(code);
        u16(static_cast<std::uint16_t>(value.size()));
        data(value);
    }
    void text(std::uint16_t code, std::string_view text) {
        // Section 3.5: a UTF-8 string, "not zero-terminated".
        std::string valid = to_valid_utf8(text.substr(0, text.find('\0')));
        if (valid.size() > max_option) valid = cut(valid);
        if (!valid.empty()) add(code, as_bytes(valid));
    }
    void count(std::uint16_t code, const std::optional<std::uint64_t>& value) {
        if (!value) return;
        Bytes bytes;
        number(bytes, *value, 8);
        add(code, bytes);
    }

private:
    static constexpr std::size_t max_option = std::numeric_limits<std::uint16_t>::max();

    // Not in the middle of a character.
    static std::string cut(const std::string& valid) {
        std::size_t size = max_option;
        while (size > 0 && (static_cast<unsigned char>(valid[size]) & 0xC0) == 0x80) --size;
        return valid.substr(0, size);
    }

    Bytes& out_;
    std::size_t start_;
    bool has_options_ = false;
};

}  // namespace

void append_section(Bytes& out, const SectionHeader& header) {
    BlockWriter block(out, Block::section_header);
    block.u32(pcapng::byte_order_magic);
    block.u16(pcapng::major_version);
    block.u16(0);
    block.u64(std::numeric_limits<std::uint64_t>::max());  // section 4.1: -1 = not known
    for (const std::string_view comment : header.comments) block.text(option::comment, comment);
    block.text(option::shb_os, header.system);
    block.text(option::shb_application, header.application);
}

void append_interface(Bytes& out, const Interface& interface) {
    BlockWriter block(out, Block::interface_description);
    block.u16(static_cast<std::uint16_t>(interface.link_type));
    block.u16(0);
    block.u32(interface.snap_length);
    block.text(option::if_name, interface.name);
    block.text(option::if_description, interface.description);
    const std::uint8_t nanoseconds[] = {9};
    block.add(option::if_tsresol, nanoseconds);
    if (!interface.filter.empty()) {
        // "The first byte … 0 indicates a libpcap filter string".
        Bytes value{0};
        const ByteView text = as_bytes(interface.filter);
        value.insert(
            value.end(), text.begin(),
            text.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(text.size(), 4096)));
        block.add(option::if_filter, value);
    }
    block.text(option::if_os, interface.system);
}

void append_packet(Bytes& out, const Packet& packet) {
    const ByteView data = packet.data.first(std::min(packet.data.size(), max_packet));
    const auto size = static_cast<std::uint32_t>(data.size());
    BlockWriter block(out, Block::enhanced_packet);
    block.u32(packet.interface);
    block.time(packet.time_ns.value_or(0));
    block.u32(size);
    block.u32(std::max(size, packet.original_size));
    block.data(data);
    for (const std::string_view comment : packet.comments) block.text(option::comment, comment);
    if (packet.direction != Direction::unknown) {
        const std::uint8_t inbound[] = {1, 0, 0, 0};
        const std::uint8_t outbound[] = {2, 0, 0, 0};
        block.add(option::epb_flags, packet.direction == Direction::inbound ? inbound : outbound);
    }
}

void append_statistics(Bytes& out, const Statistics& statistics) {
    BlockWriter block(out, Block::interface_statistics);
    block.u32(statistics.interface);
    block.time(statistics.time_ns);
    block.count(option::isb_ifrecv, statistics.received);
    block.count(option::isb_ifdrop, statistics.dropped_by_interface);
    block.count(option::isb_osdrop, statistics.dropped_by_system);
}

}  // namespace p2pdiag::capture
