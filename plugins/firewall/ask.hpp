// The questions that are put to the evaluator: which packets, where they come in, and from whom.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "allow_opening.hpp"
#include "evaluate.hpp"
#include "verdict_json.hpp"

namespace p2pdiag::firewall {

// One way that peers' packets come in.
struct Entrance {
    std::string interface;
    IpAddress address;  // of this machine
};

// At most this many are judged.
inline constexpr std::size_t max_entrances = 8;

// The interfaces by which peers reach this machine: those that default routes lead to; where there
// are none, each that works. One address of each family of each.
std::vector<Entrance> find_entrances(const World& world);

// The IPv6 address of the link that peers would use and that has not passed duplicate address
// detection, where no other of it reaches further than the link; or nothing.
const net::InterfaceAddress* barred_address(const net::Interface& link);

// Of every link that is no entrance by IPv6 because of that: a sentence each.
std::vector<std::string> why_barred(const World& world);
std::string why_barred(const net::Interface& link, const net::InterfaceAddress& address);

// Stands for a stranger on the internet where it matters who sends: assigned, of nobody in
// particular, and on no list of addresses that cannot be. Nothing is ever sent there.
Endpoint stranger(Family family);
// One in none of these networks, if there is such a one. A whole family is no network.
Endpoint stranger(Family family, const std::vector<Interval>& named);

struct Asked {
    Question question;
    Packet packet;
    Verdict verdict;
    bool some_differ = false;  // there are senders who are treated otherwise
    // It comes in; the verdict is that of another packet, without which that is of no use.
    bool reply_stopped = false;
    bool reply_open = false;  // … or it hangs on conditions of that packet, and ordinarily passes
    bool by_routes = false;   // it is these that stop the reply, and no rule of a firewall
};

// Those on no list, and within every limit, come in.
bool lets_in(const Verdict& verdict);

// What is said before the verdict of a packet that has to pass as well.
struct Said {
    std::string stopped;
    std::string open;  // it cannot be told whether it passes
};

// `verdict`, of such a packet, becomes that of what was asked, where that lets in and this does
// not; its conditions, where it has some, become those of what was asked.
void take_over(Verdict verdict, const Said& said, Asked& asked);

// Of what is blocked, where that decides nothing yet: undecided, because of `what`.
Verdict left_open(Verdict blocked, std::string what);

struct Inquiry {
    std::uint16_t port = 0;
    std::vector<std::uint8_t> protocols = {protocol_udp, protocol_tcp};  // IANA numbers
    // Nothing: whoever; where it matters, a stranger.
    std::optional<IpAddress> source = std::nullopt;
    // Where it is known without a stranger what becomes of most, he is not asked.
    bool of_most = false;
    // Without a source: of whom in this network; where it matters, one whom no rule picks out.
    std::optional<SourceNet> within = std::nullopt;

    static Inquiry from(const Opening& opening);  // of most
};

// Somebody of the packet's network who fares as those do that are on no list; of `packet` without
// a source.
IpAddress somebody_within(const World& world, const Packet& packet);

// Those who judge a packet, and what has to be known of them.
struct Asking {
    std::function<Verdict(const Packet&)> assess;
    Endpoint stranger;
    bool of_most = false;  // as in Inquiry
    // The rule that is named of whoever sends may be one about some senders alone; it is never so
    // where verdicts are those of a packet that is on no list.
    bool names_any_rule = false;
};

// Of `asked.packet`: from its sender, or else from whoever, and where that matters a stranger.
void ask_for_sender(const Asking& asking, Asked& asked);

// A first packet to the port, not yet asked about.
Asked first_packet(const Entrance& entrance, std::uint8_t protocol, const Inquiry& inquiry);

// Of a first packet to the port at each entrance; with a source, at those of its family. One that
// comes in, and that nothing can follow, counts as stopped by what stops that.
std::vector<Asked> ask_inbound(const World& world, const std::vector<Entrance>& entrances,
                               const Inquiry& inquiry);

}  // namespace p2pdiag::firewall
