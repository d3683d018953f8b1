// Policies of IPsec behind the rules. The same is asked of the kernel in
// tests/firewall/test_beneath.py.
#include "ipsec.hpp"

#include <linux/xfrm.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "connected.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

using Policy = net::IpsecPolicy;

// From the peer to this machine.
Policy policy_in() {
    Policy policy;
    policy.family = Family::ipv4;
    policy.source = ip("10.9.0.1");
    policy.source_prefix = 32;
    policy.destination = ip("10.9.0.2");
    policy.destination_prefix = 32;
    policy.priority = 10;
    return policy;
}

VerdictKind kind_under(const std::vector<Policy>& policies, const Packet& asked = packet()) {
    World world = machine();
    world.ipsec = policies;
    return evaluate(world, asked).kind;
}

constexpr VerdictKind accept = VerdictKind::accept;
constexpr VerdictKind undecided = VerdictKind::undecided;

}  // namespace

TEST_CASE("what a policy of IPsec is about is undecided") {
    Policy policy = policy_in();
    CHECK(kind_under({policy}) == undecided);
    CHECK(kind_under({policy}, packet(4000, Family::ipv6)) == accept);
    Packet anybody = packet();
    anybody.source.reset();
    CHECK(kind_under({policy}, anybody) == undecided);
    SECTION("addresses") {
        policy.source = ip("10.9.0.77");
        CHECK(kind_under({policy}) == accept);
        policy.source_prefix = 24;
        CHECK(kind_under({policy}) == undecided);
    }
    SECTION("ports and protocol") {
        policy.protocol = protocol_udp;
        policy.destination_port = 4000;
        policy.destination_port_mask = 0xFFFF;
        CHECK(kind_under({policy}) == undecided);
        CHECK(kind_under({policy}, packet(4001)) == accept);
        CHECK(kind_under({policy}, tcp(packet())) == accept);
        policy.destination_port_mask = 0xFFF0;
        policy.destination_port = 0x0FA0;
        CHECK(kind_under({policy}, packet(4001)) == undecided);
    }
    SECTION("links and marks") {
        policy.interface = 3;
        CHECK(kind_under({policy}) == accept);
        policy.interface = 2;
        CHECK(kind_under({policy}) == undecided);
        policy.mark = policy.mark_mask = 5;
        CHECK(kind_under({policy}) == accept);
        policy.mark_mask = 0;
        policy.mark = 0;
        policy.link_id = 9;
        CHECK(kind_under({policy}) == accept);
    }
    SECTION("the direction") {
        policy.direction = Policy::Direction::forward;
        CHECK(kind_under({policy}) == accept);
        policy.direction = Policy::Direction::out;
        CHECK(kind_under({policy}) == accept);
    }
    SECTION("no family") {
        Policy all;
        all.priority = ~0U;
        CHECK(kind_under({all}) == undecided);
        CHECK(kind_under({all}, packet(4000, Family::ipv6)) == undecided);
    }
}

TEST_CASE("the first policy that surely matches counts") {
    const Policy protects = policy_in();
    Policy lets = policy_in();
    lets.lets_pass = true;
    lets.priority = 9;
    CHECK(kind_under({protects, lets}) == accept);
    lets.priority = 10;
    CHECK(kind_under({protects, lets}) == undecided);
    lets.priority = 9;
    lets.source = ip("10.9.0.77");
    CHECK(kind_under({protects, lets}) == undecided);
    Packet anybody = packet();
    anybody.source.reset();
    lets.source = protects.source;
    // He may be one whom neither is about, or the peer; in both cases it comes in.
    CHECK(kind_under({lets}, anybody) == accept);
    CHECK(kind_under({protects, lets}, anybody) == undecided);
}

TEST_CASE("rules that drop come before any policy") {
    World world = machine();
    world.ipsec = {policy_in()};
    world.rulesets.push_back(input_chain({}, "drop"));
    CHECK(evaluate(world, packet()).kind == VerdictKind::drop);
}

TEST_CASE("a policy out of the kernel's message") {
    xfrm_userpolicy_info info{};
    info.sel.family = 2;
    info.sel.saddr.a4 = 0x0100090A;  // 10.9.0.1 in network order
    info.sel.prefixlen_s = 32;
    info.sel.dport = 0xA00F;  // 4000
    info.sel.dport_mask = 0xFFFF;
    info.sel.proto = protocol_udp;
    info.dir = XFRM_POLICY_IN;
    info.action = XFRM_POLICY_ALLOW;
    info.priority = 7;
    Bytes message(sizeof info);
    std::memcpy(message.data(), &info, sizeof info);
    auto read = net::read_ipsec_policy(message);
    REQUIRE(read);
    CHECK(read->lets_pass);
    CHECK(read->text() == "dir in src 10.9.0.1/32 dst 0.0.0.0/0 proto 17 dport 4000");
    CHECK(read->priority == 7);

    // With a template it asks for protection.
    Bytes with_template = message;
    with_template.insert(with_template.end(), {8, 0, XFRMA_TMPL, 0, 1, 2, 3, 4});
    read = net::read_ipsec_policy(with_template);
    REQUIRE(read);
    CHECK_FALSE(read->lets_pass);

    info.dir = XFRM_POLICY_MAX;  // of a single socket
    std::memcpy(message.data(), &info, sizeof info);
    CHECK_FALSE(net::read_ipsec_policy(message));
    CHECK_FALSE(net::read_ipsec_policy(ByteView(message).first(40)));
}
