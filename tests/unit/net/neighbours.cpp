#include "net/neighbours.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "fake/sandbox.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net;
using namespace p2pdiag::testing;

namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

Neighbour neighbour(const char* address, int interface, Bytes hardware,
                    NeighbourState state = NeighbourState::stale) {
    return {ip(address), interface, state, std::move(hardware)};
}

}  // namespace

TEST_CASE("two addresses of one neighbour") {
    const std::vector<Neighbour> table = {
        neighbour("fe80::1", 2, {2, 0, 0, 0, 0, 1}),
        neighbour("fe80::1", 3, {2, 0, 0, 0, 0, 3}),
        neighbour("2001:db8::1", 2, {2, 0, 0, 0, 0, 1}),
        neighbour("2001:db8::9", 2, {2, 0, 0, 0, 0, 9}),
        neighbour("2001:db8::8", 2, {2, 0, 0, 0, 0, 1}, NeighbourState::failed),
        neighbour("2001:db8::a", 2, {}),
        neighbour("2001:db8::b", 2, {})};
    CHECK(same_neighbour(table, 2, ip("fe80::1"), ip("2001:db8::1")));
    CHECK_FALSE(same_neighbour(table, 2, ip("fe80::1"), ip("2001:db8::9")));
    CHECK_FALSE(same_neighbour(table, 3, ip("fe80::1"), ip("2001:db8::1")));
    CHECK_FALSE(same_neighbour(table, 2, ip("fe80::1"), ip("2001:db8::2")));
    CHECK_FALSE(same_neighbour(table, 2, ip("2001:db8::2"), ip("2001:db8::2")));
    CHECK_FALSE(same_neighbour(table, 2, ip("fe80::1"), ip("2001:db8::8")));
    CHECK_FALSE(same_neighbour(table, 2, ip("2001:db8::a"), ip("2001:db8::b")));
}

TEST_CASE("the kernel's neighbours, and whether two of them are one") {
    const auto seen = in_sandbox({}, []() -> std::string {
        const int made = std::system(
            "PATH=$PATH:/sbin:/usr/sbin; exec >/dev/null 2>&1; "
            "ip link add lan type veth peer name far && ip link set dev lan up && "
            "ip link set dev far up && ip address add 192.0.2.2/24 dev lan && "
            "ip neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev lan && "
            "ip neighbour add fe80::1 lladdr 02:00:00:00:00:01 dev lan && "
            "ip neighbour add 192.0.2.9 dev lan nud failed");
        if (made != 0) return "cannot be made";
        const auto table = neighbours();
        if (!table) return table.error().message();
        std::string found;
        for (const Neighbour& one : *table) {
            if (one.address == ip("192.0.2.9")) found += to_string(one.state);
            if (one.address != ip("fe80::1")) continue;
            const auto same = [&](const char* other) {
                return same_neighbour(*table, one.interface, one.address, ip(other));
            };
            found += same("192.0.2.1") ? "same " : "another ";
            found += same("192.0.2.9") ? "same " : "another ";
        }
        return found;
    });
    if (!seen) {
        WARN("no namespaces here: not tested");
        return;
    }
    CHECK_THAT(*seen, Catch::Equals("failedsame another ") || Catch::Equals("same another failed"));
}
