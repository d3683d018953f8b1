// Datagrams in fragments: messages once they are whole, and what is said where they never are.
#include <catch2/catch.hpp>

#include "feed.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

// A message that is longer than one packet.
Bytes longer(stun::Message message) {
    message.others = {{0x8022, Bytes(1600, 'x')}};
    return stun::encode(message);
}
Bytes long_binding(std::uint8_t id) {
    stun::Message message;
    message.transaction[0] = id;
    return longer(message);
}
Bytes long_answer(std::uint8_t id) {
    stun::Message message;
    message.message_class = stun::Class::success;
    message.transaction[0] = id;
    message.xor_mapped_address = outside;
    return longer(message);
}

// The packets of a datagram that was cut in two behind `size` bytes of its payload.
std::vector<Bytes> in_two(const Endpoint& from, const Endpoint& to, const Bytes& message,
                          std::uint16_t id, std::size_t size = 1480) {
    const Bytes whole = udp(from.port, to.port, message);
    const auto middle = whole.begin() + static_cast<std::ptrdiff_t>(size);
    const IpOptions first{.id = id, .fragment = 0x2000};
    const IpOptions second{.id = id, .fragment = static_cast<std::uint16_t>(size / 8)};
    return {ipv4(from.address, to.address, 17, Bytes(whole.begin(), middle), first),
            ipv4(from.address, to.address, 17, Bytes(middle, whole.end()), second)};
}

bool said(const Outcome& outcome, const std::string& part) {
    return std::ranges::any_of(outcome.remarks, [&](const std::string& remark) {
        return remark.find(part) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("a request and its answer in fragments, in either order") {
    for (const bool reversed : {false, true}) {
        std::vector<Bytes> asked = in_two(client, server, long_binding(1), 7);
        std::vector<Bytes> answered = in_two(server, client, long_answer(1), 7);
        if (reversed) {
            std::ranges::reverse(asked);
            std::ranges::reverse(answered);
        }
        Feed feed;
        for (const Bytes& packet : asked) feed.packet(packet);
        for (const Bytes& packet : answered) feed.packet(packet);
        const Outcome outcome = feed.finish();
        REQUIRE(outcome.messages.size() == 2);
        CHECK(outcome.messages[0].text == "Binding request");
        CHECK(outcome.messages[0].packet == 2);
        CHECK(outcome.messages[1].answers == outcome.messages[0].sequence);
        CHECK(outcome.messages[1].delay_ns == 20'000'000);
        REQUIRE(outcome.mappings.size() == 1);
        CHECK(outcome.mappings[0].mapped == outside);
        REQUIRE(outcome.conversations.size() == 1);
        CHECK(outcome.conversations[0].packets_out == 2);
        CHECK(outcome.conversations[0].packets_in == 2);
        CHECK(outcome.conversations[0].from == client);
        CHECK(outcome.remarks.empty());
    }
}

TEST_CASE("an answer of which only the first fragment is there is an answer") {
    // As a filter on the port lets it through.
    Feed feed;
    feed.udp(client, server, binding(1));
    feed.packet(in_two(server, client, long_answer(1), 7)[0]);
    const Outcome outcome = feed.later().finish();
    REQUIRE(outcome.messages.size() == 2);
    CHECK(outcome.messages[1].text.find("(incomplete)") != std::string::npos);
    CHECK(outcome.messages[1].packet == 2);
    CHECK(outcome.messages[1].delay_ns == 10'000'000);
    CHECK(outcome.messages[0].fate == Fate::answered);
    CHECK_FALSE(has(outcome, "capture.no-reply"));
    CHECK(said(outcome, "1 fragmented datagram never complete"));
}

TEST_CASE("what a fragment without its first part belongs to is not known") {
    Feed feed;
    feed.packet(in_two(server, client, long_answer(1), 7)[1]);
    const Outcome outcome = feed.later().finish();
    CHECK(said(outcome, "1 fragment whose first part is not in the capture"));
    for (const auto& one : outcome.conversations) CHECK(one.from.port != 0);
}

TEST_CASE("fragments that contradict each other are no message") {
    const std::vector<Bytes> parts = in_two(client, server, long_binding(1), 7);
    std::vector<Bytes> overlapping = in_two(client, server, long_binding(1), 7, 1472);
    Feed feed;
    feed.packet(parts[0]).packet(overlapping[1]).packet(parts[1]);
    const Outcome outcome = feed.finish();
    CHECK(outcome.messages.empty());
    CHECK(said(outcome, "1 fragmented datagram left out"));
}

TEST_CASE("all fragments of what a filter leaves out are left out") {
    const auto fed = [](std::uint16_t port) {
        Feed feed({.port = port});
        for (const Bytes& packet : in_two(client, server, long_binding(1), 7)) feed.packet(packet);
        return feed.finish();
    };
    CHECK(fed(server.port).messages.size() == 1);
    CHECK(fed(9).messages.empty());
    CHECK_FALSE(fed(9).understood);
}
