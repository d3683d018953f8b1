// What made-up machines mean.
#include "links.hpp"

#include <catch2/catch.hpp>

#include "base/json.hpp"

using namespace p2pdiag;
using namespace p2pdiag::network_plugin;
using net::Interface;
using net::LinkKind;

namespace {

Interface link(int index, const char* name, LinkKind kind,
               std::vector<const char*> addresses = {}) {
    Interface result;
    result.index = index;
    result.name = name;
    result.kind = kind;
    result.up = result.carrier = true;
    result.mtu = 1500;
    for (const char* address : addresses) {
        result.addresses.push_back({*IpAddress::parse(address), 24, true});
    }
    return result;
}

Interface loopback() { return link(1, "lo", LinkKind::loopback, {"127.0.0.1", "::1"}); }

net::Route route(int interface, const char* source) {
    net::Route result;
    result.interface = interface;
    result.source = IpAddress::parse(source);
    return result;
}

Snapshot machine(std::vector<Interface> links) {
    Snapshot result;
    result.interfaces = {loopback()};
    result.interfaces.insert(result.interfaces.end(), links.begin(), links.end());
    return result;
}

using Codes = std::vector<std::string>;

Codes codes(const Judgement& judgement) {
    Codes all;
    for (const Finding& finding : judgement.findings) all.push_back(finding.code);
    return all;
}

}  // namespace

TEST_CASE("an ordinary machine") {
    Snapshot home = machine({link(2, "eth0", LinkKind::ethernet, {"192.168.1.7", "fe80::1"})});
    home.internet_v4 = route(2, "192.168.1.7");
    home.default_routes.push_back({Family::ipv4, IpAddress::parse("192.168.1.1"), 2, 100});
    const Judgement judgement = judge(home);
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.findings.empty());
    CHECK(judgement.summary == "IPv4 by eth0 (ethernet) from 192.168.1.7; IPv6 has no route");
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/interfaces/1/name") == "eth0");
    CHECK(data.at_pointer("/interfaces/1/mtu") == 1500);
    CHECK(data.at_pointer("/interfaces/1/addresses/0/scope") == "private");
    CHECK(data.at_pointer("/default_routes/0/gateway") == "192.168.1.1");
    CHECK(data.at_pointer("/default_routes/0/interface") == "eth0");
    CHECK(data.at_pointer("/ipv4/source") == "192.168.1.7");
    CHECK(data.at_pointer("/ipv6").is_null());
    CHECK(data.at_pointer("/ipv6_reason") == "no-route");
}

TEST_CASE("bridges of containers are told from others by their owner") {
    Interface member = link(2, "eth0", LinkKind::ethernet);
    member.master = 6;
    Snapshot host = machine(
        {member, link(3, "docker0", LinkKind::bridge, {"172.17.0.1"}),
         link(4, "br-0123456789ab", LinkKind::bridge), link(5, "br-lan", LinkKind::bridge),
         link(6, "br0", LinkKind::bridge, {"192.168.1.7"}), link(7, "virbr0", LinkKind::bridge)});
    const json::value data = judge(host).data;
    const auto of = [&](int index, const char* key) {
        return data.at("interfaces").at(static_cast<std::size_t>(index) - 1).at(key);
    };
    CHECK(of(3, "owner") == "docker");
    CHECK(of(4, "owner") == "docker");
    CHECK(of(5, "owner").is_null());
    CHECK(of(6, "owner").is_null());
    CHECK(of(7, "owner") == "libvirt");
    CHECK(of(2, "master") == "br0");
    CHECK(of(3, "master").is_null());
    CHECK(of(3, "leads_out") == false);
    CHECK(of(6, "leads_out") == true);
    CHECK(of(1, "leads_out") == false);
}

TEST_CASE("a router that did not answer") {
    Snapshot home = machine({link(2, "eth0", LinkKind::ethernet, {"192.168.1.7"})});
    home.internet_v4 = route(2, "192.168.1.7");
    home.internet_v4->gateway = IpAddress::parse("192.168.1.1");
    CHECK(judge(home).data.at("ipv4").at("gateway_state").is_null());
    net::Neighbour router{*IpAddress::parse("192.168.1.1"), 2, net::NeighbourState::reachable};
    home.neighbours = {{*IpAddress::parse("192.168.1.9"), 2, net::NeighbourState::failed},
                       {*IpAddress::parse("192.168.1.1"), 3, net::NeighbourState::failed},
                       router};
    CHECK(judge(home).status == P2PDIAG_PASS);
    CHECK(judge(home).data.at("ipv4").at("gateway_state") == "reachable");
    home.neighbours[2].state = net::NeighbourState::incomplete;
    CHECK(judge(home).status == P2PDIAG_PASS);
    home.neighbours[2].state = net::NeighbourState::failed;
    CHECK(judge(home).status == P2PDIAG_WARN);
    CHECK(codes(judge(home)) == Codes{"net.gateway-silent"});
    CHECK(judge(home).findings[0].evidence.at("gateway") == "192.168.1.1");
}

TEST_CASE("nothing but loopback, a cable that is out, a link that is off") {
    CHECK(codes(judge(machine({}))) == Codes{"net.no-link"});
    Interface unplugged = link(2, "eth0", LinkKind::ethernet, {"192.168.1.7"});
    unplugged.carrier = false;
    Interface off = link(3, "wlan0", LinkKind::wifi);
    off.up = off.carrier = false;
    const Judgement judgement = judge(machine({unplugged, off}));
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(codes(judgement) == Codes{"net.no-link"});
    const json::value evidence = judgement.findings[0].evidence;
    CHECK(evidence.at_pointer("/interfaces/0/state") == "not connected");
    CHECK(evidence.at_pointer("/interfaces/1/state") == "switched off");
}

TEST_CASE("a link without an address, or with one that reaches nothing, is no link") {
    CHECK(codes(judge(machine({link(2, "eth0", LinkKind::ethernet)}))) == Codes{"net.no-link"});
    const Judgement judgement =
        judge(machine({link(2, "eth0", LinkKind::ethernet, {"169.254.3.4", "fe80::1"})}));
    CHECK(codes(judgement) == Codes{"net.no-link"});
    CHECK(judgement.summary.find("no DHCP answer") != std::string::npos);
    Interface tentative = link(2, "eth0", LinkKind::ethernet, {"2001:db8::1"});
    tentative.addresses[0].usable = false;
    CHECK(codes(judge(machine({tentative}))) == Codes{"net.no-link"});
}

TEST_CASE("bridges of containers do not count as a link, a bridge over a real one does") {
    const Interface docker = link(3, "docker0", LinkKind::bridge, {"172.17.0.1"});
    CHECK(codes(judge(machine({docker}))) == Codes{"net.no-link"});
    Interface member = link(2, "eth0", LinkKind::ethernet);
    member.master = 3;
    CHECK(codes(judge(machine({member, docker}))) == Codes{"net.no-default-route"});
    CHECK(codes(judge(machine({link(2, "dummy0", LinkKind::dummy, {"10.0.0.1"})}))) ==
          Codes{"net.no-link"});
}

TEST_CASE("a link, but no route") {
    const Judgement judgement =
        judge(machine({link(2, "eth0", LinkKind::container, {"192.168.1.7"})}));
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(codes(judgement) == Codes{"net.no-default-route"});
}

TEST_CASE("a default route that the machine's own rules refuse") {
    Snapshot killed = machine({link(2, "eth0", LinkKind::ethernet, {"192.168.1.7"})});
    killed.default_routes.push_back({Family::ipv4, IpAddress::parse("192.168.1.1"), 2, 100});
    killed.own_rules = {"32765: not from all fwmark 0xca6c lookup 51820"};
    const Judgement judgement = judge(killed);
    CHECK(codes(judgement) == Codes{"net.route-refused"});
    CHECK(judgement.findings[0].evidence.at("rules").as_array().size() == 1);
    // By a link that is down it is none.
    killed.interfaces.back().carrier = false;
    killed.interfaces.push_back(link(3, "eth1", LinkKind::ethernet, {"192.168.2.7"}));
    CHECK(codes(judge(killed)) == Codes{"net.no-default-route"});
}

TEST_CASE("a VPN as the default route limits what is measured") {
    Snapshot vpn = machine({link(2, "eth0", LinkKind::ethernet, {"192.168.1.7"}),
                            link(3, "wg0", LinkKind::tunnel, {"10.8.0.2"})});
    vpn.internet_v4 = route(3, "10.8.0.2");
    const Judgement judgement = judge(vpn);
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(codes(judgement) == Codes{"net.vpn-default-route"});
    CHECK(judgement.findings[0].evidence.at("ipv4") == "wg0");
    // Split: only part of the traffic goes into the tunnel.
    vpn.internet_v4 = route(2, "192.168.1.7");
    CHECK(judge(vpn).status == P2PDIAG_PASS);
    // A translator for IPv4 over IPv6 is a tunnel, but no VPN.
    Snapshot translated = machine({link(3, "clat", LinkKind::tunnel, {"192.0.0.4"})});
    translated.internet_v4 = route(3, "192.0.0.4");
    CHECK(judge(translated).status == P2PDIAG_PASS);
}

TEST_CASE("IPv6 is there when a public address and a route are") {
    Snapshot both = machine({link(2, "eth0", LinkKind::ethernet, {"192.168.1.7", "2001:db8::7"})});
    both.internet_v4 = route(2, "192.168.1.7");
    both.internet_v6 = route(2, "2001:db8::7");
    CHECK(codes(judge(both)) == Codes{"net.ipv6-available"});
    CHECK(judge(both).status == P2PDIAG_PASS);
    both.interfaces[1].addresses[1].address = *IpAddress::parse("fd00::7");
    CHECK(judge(both).findings.empty());
}

TEST_CASE("a machine with thousands of links, and names that are no text") {
    std::vector<Interface> links;
    for (int i = 2; i < 3000; ++i) links.push_back(link(i, "v\x1b\xff", LinkKind::container));
    const Judgement judgement = judge(machine(links));
    CHECK(judgement.data.at("interfaces").as_array().size() == 64);
    CHECK(judgement.data.at("interfaces_left_out") == 2935);
    CHECK(json::parse(json::to_text(judgement.data)).has_value());
}

TEST_CASE("an address that another machine has") {
    Snapshot home = machine({link(2, "eth0", LinkKind::ethernet, {"192.168.1.7", "fe80::1"})});
    home.internet_v4 = route(2, "192.168.1.7");
    net::InterfaceAddress taken{*IpAddress::parse("2a01:db8::2"), 64, false};
    taken.check = net::AddressCheck::going_on;
    home.interfaces[1].addresses.push_back(taken);
    CHECK(codes(judge(home)).empty());
    home.interfaces[1].addresses.back().check = net::AddressCheck::failed;
    const Judgement judgement = judge(home);
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(codes(judgement) == Codes{"net.address-duplicate"});
}
