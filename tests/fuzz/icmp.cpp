// ICMP messages of both families. The first byte picks what reads them.
#include <cstdlib>

#include "wire/icmp/message.hpp"

using namespace p2pdiag;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Family family = (data[0] & 1) == 0 ? Family::ipv4 : Family::ipv6;
    ByteView message(data + 1, size - 1);
    if ((data[0] & 2) != 0) message = icmp::without_ipv4_header(message);
    const auto identifier = icmp::echo_identifier(family, message);
    if (const auto echo = icmp::parse_echo_reply(family, message)) {
        if (identifier != echo->identifier) std::abort();
        if (echo->payload.size() + 8 != message.size()) std::abort();
    }
    if (const auto error = icmp::parse_error(family, message)) {
        if (error->destination.address.family() != family) std::abort();
        icmp::to_string(icmp::meaning(family, error->type, error->code));
    }
    return 0;
}
