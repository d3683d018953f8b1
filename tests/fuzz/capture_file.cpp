// Capture files: any bytes are read to some end, every packet lies within bounds, and what was read
// is the same after it was written and read again.
#include <cstdlib>

#include "base/utf8.hpp"
#include "capture/pcapng_writer.hpp"
#include "capture/reader.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check_again(const capture::Packet& first) {
    Bytes file;
    capture::append_section(file, {});
    capture::Interface interface;
    interface.link_type = first.link_type;
    capture::append_interface(file, interface);
    capture::Packet packet = first;
    packet.interface = 0;
    capture::append_packet(file, packet);
    auto reader = capture::Reader::open(capture::input_of(file));
    require(reader.has_value());
    capture::Packet second;
    require(reader->next(second));
    require(second.link_type == first.link_type);
    require(second.direction == first.direction);
    require(
        std::equal(second.data.begin(), second.data.end(), first.data.begin(), first.data.end()));
    if (first.time_ns.value_or(0) >= 0) require(second.time_ns == first.time_ns.value_or(0));
    require(second.comments.size() <= first.comments.size());
    for (const std::string_view comment : second.comments) require(is_utf8(comment));
    require(!reader->next(second));
    require(reader->totals().end == capture::End::complete);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto reader = capture::Reader::open(capture::input_of(ByteView(data, size)));
    if (!reader) return 0;
    capture::Packet packet;
    std::uint64_t count = 0;
    // Compressed input can hold more than anybody wants to wait for.
    while (count < 10'000 && reader->next(packet)) {
        require(packet.number == ++count);
        require(packet.data.size() <= capture::max_packet);
        require(packet.interface < reader->interfaces().size());
        if (count <= 8) check_again(packet);
    }
    if (count < 10'000) require(reader->totals().end != capture::End::none);
    remarks(reader->totals());
    return 0;
}
