// Capture files built byte by byte, in either byte order, right and wrong.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "capture/reader.hpp"

namespace p2pdiag::testing {

enum class Order { little, big };

class FileBytes {
public:
    explicit FileBytes(Order order) : order_(order) {}

    FileBytes& u16(std::uint16_t value) { return number(value, 2); }
    FileBytes& u32(std::uint32_t value) { return number(value, 4); }
    FileBytes& u64(std::uint64_t value) { return number(value, 8); }
    FileBytes& raw(ByteView bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    FileBytes& padded(ByteView bytes) {
        raw(bytes);
        bytes_.insert(bytes_.end(), (4 - bytes.size() % 4) % 4, 0);
        return *this;
    }
    const Bytes& bytes() const { return bytes_; }
    Order order() const { return order_; }

    // ---- classic pcap
    FileBytes& pcap_header(std::uint32_t magic, std::uint32_t link_type) {
        return u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(link_type);
    }
    FileBytes& pcap_packet(std::uint32_t seconds, std::uint32_t fraction, ByteView data,
                           std::optional<std::uint32_t> original = {}) {
        const auto size = static_cast<std::uint32_t>(data.size());
        return u32(seconds).u32(fraction).u32(size).u32(original.value_or(size)).raw(data);
    }

    // ---- pcapng
    FileBytes& block(std::uint32_t type, ByteView body) {
        const auto size = static_cast<std::uint32_t>(body.size() + 12);
        return u32(type).u32(size).raw(body).u32(size);
    }
    FileBytes& section() {
        FileBytes body(order_);
        body.u32(0x1A2B3C4D).u16(1).u16(0).u64(~std::uint64_t{0});
        return block(0x0A0D0D0A, body.bytes());
    }
    FileBytes& interface(std::uint16_t link_type, std::uint32_t snap = 0, ByteView options = {}) {
        FileBytes body(order_);
        body.u16(link_type).u16(0).u32(snap).raw(options);
        return block(1, body.bytes());
    }
    FileBytes& option(std::uint16_t code, ByteView value) {
        return u16(code).u16(static_cast<std::uint16_t>(value.size())).padded(value);
    }
    FileBytes& enhanced(std::uint32_t interface, std::uint64_t time, ByteView data,
                        ByteView options = {}, std::optional<std::uint32_t> captured = {}) {
        FileBytes body(order_);
        const auto size = static_cast<std::uint32_t>(data.size());
        body.u32(interface)
            .u32(static_cast<std::uint32_t>(time >> 32))
            .u32(static_cast<std::uint32_t>(time))
            .u32(captured.value_or(size))
            .u32(size)
            .padded(data)
            .raw(options);
        return block(6, body.bytes());
    }

private:
    FileBytes& number(std::uint64_t value, unsigned size) {
        for (unsigned i = 0; i < size; ++i) {
            const unsigned at = order_ == Order::little ? i : size - 1 - i;
            bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * at)));
        }
        return *this;
    }

    Order order_;
    Bytes bytes_;
};

// A packet that owns what it shows.
struct ReadPacket {
    std::optional<std::int64_t> time_ns;
    std::uint32_t interface = 0;
    capture::LinkType link_type = capture::LinkType::ethernet;
    capture::Direction direction = capture::Direction::unknown;
    std::uint32_t original_size = 0;
    Bytes data;
    std::vector<std::string> comments;
};

struct ReadFile {
    std::vector<ReadPacket> packets;
    std::vector<capture::Interface> interfaces;
    capture::Totals totals;
};

inline ReadFile read_all(capture::Reader& reader) {
    ReadFile file;
    capture::Packet packet;
    while (reader.next(packet)) {
        file.packets.push_back({packet.time_ns,
                                packet.interface,
                                packet.link_type,
                                packet.direction,
                                packet.original_size,
                                Bytes(packet.data.begin(), packet.data.end()),
                                {packet.comments.begin(), packet.comments.end()}});
    }
    file.interfaces = reader.interfaces();
    file.totals = reader.totals();
    return file;
}

inline ReadFile read_all(ByteView bytes) {
    auto reader = capture::Reader::open(capture::input_of(bytes));
    if (!reader) throw boost::system::system_error(reader.error());
    return read_all(*reader);
}

inline ErrorCode open_error(ByteView bytes) {
    const auto reader = capture::Reader::open(capture::input_of(bytes));
    return reader ? ErrorCode() : reader.error();
}

}  // namespace p2pdiag::testing
