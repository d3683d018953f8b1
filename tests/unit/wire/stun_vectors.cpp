// The test vectors of RFC 5769, and messages as classic servers sent them.
#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "hex.hpp"
#include "wire/stun/attributes.hpp"
#include "wire/stun/message.hpp"

using namespace p2pdiag;
using p2pdiag::testing::hex;

namespace {

// RFC 5769 section 2.1.
const Bytes request = hex(R"(
    00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
    80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74
    00 24 00 04 6e 00 01 ff
    80 29 00 08 93 2f f9 b1 51 26 3b 36
    00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20
    00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2
    80 28 00 04 e5 7a 3b cf)");
// Section 2.2.
const Bytes response_v4 = hex(R"(
    01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
    80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
    00 20 00 08 00 01 a1 47 e1 12 a6 43
    00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7
    80 28 00 04 c0 7d 4c 96)");
// Section 2.3.
const Bytes response_v6 = hex(R"(
    01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
    80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
    00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9
    00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41
    80 28 00 04 c8 fb 0b 4c)");
// Section 2.4.
const Bytes long_term = hex(R"(
    00 01 00 60 21 12 a4 42 78 ad 34 33 c6 ad 72 c0 29 da 41 2e
    00 06 00 12 e3 83 9e e3 83 88 e3 83 aa e3 83 83 e3 82 af e3 82 b9 00 00
    00 15 00 1c 66 2f 2f 34 39 39 6b 39 35 34 64 36 4f 4c 33 34 6f 4c 39 46 53 54 76 79 36 34 73 41
    00 14 00 0b 65 78 61 6d 70 6c 65 2e 6f 72 67 00
    00 08 00 14 f6 70 24 65 6d d6 4a 3e 02 b8 e0 71 2e 85 c9 a2 8c a8 96 66)");

const std::string_view password = "VOkJxbRl1RmTxUk/WvJxBt";

}  // namespace

TEST_CASE("RFC 5769 2.1: a request with short-term credentials") {
    CHECK(stun::looks_like_stun(request));
    const auto message = stun::parse(request);
    REQUIRE(message.has_value());
    CHECK(message->message_class == stun::Class::request);
    CHECK(message->method == stun::Method::binding);
    CHECK(message->software == "STUN test client");
    CHECK(message->username == "evtj:h6vY");
    CHECK(message->fingerprint == stun::Seen::valid);
    CHECK(message->has_integrity);
    CHECK_FALSE(message->is_classic());
    REQUIRE(message->others.size() == 2);  // PRIORITY and ICE-CONTROLLED
    CHECK(message->others[0].type == 0x0024);
    CHECK(message->others[1].value == hex("93 2f f9 b1 51 26 3b 36"));
    CHECK(stun::check_integrity(request, as_bytes(password), crypto::hmac_sha1));
    CHECK_FALSE(stun::check_integrity(request, as_bytes("wrong"), crypto::hmac_sha1));
}

TEST_CASE("RFC 5769 2.2 and 2.3: responses") {
    const auto v4 = stun::parse(response_v4);
    REQUIRE(v4.has_value());
    CHECK(v4->message_class == stun::Class::success);
    CHECK(v4->software == "test vector");
    REQUIRE(v4->xor_mapped_address);
    CHECK(v4->xor_mapped_address->to_string() == "192.0.2.1:32853");
    CHECK(v4->reflexive_address() == v4->xor_mapped_address);
    CHECK(v4->fingerprint == stun::Seen::valid);
    CHECK(stun::check_integrity(response_v4, as_bytes(password), crypto::hmac_sha1));

    const auto v6 = stun::parse(response_v6);
    REQUIRE(v6.has_value());
    REQUIRE(v6->xor_mapped_address);
    CHECK(v6->xor_mapped_address->to_string() == "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
    CHECK(v6->fingerprint == stun::Seen::valid);
    CHECK(stun::check_integrity(response_v6, as_bytes(password), crypto::hmac_sha1));
}

TEST_CASE("RFC 5769 2.4: a request with long-term credentials") {
    const auto message = stun::parse(long_term);
    REQUIRE(message.has_value());
    CHECK(message->realm == "example.org");
    CHECK(message->nonce == "f//499k954d6OL34oL9FSTvy64sA");
    CHECK(message->fingerprint == stun::Seen::absent);
    REQUIRE(message->username);
    const Bytes key = crypto::long_term_key(*message->username, *message->realm, "TheMatrIX");
    CHECK(stun::check_integrity(long_term, key, crypto::hmac_sha1));
}

TEST_CASE("the long-term vector comes out of the encoder byte by byte") {
    auto message = stun::parse(long_term).value();
    stun::EncodeOptions options;
    options.fingerprint = false;
    options.integrity_key = crypto::long_term_key(*message.username, *message.realm, "TheMatrIX");
    options.hmac = crypto::hmac_sha1;
    // The RFC has the nonce before the realm; the order is free, so compare what it means.
    const Bytes again = stun::encode(message, options);
    CHECK(again.size() == long_term.size());
    CHECK(stun::check_integrity(again, options.integrity_key, crypto::hmac_sha1));
    CHECK(stun::parse(again)->nonce == message.nonce);
}

TEST_CASE("a changed byte is seen by fingerprint and integrity") {
    for (std::size_t i = stun::header_size; i < response_v4.size(); ++i) {
        Bytes damaged = response_v4;
        damaged[i] ^= 1;
        const auto message = stun::parse(damaged);
        INFO("byte " << i);
        if (message) CHECK(message->fingerprint != stun::Seen::valid);
    }
    Bytes damaged = response_v4;
    damaged[43] ^= 1;  // the port
    CHECK_FALSE(stun::check_integrity(damaged, as_bytes(password), crypto::hmac_sha1));
}

TEST_CASE("a classic reply of RFC 3489") {
    // MAPPED-ADDRESS 198.51.100.7:4096, SOURCE-ADDRESS 192.0.2.1:3478, CHANGED-ADDRESS
    // 192.0.2.2:3479, the XOR address under its old number, and REFLECTED-FROM.
    const Bytes reply = hex(R"(
        01 01 00 3c 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10
        00 01 00 08 00 01 10 00 c6 33 64 07
        00 04 00 08 00 01 0d 96 c0 00 02 01
        00 05 00 08 00 01 0d 97 c0 00 02 02
        80 20 00 08 00 01 11 02 c7 31 67 03
        00 0b 00 08 00 01 0d 96 c0 00 02 01)");
    const auto message = stun::parse(reply);
    REQUIRE(message.has_value());
    CHECK(message->is_classic());
    CHECK(message->mapped_address->to_string() == "198.51.100.7:4096");
    CHECK(message->xor_mapped_address->to_string() == "198.51.100.7:4096");
    CHECK(message->response_origin->to_string() == "192.0.2.1:3478");
    CHECK(message->other_address->to_string() == "192.0.2.2:3479");
    CHECK(stun::parse(stun::encode(*message))->other_address == message->other_address);
}

TEST_CASE("the newer name of an attribute wins over the older one, in either order") {
    const std::string head = "01 01 00 18 21 12 a4 42 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10";
    const std::string older = "00 05 00 08 00 01 00 05 c0 00 02 05";
    const std::string newer = "80 2c 00 08 00 01 00 06 c0 00 02 06";
    for (const std::string& both : {older + newer, newer + older}) {
        CHECK(stun::parse(hex(head + both))->other_address->to_string() == "192.0.2.6:6");
    }
}

TEST_CASE("RESPONSE-PORT is read with a value of two bytes and of four") {
    const std::string head = "00 01 00 08 21 12 a4 42 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10";
    CHECK(stun::parse(hex(head + "00 27 00 02 12 34 00 00"))->response_port == 0x1234);
    CHECK(stun::parse(hex(head + "00 27 00 04 12 34 00 00"))->response_port == 0x1234);
}

TEST_CASE("an attribute after MESSAGE-INTEGRITY does not count") {
    Bytes message = response_v4;
    message.resize(message.size() - 8);
    const Bytes late = hex("00 01 00 08 00 01 10 00 c6 33 64 07");
    message.insert(message.end(), late.begin(), late.end());
    message[3] = static_cast<std::uint8_t>(message.size() - stun::header_size);
    const auto parsed = stun::parse(message);
    REQUIRE(parsed.has_value());
    CHECK_FALSE(parsed->mapped_address);
    CHECK(stun::check_integrity(message, as_bytes(password), crypto::hmac_sha1));
}

TEST_CASE("hashes: RFC 2202 test case 2 and the empty key") {
    const auto digest =
        crypto::hmac_sha1(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"));
    CHECK(Bytes(digest.begin(), digest.end()) ==
          hex("ef fc df 6a e5 eb 2f a2 d2 74 16 d5 f1 84 df 9c 25 9a 7c 79"));
    const auto empty = crypto::hmac_sha1({}, {});
    CHECK(Bytes(empty.begin(), empty.end()) ==
          hex("fb db 1d 1b 18 aa 6c 08 32 4b 7d 64 b7 1f b7 63 70 69 0e 1d"));
    CHECK(stun::crc32(as_bytes("123456789")) == 0xCBF43926);
}
