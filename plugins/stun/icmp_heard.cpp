#include "icmp_heard.hpp"

#include <boost/asio/this_coro.hpp>

#include "net/icmp_watch.hpp"

namespace p2pdiag::stun_plugin {

namespace asio = boost::asio;

namespace {

constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;
// Far enough away; whoever listens is cancelled long before.
constexpr std::chrono::hours long_time{24};
// More than all servers have; what an ICMP message quotes may be made up.
constexpr std::size_t most_heard = 1024;

// A hop limit that was used up is mostly some other check's intention.
bool tells_of_refusal(icmp::Meaning meaning) {
    return meaning == icmp::Meaning::port_unreachable || meaning == icmp::Meaning::prohibited ||
           meaning == icmp::Meaning::host_unreachable ||
           meaning == icmp::Meaning::network_unreachable;
}

void explain(TransportReport& transport, std::uint8_t protocol, const Heard& heard) {
    if (!transport.result || transport.result->outcome != net::Outcome::no_answer) return;
    net::BindingResult& result = *transport.result;
    const bool connected = protocol == protocol_tcp && result.local;
    const auto found = heard.find({protocol, result.server});
    if (connected || found == heard.end()) return;
    const auto outcome = net::outcome_of(found->second, result.server);
    // Rules of this machine may hold for one program and not for another.
    if (!outcome || *outcome == net::Outcome::not_permitted) return;
    result.outcome = *outcome;
    result.said = found->second;
}

}  // namespace

asio::awaitable<void> hear_icmp(std::shared_ptr<Heard> heard, Family family) {
    auto watch = net::IcmpWatch::open(co_await asio::this_coro::executor, family);
    if (!watch) co_return;
    const auto on_error = [&](const IpAddress& from, const icmp::Error& error) {
        const auto meaning = icmp::meaning(family, error.type, error.code);
        if (!tells_of_refusal(meaning) || heard->size() >= most_heard) return;
        heard->try_emplace({error.protocol, error.destination}, icmp::Said{from, meaning});
    };
    for (;;) {
        const bool arrived = co_await watch->wait(Clock::now() + long_time);
        if (arrived) watch->receive(on_error);
    }
}

void explain_silence(ServersReport& report, const Heard& heard) {
    for (ServerReport& server : report.servers) {
        for (FamilyReport* family : {&server.ipv4, &server.ipv6}) {
            explain(family->udp, protocol_udp, heard);
            explain(family->tcp, protocol_tcp, heard);
            explain(family->tls, protocol_tcp, heard);
        }
    }
}

}  // namespace p2pdiag::stun_plugin
