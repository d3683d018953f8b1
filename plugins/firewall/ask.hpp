// The questions that are put to the evaluator: which packets, where they come in, and from whom.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

// Stands for a stranger on the internet where it matters who sends: assigned, of nobody in
// particular, and on no list of addresses that cannot be. Nothing is ever sent there.
Endpoint stranger(Family family);

struct Asked {
    Question question;
    Packet packet;
    Verdict verdict;
    bool some_differ = false;  // there are senders who are treated otherwise
    bool reply_stopped = false;  // it comes in; the verdict is that of the answer to it
};

// Those on no list, and within every limit, come in.
bool lets_in(const Verdict& verdict);

struct Inquiry {
    std::uint16_t port = 0;
    std::vector<std::uint8_t> protocols = {protocol_udp, protocol_tcp};  // IANA numbers
    // Nothing: whoever; where it matters, a stranger.
    std::optional<IpAddress> source = std::nullopt;
    // Where it is known without a stranger what becomes of most, he is not asked.
    bool of_most = false;
};

// Of a first packet to the port at each entrance; with a source, at those of its family. One that
// comes in, and whose answer does not leave, counts as stopped by what stops the answer.
std::vector<Asked> ask_inbound(const World& world, const std::vector<Entrance>& entrances,
                               const Inquiry& inquiry);

}  // namespace p2pdiag::firewall
