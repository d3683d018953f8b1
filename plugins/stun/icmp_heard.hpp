// What others say by ICMP of packets to the servers while stun.servers asks, whichever program of
// this machine sent them. A router says so only about once a second and may spend its words on the
// packets of another check; TCP that gets no word waits in silence.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <utility>

#include "servers.hpp"

namespace p2pdiag::stun_plugin {

// By protocol number and destination; the first word of each.
using Heard = std::map<std::pair<std::uint8_t, Endpoint>, icmp::Said>;

// Until cancelled. Ends at once without CAP_NET_RAW.
boost::asio::awaitable<void> hear_icmp(std::shared_ptr<Heard> heard, Family family);

// Explains by it what got no answer.
void explain_silence(ServersReport& report, const Heard& heard);

}  // namespace p2pdiag::stun_plugin
