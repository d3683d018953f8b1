// What an analysis knows in the end: messages in order, who the endpoints are, and what is wrong.
// Everything that prints works on this alone.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/json.hpp"
#include "base/transport.hpp"
#include "capture/segment.hpp"

namespace p2pdiag::capture_plugin {

// Of a message; names below.
enum class Protocol : std::uint8_t {
    stun,
    turn,
    probe,  // our own pings and pongs
    chat,   // and the chat's handshake
    natpmp,
    pcp,
    ssdp,
    soap,
    http,
    websocket,
    dns,
    mdns,
    tls,
    dtls,
    tcp,
    icmp,
    data  // UDP that nothing here understands
};
std::string_view to_string(Protocol protocol);  // "STUN"

enum class Kind : std::uint8_t {
    request,  // an answer belongs to it
    answer,
    error,  // an answer that says no, or an ICMP error
    notice  // nothing is to follow
};
std::string_view to_string(Kind kind);

// What became of a request.
enum class Fate : std::uint8_t {
    none,  // not a request
    answered,
    unanswered,
    refused,  // by an ICMP error or a TCP reset
    open      // the capture ends too early to tell, or shows one direction only
};
std::string_view to_string(Fate fate);

// How an answer says no, as its protocol numbers and names it.
struct Denial {
    int code = 0;  // 0 where the answer has none
    std::string name;
};

// Which message this is of all there were, from 0; stays the same when others are dropped.
using Sequence = std::uint64_t;

struct Message {
    Sequence sequence = 0;
    std::uint64_t packet = 0;  // number in the file, of the first of them
    std::int64_t time_ns = 0;  // since 1970, with jumps of the clock taken out
    std::int64_t last_ns = 0;  // of the last of them
    Endpoint from;             // port 0 where there is none
    Endpoint to;
    Protocol protocol = Protocol::data;
    Kind kind = Kind::notice;
    std::string text;                 // what it says, printable
    std::string transaction;          // of STUN and probes, hexadecimal; empty with others
    std::uint64_t copies = 1;         // sent so often, the same again
    std::uint64_t seen_again = 0;     // the same packet, at another place of the capturing machine
    std::optional<Sequence> answers;  // the request that this answers
    std::optional<Sequence> answered_by;
    std::optional<std::int64_t> delay_ns;  // from the request; never negative
    Fate fate = Fate::none;
    // What a request wants, without what may differ when it is tried again; printable.
    std::string subject;
    bool credentials = false;  // a request of STUN or TURN that is signed
    std::optional<Denial> refusal;
    std::string comment;  // that stood beside the packet in the file; printable
};

enum class Role : std::uint8_t {
    unknown,
    you,
    router,
    nat_outside,  // the public side of the NAT, seen in the same capture
    stun_server,
    turn_server,
    relay,  // an address that a TURN server gave out
    dns_server,
    peer,
    hop,    // reported an error, nothing else
    group,  // multicast or broadcast
    server  // accepted a connection
};
std::string_view to_string(Role role);  // "you", "STUN server"; empty when unknown

struct Host {
    IpAddress address;
    Role role = Role::unknown;
    std::string reason;  // why it is believed to be that
    std::uint64_t messages = 0;
};

struct Conversation {
    capture::Carrier carrier = capture::Carrier::other;
    Endpoint from;  // who began, as far as the capture shows
    Endpoint to;
    std::uint64_t packets_out = 0;  // from `from`
    std::uint64_t packets_in = 0;
    std::uint64_t bytes_out = 0;  // of payload
    std::uint64_t bytes_in = 0;
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
};

// What a server, or a peer in its pong, told `local` about how it looks from outside.
struct Mapping {
    Transport transport = Transport::udp;
    Endpoint local;
    Endpoint server;
    Endpoint mapped;
    friend bool operator==(const Mapping&, const Mapping&) = default;
};

struct Outcome {
    std::vector<Message> messages;            // in the order of their time
    std::uint64_t messages_left_out = 0;      // between the first and the last of them
    std::optional<Sequence> gap_before;       // the message after the gap
    std::vector<Host> hosts;                  // of the messages; the busiest first
    std::vector<Conversation> conversations;  // the busiest first
    std::vector<Mapping> mappings;
    std::vector<Finding> findings;     // the most severe first
    std::vector<std::string> remarks;  // what could not be used, or was left out
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  // captured
    std::uint64_t conversation_count = 0;
    std::uint64_t open_requests = 0;  // whose answer may lie after the end
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
    bool span_known = true;   // the clock can be believed: the time between the two passed indeed
    bool understood = false;  // there was at least one packet that could be told apart
};

}  // namespace p2pdiag::capture_plugin
