// What peers say to each other: any datagram is refused, or is written again byte for byte, since
// there is one way to write it; and no two parsers take the same.
#include <algorithm>
#include <cstdlib>

#include "wire/peer/chat.hpp"
#include "wire/peer/probe.hpp"

using namespace p2pdiag;

namespace {

void require_that(bool holds) {
    if (!holds) std::abort();
}

void check_probe(const probe::Probe& probe, ByteView input) {
    require_that(std::ranges::equal(probe::encode(probe), input));
    require_that(input.size() >= probe::size && input.size() <= probe::max_size);
    require_that(!probe.is_pong() || input.size() == probe::size);
}

void check_chat(const chat::Message& message, ByteView input) {
    require_that(std::ranges::equal(chat::encode(message), input));
    require_that(input.size() <= chat::init_size ||
                 std::holds_alternative<chat::Data>(message.body) ||
                 std::holds_alternative<chat::Close>(message.body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    const auto probe = probe::parse(input);
    const auto chat = chat::parse(input);
    require_that(!(probe && chat));
    const auto head = envelope::parse(input);
    if (probe) check_probe(*probe, input);
    if (chat) check_chat(*chat, input);
    if (probe || chat) {
        require_that(head && envelope::looks_like_ours(input));
        require_that(envelope::size_on_stream(input).value() == size);
    }
    return 0;
}
