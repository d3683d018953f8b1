// What a search makes of any datagrams, from anybody on the link and beyond. Each event of the
// input is a byte that says from whom, two of length, and a datagram.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "net/portmap/ssdp_answers.hpp"
#include "wire/upnp/url.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net::portmap;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_harmless(const std::string& text) {
    require(text.size() <= 512);
    require(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

const IpAddress gateway = IpAddress::v4(0xC0A80701);

bool is_near_address(const IpAddress& address) {
    return address.to_string().starts_with("192.168.7.");
}

IpAddress sender(unsigned flags) {
    const unsigned host = flags >> 3;
    switch (flags % 4) {
        case 0: return gateway;
        case 1: return IpAddress::v4(0xC0A80700 + host);
        case 2: return *IpAddress::parse("fe80::" + std::to_string(host + 1));
        default: return IpAddress::v4(0xCB007100 + host);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const SearchLink links[] = {{2, IpAddress::v4(0xC0A80702), {gateway}},
                                {3, *IpAddress::parse("fe80::7"), {}}};
    std::set<std::pair<IpAddress, std::string>> told;
    std::size_t lookups = 0;
    const SearchLink* asked = nullptr;
    Endpoint from;
    const auto on_answer = [&](const SsdpAnswer& answer) {
        require(answer.from == from.address && answer.port == from.port);
        require(answer.interface == asked->interface && answer.local == asked->local);
        const bool local = answer.from.scope() == AddressScope::link_local;
        require(local || is_near_address(answer.from));
        require(told.emplace(answer.from, answer.location).second);
        for (const std::string* text :
             {&answer.location, &answer.server, &answer.st, &answer.usn}) {
            require_harmless(*text);
        }
        const auto url = upnp::parse_url(answer.location);
        if (url) require(upnp::parse_url(url->to_string()).has_value());
    };
    const auto is_near = [&](int interface, const IpAddress& address) {
        require(interface == asked->interface);
        ++lookups;
        return is_near_address(address);
    };
    SsdpAnswers answers(on_answer, is_near);
    ByteReader reader(ByteView(data, size));
    while (reader.ok() && reader.remaining() > 0) {
        const unsigned flags = reader.u8();
        const std::size_t length = reader.u16();
        const ByteView datagram = reader.take(length);
        if (!reader.ok()) break;
        asked = &links[(flags >> 2) % 2];
        from = {sender(flags), static_cast<std::uint16_t>(1900 + flags)};
        answers.take(*asked, from, datagram);
    }
    require(told.size() <= SsdpAnswers::most);
    require(lookups <= SsdpAnswers::most);
    return 0;
}
