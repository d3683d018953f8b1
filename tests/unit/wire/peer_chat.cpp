// The clear outside of the chat: docs/adr/0011.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "wire/peer/chat.hpp"
#include "wire/peer/probe.hpp"

using namespace p2pdiag;

namespace {

const envelope::SessionId session{9, 8, 7, 6, 5, 4, 3, 2};
const chat::Cookie cookie{1, 2, 3};
const Bytes sealed(40, 0x5A);

Bytes encoded(const chat::Body& body) { return chat::encode({session, body}); }

std::vector<Bytes> one_of_each() {
    return {encoded(chat::Init{std::nullopt, sealed}),
            encoded(chat::Init{cookie, sealed}),
            encoded(chat::CookieReply{cookie}),
            encoded(chat::Response{sealed}),
            encoded(chat::Finish{sealed}),
            encoded(chat::Data{5, sealed}),
            encoded(chat::Close{6, sealed}),
            encoded(chat::Unsupported{2})};
}

ErrorCode error_of(ByteView bytes) {
    const auto parsed = chat::parse(bytes);
    return parsed ? ErrorCode() : parsed.error();
}

Bytes with_length(Bytes bytes) {
    const std::size_t length = bytes.size() - envelope::size;
    bytes[6] = static_cast<std::uint8_t>(length >> 8);
    bytes[7] = static_cast<std::uint8_t>(length);
    return bytes;
}

template <class Part>
Part part_of(const Bytes& bytes) {
    return std::get<Part>(chat::parse(bytes).value().body);
}

Bytes copied(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }

}  // namespace

TEST_CASE("chat: each kind is read as it was written") {
    const auto kinds = one_of_each();
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        INFO(i);
        const auto message = chat::parse(kinds[i]);
        REQUIRE(message.has_value());
        CHECK(message->session == session);
        CHECK(chat::encode(*message) == kinds[i]);
    }
    CHECK_FALSE(part_of<chat::Init>(kinds[0]).cookie);
    CHECK(part_of<chat::Init>(kinds[1]).cookie == cookie);
    CHECK(copied(part_of<chat::Init>(kinds[1]).payload) == sealed);
    CHECK(part_of<chat::CookieReply>(kinds[2]).cookie == cookie);
    CHECK(copied(part_of<chat::Response>(kinds[3]).payload) == sealed);
    CHECK(copied(part_of<chat::Finish>(kinds[4]).payload) == sealed);
    CHECK(part_of<chat::Data>(kinds[5]).counter == 5);
    CHECK(copied(part_of<chat::Data>(kinds[5]).sealed) == sealed);
    CHECK(part_of<chat::Close>(kinds[6]).counter == 6);
    CHECK(part_of<chat::Unsupported>(kinds[7]).speaks == 2);
}

TEST_CASE("chat: data of any size is read as it was written") {
    CHECK(rc::check([] {
        const Bytes part = *rc::gen::resize(
            2000, rc::gen::suchThat(rc::gen::arbitrary<Bytes>(), [](const Bytes& bytes) {
                return bytes.size() >= chat::tag_size;
            }));
        const auto counter = *rc::gen::arbitrary<std::uint64_t>();
        const Bytes bytes = encoded(chat::Data{counter, part});
        const auto data = part_of<chat::Data>(bytes);
        RC_ASSERT(data.counter == counter);
        RC_ASSERT(copied(data.sealed) == part);
        RC_ASSERT(envelope::size_on_stream(bytes).value() == bytes.size());
    }));
    const Bytes most(chat::max_sealed, 1);
    CHECK(part_of<chat::Data>(encoded(chat::Data{1, most})).sealed.size() == chat::max_sealed);
}

TEST_CASE("chat: no answer is longer than the init it answers") {
    CHECK(encoded(chat::Init{std::nullopt, Bytes{1}}).size() == chat::init_size);
    CHECK(encoded(chat::Init{cookie, Bytes(chat::max_init_payload, 1)}).size() == chat::init_size);
    CHECK(encoded(chat::CookieReply{cookie}).size() < chat::init_size);
    CHECK(encoded(chat::Response{Bytes(chat::max_handshake_payload, 1)}).size() == chat::init_size);
    Bytes longer = encoded(chat::Response{Bytes(chat::max_handshake_payload, 1)});
    longer.push_back(1);
    CHECK(error_of(with_length(longer)) == chat::ParseError::bad_length);
    // An init that is not padded would be answered with more than it cost.
    Bytes shorter = encoded(chat::Init{std::nullopt, sealed});
    shorter.pop_back();
    CHECK(error_of(with_length(shorter)) == chat::ParseError::bad_length);
}

TEST_CASE("chat: cut anywhere or with something behind it, it is none") {
    for (const Bytes& whole : one_of_each()) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CHECK_FALSE(chat::parse(ByteView(whole).first(size)).has_value());
        }
        Bytes more = whole;
        more.push_back(0);
        CHECK(error_of(more) == chat::ParseError::bad_length);
    }
    // What the length admits, and the kind does not.
    for (const Bytes& whole :
         {encoded(chat::Data{5, Bytes(16, 1)}), encoded(chat::Close{5, Bytes(16, 1)}),
          encoded(chat::CookieReply{cookie}), encoded(chat::Response{Bytes{1}}),
          encoded(chat::Finish{Bytes{1}})}) {
        Bytes cut = whole;
        cut.pop_back();
        CHECK_FALSE(chat::parse(with_length(cut)).has_value());
    }
    Bytes refusal = encoded(chat::Unsupported{2});
    refusal.push_back(0);
    CHECK(error_of(with_length(refusal)) == chat::ParseError::bad_length);
}

TEST_CASE("chat: there is one way to write it") {
    const Bytes init = encoded(chat::Init{std::nullopt, sealed});
    for (const std::size_t at : {std::size_t{34 + 40}, init.size() - 1}) {
        Bytes bytes = init;
        bytes[at] = 1;
        CHECK(error_of(bytes) == chat::ParseError::not_canonical);
    }
    // A payload of nothing, and one that runs past the end.
    for (const unsigned size : {0U, static_cast<unsigned>(chat::max_init_payload) + 1}) {
        Bytes bytes = init;
        bytes[32] = static_cast<std::uint8_t>(size >> 8);
        bytes[33] = static_cast<std::uint8_t>(size);
        CHECK(error_of(bytes) == chat::ParseError::bad_length);
    }
    Bytes reply = encoded(chat::CookieReply{cookie});
    std::fill(reply.begin() + envelope::size, reply.end(), std::uint8_t{0});
    CHECK(error_of(reply) == chat::ParseError::not_canonical);
}

TEST_CASE("chat: a version that is not spoken fails closed, and is named") {
    for (Bytes bytes : one_of_each()) {
        if (bytes[5] == static_cast<std::uint8_t>(envelope::Kind::unsupported)) continue;
        for (const std::uint8_t version : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{255}}) {
            bytes[4] = version;
            CHECK_FALSE(chat::parse(bytes).has_value());
            CHECK_FALSE(envelope::size_on_stream(bytes).has_value());
        }
        CHECK(error_of(bytes) == chat::ParseError::wrong_version);
        CHECK(envelope::parse(bytes).value().version == 255);
    }
    // Nobody who speaks it says that he does not.
    Bytes refusal = encoded(chat::Unsupported{7});
    CHECK(part_of<chat::Unsupported>(refusal).speaks == 7);
    refusal[4] = envelope::version;
    CHECK(error_of(refusal) == chat::ParseError::wrong_version);
}

TEST_CASE("chat: a probe is no chat, and the other way round") {
    const Bytes ping = probe::encode({});
    CHECK(error_of(ping) == chat::ParseError::wrong_kind);
    for (const Bytes& bytes : one_of_each()) CHECK_FALSE(probe::parse(bytes).has_value());
}

TEST_CASE("chat: what cannot be is not written") {
    CHECK_THROWS_AS(encoded(chat::Init{std::nullopt, {}}), std::length_error);
    CHECK_THROWS_AS(encoded(chat::Init{std::nullopt, Bytes(chat::max_init_payload + 1)}),
                    std::length_error);
    CHECK_THROWS_AS(encoded(chat::Response{Bytes(chat::max_handshake_payload + 1)}),
                    std::length_error);
    CHECK_THROWS_AS(encoded(chat::Data{1, Bytes(15)}), std::length_error);
    CHECK_THROWS_AS(encoded(chat::Close{1, Bytes(chat::max_sealed + 1)}), std::length_error);
    CHECK_THROWS_AS(encoded(chat::CookieReply{}), std::invalid_argument);
    CHECK_THROWS_AS(encoded(chat::Init{chat::Cookie{}, sealed}), std::invalid_argument);
    CHECK_THROWS_AS(encoded(chat::Unsupported{envelope::version}), std::invalid_argument);
}
