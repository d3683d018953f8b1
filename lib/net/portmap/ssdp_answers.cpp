#include "net/portmap/ssdp_answers.hpp"

#include <algorithm>

#include "wire/ssdp/message.hpp"

namespace p2pdiag::net::portmap {

void SsdpAnswers::take(const SearchLink& link, const Endpoint& from, ByteView datagram) {
    if (seen_.size() >= most) return;
    auto announcement = ssdp::parse_announcement(datagram);
    if (!announcement || announcement->kind != ssdp::Kind::answer) return;
    if (seen_.contains({from.address, announcement->location})) return;
    if (!is_on(link, from.address)) return;
    seen_.emplace(from.address, announcement->location);
    SsdpAnswer answer;
    answer.from = from.address;
    answer.port = from.port;
    answer.interface = link.interface;
    answer.local = link.local;
    answer.location = std::move(announcement->location);
    answer.server = std::move(announcement->server);
    answer.st = std::move(announcement->target);
    answer.usn = std::move(announcement->usn);
    on_answer_(answer);
}

// Routers answer from within the network; whoever answers from further away was not asked.
bool SsdpAnswers::is_on(const SearchLink& link, const IpAddress& from) {
    const auto& gateways = link.gateways;
    if (std::find(gateways.begin(), gateways.end(), from) != gateways.end()) return true;
    if (from == link.local || from.scope() == AddressScope::link_local) return true;
    const auto known = near_.find({link.interface, from});
    if (known != near_.end()) return known->second;
    // Each lookup asks the kernel: not for every address that a flood comes from.
    if (near_.size() >= most) return false;
    return near_[{link.interface, from}] = is_near_(link.interface, from);
}

}  // namespace p2pdiag::net::portmap
