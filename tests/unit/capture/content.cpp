#include "capture/content.hpp"

#include <catch2/catch.hpp>

#include "packets.hpp"
#include "wire/peer/chat.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

capture::Segment datagram(ByteView payload, std::uint16_t to_port, bool cut = false) {
    capture::Segment segment;
    segment.carrier = capture::Carrier::udp;
    segment.from = at("192.168.7.2:4000");
    segment.to = at("11.22.33.10:" + std::to_string(to_port));
    segment.payload = payload;
    segment.cut = cut;
    return segment;
}

Bytes binding_response() {
    stun::Message message;
    message.message_class = stun::Class::success;
    message.transaction = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    message.xor_mapped_address = at("11.22.33.7:40000");
    message.software = "a server with a long name";
    return stun::encode(message);
}

capture::Content decode(ByteView payload, std::uint16_t port, capture::Acquaintance known = {},
                        bool cut = false) {
    const capture::Segment segment = datagram(payload, port, cut);
    const capture::Content content = capture::decode(segment, known);
    // What the quick look turns down must be nothing.
    if (!capture::may_have_content(segment, known)) {
        CHECK(std::holds_alternative<std::monostate>(content));
    }
    return content;
}

bool is_nothing(const capture::Content& content) {
    return std::holds_alternative<std::monostate>(content);
}

}  // namespace

TEST_CASE("STUN is found on any port by its cookie") {
    const Bytes message = binding_response();
    const auto content = decode(message, 50123);
    const auto* stun = std::get_if<capture::StunContent>(&content);
    REQUIRE(stun != nullptr);
    CHECK(stun->message.reflexive_address() == at("11.22.33.7:40000"));
    CHECK_FALSE(stun->partial);

    Bytes other = message;
    other[4] ^= 1;  // no cookie
    CHECK(is_nothing(decode(other, 50123)));
    Bytes longer = message;
    longer.push_back(0);
    CHECK(is_nothing(decode(longer, 50123)));
    Bytes channel = message;
    channel[0] |= 0x40;
    CHECK(is_nothing(decode(channel, 50123)));
}

TEST_CASE("of STUN that the snap length cut, the header and the whole attributes count") {
    const Bytes message = binding_response();
    for (std::size_t size = stun::header_size; size < message.size(); ++size) {
        const Bytes part(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size));
        const auto content = decode(part, 50123, {}, true);
        const auto* stun = std::get_if<capture::StunContent>(&content);
        REQUIRE(stun != nullptr);
        CHECK(stun->partial);
        CHECK(stun->message.transaction[11] == 12);
        if (stun->message.xor_mapped_address) {
            CHECK(stun->message.xor_mapped_address == at("11.22.33.7:40000"));
        }
    }
    // An attribute of known type with an impossible value: the header stays.
    Bytes broken = message;
    broken[stun::header_size + 5] = 9;
    const auto content = decode(broken, 50123);
    const auto* stun = std::get_if<capture::StunContent>(&content);
    REQUIRE(stun != nullptr);
    CHECK(stun->partial);
}

TEST_CASE("STUN without a cookie is believed where it fits all through") {
    stun::Message message;
    message.cookie = 0x01020304;
    const Bytes bare =
        stun::encode(message, {.fingerprint = false, .integrity_key = {}, .hmac = {}});
    CHECK(bare.size() == stun::header_size);
    CHECK(is_nothing(decode(bare, 50123)));
    CHECK(std::holds_alternative<capture::StunContent>(decode(bare, 3478)));
    CHECK(std::holds_alternative<capture::StunContent>(decode(bare, 50123, {.stun = true})));
    message.message_class = stun::Class::success;
    message.mapped_address = at("11.22.33.7:40000");
    const Bytes response =
        stun::encode(message, {.fingerprint = false, .integrity_key = {}, .hmac = {}});
    CHECK(std::holds_alternative<capture::StunContent>(decode(response, 50123)));
    CHECK(is_nothing(decode(Bytes(40), 50123)));
}

TEST_CASE("ChannelData counts only where TURN was seen") {
    const Bytes channel = {0x40, 0x01, 0x00, 0x04, 1, 2, 3, 4};
    CHECK(is_nothing(decode(channel, 3478)));
    const auto content = decode(channel, 3478, {.turn = true});
    const auto* data = std::get_if<turn::ChannelData>(&content);
    REQUIRE(data != nullptr);
    CHECK(data->channel == 0x4001);
    CHECK(data->data.size() == 4);
    // RTP begins with 0x80, and a length that does not fit is none.
    CHECK(is_nothing(decode(Bytes{0x80, 0x01, 0x00, 0x04, 1, 2, 3, 4}, 3478, {.turn = true})));
    CHECK(is_nothing(decode(Bytes{0x40, 0x01, 0x00, 0x40, 1, 2, 3, 4}, 3478, {.turn = true})));
}

TEST_CASE("protocols with a port of their own") {
    const auto natpmp_request = natpmp::encode(natpmp::Request{});
    CHECK(std::holds_alternative<natpmp::Request>(decode(natpmp_request, 5351)));
    CHECK(is_nothing(decode(natpmp_request, 5352)));
    pcp::Request request;
    request.client_address = *IpAddress::parse("192.168.7.2");
    CHECK(std::holds_alternative<pcp::Request>(decode(pcp::encode(request), 5351)));
    CHECK(std::holds_alternative<capture::Malformed>(decode(Bytes{9}, 5351)));
    const ssdp::Search search{"239.255.255.250:1900", "ssdp:all", 1};
    CHECK(std::holds_alternative<ssdp::Search>(decode(ssdp::encode(search), 1900)));
    CHECK(std::holds_alternative<capture::Malformed>(decode(as_bytes("GET"), 1900)));
    CHECK(std::holds_alternative<capture::Malformed>(decode(as_bytes("x"), 53)));
    const Bytes dtls = {22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
    CHECK(std::holds_alternative<capture::DtlsContent>(decode(dtls, 50123)));
}

namespace {

std::optional<capture::PeerContent> peer_of(const capture::Content& content) {
    const auto* peer = std::get_if<capture::PeerContent>(&content);
    return peer == nullptr ? std::nullopt : std::optional(*peer);
}

Bytes peer_ping() {
    probe::Probe probe;
    probe.transaction[0] = 7;
    return probe::encode(probe);
}

}  // namespace

TEST_CASE("our own messages are found on any port, that of another protocol too") {
    probe::Probe pong;
    pong.observed = at("11.22.33.7:40000");
    const Bytes payload(20, 1);
    for (const Bytes& message :
         {peer_ping(), probe::encode(pong), chat::encode({{}, chat::Init{{}, payload}}),
          chat::encode({{}, chat::Data{1, payload}}), chat::encode({{}, chat::Unsupported{9}})}) {
        for (const int port : {50123, 53, 1900, 3478, 5351}) {
            const auto peer = peer_of(
                decode(message, static_cast<std::uint16_t>(port), {.stun = true, .turn = true}));
            REQUIRE(peer);
            CHECK((peer->understood && !peer->partial));
        }
    }
    CHECK(peer_of(decode(probe::encode(pong), 9))->observed == pong.observed);
}

TEST_CASE("our own messages fill their datagram") {
    Bytes message = peer_ping();
    message.push_back(0);
    CHECK(is_nothing(decode(message, 50123)));
    message[4] = 2;
    CHECK(is_nothing(decode(message, 50123)));
    message.pop_back();
    CHECK_FALSE(peer_of(decode(message, 50123))->understood);
    for (std::size_t size = 0; size < message.size(); ++size) {
        CHECK(is_nothing(decode(ByteView(message).first(size), 50123)));
    }
}

TEST_CASE("of our own messages that were cut, what is there counts") {
    const Bytes ping = peer_ping();
    for (std::size_t size = 0; size < ping.size(); ++size) {
        INFO(size);
        const auto peer = peer_of(decode(ByteView(ping).first(size), 50123, {}, true));
        CHECK(peer.has_value() == (size >= envelope::size));
        if (!peer) continue;
        CHECK((peer->partial && peer->understood));
        CHECK(peer->transaction.has_value() == (size >= envelope::size + 12));
        if (peer->transaction) CHECK((*peer->transaction)[0] == 7);
    }
    const Bytes payload(20, 1);
    const Bytes init = chat::encode({{}, chat::Init{chat::Cookie{1}, payload}});
    CHECK(peer_of(decode(ByteView(init).first(32), 50123, {}, true))->has_cookie);
    CHECK_FALSE(peer_of(decode(ByteView(init).first(31), 50123, {}, true))->has_cookie);
    // A length that its kind cannot have, and one that ends before what is there.
    Bytes wrong = ping;
    wrong[6] = 9;
    CHECK(is_nothing(decode(ByteView(wrong).first(40), 50123, {}, true)));
    wrong[6] = 0;
    wrong[7] = 1;
    CHECK(is_nothing(decode(ByteView(wrong).first(40), 50123, {}, true)));
}
