// Packets of every link type through the whole analysis: whatever comes, it ends, delays are never
// negative, pairs belong together, and all of it can be printed.
#include <cstdlib>

#include "analyze.hpp"
#include "base/utf8.hpp"

using namespace p2pdiag;
using namespace p2pdiag::capture_plugin;

namespace {

constexpr capture::LinkType link_types[] = {capture::LinkType::raw,  capture::LinkType::ethernet,
                                            capture::LinkType::null, capture::LinkType::linux_sll,
                                            capture::LinkType::loop, capture::LinkType::linux_sll2,
                                            capture::LinkType::ipv6, capture::LinkType{9999}};

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const Outcome& result) {
    std::map<Sequence, const Message*> by_sequence;
    for (const Message& message : result.messages) by_sequence[message.sequence] = &message;
    for (const Message& message : result.messages) {
        require(message.copies > 0);
        require(message.delay_ns.value_or(0) >= 0);
        require(is_utf8(message.text));
        if (message.answers && by_sequence.contains(*message.answers)) {
            require(by_sequence[*message.answers]->kind == Kind::request);
        }
    }
    for (const Format format : {Format::console, Format::json, Format::mermaid, Format::svg}) {
        Output output;
        output.format = format;
        output.unicode = true;
        const std::string text = render(result, output);
        require(is_utf8(text));
        require(text.find('\x1B') == std::string::npos);
    }
}

}  // namespace

// The first byte chooses the link type; then come packets, each with two bytes before it: its
// length, and a step of the clock that may lead back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    ByteReader reader(ByteView(data, size));
    Analysis analysis;
    capture::Packet packet;
    packet.link_type = link_types[reader.u8() % std::size(link_types)];
    std::int64_t time = 0;
    while (reader.remaining() > 2 && packet.number < 500) {
        const std::size_t length = reader.u8() * std::size_t{4};
        const auto step = static_cast<std::int8_t>(reader.u8());
        // Of the exact size, so that AddressSanitizer sees a read past the end.
        const ByteView view = reader.take(std::min(length, reader.remaining()));
        const Bytes bytes(view.begin(), view.end());
        time += std::int64_t{step} * 50'000'000;
        packet.time_ns = time;
        packet.data = bytes;
        packet.original_size = static_cast<std::uint32_t>(bytes.size());
        ++packet.number;
        analysis.add(packet);
    }
    check(analysis.finish(false));
    return 0;
}
