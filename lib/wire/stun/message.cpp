#include "wire/stun/message.hpp"

#include <algorithm>

#include "wire/stun/attributes.hpp"

namespace p2pdiag::stun {

namespace {

// No real message comes near; a datagram of empty attributes would hold 16 000.
constexpr std::size_t max_attributes = 64;

struct ParseCategory : boost::system::error_category {
    const char* name() const noexcept override { return "stun"; }
    std::string message(int value) const override {
        switch (static_cast<ParseError>(value)) {
            case ParseError::too_short: return "shorter than a STUN header";
            case ParseError::not_stun: return "the first two bits are not zero: not STUN";
            case ParseError::bad_length: return "the length field does not fit the message";
            case ParseError::truncated_attribute: return "an attribute runs past the end";
            case ParseError::bad_attribute: return "an attribute has an impossible value";
            case ParseError::too_many_attributes: return "too many attributes";
        }
        return "unknown STUN error";
    }
};

// RFC 8489 section 14.1: eight ignored bits, the family (1 or 2), the port, the address.
std::optional<Endpoint> read_address(ByteView value) {
    ByteReader reader(value);
    reader.u8();
    const std::uint8_t family = reader.u8();
    Endpoint endpoint;
    endpoint.port = reader.u16();
    if (family == 1 && reader.remaining() == 4) {
        endpoint.address = IpAddress::v4(reader.u32());
    } else if (family == 2 && reader.remaining() == 16) {
        std::array<std::uint8_t, 16> bytes{};
        const ByteView taken = reader.take(bytes.size());
        std::copy(taken.begin(), taken.end(), bytes.begin());
        endpoint.address = IpAddress::v6(bytes);
    } else {
        return std::nullopt;
    }
    return endpoint;
}

// RFC 8489 section 14.8: 21 reserved bits, class 3 to 6, number 0 to 99, reason phrase.
std::optional<ErrorCodeAttribute> read_error_code(ByteView value) {
    ByteReader reader(value);
    reader.u16();
    const int hundreds = reader.u8() & 7;
    const int number = reader.u8();
    if (!reader.ok() || hundreds < 3 || hundreds > 6 || number > 99) return std::nullopt;
    const std::string_view reason = as_text(reader.take(reader.remaining()));
    return ErrorCodeAttribute{hundreds * 100 + number, std::string(reason)};
}

// RFC 5780 section 7.2: 32 bits, of which 0x4 means "change IP" and 0x2 "change port".
std::optional<ChangeRequest> read_change_request(ByteView value) {
    if (value.size() != 4) return std::nullopt;
    const std::uint32_t bits = ByteReader(value).u32();
    return ChangeRequest{(bits & 4) != 0, (bits & 2) != 0};
}

// RFC 5780 section 7.5 draws a port and 16 reserved bits. Some count those in the value length,
// some take them for padding.
std::optional<std::uint16_t> read_response_port(ByteView value) {
    if (value.size() != 2 && value.size() != 4) return std::nullopt;
    return ByteReader(value).u16();
}

// RFC 8489 section 14: what may be ignored, or is known though of no use here.
bool is_understood(const RawAttribute& attribute) {
    constexpr std::uint16_t first_optional = 0x8000;
    if (attribute.type >= first_optional) return true;
    switch (static_cast<Attribute>(attribute.type)) {
        case Attribute::padding:
        case Attribute::response_address:
        case Attribute::password:
        case Attribute::reflected_from:
        case Attribute::message_integrity_sha256: return true;
        default: return false;
    }
}

class Parser {
public:
    explicit Parser(ByteView datagram) : datagram_(datagram), reader_(datagram) {}

    Result<Message> run() {
        if (const ErrorCode error = header()) return error;
        for (std::size_t count = 0; reader_.remaining() > 0; ++count) {
            if (count == max_attributes) return ParseError::too_many_attributes;
            if (const ErrorCode error = attribute()) return error;
        }
        finish();
        return std::move(message_);
    }

private:
    ErrorCode header() {
        const std::uint16_t type = reader_.u16();
        const std::uint16_t length = reader_.u16();
        message_.cookie = reader_.u32();
        const ByteView id = reader_.take(message_.transaction.size());
        if (!reader_.ok()) return ParseError::too_short;
        if ((type & 0xC000) != 0) return ParseError::not_stun;
        if (length % 4 != 0 || length != reader_.remaining()) return ParseError::bad_length;
        // RFC 8489 section 5, figure 3: the two class bits lie between the twelve of the method.
        message_.message_class = static_cast<Class>((type >> 7 & 2) | (type >> 4 & 1));
        message_.method =
            static_cast<Method>((type & 0x000F) | (type >> 1 & 0x0070) | (type >> 2 & 0x0F80));
        std::copy(id.begin(), id.end(), message_.transaction.begin());
        return {};
    }

    ErrorCode attribute() {
        const std::size_t start = datagram_.size() - reader_.remaining();
        const std::uint16_t number = reader_.u16();
        const std::uint16_t size = reader_.u16();
        const ByteView value = reader_.take(size);
        reader_.take(padding_of(size));
        if (!reader_.ok()) return ParseError::truncated_attribute;

        const auto type = static_cast<Attribute>(number);
        if (type == Attribute::fingerprint) return fingerprint(value, start);
        // RFC 8489 section 14.5: what follows MESSAGE-INTEGRITY is not protected by it.
        if (message_.has_integrity) return {};
        std::optional<bool> valid = address(type, value);
        if (!valid) valid = text(type, value);
        if (!valid) valid = other(type, value);
        return *valid ? ErrorCode() : ParseError::bad_attribute;
    }

    ErrorCode fingerprint(ByteView value, std::size_t start) {
        if (value.size() != 4) return ParseError::bad_attribute;
        // RFC 8489 section 14.7: "it MUST be the last attribute in the message".
        const bool last = reader_.remaining() == 0;
        const std::uint32_t expected = crc32(datagram_.first(start)) ^ fingerprint_xor;
        const bool right = last && ByteReader(value).u32() == expected;
        message_.fingerprint = right ? Seen::valid : Seen::invalid;
        return {};
    }

    // RFC 8489 section 14: of an attribute that comes twice, "only the first occurrence needs to
    // be processed".
    template <class T>
    static bool keep_first(std::optional<T>& member, std::optional<T> value) {
        if (!value) return false;
        if (!member) member = std::move(value);
        return true;
    }

    // Whether the value is valid; nothing when this is not an attribute of the kind.
    std::optional<bool> address(Attribute type, ByteView value) {
        std::optional<Endpoint>* member = nullptr;
        bool masked = false;
        switch (type) {
            case Attribute::mapped_address: member = &message_.mapped_address; break;
            case Attribute::xor_mapped_address:
                member = &message_.xor_mapped_address;
                masked = true;
                break;
            case Attribute::old_xor_mapped_address:
                member = &old_xor_mapped_;
                masked = true;
                break;
            case Attribute::other_address: member = &message_.other_address; break;
            case Attribute::changed_address: member = &changed_address_; break;
            case Attribute::response_origin: member = &message_.response_origin; break;
            case Attribute::source_address: member = &source_address_; break;
            case Attribute::alternate_server: member = &message_.alternate_server; break;
            default: return std::nullopt;
        }
        std::optional<Endpoint> endpoint = read_address(value);
        if (endpoint && masked) {
            endpoint = xor_endpoint(*endpoint, message_.cookie, message_.transaction);
        }
        return keep_first(*member, endpoint);
    }

    std::optional<bool> text(Attribute type, ByteView value) {
        std::optional<std::string>* member = nullptr;
        switch (type) {
            case Attribute::software: member = &message_.software; break;
            case Attribute::username: member = &message_.username; break;
            case Attribute::realm: member = &message_.realm; break;
            case Attribute::nonce: member = &message_.nonce; break;
            default: return std::nullopt;
        }
        return keep_first(*member, std::optional<std::string>(as_text(value)));
    }

    bool other(Attribute type, ByteView value) {
        switch (type) {
            case Attribute::change_request:
                return keep_first(message_.change_request, read_change_request(value));
            case Attribute::response_port:
                return keep_first(message_.response_port, read_response_port(value));
            case Attribute::error_code: return keep_first(message_.error, read_error_code(value));
            case Attribute::unknown_attributes: return unknown_attributes(value);
            case Attribute::message_integrity:
                message_.has_integrity = true;
                return value.size() == hmac_sha1_size;
            default: break;
        }
        message_.others.push_back(
            {static_cast<std::uint16_t>(type), Bytes(value.begin(), value.end())});
        return true;
    }

    bool unknown_attributes(ByteView value) {
        if (value.size() % 2 != 0) return false;
        if (!message_.unknown_attributes.empty()) return true;
        for (ByteReader types(value); types.remaining() > 0;) {
            message_.unknown_attributes.push_back(types.u16());
        }
        return true;
    }

    void finish() {
        if (!message_.xor_mapped_address) message_.xor_mapped_address = old_xor_mapped_;
        if (!message_.other_address) message_.other_address = changed_address_;
        if (!message_.response_origin) message_.response_origin = source_address_;
    }

    ByteView datagram_;
    ByteReader reader_;
    Message message_;
    // The older names of an attribute count only where the newer one is absent.
    std::optional<Endpoint> old_xor_mapped_;
    std::optional<Endpoint> changed_address_;
    std::optional<Endpoint> source_address_;
};

}  // namespace

const boost::system::error_category& parse_category() {
    static const ParseCategory category;
    return category;
}

ErrorCode make_error_code(ParseError error) { return {static_cast<int>(error), parse_category()}; }

bool looks_like_stun(ByteView datagram) {
    ByteReader reader(datagram);
    const std::uint16_t type = reader.u16();
    const std::uint16_t length = reader.u16();
    if (datagram.size() < header_size) return false;
    return (type & 0xC000) == 0 && length % 4 == 0 && header_size + length == datagram.size();
}

Result<std::size_t> size_on_stream(ByteView start) {
    if (start.size() < header_size) return make_error_code(ParseError::too_short);
    ByteReader reader(start);
    const std::uint16_t type = reader.u16();
    const std::size_t length = reader.u16();
    if ((type & 0xC000) != 0) return make_error_code(ParseError::not_stun);
    // Whoever believed it would wait for bytes that never come.
    if (length % 4 != 0) return make_error_code(ParseError::bad_length);
    return header_size + length;
}

Result<Message> parse(ByteView datagram) { return Parser(datagram).run(); }

bool is_usable(const Endpoint& endpoint) {
    const AddressScope scope = endpoint.address.scope();
    return endpoint.port != 0 && scope != AddressScope::unspecified &&
           scope != AddressScope::multicast && scope != AddressScope::reserved;
}

BindingResponse as_binding_response(const Message& message) {
    const bool understood =
        std::all_of(message.others.begin(), message.others.end(), is_understood);
    if (message.method != Method::binding || message.fingerprint == Seen::invalid || !understood) {
        return BindingResponse::invalid;
    }
    const auto reflexive = message.reflexive_address();
    if (message.message_class == Class::success && reflexive && is_usable(*reflexive)) {
        return BindingResponse::success;
    }
    const bool error = message.message_class == Class::error && message.error.has_value();
    return error ? BindingResponse::error : BindingResponse::invalid;
}

}  // namespace p2pdiag::stun
