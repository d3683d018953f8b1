#include "wire/peer/envelope.hpp"

#include <algorithm>

namespace p2pdiag::envelope {

namespace {

struct EnvelopeCategory : boost::system::error_category {
    const char* name() const noexcept override { return "p2pdiag"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::too_short: return "shorter than its kind";
            case ParseError::foreign: return "not of p2pdiag";
            case ParseError::wrong_version: return "of a version that is not spoken here";
            case ParseError::wrong_kind: return "of a kind that is not expected here";
            case ParseError::bad_length: return "not the size that its kind has";
            case ParseError::not_canonical: return "not written the one way it may be";
        }
        return "unknown error of p2pdiag's own messages";
    }
};

bool is_known(Kind kind) { return kind >= Kind::ping && kind <= Kind::unsupported; }

}  // namespace

const boost::system::error_category& parse_category() {
    static const EnvelopeCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::ping: return "ping";
        case Kind::pong: return "pong";
        case Kind::init: return "init";
        case Kind::cookie: return "cookie";
        case Kind::response: return "response";
        case Kind::finish: return "finish";
        case Kind::data: return "data";
        case Kind::close: return "close";
        case Kind::unsupported: return "unsupported";
    }
    return "unknown";
}

bool looks_like_ours(ByteView datagram) {
    return datagram.size() >= size && std::ranges::equal(datagram.first(magic.size()), magic);
}

Result<Envelope> parse(ByteView start) {
    if (start.size() < size) return ParseError::too_short;
    if (!looks_like_ours(start)) return ParseError::foreign;
    ByteReader reader(start.subspan(magic.size()));
    Envelope envelope;
    envelope.version = reader.u8();
    envelope.kind = static_cast<Kind>(reader.u8());
    envelope.length = reader.u16();
    std::ranges::copy(reader.take(envelope.session.size()), envelope.session.begin());
    if (envelope.version == 0) return ParseError::foreign;
    if (envelope.kind == Kind{}) return ParseError::wrong_kind;
    if (envelope.version == version && !is_known(envelope.kind)) return ParseError::wrong_kind;
    return envelope;
}

Result<Envelope> parse_whole(ByteView datagram) {
    auto envelope = parse(datagram);
    if (!envelope) return envelope;
    if (envelope->length != datagram.size() - size) return ParseError::bad_length;
    // What says that a version is not spoken comes from somebody who speaks another one.
    const bool refusal = envelope->kind == Kind::unsupported;
    if (refusal == (envelope->version == version)) return ParseError::wrong_version;
    return envelope;
}

Result<std::size_t> size_on_stream(ByteView start) {
    const auto envelope = parse(start);
    if (!envelope) return envelope.error();
    const bool refusal = envelope->kind == Kind::unsupported;
    if (refusal == (envelope->version == version)) return ParseError::wrong_version;
    return size + envelope->length;
}

void append(ByteWriter& writer, const Envelope& envelope) {
    writer.append(magic);
    writer.u8(envelope.version);
    writer.u8(static_cast<std::uint8_t>(envelope.kind));
    writer.u16(envelope.length);
    writer.append(envelope.session);
}

bool all_zero(ByteView bytes) {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace p2pdiag::envelope
