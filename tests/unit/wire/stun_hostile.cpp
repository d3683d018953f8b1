// What a hostile or broken sender may hand to the codec.
#include <algorithm>
#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "hex.hpp"
#include "wire/stun/message.hpp"

using namespace p2pdiag;
using p2pdiag::testing::hex;

namespace {

const std::string id = "21 12 a4 42 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10";

// A binding success response with these attributes and a fitting length field.
Bytes response(std::string_view attributes) {
    Bytes bytes = hex("01 01 00 00" + id);
    const Bytes body = hex(attributes);
    bytes.insert(bytes.end(), body.begin(), body.end());
    bytes[2] = static_cast<std::uint8_t>(body.size() >> 8);
    bytes[3] = static_cast<std::uint8_t>(body.size());
    return bytes;
}

ErrorCode error_of(ByteView bytes) {
    const auto parsed = stun::parse(bytes);
    return parsed ? ErrorCode() : parsed.error();
}

}  // namespace

TEST_CASE("every truncation of a message is refused, with the old length field and a fitting one") {
    stun::Message message;
    message.message_class = stun::Class::error;
    message.xor_mapped_address = Endpoint::parse("[2001:db8::1]:1");
    message.other_address = Endpoint::parse("192.0.2.1:2");
    message.change_request = stun::ChangeRequest{true, true};
    message.response_port = std::uint16_t{7};
    message.error = stun::ErrorCodeAttribute{420, "Unknown"};
    message.unknown_attributes = {3, 4, 5};
    message.software = "s";
    stun::EncodeOptions options;
    options.hmac = crypto::hmac_sha1;
    const Bytes whole = stun::encode(message, options);
    REQUIRE(stun::parse(whole).has_value());

    for (std::size_t size = 0; size < whole.size(); ++size) {
        // A copy of the exact size, so that AddressSanitizer sees a read past it.
        Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        INFO("first " << size << " bytes");
        CHECK_FALSE(stun::parse(part).has_value());
        CHECK_FALSE(stun::looks_like_stun(part));
        CHECK_FALSE(stun::check_integrity(part, {}, crypto::hmac_sha1));
        if (size < stun::header_size) {
            CHECK(error_of(part) == stun::ParseError::too_short);
            continue;
        }
        part[2] = 0;
        part[3] = static_cast<std::uint8_t>(size - stun::header_size);
        stun::check_integrity(part, {}, crypto::hmac_sha1);
        const auto refitted = stun::parse(part);  // fine only where an attribute ends
        if (refitted) CHECK(refitted->fingerprint == stun::Seen::absent);
    }
}

TEST_CASE("lengths that lie") {
    CHECK(error_of(hex("01 01 00 04" + id)) == stun::ParseError::bad_length);
    CHECK(error_of(hex("01 01 ff fc" + id)) == stun::ParseError::bad_length);
    CHECK(error_of(hex("01 01 00 02" + id + "00 00")) == stun::ParseError::bad_length);
    CHECK(error_of(hex("01 01 00 00" + id + "00")) == stun::ParseError::bad_length);
    CHECK(error_of(response("80 22 00 05 61 62 63 64")) == stun::ParseError::truncated_attribute);
    CHECK(error_of(response("80 22 ff ff 61 62 63 64")) == stun::ParseError::truncated_attribute);
    CHECK(error_of(response("80 22 00 04 61 62 63 64 80 22 00 04")) ==
          stun::ParseError::truncated_attribute);
    // No room for the padding.
    CHECK(error_of(hex("01 01 00 08" + id + "80 22 00 03 61 62 63 00")) == ErrorCode());
}

TEST_CASE("the two top bits tell other protocols apart") {
    Bytes rtp = hex("80 01 00 00" + id);
    CHECK(error_of(rtp) == stun::ParseError::not_stun);
    CHECK_FALSE(stun::looks_like_stun(rtp));
    CHECK_FALSE(stun::looks_like_stun(as_bytes("HTTP/1.1 400 Bad Request\r\n")));
}

TEST_CASE("impossible values") {
    const char* const wrong[] = {
        "00 20 00 04 00 01 10 00",                          // an address without an address
        "00 20 00 08 00 03 10 00 c6 33 64 07",              // a family that is none
        "00 20 00 08 00 02 10 00 c6 33 64 07",              // IPv6 of four bytes
        "00 01 00 0c 00 01 10 00 c6 33 64 07 00 00 00 00",  // IPv4 of eight
        "00 01 00 00",                                      // nothing at all
        "00 09 00 00",                                      // no error code
        "00 09 00 04 00 00 07 00",
        "00 09 00 04 00 00 02 00",   // class 7, class 2
        "00 09 00 04 00 00 04 64",   // number 100
        "00 03 00 02 00 06 00 00",   // CHANGE-REQUEST of two bytes
        "00 27 00 01 12 00 00 00",   // half a port
        "00 0a 00 03 00 03 00 00",   // one and a half types
        "00 08 00 04 00 00 00 00",   // an HMAC of four bytes
        "80 28 00 02 00 00 00 00"};  // half a CRC
    for (const char* attributes : wrong) {
        INFO(attributes);
        CHECK(error_of(response(attributes)) == stun::ParseError::bad_attribute);
    }
}

TEST_CASE("a datagram of nothing but attributes is bounded") {
    std::string many;
    for (int i = 0; i < 64; ++i) many += "80 99 00 00";
    CHECK(stun::parse(response(many)).has_value());
    many += "80 99 00 00";
    CHECK(error_of(response(many)) == stun::ParseError::too_many_attributes);
}

TEST_CASE("of an attribute that comes twice, the first counts") {
    const auto message = stun::parse(
        response("00 01 00 08 00 01 00 01 c0 00 02 01 00 01 00 08 00 01 00 02 c0 00 02 02"));
    CHECK(message->mapped_address->to_string() == "192.0.2.1:1");
}

TEST_CASE("a fingerprint that is not last, or wrong, is invalid and the rest still there") {
    stun::Message message;
    message.software = "x";
    Bytes bytes = stun::encode(message);
    CHECK(stun::parse(bytes)->fingerprint == stun::Seen::valid);
    bytes.back() ^= 1;
    CHECK(stun::parse(bytes)->fingerprint == stun::Seen::invalid);
    CHECK(stun::parse(bytes)->software == "x");
}

TEST_CASE("what answers a Binding request, and what is to be discarded (RFC 8489 section 6.3)") {
    using stun::BindingResponse;
    const auto kind = [](ByteView bytes) {
        return stun::as_binding_response(stun::parse(bytes).value());
    };
    const std::string mapped = "00 01 00 08 00 01 00 01 c0 00 02 01";
    CHECK(kind(response(mapped)) == BindingResponse::success);
    CHECK(kind(response("")) == BindingResponse::invalid);
    // Nobody can be sent to at port 0, 0.0.0.0 or a group's address.
    CHECK(kind(response("00 01 00 08 00 01 00 00 c0 00 02 01")) == BindingResponse::invalid);
    CHECK(kind(response("00 01 00 08 00 01 00 01 00 00 00 00")) == BindingResponse::invalid);
    CHECK(kind(response("00 01 00 08 00 01 00 01 e0 00 00 01")) == BindingResponse::invalid);
    // To be understood, and not known; may be ignored; known from RFC 3489 and of no use.
    CHECK(kind(response(mapped + "77 77 00 00")) == BindingResponse::invalid);
    CHECK(kind(response(mapped + "f7 77 00 00")) == BindingResponse::success);
    CHECK(kind(response(mapped + "00 0b 00 08 00 01 00 01 c0 00 02 02")) ==
          BindingResponse::success);

    stun::Message refusal;
    refusal.message_class = stun::Class::error;
    CHECK(kind(stun::encode(refusal)) == BindingResponse::invalid);
    refusal.error = stun::ErrorCodeAttribute{420, "no"};
    Bytes bytes = stun::encode(refusal);
    CHECK(kind(bytes) == BindingResponse::error);
    bytes.back() ^= 1;  // of the FINGERPRINT
    CHECK(kind(bytes) == BindingResponse::invalid);
    CHECK(kind(stun::encode(stun::Message{})) == BindingResponse::invalid);  // a request
}

TEST_CASE("every parse error has words of its own") {
    std::vector<std::string> seen;
    for (int value = 1; value <= 6; ++value) {
        const std::string words = make_error_code(static_cast<stun::ParseError>(value)).message();
        CHECK(std::find(seen.begin(), seen.end(), words) == seen.end());
        seen.push_back(words);
    }
    CHECK(std::string(stun::parse_category().name()) == "stun");
}

TEST_CASE("where a message on a stream ends, and what cannot be one") {
    Bytes start(stun::header_size);
    start[1] = 1;
    start[3] = 8;
    CHECK(stun::size_on_stream(start).value() == stun::header_size + 8);
    start[2] = 0xff;
    CHECK(stun::size_on_stream(start).value() == stun::header_size + 0xff08);
    start[3] = 9;
    CHECK(stun::size_on_stream(start).error() == stun::ParseError::bad_length);
    start[0] = 0x40;
    CHECK(stun::size_on_stream(start).error() == stun::ParseError::not_stun);
    start.pop_back();
    CHECK(stun::size_on_stream(start).error() == stun::ParseError::too_short);
    CHECK(stun::size_on_stream({}).error() == stun::ParseError::too_short);
}
