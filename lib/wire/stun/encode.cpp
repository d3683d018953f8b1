#include <stdexcept>

#include "wire/stun/attributes.hpp"

namespace p2pdiag::stun {

namespace {

class Encoder {
public:
    explicit Encoder(const Message& message) : message_(message) {}

    Bytes run(const EncodeOptions& options) {
        header();
        addresses();
        discovery();
        result();
        credentials();
        for (const RawAttribute& raw : message_.others) {
            attribute(static_cast<Attribute>(raw.type), raw.value);
        }
        if (options.hmac) {
            // RFC 8489 section 14.5: the length field counts up to and with MESSAGE-INTEGRITY.
            set_length(attribute_header_size + hmac_sha1_size);
            const auto hmac = options.hmac(options.integrity_key, writer_.view());
            attribute(Attribute::message_integrity, hmac);
        }
        if (options.fingerprint && !message_.is_classic()) {
            // RFC 8489 section 14.7: the length field counts FINGERPRINT as well.
            set_length(attribute_header_size + sizeof(std::uint32_t));
            ByteWriter value;
            value.u32(crc32(writer_.view()) ^ fingerprint_xor);
            attribute(Attribute::fingerprint, value.view());
        }
        set_length(0);
        return writer_.take();
    }

private:
    void header() {
        // RFC 8489 section 5, figure 3.
        const auto method = static_cast<unsigned>(message_.method);
        const auto kind = static_cast<unsigned>(message_.message_class);
        const unsigned type = (method & 0x000F) | (method & 0x0070) << 1 | (method & 0x0F80) << 2 |
                              (kind & 1) << 4 | (kind & 2) << 7;
        writer_.u16(static_cast<std::uint16_t>(type));
        writer_.u16(0);
        writer_.u32(message_.cookie);
        writer_.append(message_.transaction);
    }

    // The length of what is there, and of `more` to come.
    void set_length(std::size_t more) {
        const std::size_t length = writer_.size() - header_size + more;
        if (length > 0xFFFF) throw std::length_error("STUN message longer than 65 535 bytes");
        writer_.patch_u16(2, static_cast<std::uint16_t>(length));
    }

    void attribute(Attribute type, ByteView value) {
        if (value.size() > 0xFFFF) throw std::length_error("STUN attribute too long");
        writer_.u16(static_cast<std::uint16_t>(type));
        writer_.u16(static_cast<std::uint16_t>(value.size()));
        writer_.append(value);
        writer_.zeros(padding_of(value.size()));
    }

    void address(Attribute type, const std::optional<Endpoint>& endpoint) {
        if (!endpoint) return;
        const bool v4 = endpoint->address.is_v4();
        ByteWriter value;
        value.u8(0);
        value.u8(v4 ? 1 : 2);
        value.u16(endpoint->port);
        value.append(ByteView(endpoint->address.bytes()).first(v4 ? 4 : 16));
        attribute(type, value.view());
    }

    void text(Attribute type, const std::optional<std::string>& value) {
        if (value) attribute(type, as_bytes(*value));
    }

    void addresses() {
        const bool classic = message_.is_classic();
        address(Attribute::mapped_address, message_.mapped_address);
        if (message_.xor_mapped_address) {
            address(
                classic ? Attribute::old_xor_mapped_address : Attribute::xor_mapped_address,
                xor_endpoint(*message_.xor_mapped_address, message_.cookie, message_.transaction));
        }
        address(classic ? Attribute::source_address : Attribute::response_origin,
                message_.response_origin);
        address(classic ? Attribute::changed_address : Attribute::other_address,
                message_.other_address);
        address(Attribute::alternate_server, message_.alternate_server);
    }

    void discovery() {
        if (message_.change_request) {
            ByteWriter value;
            value.u32((message_.change_request->address ? 4U : 0U) |
                      (message_.change_request->port ? 2U : 0U));
            attribute(Attribute::change_request, value.view());
        }
        if (message_.response_port) {
            // With the reserved bits counted in: the form that both coturn and stuntman read.
            ByteWriter value;
            value.u16(*message_.response_port);
            value.u16(0);
            attribute(Attribute::response_port, value.view());
        }
    }

    void result() {
        if (message_.error) {
            ByteWriter value;
            value.u16(0);
            value.u8(static_cast<std::uint8_t>(message_.error->code / 100 & 7));
            value.u8(static_cast<std::uint8_t>(message_.error->code % 100));
            value.append(as_bytes(message_.error->reason));
            attribute(Attribute::error_code, value.view());
        }
        if (!message_.unknown_attributes.empty()) {
            ByteWriter value;
            for (const std::uint16_t type : message_.unknown_attributes) value.u16(type);
            attribute(Attribute::unknown_attributes, value.view());
        }
    }

    void credentials() {
        text(Attribute::username, message_.username);
        text(Attribute::realm, message_.realm);
        text(Attribute::nonce, message_.nonce);
        text(Attribute::software, message_.software);
    }

    const Message& message_;
    ByteWriter writer_;
};

}  // namespace

Bytes encode(const Message& message, const EncodeOptions& options) {
    return Encoder(message).run(options);
}

}  // namespace p2pdiag::stun
