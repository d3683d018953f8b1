#include "capture/pcapng.hpp"

#include <utility>

#include "base/utf8.hpp"
#include "capture/fields.hpp"
#include "capture/timestamp.hpp"

namespace p2pdiag::capture {

namespace {

using pcapng::Block;
namespace option = pcapng::option;

// A packet with more options than anybody writes fits; what is longer is passed over unseen.
constexpr std::size_t max_block = 1 << 20;
// Of all sections of a file together.
constexpr std::size_t max_interfaces = 4096;
constexpr std::size_t max_comments = 32;  // of one packet
constexpr std::size_t max_text = 256;     // of an option that is kept

constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// Section 3.5: code, length, value, padding; ends with code 0 or with the block.
class Options {
public:
    Options(ByteView bytes, bool swap) : rest_(bytes), swap_(swap) {}

    // False at the end.
    bool next() {
        const Fields head(rest_, swap_);
        if (rest_.size() < 4 || head.u16(0) == option::end) return false;
        const std::size_t size = head.u16(2);
        if (size > rest_.size() - 4) {
            sound_ = false;
            return false;
        }
        code_ = head.u16(0);
        value_ = rest_.subspan(4, size);
        rest_ = rest_.subspan(std::min(rest_.size(), 4 + padded(size)));
        return true;
    }
    std::uint16_t code() const { return code_; }
    ByteView value() const { return value_; }
    std::string text() const { return to_valid_utf8(as_text(value_).substr(0, max_text)); }
    bool sound() const { return sound_; }  // false: one of them runs past the end

private:
    ByteView rest_;
    bool swap_;
    std::uint16_t code_ = 0;
    ByteView value_;
    bool sound_ = true;
};

// Section 4.6: of one interface, cumulative.
struct Lost {
    std::optional<std::uint64_t> by_interface;
    std::optional<std::uint64_t> by_system;
};

class PcapngReader : public FormatReader {
public:
    explicit PcapngReader(Window window) : window_(std::move(window)) {}

    const std::vector<Interface>& interfaces() const override { return interfaces_; }
    const Totals& totals() const override { return totals_; }

    bool next(Packet& packet) override {
        while (totals_.end == End::none) {
            const std::optional<ByteView> block = next_block();
            if (!block) continue;
            const bool is_packet = take(*block, packet);
            // Its bytes stay where they are until the next look into the window.
            window_.skip(block->size());
            if (is_packet) return true;
        }
        return false;
    }

    // Before the first packet is asked for: whether the first block is a section of a known
    // version.
    ErrorCode begin() {
        constexpr std::size_t header_size = 28;  // section 4.1, without options
        const ByteView start = window_.peek(header_size);
        if (start.size() < header_size) return ReadError::cut_header;
        if (!set_byte_order(start)) return ReadError::not_a_capture;
        if (Fields(start, swap_).u16(12) != pcapng::major_version) {
            return ReadError::unsupported_version;
        }
        return {};
    }

private:
    bool set_byte_order(ByteView head) {
        const std::uint32_t magic = Fields(head, false).u32(8);
        swap_ = magic != pcapng::byte_order_magic;
        return !swap_ || swapped(magic) == pcapng::byte_order_magic;
    }

    // The whole block; nothing where the file ended or the block was passed over.
    std::optional<ByteView> next_block() {
        const ByteView head = window_.peek(pcapng::block_overhead);
        if (head.size() < pcapng::block_overhead) return end_of_input(head.size());
        // The type of a section header reads the same in both byte orders.
        const auto type = static_cast<Block>(Fields(head, swap_).u32(0));
        if (type == Block::section_header && !set_byte_order(head)) return end(End::damaged, 0);
        const std::size_t size = Fields(head, swap_).u32(4);
        if (size < pcapng::block_overhead || size % 4 != 0) return end(End::damaged, 0);
        if (size > max_block) {
            const std::uint64_t skipped = window_.skip_unseen(size);
            if (skipped < size) return end_of_input(skipped);
            ++totals_.oversized;
            return std::nullopt;
        }
        const ByteView block = window_.peek(size);
        if (block.size() < size) return end_of_input(block.size());
        if (Fields(block, swap_).u32(size - 4) != size) return end(End::damaged, 0);
        return block;
    }

    // Whether it holds a packet, which is `packet` then.
    bool take(ByteView block, Packet& packet) {
        const ByteView body = block.subspan(8, block.size() - pcapng::block_overhead);
        switch (static_cast<Block>(Fields(block, swap_).u32(0))) {
            case Block::section_header: section(body); return false;
            case Block::interface_description: interface(body); return false;
            case Block::enhanced_packet: return timed(body, Fields(body, swap_).u32(0), packet);
            case Block::packet: return timed(body, Fields(body, swap_).u16(0), packet);
            case Block::simple_packet: return simple(body, packet);
            case Block::interface_statistics: statistics(body); return false;
            case Block::decryption_secrets: ++totals_.secrets_blocks; return false;
            case Block::name_resolution:
            case Block::systemd_journal:
            case Block::custom:
            case Block::custom_no_copy: return false;
        }
        ++totals_.unknown_blocks;
        return false;
    }

    void section(ByteView body) {
        if (Fields(body, swap_).u16(4) != pcapng::major_version) {
            end(End::damaged, 0);
            return;
        }
        ++totals_.sections;
        first_ = interfaces_.size();
    }

    void interface(ByteView body) {
        if (body.size() < 8 || interfaces_.size() == max_interfaces) return bad();
        const Fields fields(body, swap_);
        Interface described;
        described.link_type = static_cast<LinkType>(fields.u16(0));
        described.snap_length = fields.u32(4);
        std::uint8_t resolution = 6;  // "If this option is not present, a resolution of 10^-6"
        std::int64_t offset = 0;
        Options options(body.subspan(8), swap_);
        while (options.next()) {
            const ByteView value = options.value();
            switch (options.code()) {
                case option::if_name: described.name = options.text(); break;
                case option::if_description: described.description = options.text(); break;
                case option::if_os: described.system = options.text(); break;
                case option::if_filter:
                    // "The first byte … 0 indicates a libpcap filter string".
                    if (!value.empty() && value[0] == 0)
                        described.filter = options.text().substr(1);
                    break;
                case option::if_tsresol:
                    if (!value.empty()) resolution = value[0];
                    break;
                case option::if_tsoffset:
                    if (value.size() == 8) {
                        offset = static_cast<std::int64_t>(Fields(value, swap_).u64(0));
                    }
                    break;
                default: break;
            }
        }
        if (!options.sound()) bad();
        interfaces_.push_back(std::move(described));
        units_.emplace_back(resolution, offset);
        lost_.emplace_back();
    }

    // What the three kinds of packet block have in common.
    bool deliver(Packet& packet, std::size_t interface, ByteView data, std::uint32_t original) {
        if (interface >= interfaces_.size()) {
            ++totals_.unknown_interface;
            return false;
        }
        if (data.size() > max_packet) {
            ++totals_.oversized;
            return false;
        }
        packet.number = ++totals_.packets;
        packet.interface = static_cast<std::uint32_t>(interface);
        packet.link_type = interfaces_[interface].link_type;
        packet.data = data;
        packet.original_size = original;
        totals_.captured_bytes += data.size();
        return true;
    }

    // Section 4.3; section 4.7 differs only in how the interface is numbered.
    bool timed(ByteView body, std::size_t number, Packet& packet) {
        constexpr std::size_t header = 20;
        const Fields fields(body, swap_);
        const std::size_t size = fields.u32(12);
        if (body.size() < header || size > body.size() - header) {
            bad();
            return false;
        }
        const std::size_t interface = first_ + number;
        if (!deliver(packet, interface, body.subspan(header, size), fields.u32(16))) return false;
        packet.time_ns = units_[interface].nanoseconds(units_of(body));
        packet_options(body.subspan(std::min(body.size(), header + padded(size))), packet);
        return true;
    }

    // Section 4.4: always the first interface; the captured length follows from its snap length.
    bool simple(ByteView body, Packet& packet) {
        if (body.size() < 4) {
            bad();
            return false;
        }
        if (first_ >= interfaces_.size()) {
            ++totals_.unknown_interface;
            return false;
        }
        const std::uint32_t original = Fields(body, swap_).u32(0);
        std::size_t size = std::min<std::size_t>(original, body.size() - 4);
        const std::uint32_t snap = interfaces_[first_].snap_length;
        if (snap != 0) size = std::min<std::size_t>(size, snap);
        if (!deliver(packet, first_, body.subspan(4, size), original)) return false;
        packet.time_ns.reset();
        packet.direction = Direction::unknown;
        packet.comments = {};
        return true;
    }

    void packet_options(ByteView bytes, Packet& packet) {
        comments_.clear();
        packet.direction = Direction::unknown;
        Options options(bytes, swap_);
        while (options.next()) {
            const ByteView value = options.value();
            if (options.code() == option::comment && comments_.size() < max_comments) {
                comments_.push_back(as_text(value));
            } else if (options.code() == option::epb_flags && value.size() == 4) {
                // Section 4.3.1: bits 0 and 1, "01 = inbound, 10 = outbound".
                const std::uint32_t way = Fields(value, swap_).u32(0) & 3;
                if (way == 1) packet.direction = Direction::inbound;
                if (way == 2) packet.direction = Direction::outbound;
            }
        }
        if (!options.sound()) bad();
        packet.comments = comments_;
    }

    // Sections 4.3 and 4.6 have it at the same place: its upper half, then its lower.
    std::uint64_t units_of(ByteView body) const {
        const Fields fields(body, swap_);
        return static_cast<std::uint64_t>(fields.u32(4)) << 32 | fields.u32(8);
    }

    void statistics(ByteView body) {
        const std::size_t interface = first_ + Fields(body, swap_).u32(0);
        if (body.size() < 12 || interface >= interfaces_.size()) return bad();
        const auto time = units_[interface].nanoseconds(units_of(body));
        if (time) totals_.ended_ns = std::max(totals_.ended_ns.value_or(*time), *time);
        Options options(body.subspan(12), swap_);
        while (options.next()) {
            if (options.value().size() != 8) continue;
            const std::uint64_t number = Fields(options.value(), swap_).u64(0);
            if (options.code() == option::isb_ifdrop) lost_[interface].by_interface = number;
            if (options.code() == option::isb_osdrop) lost_[interface].by_system = number;
        }
        if (!options.sound()) bad();
        std::optional<std::uint64_t> sum;
        for (const Lost& one : lost_) {
            for (const auto& part : {one.by_interface, one.by_system}) {
                if (part) sum = sum.value_or(0) + *part;
            }
        }
        totals_.lost = sum;
    }

    void bad() { ++totals_.bad_blocks; }

    std::nullopt_t end_of_input(std::uint64_t left) {
        return end(end_of(window_.error(), left), left);
    }

    std::nullopt_t end(End how, std::uint64_t left) {
        totals_.end = how;
        totals_.end_position = window_.position();
        totals_.left_bytes = left;
        totals_.error = window_.error();
        return std::nullopt;
    }

    Window window_;
    bool swap_ = false;
    std::size_t first_ = 0;  // interface 0 of this section
    std::vector<Interface> interfaces_;
    std::vector<TimeUnit> units_;  // this and the next: one for each interface
    std::vector<Lost> lost_;
    std::vector<std::string_view> comments_;
    Totals totals_;
};

}  // namespace

bool is_pcapng(ByteView start) {
    return Fields(start, false).u32(0) == static_cast<std::uint32_t>(Block::section_header);
}

Result<std::unique_ptr<FormatReader>> open_pcapng(Window window) {
    auto reader = std::make_unique<PcapngReader>(std::move(window));
    if (const ErrorCode error = reader->begin()) return error;
    return std::unique_ptr<FormatReader>(std::move(reader));
}

}  // namespace p2pdiag::capture
