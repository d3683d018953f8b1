// Whatever the encoder writes, the parser reads back; and no bytes at all upset the parser.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "wire/stun/message.hpp"

using namespace p2pdiag;

namespace {

rc::Gen<Endpoint> endpoints() {
    return rc::gen::exec([] {
        Endpoint endpoint;
        endpoint.port = *rc::gen::arbitrary<std::uint16_t>();
        const auto bytes = *rc::gen::arbitrary<std::array<std::uint8_t, 16>>();
        endpoint.address = *rc::gen::arbitrary<bool>()
                               ? IpAddress::v6(bytes)
                               : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
        return endpoint;
    });
}

template <class T>
std::optional<T> maybe(const rc::Gen<T>& gen) {
    if (!*rc::gen::arbitrary<bool>()) return std::nullopt;
    return *gen;
}

stun::Message any_message() {
    stun::Message message;
    message.message_class = static_cast<stun::Class>(*rc::gen::inRange(0, 4));
    message.method = static_cast<stun::Method>(*rc::gen::inRange(0, 0x1000));
    if (*rc::gen::arbitrary<bool>()) message.cookie = *rc::gen::arbitrary<std::uint32_t>();
    message.transaction = *rc::gen::arbitrary<stun::TransactionId>();
    message.mapped_address = maybe(endpoints());
    message.xor_mapped_address = maybe(endpoints());
    message.other_address = maybe(endpoints());
    message.response_origin = maybe(endpoints());
    message.alternate_server = maybe(endpoints());
    message.response_port = maybe(rc::gen::arbitrary<std::uint16_t>());
    if (*rc::gen::arbitrary<bool>()) {
        message.change_request =
            stun::ChangeRequest{*rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()};
    }
    if (*rc::gen::arbitrary<bool>()) {
        message.error = stun::ErrorCodeAttribute{*rc::gen::inRange(300, 700),
                                                 *rc::gen::arbitrary<std::string>()};
    }
    message.unknown_attributes = *rc::gen::arbitrary<std::vector<std::uint16_t>>();
    message.software = maybe(rc::gen::arbitrary<std::string>());
    message.username = maybe(rc::gen::arbitrary<std::string>());
    message.realm = maybe(rc::gen::arbitrary<std::string>());
    message.nonce = maybe(rc::gen::arbitrary<std::string>());
    return message;
}

}  // namespace

TEST_CASE("what is written is read back") {
    CHECK(rc::check("encode then parse", [] {
        const stun::Message sent = any_message();
        stun::EncodeOptions options;
        options.fingerprint = *rc::gen::arbitrary<bool>();
        options.integrity_key = *rc::gen::arbitrary<Bytes>();
        if (*rc::gen::arbitrary<bool>()) options.hmac = crypto::hmac_sha1;
        const Bytes bytes = stun::encode(sent, options);

        RC_ASSERT(stun::looks_like_stun(bytes));
        const auto parsed = stun::parse(bytes);
        RC_ASSERT(parsed.has_value());
        RC_ASSERT(parsed->message_class == sent.message_class);
        RC_ASSERT(parsed->method == sent.method);
        RC_ASSERT(parsed->cookie == sent.cookie);
        RC_ASSERT(parsed->transaction == sent.transaction);
        RC_ASSERT(parsed->mapped_address == sent.mapped_address);
        RC_ASSERT(parsed->xor_mapped_address == sent.xor_mapped_address);
        RC_ASSERT(parsed->other_address == sent.other_address);
        RC_ASSERT(parsed->response_origin == sent.response_origin);
        RC_ASSERT(parsed->alternate_server == sent.alternate_server);
        RC_ASSERT(parsed->change_request == sent.change_request);
        RC_ASSERT(parsed->response_port == sent.response_port);
        RC_ASSERT(parsed->error.has_value() == sent.error.has_value());
        if (sent.error) {
            RC_ASSERT(parsed->error->code == sent.error->code);
            RC_ASSERT(parsed->error->reason == sent.error->reason);
        }
        RC_ASSERT(parsed->unknown_attributes == sent.unknown_attributes);
        RC_ASSERT(parsed->software == sent.software);
        RC_ASSERT(parsed->username == sent.username);
        RC_ASSERT(parsed->realm == sent.realm);
        RC_ASSERT(parsed->nonce == sent.nonce);
        const bool fingerprinted = options.fingerprint && !sent.is_classic();
        RC_ASSERT((parsed->fingerprint == stun::Seen::valid) == fingerprinted);
        RC_ASSERT(parsed->has_integrity == static_cast<bool>(options.hmac));
        RC_ASSERT(stun::check_integrity(bytes, options.integrity_key, crypto::hmac_sha1) ==
                  static_cast<bool>(options.hmac));
    }));
}

TEST_CASE("any bytes are parsed or refused, and what is parsed can be written again") {
    CHECK(rc::check("parse garbage", [] {
        Bytes bytes = *rc::gen::arbitrary<Bytes>();
        if (*rc::gen::arbitrary<bool>()) {
            // Past the header check, so that the attributes are reached.
            bytes.resize(stun::header_size + bytes.size() / 4 * 4);
            bytes[0] &= 0x3F;
            bytes[2] = 0;
            bytes[3] = static_cast<std::uint8_t>(bytes.size() - stun::header_size);
        }
        const auto parsed = stun::parse(bytes);
        if (parsed) RC_ASSERT(stun::parse(stun::encode(*parsed)).has_value());
        stun::check_integrity(bytes, {}, crypto::hmac_sha1);
    }));
}

TEST_CASE("a damaged message is parsed or refused") {
    CHECK(rc::check("flip bytes", [] {
        Bytes bytes = stun::encode(any_message());
        const auto flips = *rc::gen::inRange(1, 8);
        for (int i = 0; i < flips; ++i) {
            bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^=
                *rc::gen::arbitrary<std::uint8_t>();
        }
        const auto parsed = stun::parse(bytes);
        if (parsed) RC_ASSERT(stun::parse(stun::encode(*parsed)).has_value());
        stun::check_integrity(bytes, {}, crypto::hmac_sha1);
    }));
}
