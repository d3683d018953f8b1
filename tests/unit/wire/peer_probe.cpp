// Our own ping and pong, and the envelope that all of ours has: docs/adr/0011.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "hex.hpp"
#include "wire/peer/probe.hpp"
#include "wire/stun/message.hpp"
#include "wire/turn/message.hpp"

using namespace p2pdiag;
using p2pdiag::testing::hex;

namespace {

// A ping as docs/adr/0011 draws it, and its pong that saw 11.22.33.7:40000.
const std::string head_of_ping = "0e706469 01 01 0036 0102030405060708";
const std::string transaction = "a0a1a2a3a4a5a6a7a8a9aaab";
const std::string tag = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const Bytes ping_bytes = hex(head_of_ping + transaction + "0000000000000007 0000" +
                             "00000000000000000000000000000000" + tag);
// Port 0x9c40 with 0x0e70; ::ffff:0b16:2107 with the magic and the transaction.
const Bytes pong_bytes = hex("0e706469 01 02 0036 0102030405060708" + transaction +
                             "0000000000000008 9230 0e706469a0a1a2a3a4a55958a3bf8bac" + tag);

probe::Probe ping() {
    probe::Probe probe;
    probe.session = {1, 2, 3, 4, 5, 6, 7, 8};
    for (std::size_t i = 0; i < probe.transaction.size(); ++i) {
        probe.transaction[i] = static_cast<std::uint8_t>(0xA0 + i);
    }
    probe.counter = 7;
    for (std::size_t i = 0; i < probe.tag.size(); ++i) {
        probe.tag[i] = static_cast<std::uint8_t>(0xF0 + i);
    }
    return probe;
}

ErrorCode error_of(ByteView bytes) {
    const auto parsed = probe::parse(bytes);
    return parsed ? ErrorCode() : parsed.error();
}

Bytes with(Bytes bytes, std::size_t at, std::uint8_t value) {
    bytes.at(at) = value;
    return bytes;
}

probe::Probe any_probe() {
    probe::Probe probe;
    for (auto* part : {&probe.transaction[0], &probe.session[0], &probe.tag[0]}) {
        *part = *rc::gen::arbitrary<std::uint8_t>();
    }
    probe.counter = *rc::gen::arbitrary<std::uint64_t>();
    if (*rc::gen::arbitrary<bool>()) {
        Endpoint seen{IpAddress::v4(*rc::gen::arbitrary<std::uint32_t>()),
                      *rc::gen::inRange<std::uint16_t>(1, 65535)};
        if (*rc::gen::arbitrary<bool>()) {
            std::array<std::uint8_t, 16> bytes{0x20, 1};
            bytes[15] = *rc::gen::arbitrary<std::uint8_t>();
            seen.address = IpAddress::v6(bytes);
        }
        probe.observed = seen;
    } else {
        probe.total_size = *rc::gen::inRange(probe::size, probe::max_size + 1);
    }
    return probe;
}

}  // namespace

TEST_CASE("probe: ping and pong, byte by byte") {
    CHECK(probe::size == 70);
    CHECK(probe::encode(ping()) == ping_bytes);
    CHECK(probe::parse(ping_bytes).value() == ping());

    probe::Probe pong = ping();
    pong.counter = 8;
    pong.observed = Endpoint{IpAddress::v4(0x0B162107), 40000};
    CHECK(probe::encode(pong) == pong_bytes);
    CHECK(probe::parse(pong_bytes).value() == pong);
}

TEST_CASE("probe: what is written is read again") {
    CHECK(rc::check([] {
        const probe::Probe probe = any_probe();
        const Bytes bytes = probe::encode(probe);
        RC_ASSERT(bytes.size() == probe.total_size);
        RC_ASSERT(probe::parse(bytes).value() == probe);
        RC_ASSERT(probe::covered_by_tag(bytes).size() == bytes.size() - probe::tag_size);
    }));
}

TEST_CASE("probe: an IPv4-mapped address is IPv4") {
    probe::Probe pong = ping();
    std::array<std::uint8_t, 16> mapped{};
    mapped[10] = mapped[11] = 0xFF;
    mapped[12] = 11;
    pong.observed = Endpoint{IpAddress::v6(mapped), 9};
    CHECK(probe::parse(probe::encode(pong)).value().observed ==
          Endpoint{IpAddress::v4(0x0B000000), 9});
}

TEST_CASE("probe: a pong is never longer than its ping") {
    probe::Probe probe = ping();
    probe.total_size = 9000;
    CHECK(probe::encode(probe).size() == probe::max_size);
    probe.total_size = 0;
    CHECK(probe::encode(probe).size() == probe::size);
    probe.total_size = probe::max_size;
    probe.observed = Endpoint{IpAddress::v4(1), 1};
    CHECK(probe::encode(probe).size() == probe::size);
    CHECK(error_of(with(Bytes(pong_bytes), 7, 0x37)) == probe::ParseError::bad_length);
    Bytes longer = with(Bytes(pong_bytes), 7, 0x37);
    longer.push_back(0);
    CHECK(error_of(longer) == probe::ParseError::bad_length);
}

TEST_CASE("probe: cut anywhere or with something behind it, it is none") {
    for (const Bytes& whole : {ping_bytes, pong_bytes}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            INFO(size);
            CHECK_FALSE(probe::parse(ByteView(whole).first(size)).has_value());
            // Nor where the length says that this is all.
            Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            if (size < envelope::size) continue;
            cut[7] = static_cast<std::uint8_t>(size - envelope::size);
            CHECK(error_of(cut) == probe::ParseError::too_short);
        }
        Bytes more = whole;
        more.push_back(0);
        CHECK(error_of(more) == probe::ParseError::bad_length);
    }
}

TEST_CASE("probe: there is one way to write it") {
    // The place of the address in a ping, and the padding of a longer one.
    for (std::size_t at = 36; at < 54; ++at) {
        CHECK(error_of(with(ping_bytes, at, 1)) == probe::ParseError::not_canonical);
    }
    probe::Probe padded = ping();
    padded.total_size = 200;
    const Bytes bytes = probe::encode(padded);
    for (std::size_t at = 54; at < 200 - probe::tag_size; ++at) {
        CHECK(error_of(with(bytes, at, 1)) == probe::ParseError::not_canonical);
    }
    // Port 0 is nobody's.
    CHECK(error_of(with(with(pong_bytes, 36, 0x0E), 37, 0x70)) == probe::ParseError::not_canonical);
}

TEST_CASE("probe: another version and other kinds are refused") {
    for (unsigned version = 0; version < 256; ++version) {
        const Bytes bytes = with(ping_bytes, 4, static_cast<std::uint8_t>(version));
        CHECK(probe::parse(bytes).has_value() == (version == envelope::version));
        const auto named = envelope::parse(bytes);
        CHECK(named.has_value() == (version != 0));
        if (named) CHECK(named->version == version);
    }
    CHECK(error_of(with(ping_bytes, 4, 2)) == probe::ParseError::wrong_version);
    CHECK(error_of(with(ping_bytes, 4, 0)) == probe::ParseError::foreign);
    for (unsigned kind = 0; kind < 256; ++kind) {
        if (kind == 1 || kind == 2) continue;
        CHECK_FALSE(probe::parse(with(ping_bytes, 5, static_cast<std::uint8_t>(kind))).has_value());
    }
    CHECK(error_of(with(ping_bytes, 5, 10)) == probe::ParseError::wrong_kind);
    CHECK(error_of(with(ping_bytes, 5, 7)) == probe::ParseError::wrong_kind);
}

TEST_CASE("envelope: nobody else on the socket takes it for his, nor we theirs") {
    for (std::size_t at = 0; at < envelope::magic.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            const Bytes bytes = with(ping_bytes, at, static_cast<std::uint8_t>(value));
            CHECK(probe::parse(bytes).has_value() == (bytes == ping_bytes));
        }
    }
    for (const Bytes& bytes : {ping_bytes, pong_bytes}) {
        CHECK_FALSE(stun::looks_like_stun(bytes));
        CHECK_FALSE(stun::parse(bytes).has_value());
        CHECK_FALSE(stun::size_on_stream(bytes).has_value());
        CHECK_FALSE(turn::parse_channel_data(bytes));
    }
    stun::Message binding;
    CHECK_FALSE(envelope::looks_like_ours(stun::encode(binding)));
    CHECK_FALSE(envelope::parse(stun::encode(binding)).has_value());
    // RFC 7983 section 7 and RFC 9443 section 3.
    CHECK((envelope::magic[0] >= 4 && envelope::magic[0] <= 15));
}

TEST_CASE("probe: errors have words") {
    CHECK(error_of({}).message() == "shorter than its kind");
    for (int i = 1; i <= 6; ++i) CHECK_FALSE(envelope::parse_category().message(i).empty());
}
