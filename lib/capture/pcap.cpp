#include "capture/pcap.hpp"

#include "capture/fields.hpp"

namespace p2pdiag::capture {

namespace {

// Section 4: "0xA1B2C3D4" with microseconds, "0xA1B23C4D" with nanoseconds, in the byte order of
// the machine that wrote it.
constexpr std::uint32_t magic_microseconds = 0xA1B2C3D4;
constexpr std::uint32_t magic_nanoseconds = 0xA1B23C4D;
constexpr std::uint16_t major_version = 2;
constexpr std::size_t file_header_size = 24;
constexpr std::size_t record_header_size = 16;

class PcapReader : public FormatReader {
public:
    PcapReader(Window window, const Fields& header, bool swap)
        : window_(std::move(window)), swap_(swap) {
        unit_ns_ = header.u32(0) == magic_nanoseconds ? 1 : 1000;
        Interface interface;
        // Section 4, figure 2: the upper bits hold the length of a frame check sequence.
        interface.link_type = static_cast<LinkType>(header.u32(20) & 0xFFFF);
        interface.snap_length = header.u32(16);
        interfaces_.push_back(std::move(interface));
        totals_.sections = 1;
        window_.skip(file_header_size);
    }

    const std::vector<Interface>& interfaces() const override { return interfaces_; }
    const Totals& totals() const override { return totals_; }

    bool next(Packet& packet) override {
        if (totals_.end != End::none) return false;
        const ByteView start = window_.peek(record_header_size);
        if (start.size() < record_header_size) return end_of_input(start.size());
        const Fields header(start, swap_);
        const std::size_t size = header.u32(8);
        // Nothing tells where the next record would begin.
        if (size > max_packet) return end(End::damaged, 0);
        const std::uint32_t original_size = header.u32(12);
        const std::int64_t seconds = header.u32(0);
        const std::int64_t fraction = header.u32(4);

        const ByteView record = window_.peek(record_header_size + size);
        if (record.size() < record_header_size + size) return end_of_input(record.size());
        packet.number = ++totals_.packets;
        packet.time_ns = seconds * 1'000'000'000 + fraction * unit_ns_;
        packet.interface = 0;
        packet.link_type = interfaces_.front().link_type;
        packet.direction = Direction::unknown;
        packet.original_size = original_size;
        packet.data = record.subspan(record_header_size);
        packet.comments = {};
        totals_.captured_bytes += size;
        window_.skip(record.size());
        return true;
    }

private:
    bool end_of_input(std::size_t left) { return end(end_of(window_.error(), left), left); }

    bool end(End how, std::size_t left) {
        totals_.end = how;
        totals_.end_position = window_.position();
        totals_.left_bytes = left;
        totals_.error = window_.error();
        return false;
    }

    Window window_;
    bool swap_;
    std::int64_t unit_ns_;
    std::vector<Interface> interfaces_;
    Totals totals_;
};

}  // namespace

bool is_pcap(ByteView start) {
    const std::uint32_t magic = Fields(start, false).u32(0);
    return magic == magic_microseconds || magic == magic_nanoseconds ||
           swapped(magic) == magic_microseconds || swapped(magic) == magic_nanoseconds;
}

Result<std::unique_ptr<FormatReader>> open_pcap(Window window) {
    const ByteView start = window.peek(file_header_size);
    if (start.size() < file_header_size) return ReadError::cut_header;
    const std::uint32_t magic = Fields(start, false).u32(0);
    const bool swap = magic != magic_microseconds && magic != magic_nanoseconds;
    const Bytes copy(start.begin(), start.end());
    const Fields header(copy, swap);
    if (header.u16(4) != major_version) return ReadError::unsupported_version;
    return std::unique_ptr<FormatReader>(
        std::make_unique<PcapReader>(std::move(window), header, swap));
}

}  // namespace p2pdiag::capture
