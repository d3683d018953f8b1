// What the findings are told from, gathered while packets pass. Everything in here is bounded; what
// does not fit any more is counted in `dropped`.
#pragma once

#include <algorithm>
#include <compare>
#include <map>
#include <set>
#include <tuple>

#include "base/transport.hpp"
#include "model.hpp"
#include "wire/peer/envelope.hpp"

namespace p2pdiag::capture_plugin {

// Which connectivity checks belong together: those of one side of a call, to all the addresses that
// the other side may have. Told from the USERNAME of ICE (RFC 8445 section 7.2.2), or from session
// and sender of our own probes.
using Attempt = std::uint64_t;
inline constexpr Attempt no_attempt = 0;

// The requests of one host to one endpoint, in one protocol.
struct Exchange {
    std::uint64_t asked = 0;
    std::uint64_t sends = 0;
    std::uint64_t answered = 0;
    std::uint64_t unanswered = 0;
    std::uint64_t refused = 0;
    std::uint64_t open = 0;  // too late in the capture to tell
    // Those that asked for an answer from elsewhere count here, and nowhere above.
    std::uint64_t other_source_asked = 0;
    std::uint64_t other_source_answered = 0;
    std::uint64_t packet = 0;  // number of the first unanswered one; else of the first
};

struct ExchangeKey {
    Protocol protocol;
    IpAddress from;
    Endpoint to;
    Attempt attempt = no_attempt;
    friend auto operator<=>(const ExchangeKey&, const ExchangeKey&) = default;
};

struct Elsewhere {  // an answer from another endpoint than was asked
    Protocol protocol;
    Endpoint asked;
    Endpoint answered;
    std::uint64_t packet;
};

struct IcmpKind {
    bool v6 = false;
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    friend auto operator<=>(const IcmpKind&, const IcmpKind&) = default;
};

struct IcmpKey {
    IpAddress reporter;
    IcmpKind kind;
    capture::Carrier carrier;
    IpAddress from;
    Endpoint to;  // of the packets that were refused
    friend auto operator<=>(const IcmpKey&, const IcmpKey&) = default;
};

struct Counted {
    std::uint64_t count = 0;
    std::uint64_t packet = 0;
    std::uint64_t wanted = 0;  // of them, about packets that were sent in order to be refused
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
};

// Of packets that an ICMP error is about.
using IcmpTarget = std::tuple<capture::Carrier, IpAddress, Endpoint>;

struct Reset {
    Endpoint from;  // who reset
    Endpoint to;
    bool at_connect = false;  // in answer to the SYN; otherwise after the first data
    std::uint64_t packet = 0;
};

struct Pair {
    Endpoint one;
    Endpoint other;
    std::uint64_t packet = 0;
};

struct Translation {  // the same transaction on both sides of a NAT
    Endpoint inside;
    Endpoint outside;
    Endpoint to;
    std::uint64_t packet = 0;
};

struct Grant {  // a mapping that a router agreed to
    Protocol protocol;
    Transport transport;
    Endpoint internal;
    std::uint16_t external_port = 0;
    IpAddress router;
    std::int64_t time_ns = 0;
    std::uint64_t packet = 0;
    std::uint64_t inbound = 0;  // conversations that others began with it
};

// What one host wanted of another, and the answer that says no.
struct RefusalKey {
    Protocol protocol;
    IpAddress client;
    Endpoint server;
    std::string subject;  // of the request; empty where it is not known, or does not matter
    int code = 0;
    friend auto operator<=>(const RefusalKey&, const RefusalKey&) = default;
};

struct Refused {
    std::string subject;  // of the first request, known for all codes
    std::string name;     // of the code
    std::uint64_t count = 0;
    std::uint64_t since = 0;   // it was overcome last
    std::uint64_t packet = 0;  // of the first
    bool credentials = false;  // a request that had some was refused
    bool overcome = false;     // the same was agreed to later, or the next step taken
};

struct OneWay {  // a UDP conversation in which one side alone speaks
    Endpoint from;
    Endpoint to;
    std::uint64_t packets = 0;
    std::int64_t duration_ns = 0;
    bool stun = false;
};

// The pings and pongs of one session, whoever sent them.
struct Punch {
    static constexpr std::size_t max_pingers = 8;
    std::map<IpAddress, Attempt> pingers;
    std::uint64_t pongs = 0;
};

// The chat handshake of one session, as far as it came: a cookie and a response want to be taken
// up.
struct Handshake {
    envelope::Kind last = envelope::Kind::init;  // init, cookie or response
    bool took_cookie = false;
    bool went_on = false;  // past the response
    capture::Carrier carrier = capture::Carrier::other;
    Endpoint initiator;
    Endpoint responder;
    // TCP: what the initiator had sent by then. More may hold what could not be read.
    std::uint64_t initiator_bytes = 0;
    std::uint64_t sends = 0;   // of the last one
    std::uint64_t packet = 0;  // of the first of them
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
    Fate fate = Fate::none;  // in the end; none where nothing can be said
};

// A mapping, and where and when it was told. The times: since 1970, of the first and last answer.
struct ToldMapping {
    Mapping mapping;
    std::uint32_t interface = 0;  // of the capture, that the request passed first
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
};

struct VersionMismatch {  // two sides of a conversation that speak different versions of ours
    IpAddress one;
    IpAddress other;
    std::uint8_t ones = 0;
    std::uint8_t others = 0;
    std::uint64_t packet = 0;
};

// Two hosts, whichever is named first.
struct HostPair {
    IpAddress low;
    IpAddress high;
    HostPair(const IpAddress& one, const IpAddress& other)
        : low(std::min(one, other)), high(std::max(one, other)) {}
    friend auto operator<=>(const HostPair&, const HostPair&) = default;
};

struct Evidence {
    static constexpr std::size_t max_each = 256;
    static constexpr std::size_t max_exchanges = 4096;

    std::map<ExchangeKey, Exchange> exchanges;
    std::map<IcmpKey, Counted> icmp;
    // When the target of such an error was heard last itself, since 1970; at most one for each.
    std::map<IcmpTarget, std::int64_t> heard;
    std::map<RefusalKey, Refused> refusals;
    std::vector<Elsewhere> elsewhere;
    std::vector<Reset> resets;
    std::vector<Pair> simultaneous;
    std::vector<Translation> translations;
    std::vector<Grant> grants;
    std::vector<OneWay> one_way;
    std::vector<ToldMapping> mappings;
    std::vector<VersionMismatch> mismatches;
    std::map<envelope::SessionId, Punch> punches;
    std::map<envelope::SessionId, Handshake> handshakes;
    // A mapping that a router is being asked for, by the ports of the connection; over once it has
    // answered.
    std::map<std::uint32_t, Grant> asked_mapping;
    // Hosts that the capture shows talking to each other, and such of which it shows one alone,
    // though their TCP goes on.
    std::set<HostPair> two_way;
    std::set<HostPair> half_seen;
    std::uint64_t dropped = 0;

    template <class Item>
    void note(std::vector<Item>& list, Item item) {
        if (list.size() < max_each) {
            list.push_back(std::move(item));
        } else {
            ++dropped;
        }
    }

    // Past the limit there are enough to tell by.
    void note(std::set<HostPair>& pairs, const HostPair& pair) {
        if (pairs.size() < max_exchanges) pairs.insert(pair);
    }

    // What the one says to the other is in the capture, and what comes back is not: that nothing
    // came back proves nothing.
    bool hides_answers(const IpAddress& one, const IpAddress& other) const {
        return half_seen.contains({one, other}) && !two_way.contains({one, other});
    }

    // A renewal is the mapping that there was before.
    void note(const Grant& grant) {
        const bool known = std::ranges::any_of(grants, [&grant](const Grant& one) {
            return one.transport == grant.transport && one.internal == grant.internal &&
                   one.external_port == grant.external_port;
        });
        if (!known) note(grants, grant);
    }

    // Null once there are too many.
    Exchange* exchange(const ExchangeKey& key) {
        return entry<Exchange>(exchanges, key, max_exchanges);
    }
    Punch* punch(const envelope::SessionId& session) {
        return entry<Punch>(punches, session, max_each);
    }
    Handshake* handshake(const envelope::SessionId& session) {
        return entry<Handshake>(handshakes, session, max_each);
    }
    Counted* icmp_error(const IcmpKey& key) { return entry<Counted>(icmp, key, max_each); }
    Refused* refusal(const RefusalKey& key) { return entry<Refused>(refusals, key, max_each); }

private:
    template <class Value, class Map>
    Value* entry(Map& map, const typename Map::key_type& key, std::size_t most) {
        const auto found = map.find(key);
        if (found != map.end()) return &found->second;
        if (map.size() < most) return &map[key];
        ++dropped;
        return nullptr;
    }
};

// What is known of an address, for telling who it is.
struct HostStats {
    std::uint64_t outbound = 0;  // packets that the capture marks as sent by this machine
    std::uint64_t asked = 0;     // requests of a client: STUN, DNS, port mapping, connections
    bool stun_server = false;
    bool turn_server = false;
    bool relay = false;
    bool router = false;
    bool dns_server = false;
    bool accepted = false;  // a connection
    bool ice = false;
    bool punches = false;  // our own probes, or the chat over UDP
    bool hop = false;
};

class HostTable {
public:
    static constexpr std::size_t max_hosts = 4096;

    // What is noted of a host past the limit is lost.
    HostStats& at(const IpAddress& address) {
        const auto found = all_.find(address);
        if (found != all_.end()) return found->second;
        return all_.size() < max_hosts ? all_[address] : overflow_;
    }
    const std::map<IpAddress, HostStats>& all() const { return all_; }

private:
    std::map<IpAddress, HostStats> all_;
    HostStats overflow_;
};

}  // namespace p2pdiag::capture_plugin
