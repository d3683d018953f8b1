// Packets handed to an analysis one by one, with a clock of the test's own.
#pragma once

#include <algorithm>

#include "../capture/packets.hpp"
#include "analysis.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::testing {

using capture_plugin::Fate;
using capture_plugin::Kind;
using capture_plugin::Message;
using capture_plugin::Outcome;
using capture_plugin::Protocol;
using capture_plugin::Role;

inline const Endpoint outside = at("11.22.33.7:40000");
inline const Endpoint other_server = at("11.22.33.11:3478");
inline const Endpoint peer = at("11.22.33.9:5000");
inline const Endpoint web = at("11.22.33.20:80");
inline const Endpoint router = at("192.168.7.1:5351");

class Feed {
public:
    explicit Feed(capture_plugin::Filter filter = {}) : analysis_(filter) {}

    // `after`: milliseconds since the packet before; less than 0 turns the clock back.
    Feed& packet(const Bytes& ip, std::int64_t after = 10,
                 capture::Direction direction = capture::Direction::unknown,
                 std::string_view comment = {}) {
        return link(capture::LinkType::raw, ip, after, direction, comment);
    }
    // The same from the link's header on.
    Feed& link(capture::LinkType type, const Bytes& bytes, std::int64_t after = 10,
               capture::Direction direction = capture::Direction::unknown,
               std::string_view comment = {}) {
        time_ns_ += after * 1'000'000;
        capture::Packet packet;
        packet.number = ++number_;
        packet.time_ns = time_ns_;
        packet.link_type = type;
        packet.direction = direction;
        packet.data = bytes;
        packet.original_size = static_cast<std::uint32_t>(bytes.size());
        if (!comment.empty()) packet.comments = std::span(&comment, 1);
        analysis_.add(packet);
        return *this;
    }
    Feed& udp(const Endpoint& from, const Endpoint& to, ByteView payload, std::int64_t after = 10) {
        return packet(udp_packet(from, to, payload), after);
    }
    Feed& tcp(const Endpoint& from, const Endpoint& to, std::uint32_t sequence, TcpFlags flags,
              ByteView payload = {}, std::int64_t after = 10) {
        return packet(tcp_packet(from, to, sequence, flags, payload), after);
    }
    // Something else, so late that silence means something.
    Feed& later() { return udp(at("192.168.7.9:1"), at("224.0.0.5:9"), Bytes{1}, 10'000); }
    Outcome finish(bool lost = false) { return analysis_.finish(lost); }
    // The capture went on so many milliseconds after the last packet.
    Outcome finish_after(std::int64_t silence) {
        return analysis_.finish(false, time_ns_ + silence * 1'000'000);
    }

private:
    capture_plugin::Analysis analysis_;
    std::uint64_t number_ = 0;
    std::int64_t time_ns_ = 1'700'000'000'000'000'000;
};

inline Feed& connect(Feed& feed) {
    feed.tcp(client, web, 100, {.syn = true}).tcp(web, client, 900, {.syn = true, .ack = true});
    return feed.tcp(client, web, 101, {.ack = true});
}
inline Bytes bytes_of(const std::string& text) { return Bytes(text.begin(), text.end()); }

inline Bytes binding(std::uint8_t id, std::optional<stun::ChangeRequest> change = {}) {
    stun::Message message;
    message.transaction[0] = id;
    message.change_request = change;
    return stun::encode(message);
}
inline Bytes mapped(std::uint8_t id, const Endpoint& address) {
    stun::Message message;
    message.message_class = stun::Class::success;
    message.transaction[0] = id;
    message.xor_mapped_address = address;
    return stun::encode(message);
}

// With a MESSAGE-INTEGRITY that nobody checks.
inline Bytes with_integrity(const stun::Message& message) {
    stun::EncodeOptions options;
    options.integrity_key = {1};
    options.hmac = [](ByteView, ByteView) { return std::array<std::uint8_t, 20>{}; };
    return stun::encode(message, options);
}
// A connectivity check of ICE and its answer (RFC 8445 section 7.1.1).
inline Bytes ice_check(std::uint8_t id, const std::string& username) {
    stun::Message message;
    message.transaction[0] = id;
    message.username = username;
    message.others = {{0x0024, Bytes{0x6E, 0, 1, 0xFF}}};
    return with_integrity(message);
}
inline Bytes ice_answer(std::uint8_t id, const Endpoint& address) {
    stun::Message message;
    message.message_class = stun::Class::success;
    message.transaction[0] = id;
    message.xor_mapped_address = address;
    return with_integrity(message);
}

inline std::vector<Finding> with_code(const Outcome& outcome, const std::string& code) {
    std::vector<Finding> found;
    std::ranges::copy_if(outcome.findings, std::back_inserter(found),
                         [&](const Finding& finding) { return finding.code == code; });
    return found;
}
inline bool has(const Outcome& outcome, const std::string& code) {
    return !with_code(outcome, code).empty();
}
inline Role role_of(const Outcome& outcome, const IpAddress& address) {
    for (const auto& host : outcome.hosts) {
        if (host.address == address) return host.role;
    }
    return Role::unknown;
}

}  // namespace p2pdiag::testing
