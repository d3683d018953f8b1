// The first bytes of a TCP connection, put in order: as much as a handshake needs, and no more.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "capture/content.hpp"
#include "wire/http/head.hpp"
#include "wire/tls/handshake.hpp"

namespace p2pdiag::capture {

// One direction of a connection. Bounded by max_buffer bytes and max_waiting segments.
class StreamBytes {
public:
    static constexpr std::size_t max_buffer = 16 * 1024;
    static constexpr std::size_t max_waiting = 8;

    // `sequence`: of the first byte of the stream (RFC 9293: one after that of the SYN).
    explicit StreamBytes(std::uint32_t sequence) : next_(sequence) {}

    // Segments may come in any order and more than once; of one that the capture cut, or that is
    // larger than the buffer, what there is of it. False once the stream cannot be followed any
    // more: bytes are missing for good, or there are too many.
    bool add(std::uint32_t sequence, ByteView data);

    ByteView data() const { return ByteView(bytes_).subspan(begin_); }
    void consume(std::size_t size);
    std::size_t memory() const;  // bytes held, for a budget

private:
    struct Waiting {
        std::uint32_t sequence;
        Bytes data;
    };

    bool append(std::uint32_t sequence, ByteView data);
    bool take_waiting();

    std::uint32_t next_;  // sequence number of the byte after the last one in bytes_
    Bytes bytes_;
    std::size_t begin_ = 0;  // of what was not consumed yet
    std::vector<Waiting> waiting_;
};

// A message with its body, where the body is of interest (SOAP) and was seen whole.
struct HttpContent {
    http::Head head;
    std::string body;
};

struct TlsAlert {
    tls::Alert alert;
};

using StreamContent = std::variant<std::monostate, StunContent, PeerContent, HttpContent,
                                   tls::ClientHello, tls::ServerHello, TlsAlert>;

// Finds the messages in one direction.
class StreamParser {
public:
    explicit StreamParser(std::uint32_t sequence) : bytes_(sequence) {}

    // Hands a segment over. False once nothing more will be found: give the parser up.
    bool add(std::uint32_t sequence, ByteView data) {
        return alive_ && (alive_ = bytes_.add(sequence, data));
    }
    // The next whole message; monostate when there is none yet.
    StreamContent next();
    bool alive() const { return alive_; }
    std::size_t memory() const { return bytes_.memory() + handshake_.capacity(); }

private:
    enum class Protocol : std::uint8_t { unknown, stun, peer, http, tls };

    // Past what is of no interest; false while more of it is to come, or nothing behind it is
    // there.
    bool skip();
    void recognise();
    StreamContent next_stun();
    StreamContent next_peer();
    StreamContent next_http();
    StreamContent next_tls();
    StreamContent give_up();

    StreamBytes bytes_;
    Protocol protocol_ = Protocol::unknown;
    std::uint64_t skip_ = 0;  // bytes of a body that is not looked at
    Bytes handshake_;         // of TLS: the content of records so far
    bool alive_ = true;
};

}  // namespace p2pdiag::capture
