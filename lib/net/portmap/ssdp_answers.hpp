// Inside of lib/net: what counts as an answer to a search, without socket or kernel. Tests and
// fuzzers feed it datagrams as the network would.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "net/portmap/ssdp.hpp"

namespace p2pdiag::net::portmap {

// What the searches of all links share.
class SsdpAnswers {
public:
    // Enough for every device of a large network; a flood ends here.
    static constexpr std::size_t most = 256;

    using OnAnswer = std::function<void(const SsdpAnswer&)>;
    // Whether packets to this address leave by this link, and by no router. Asked at most `most`
    // times.
    using IsNear = std::function<bool(int interface, const IpAddress& address)>;

    SsdpAnswers(OnAnswer on_answer, IsNear is_near)
        : on_answer_(std::move(on_answer)), is_near_(std::move(is_near)) {}

    // On the socket of `link`. What is no answer is left out.
    void take(const SearchLink& link, const Endpoint& from, ByteView datagram);

private:
    bool is_on(const SearchLink& link, const IpAddress& from);

    OnAnswer on_answer_;
    IsNear is_near_;
    std::set<std::pair<IpAddress, std::string>> seen_;
    std::map<std::pair<int, IpAddress>, bool> near_;
};

}  // namespace p2pdiag::net::portmap
