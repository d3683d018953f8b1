// One name server in a namespace of its own: whatever it says, or does not, is told apart.
#include "net/dns_query.hpp"

#include <catch2/catch.hpp>

#include "fake/dns_server.hpp"
#include "fake/sandbox.hpp"
#include "run_task.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

// Far above what an answer on loopback takes; silence is known after 1.8 s.
constexpr Milliseconds long_enough{120'000};

std::string ask(const std::string& name, Family family, Milliseconds patience = long_enough) {
    net::DnsQuestion question;
    question.server.address = IpAddress::v4(0x7F000001);
    question.name = name;
    question.family = family;
    boost::asio::io_context context;
    const auto answer =
        run_on(context, net::ask_name_server(std::move(question), Clock::now() + patience));
    std::string text(net::to_string(answer.outcome));
    for (const IpAddress& address : answer.addresses) text += ' ' + address.to_string();
    return text + (answer.took ? " timed" : "");
}

std::string all_questions() {
    std::string text;
    for (const char* name : {"both.example", "v4only.example", "nx.example", "broken.example",
                             "refused.example", "cut.example", "silent.example", "not a name"}) {
        text += ask(name, Family::ipv4) + "; " + ask(name, Family::ipv6) + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("a name server's answers are told apart") {
    const auto result = in_sandbox({}, [] {
        const FakeDnsServer dns;
        return all_questions();
    });
    if (!result) {
        WARN("no namespaces here: not tested");
        return;
    }
    CHECK(*result ==
          "answered 192.0.2.1 timed; answered 2001:db8::1 timed\n"
          "answered 192.0.2.1 timed; no-address timed\n"
          "no-name timed; no-name timed\n"
          "servfail timed; servfail timed\n"
          "refused timed; refused timed\n"
          "truncated; truncated\n"
          "timed-out; timed-out\n"
          "failed; failed\n");
}

TEST_CASE("a closed port and a missing route are no silence, and a deadline is kept") {
    const auto closed = in_sandbox({}, [] { return ask("both.example", Family::ipv4); });
    if (!closed) {
        WARN("no namespaces here: not tested");
        return;
    }
    CHECK(*closed == "closed");
    SandboxOptions no_network;
    no_network.loopback_up = false;
    CHECK(*in_sandbox(no_network, [] { return ask("both.example", Family::ipv4); }) == "no-route");
    const auto early = in_sandbox({}, [] {
        const FakeDnsServer dns;
        return ask("silent.example", Family::ipv4, Milliseconds(50));
    });
    CHECK(*early == "timed-out");
}
