// Does a forwarded UDP port let packets in from outside? As a state machine: no socket, clock or
// random number in here.
//
// A STUN server is asked, from a socket that has nothing to do with the forward, to answer to the
// forwarded port (RESPONSE-PORT of RFC 5780 section 7.5) and from its other address and port
// (CHANGE-REQUEST, section 7.2). Nobody here has ever sent anything there, so no NAT and no
// firewall lets such a packet in of its own accord: if it arrives, the forward did it.
//
// Beside each such question goes the same one for a port that the other address was contacted from.
// Its answer gets in without any forward. Only while those answers come does silence mean anything,
// and only once the router has had three seconds to do what it said it had done.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::upnp_plugin {

struct ProofConfig {
    Endpoint server;
    Endpoint other;  // its OTHER-ADDRESS
    std::uint16_t external_port = 0;
    bool listens = false;  // a socket is bound to the internal port
    bool taps = false;     // packets are seen at the interface as well
    // Nothing was asked of the router for this: silence counts without waiting for it. The packets
    // come from another source then than the first ones for a forward that was just made, since a
    // router without one may go on for a while doing with that source what it did (Linux:
    // conntrack).
    bool as_it_is = false;
};

enum class Proof {
    arrived,             // at the socket, or at the interface where there is no socket
    stopped_here,        // at the interface, but not at the socket: this machine's own firewall
    not_arrived,         // while the controls did
    server_unsupported,  // it cannot do what is asked of it; or its other address is dead
    undecided            // too much is lost to tell, or it was cut short
};
std::string_view to_string(Proof proof);  // with hyphens

struct ProofResult {
    Proof proof = Proof::undecided;
    bool at_socket = false;
    bool at_interface = false;
    unsigned asked = 0;
    unsigned controls_answered = 0;
};

class PacketProof {
public:
    using TransactionSource = std::function<stun::TransactionId()>;

    enum class Place {
        asking,   // the socket that asks
        control,  // the socket that has contacted the other address
        target,   // the socket on the internal port
        tap       // the interface; payloads of datagrams to the internal port
    };
    struct Send {
        Place from = Place::asking;  // asking or control
        Endpoint to;
        Bytes datagram;
    };

    PacketProof(const ProofConfig& config, TransactionSource transactions, TimePoint now);

    void on_datagram(Place place, const Endpoint& from, ByteView datagram, TimePoint now);
    void on_time(TimePoint now);
    std::vector<Send> take_sends();
    TimePoint next_wakeup() const;
    bool done() const { return stage_ == Stage::done; }
    ProofResult result() const { return result_; }

private:
    enum class Stage { opening, asking, done };
    enum class Question { opening, control, target };

    void advance(TimePoint now);
    void open(TimePoint now);
    void ask(TimePoint now);
    void judge(TimePoint now);
    void finish(Proof proof);
    void on_arrival(Place place, const Endpoint& from, Question question, TimePoint now);
    stun::TransactionId send(Place from, const Endpoint& to, Question question,
                             std::optional<std::uint16_t> response_port, bool same_port = false);
    Milliseconds tail() const;

    ProofConfig config_;
    TransactionSource transactions_;
    Stage stage_ = Stage::opening;
    std::map<stun::TransactionId, Question> sent_;
    std::map<stun::TransactionId, TimePoint> opened_;
    std::vector<Send> sends_;
    std::optional<std::uint16_t> control_port_;
    Milliseconds rtt_{0};
    unsigned opening_sends_ = 0;
    TimePoint next_send_;
    TimePoint last_send_;
    TimePoint first_asked_{};
    std::optional<TimePoint> tapped_at_;
    ProofResult result_;
};

}  // namespace p2pdiag::upnp_plugin
