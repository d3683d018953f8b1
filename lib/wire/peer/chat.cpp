#include "wire/peer/chat.hpp"

#include <algorithm>
#include <stdexcept>

namespace p2pdiag::chat {

namespace {

using envelope::Kind;

Result<Body> read_init(ByteReader reader) {
    if (reader.remaining() != init_size - envelope::size) return ParseError::bad_length;
    Init init;
    Cookie cookie{};
    std::ranges::copy(reader.take(cookie.size()), cookie.begin());
    if (!envelope::all_zero(cookie)) init.cookie = cookie;
    const std::size_t size = reader.u16();
    if (size == 0 || size > max_init_payload) return ParseError::bad_length;
    init.payload = reader.take(size);
    if (!envelope::all_zero(reader.take(reader.remaining()))) return ParseError::not_canonical;
    return Body(init);
}

Result<Body> read_cookie(ByteReader reader) {
    CookieReply reply;
    if (reader.remaining() != reply.cookie.size()) return ParseError::bad_length;
    std::ranges::copy(reader.take(reply.cookie.size()), reply.cookie.begin());
    if (envelope::all_zero(reply.cookie)) return ParseError::not_canonical;
    return Body(reply);
}

template <class Part>
Result<Body> read_payload(ByteReader reader) {
    const std::size_t size = reader.remaining();
    if (size == 0 || size > max_handshake_payload) return ParseError::bad_length;
    return Body(Part{reader.take(size)});
}

template <class Part>
Result<Body> read_sealed(ByteReader reader) {
    if (reader.remaining() < sizeof(std::uint64_t) + tag_size) return ParseError::too_short;
    Part part;
    part.counter = reader.u64();
    part.sealed = reader.take(reader.remaining());
    return Body(part);
}

Result<Body> read_body(const envelope::Envelope& head, ByteReader reader) {
    switch (head.kind) {
        case Kind::init: return read_init(reader);
        case Kind::cookie: return read_cookie(reader);
        case Kind::response: return read_payload<Response>(reader);
        case Kind::finish: return read_payload<Finish>(reader);
        case Kind::data: return read_sealed<Data>(reader);
        case Kind::close: return read_sealed<Close>(reader);
        case Kind::unsupported:
            if (reader.remaining() != 0) return ParseError::bad_length;
            return Body(Unsupported{head.version});
        case Kind::ping:
        case Kind::pong: break;
    }
    return ParseError::wrong_kind;
}

void require_size(ByteView part, std::size_t least, std::size_t most) {
    if (part.size() < least || part.size() > most) {
        throw std::length_error("a part of a chat message has a size that it may not have");
    }
}

void require_cookie(const Cookie& cookie) {
    if (envelope::all_zero(cookie)) throw std::invalid_argument("a cookie of zeros is none");
}

// What stands behind the envelope.
struct WriteBody {
    ByteWriter& writer;

    Kind operator()(const Init& init) const {
        require_size(init.payload, 1, max_init_payload);
        if (init.cookie) require_cookie(*init.cookie);
        writer.append(init.cookie.value_or(Cookie{}));
        writer.u16(static_cast<std::uint16_t>(init.payload.size()));
        writer.append(init.payload);
        writer.zeros(max_init_payload - init.payload.size());
        return Kind::init;
    }
    Kind operator()(const CookieReply& reply) const {
        require_cookie(reply.cookie);
        writer.append(reply.cookie);
        return Kind::cookie;
    }
    Kind operator()(const Response& response) const {
        return payload(response.payload, Kind::response);
    }
    Kind operator()(const Finish& finish) const { return payload(finish.payload, Kind::finish); }
    Kind operator()(const Data& data) const { return sealed(data, Kind::data); }
    Kind operator()(const Close& close) const { return sealed(close, Kind::close); }
    Kind operator()(const Unsupported& refusal) const {
        if (refusal.speaks == 0 || refusal.speaks == envelope::version) {
            throw std::invalid_argument("whoever speaks this version does not refuse it");
        }
        return Kind::unsupported;
    }

private:
    Kind payload(ByteView bytes, Kind kind) const {
        require_size(bytes, 1, max_handshake_payload);
        writer.append(bytes);
        return kind;
    }
    template <class Part>
    Kind sealed(const Part& part, Kind kind) const {
        require_size(part.sealed, tag_size, max_sealed);
        writer.u64(part.counter);
        writer.append(part.sealed);
        return kind;
    }
};

}  // namespace

Result<Message> parse(ByteView datagram) {
    const auto head = envelope::parse_whole(datagram);
    if (!head) return head.error();
    auto body = read_body(*head, ByteReader(datagram.subspan(envelope::size)));
    if (!body) return body.error();
    return Message{head->session, *body};
}

Bytes encode(const Message& message) {
    ByteWriter body;
    const Kind kind = std::visit(WriteBody{body}, message.body);
    const auto* refusal = std::get_if<Unsupported>(&message.body);
    ByteWriter writer;
    envelope::append(writer, {refusal == nullptr ? envelope::version : refusal->speaks, kind,
                              static_cast<std::uint16_t>(body.size()), message.session});
    writer.append(body.view());
    return writer.take();
}

}  // namespace p2pdiag::chat
