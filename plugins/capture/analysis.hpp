// One pass over the packets of a file or of a live capture, in bounded memory.
#pragma once

#include "capture/content.hpp"
#include "describe.hpp"
#include "evidence.hpp"
#include "flows.hpp"
#include "messages.hpp"
#include "streams.hpp"
#include "timeline.hpp"
#include "transactions.hpp"

namespace p2pdiag::capture_plugin {

// Which packets count. What is not set does not matter.
struct Filter {
    std::optional<IpAddress> host = std::nullopt;      // at either end
    std::optional<std::uint16_t> port = std::nullopt;  // at either end
    // Of the messages those of STUN, TURN and ourselves alone; conversations stay.
    bool stun_only = false;
};

// What a ping or an init is found by; empty for what asks nothing.
std::string peer_key(const capture::PeerContent& content);

class Analysis {
public:
    explicit Analysis(Filter filter = {});
    Analysis(const Analysis&) = delete;
    Analysis& operator=(const Analysis&) = delete;

    void add(const capture::Packet& packet);

    // After the last packet, once. `lost`: packets that are known to be missing in between, so that
    // a missing answer proves nothing. `ended_ns`: when the capture ended, since 1970, where that
    // is known; otherwise it ends with its last packet.
    Outcome finish(bool lost, std::optional<std::int64_t> ended_ns = std::nullopt);

private:
    // The packet at hand, with what is known of it.
    struct Current {
        std::uint64_t number = 0;
        std::int64_t now_ns = 0;
        std::uint32_t interface = 0;  // of the capture
        std::string comment;
        const capture::Segment* segment = nullptr;
        Flow* flow = nullptr;
        std::size_t side = 0;  // of the flow, that sent it
    };

    // What `current_` and `segment_` say.
    void take_segment();
    void take_incomplete(const capture::Segment& segment, const capture::Arrival& arrival);
    bool wanted(const capture::Segment& segment) const;
    void add_udp();
    void add_tcp();
    void add_icmp();
    void note_data();
    void note_direction();

    // Of UDP and TCP alike.
    void take(const capture::StunContent& content);
    void note_stun(const capture::StunContent& content);

    void take(const std::monostate&) { note_data(); }
    void take(const turn::ChannelData& content);
    void take(const capture::PeerContent& content);
    void take_probe(const capture::PeerContent& content);
    void take_chat(const capture::PeerContent& content);
    void note_handshake(const capture::PeerContent& content);
    void note_version(std::uint8_t version);
    // One row for all of it, with their number.
    void take_uncounted(Described described, std::size_t size);
    void take(const natpmp::Request& content);
    void take(const natpmp::Response& content);
    void take(const pcp::Request& content);
    void take(const pcp::Response& content);
    void take(const ssdp::Search& content);
    void take(const ssdp::Announcement& content);
    void take(const dns::Message& content);
    void take(const capture::DtlsContent& content);
    void take(const capture::Malformed& content);
    void take_stream(const capture::StreamContent& content);
    void take_stream_message(Described described);
    void note_soap(const capture::HttpContent& content);

    void tcp_syn();
    void tcp_accept();
    void tcp_reset();
    void tcp_payload();

    Sequence add_message(Described described);
    // A request or answer that belongs to `key`. The request's number is that of its first packet.
    Sequence request(const std::string& key, Described described, RequestTraits traits);
    void answer(const std::string& key, Described described, const AnswerTraits& traits = {});
    // `leg` was answered by a message from `from` to `to`, which says that it looks like `mapped`.
    void note_mapping(const RequestTraits& traits, const Leg& leg, const Endpoint& from,
                      const Endpoint& to, const std::optional<Endpoint>& mapped);
    void asked_router(Protocol protocol, Sequence request);
    void version_refused(Protocol asked, Described described);
    void notice(Described described);
    // `answer` agrees to what was asked, or refuses it. `request`: Flow::no_message where it is not
    // known.
    void note_verdict(Sequence request, Sequence answer);
    void note_refusal(const Message* asked, const Message& said);
    bool repeated_request(Transaction& transaction, Leg& leg);
    void pair(Leg& leg, Sequence answer);
    Leg* leg_of_answer(Transaction& transaction);
    // Null where no such request is known.
    Leg* find_leg(const std::string& key, const Endpoint& from, const Endpoint& to);
    // The request of which an ICMP error quotes the beginning.
    std::optional<Sequence> quoted_request(const capture::IcmpError& error);
    void refuse(Flow& flow, std::size_t side, Described described);
    // `answer` says what becomes of `request`, both of this flow.
    void settle(Sequence request, Sequence answer, Fate fate);
    // The newest request of the other side of this flow is answered by `answer`.
    void pair_in_flow(Sequence answer, Fate fate);

    void end(const Transaction& transaction);
    void end_leg(const Transaction& transaction, const Leg& leg);
    void end_handshakes();
    void note_heard(const Flow& flow);
    void end(Flow& flow);
    void end_datagrams(Flow& flow);
    void end_connection(Flow& flow);
    void end_syn(const Flow& flow, std::size_t side);
    void count(const ExchangeKey& key, Fate fate, std::uint64_t sends, const Message* message);
    // A request that was sent first and last at these times: whether the capture ended too early to
    // tell that nobody answers.
    bool came_too_late(std::int64_t first_ns, std::int64_t last_ns) const;
    void add_conversation(const Flow& flow);

    void fill_messages(Outcome& result);
    void fill_remarks(Outcome& result) const;

    Filter filter_;
    capture::Dissector dissector_;
    capture::Segment segment_;
    Timeline timeline_;
    Messages messages_;
    FlowTable flows_;
    Transactions transactions_;
    Streams streams_;
    Evidence evidence_;
    HostTable hosts_;
    // The newest request for port mapping in each of the two protocols, from client to router.
    std::map<std::tuple<Protocol, Endpoint, Endpoint>, Sequence> port_control_;
    // The end of each chat handshake, by session and sender.
    std::map<std::string, Sequence> finished_;
    // What became of datagrams that asked, where that is told by something other than an answer
    // with their key.
    std::map<Sequence, Fate> settled_;
    Current current_;
    std::vector<Conversation> conversations_;  // the busiest, a heap
    std::uint64_t packets_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t understood_ = 0;
    std::uint64_t unknown_link_ = 0;
    std::uint64_t not_ip_ = 0;
    std::uint64_t other_protocol_ = 0;
    std::uint64_t malformed_ = 0;
    std::uint64_t other_version_ = 0;
    std::uint64_t filtered_ = 0;
};

}  // namespace p2pdiag::capture_plugin
