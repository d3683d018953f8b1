// The head of an HTTP message: any bytes are parsed or refused; what is parsed is harmless to show.
#include <algorithm>
#include <cstdlib>

#include "wire/http/head.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_harmless(const std::string& text) {
    require(text.size() <= http::max_value);
    require(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    http::looks_like_http(bytes);
    const auto head = http::parse_head(bytes);
    if (!head) return 0;
    require(head->size <= size);
    require(head->headers.size() <= http::max_headers);
    for (const std::string* text : {&head->method, &head->target, &head->reason}) {
        require_harmless(*text);
    }
    for (const http::Header& header : head->headers) require_harmless(header.value);
    head->content_length();
    head->is_websocket_upgrade();
    return 0;
}
