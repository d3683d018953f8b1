// SSDP: any datagram is parsed or refused; what is parsed is harmless to show, leads only to a URL,
// and means the same after it was written and parsed again.
#include <algorithm>
#include <cstdlib>

#include "wire/ssdp/message.hpp"
#include "wire/upnp/url.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_harmless(const std::string& text) {
    require(text.size() <= ssdp::max_value);
    require(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

void check_announcement(ByteView datagram) {
    const auto first = ssdp::parse_announcement(datagram);
    if (!first) return;
    for (const std::string* text :
         {&first->target, &first->usn, &first->location, &first->server}) {
        require_harmless(*text);
    }
    require(first->location.find(' ') == std::string::npos);
    const auto url = upnp::parse_url(first->location);
    if (url) require(upnp::parse_url(url->to_string())->to_string() == url->to_string());
    const auto second = ssdp::parse_announcement(ssdp::encode(*first));
    require(second.has_value());
    require(second->kind == first->kind);
    require(second->location == first->location);
    require(second->max_age == first->max_age);
}

void check_search(ByteView datagram) {
    const auto first = ssdp::parse_search(datagram);
    if (!first) return;
    require_harmless(first->target);
    require_harmless(first->host);
    const auto second = ssdp::parse_search(ssdp::encode(*first));
    require(second.has_value());
    require(second->mx == first->mx);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check_announcement(ByteView(data, size));
    check_search(ByteView(data, size));
    return 0;
}
