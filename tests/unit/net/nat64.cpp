// The prefix of a NAT64 from what a resolver makes up.
#include "net/nat64.hpp"

#include <catch2/catch.hpp>

#include "fake/dns_server.hpp"
#include "fake/sandbox.hpp"
#include "run_task.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

std::string prefix_of(std::initializer_list<const char*> texts) {
    std::vector<IpAddress> addresses;
    for (const char* text : texts) addresses.push_back(*IpAddress::parse(text));
    const auto prefix = net::nat64_prefix_in(addresses);
    return prefix ? prefix->to_string() : "none";
}

}  // namespace

TEST_CASE("every length of prefix that RFC 6052 knows") {
    // As in the table of its section 2.4, with 192.0.0.170 and .171 for the IPv4 address.
    CHECK(prefix_of({"2001:db8:c000:aa::"}) == "2001:db8::/32");
    CHECK(prefix_of({"2001:db8:1c0:0:aa::"}) == "2001:db8:100::/40");
    CHECK(prefix_of({"2001:db8:122:c000:0:aa00::"}) == "2001:db8:122::/48");
    CHECK(prefix_of({"2001:db8:122:3c0:0:aa::"}) == "2001:db8:122:300::/56");
    CHECK(prefix_of({"2001:db8:122:344:c0:0:aa00::"}) == "2001:db8:122:344::/64");
    CHECK(prefix_of({"2001:db8:122:344::192.0.0.170"}) == "2001:db8:122:344::/96");
    CHECK(prefix_of({"64:ff9b::192.0.0.170"}) == "64:ff9b::/96");
    CHECK(prefix_of({"64:ff9b::192.0.0.171"}) == "64:ff9b::/96");
}

TEST_CASE("what no NAT64 made up has no prefix") {
    CHECK(prefix_of({}) == "none");
    CHECK(prefix_of({"2001:db8::1"}) == "none");
    CHECK(prefix_of({"64:ff9b::192.0.0.172"}) == "none");
    CHECK(prefix_of({"192.0.0.170"}) == "none");
    // The reserved bits are not zero.
    CHECK(prefix_of({"2001:db8:122:344:100:0:192.0.0.170"}) == "none");
    // Not where an IPv4 address may stand.
    CHECK(prefix_of({"c000:aa::1"}) == "none");
}

TEST_CASE("an address that may be read in two ways is decided by another, or not at all") {
    const char* twice = "2001:db8:c000:aa::192.0.0.170";
    CHECK(prefix_of({twice}) == "none");
    CHECK(prefix_of({"2001:db8:c000:aa::192.0.0.171"}) == "none");
    CHECK(prefix_of({twice, "2001:db8:c000:aa::192.0.0.171"}) == "2001:db8:c000:aa::/96");
    CHECK(prefix_of({"2001:db8::1", "2001:db8:7::192.0.0.171"}) == "2001:db8:7::/96");
    // Two translators, of which the first will do.
    CHECK(prefix_of({"64:ff9b::192.0.0.170", "2001:db8:c000:aa::", "64:ff9b::192.0.0.171",
                     "2001:db8:c000:ab::"}) == "64:ff9b::/96");
}

TEST_CASE("the resolver is asked, and what it says is told apart") {
    SandboxOptions options;
    options.resolv_conf = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";
    const auto ask = [&](FakeDnsOptions dns, Milliseconds patience) {
        const auto result = in_sandbox(options, [&] {
            const FakeDnsServer server(dns);
            boost::asio::io_context context;
            const auto found = run_on(context, net::find_nat64_prefix(Clock::now() + patience));
            if (!found) return found.error().message();
            return *found ? (*found)->to_string() : std::string("none");
        });
        if (!result) WARN("no namespaces here: not tested");
        return result;
    };
    constexpr Milliseconds long_enough{20'000};
    FakeDnsOptions dns;
    if (const auto said = ask(dns, long_enough)) CHECK(*said == "none");
    dns.nat64 = true;
    if (const auto said = ask(dns, long_enough)) CHECK(*said == "64:ff9b::/96");
    dns.silent = true;
    if (const auto said = ask(dns, Milliseconds(50))) {
        CHECK(*said == "no answer from the name servers in time");
    }
}
