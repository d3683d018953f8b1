// Where no sender is given: a stranger, and what is said of the others.
#include <catch2/catch.hpp>

#include "windows_rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

constexpr auto accept = VerdictKind::accept;
constexpr auto reply_only = VerdictKind::reply_only;
constexpr auto drop = VerdictKind::drop;

const std::string before = mac_before_nat + "# pf rules\n";

// Of UDP to port 8000, by one family.
Asked ask_text(const std::string& text, const std::string& interface,
               Family family = Family::ipv4) {
    const IpAddress any = family == Family::ipv4 ? IpAddress() : IpAddress::v6({});
    Inquiry inquiry;
    inquiry.port = 8000;
    inquiry.protocols = {protocol_udp};
    return ask_foreign(read(text), {{interface, any}}, inquiry, std::nullopt).front();
}

Asked ask_mac(const std::string& rules, const std::string& tables = "",
              Family family = Family::ipv4) {
    // Nothing of this machine leaves but answers and neighbour discovery.
    const std::string out =
        "\nblock drop out all\npass out proto udp from any port = 8000 to any no state\npass out "
        "inet6 proto ipv6-icmp all\n";
    return ask_text(before + rules + out + tables + "# pf end\n", "en0", family);
}

std::string decider(const Asked& asked) {
    return asked.verdict.deciding_rule ? asked.verdict.deciding_rule->text : "";
}

}  // namespace

TEST_CASE("the rule that is named is one that can match the stranger") {
    const Asked asked = ask_mac("block drop in quick from 10.0.0.0/8 to any\nblock drop in all",
                                "# pf table bad\n 203.0.113.7\n");
    CHECK(asked.verdict.kind == drop);
    CHECK(decider(asked) == "block drop in all");
    CHECK_FALSE(asked.some_differ);
    const Asked listed = ask_mac("block drop in quick from <bad> to any\nblock drop in all",
                                 "# pf table bad\n 203.0.113.7\n");
    CHECK(decider(listed) == "block drop in all");
    CHECK_FALSE(listed.some_differ);
}

TEST_CASE("where only some are stopped or let in, the stranger's is the verdict and that is said") {
    const Asked some_stopped = ask_mac("block drop in quick from <bad> to any\npass in all",
                                       "# pf table bad\n 45.0.0.0/8\n");
    CHECK(some_stopped.verdict.kind == accept);
    CHECK(some_stopped.some_differ);
    CHECK_FALSE(some_stopped.verdict.open.empty());
    const Asked some_pass = ask_mac("block drop in all\npass in from 192.168.0.0/16 to any");
    CHECK(some_pass.verdict.kind == drop);
    CHECK(some_pass.some_differ);
    CHECK(decider(some_pass) == "block drop in all");
    const Asked negated = ask_mac("block drop in from ! 192.168.0.0/16 to any");
    CHECK(negated.verdict.kind == drop);
    CHECK(negated.some_differ);
    // Nobody is treated otherwise.
    CHECK_FALSE(ask_mac("pass in all").some_differ);
}

TEST_CASE("a table without members of the family matches nobody of it") {
    const std::string rules = "block drop in quick from <bad> to any\npass in all";
    const Asked v4 = ask_mac(rules, "# pf table bad\n 2001:db8::/32\n !45.67.89.91\n");
    CHECK(v4.verdict.kind == accept);
    CHECK_FALSE(v4.some_differ);
    const Asked v6 = ask_mac(rules, "# pf table bad\n 2001:db8::/32\n", Family::ipv6);
    CHECK(v6.verdict.kind == accept);
    CHECK(v6.some_differ);
}

TEST_CASE("a stranger is in no network that the rules or interfaces have") {
    for (const char* pass :
         {"pass in from 45.67.0.0/16 to any", "pass in from (en0:network) to any",
          "pass in from <friends> to any"}) {
        INFO(pass);
        const Asked asked = ask_mac("block drop in all\n" + std::string(pass),
                                    "# pf table friends\n 45.67.89.91\n 1.67.89.0/24\n");
        CHECK(asked.verdict.kind == drop);
        CHECK(asked.some_differ);
    }
    const std::vector<Interval> most = {{0x01000000, 0x6CFFFFFF}};
    const Endpoint other = stranger(Family::ipv4, most);
    CHECK(other.address.is_public());
    CHECK(other.address.to_string() == "109.67.89.91");
    const std::vector<Interval> all = {{0, 0x7FFFFFFF}, {0x80000000, 0xFFFFFFFF}};
    CHECK(stranger(Family::ipv4, all) == stranger(Family::ipv4));
    CHECK(stranger(Family::ipv4, {{0, 0xFFFFFFFF}}) == stranger(Family::ipv4));
    const IpAddress v6 = stranger(Family::ipv6).address;
    const IpAddress other_v6 = stranger(Family::ipv6, {{to_bits(v6), to_bits(v6)}}).address;
    CHECK(other_v6.is_public());
    CHECK(other_v6 != v6);
}

TEST_CASE("what is open with whoever and settled with a stranger is no claim about the others") {
    const Asked asked = ask_mac("block drop in all\npass in from 10.0.0.0/8 to any novelty 5");
    CHECK(asked.verdict.kind == drop);
    CHECK_FALSE(asked.some_differ);
    CHECK(says(asked.verdict.why, "Of some other senders it cannot be told."));
}

TEST_CASE("Windows: by rules about addresses, those of strangers") {
    const auto ask_windows = [](const std::vector<std::string>& rules) {
        return ask_text(document(rules), "Wi-Fi");
    };
    const Asked near = ask_windows({rule("near", {{"RemoteAddress", "\"LocalSubnet\""}})});
    CHECK(near.verdict.kind == reply_only);
    CHECK(near.some_differ);
    CHECK(says(decider(near), "DefaultInboundAction"));
    const Asked gateway = ask_windows({rule("gateway", {{"RemoteAddress", "\"DefaultGateway\""}})});
    CHECK(gateway.verdict.kind == reply_only);
    const Asked banned =
        ask_windows({rule("open"), block("banned", {{"RemoteAddress", "\"45.67.89.0/24\""}})});
    CHECK(banned.verdict.kind == accept);
    CHECK(banned.some_differ);
    const Asked shut = ask_windows({block("banned", {{"RemoteAddress", "\"45.67.89.0/24\""}})});
    CHECK(shut.verdict.kind == reply_only);
    CHECK(says(decider(shut), "DefaultInboundAction"));
    CHECK_FALSE(shut.some_differ);
}
