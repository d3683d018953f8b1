// The first bytes of TLS: any bytes are parsed or refused, alone and as a stream in pieces.
#include <algorithm>
#include <cstdlib>

#include "capture/stream.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_harmless(const std::string& text) {
    require(text.size() <= tls::max_text);
    require(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

void check(const tls::ClientHello& hello) {
    require_harmless(hello.server_name);
    for (const std::string& protocol : hello.protocols) require_harmless(protocol);
    require(!tls::version_name(hello.version).empty());
}

// What a stream holds does not depend on how it was cut into segments.
std::size_t messages_in(ByteView stream, std::size_t segment) {
    capture::StreamParser parser(0);
    std::size_t count = 0;
    for (std::size_t at = 0; at < stream.size(); at += segment) {
        const ByteView part = stream.subspan(at, std::min(segment, stream.size() - at));
        if (!parser.add(static_cast<std::uint32_t>(at), part)) break;
        while (true) {
            const capture::StreamContent content = parser.next();
            if (std::holds_alternative<std::monostate>(content)) break;
            if (const auto* hello = std::get_if<tls::ClientHello>(&content)) check(*hello);
            ++count;
        }
        require(parser.memory() <= 256 * 1024);
    }
    return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    tls::parse_record_header(bytes);
    if (const auto hello = tls::parse_client_hello(bytes)) check(*hello);
    if (const auto hello = tls::parse_server_hello(bytes)) tls::version_name(hello->version);
    if (const auto alert = tls::parse_alert(bytes)) require(!alert->text().empty());
    messages_in(bytes, 1);
    messages_in(bytes, 700);
    return 0;
}
