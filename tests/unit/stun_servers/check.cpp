// stun.servers as the host runs it, against servers on loopback.
#include <catch2/catch.hpp>

#include <fake_host.hpp>
#include <thread>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "checks.hpp"
#include "fake/coturn.hpp"
#include "fake/stun_server.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

struct Outcome {
    p2pdiag_status status = P2PDIAG_STATUS_INVALID;
    json::value data;
    std::vector<std::string> codes;
    std::string summary;

    json::value at(const char* pointer) const { return data.at_pointer(pointer); }
};

Outcome run(FakeHost& host, const std::vector<std::string>& servers) {
    json::array names;
    for (const std::string& server : servers) names.push_back(json::value(server));
    const json::object input{{"servers", json::object{{"stun", std::move(names)}}}};
    static constexpr p2pdiag_check check =
        p2pdiag::check<stun_plugin::check_servers>({.id = "stun.servers", .title = "t"});
    Outcome outcome;
    outcome.status = host.run(check, json::to_text(input));
    for (const std::string& line : host.emitted()) {
        const json::value message = json::parse(line).value();
        const json::object& object = message.get_object();
        const auto type = json::find_string(object, "type");
        if (type == "data") outcome.data = object.at("data");
        if (type == "finding") outcome.codes.emplace_back(*json::find_string(object, "code"));
        if (type == "summary") outcome.summary = *json::find_string(object, "text");
    }
    return outcome;
}

Outcome run(const std::vector<std::string>& servers) {
    FakeHost host;
    return run(host, servers);
}

Outcome run(StunFault fault) {
    FakeStunOptions options;
    options.fault = fault;
    const FakeStunServer server(options);
    return run({server.primary().to_string()});
}

}  // namespace

TEST_CASE("a server that works, by address and by name") {
    const FakeStunServer server;
    const std::string port = std::to_string(server.primary().port);
    const Outcome outcome = run({server.primary().to_string(), "stun:localhost:" + port});
    CHECK(outcome.status == P2PDIAG_PASS);
    CHECK(outcome.codes.empty());
    for (const char* which : {"/servers/0/ipv4", "/servers/1/ipv4"}) {
        const json::value found = outcome.at(which);
        const json::object& family = found.get_object();
        CHECK(family.at("udp").at("reachable") == true);
        CHECK(family.at("udp").at("sent").as_int64() >= 1);
        CHECK(family.at("udp").at("software") == "fake");
        CHECK(Endpoint::parse(json::find_string(family.at("udp").get_object(), "mapped").value())
                  ->address.scope() == AddressScope::loopback);
        CHECK(family.at("tcp").at("reachable") == true);
        CHECK(family.at("tls").is_null());  // not the default port: TLS is not expected
    }
    CHECK(outcome.at("/servers/0/ipv6/reason") == "other-family");
}

TEST_CASE("each fault of a server is told apart") {
    std::string summary;
    const auto reason = [&](StunFault fault, const char* transport = "/servers/0/ipv4/udp/reason") {
        const Outcome outcome = run(fault);
        CHECK(outcome.status == P2PDIAG_FAIL);
        CHECK(outcome.codes == std::vector<std::string>{"nat.stun-unreachable"});
        summary = outcome.summary;
        return outcome.at(transport);
    };
    CHECK(reason(StunFault::silent) == "no-answer");
    CHECK(summary.find(": no answer)") != std::string::npos);
    CHECK(reason(StunFault::wrong_transaction) == "wrong-transaction");
    CHECK(reason(StunFault::wrong_source) == "wrong-source");
    CHECK(summary.find(" and not from 127.0.0.1:") != std::string::npos);
    CHECK(reason(StunFault::malformed) == "malformed");
    CHECK(reason(StunFault::garbage) == "malformed");
    CHECK(summary.find("an answer that is no valid STUN") != std::string::npos);
    CHECK(reason(StunFault::huge) == "malformed");
    CHECK(reason(StunFault::garbage, "/servers/0/ipv4/tcp/reason") == "malformed");

    const Outcome refusal = run(StunFault::error_420);
    CHECK(refusal.status == P2PDIAG_WARN);
    CHECK(refusal.at("/servers/0/ipv4/udp/reason") == "error-420");
    CHECK(refusal.at("/servers/0/ipv4/udp/mapped").is_null());
}

TEST_CASE("a closed port is refused over UDP and over TCP") {
    const Outcome outcome = run({closed_port().to_string()});
    CHECK(outcome.status == P2PDIAG_FAIL);
    CHECK(outcome.at("/servers/0/ipv4/udp/reason") == "refused");
    CHECK(outcome.at("/servers/0/ipv4/tcp/reason") == "refused");
}

TEST_CASE("a path whose round trip takes a second is slow and not silent") {
    FakeStunOptions options;
    options.delay = Milliseconds(1000);  // over UDP alone
    options.tcp = false;
    const FakeStunServer server(options);
    const Outcome outcome = run({server.primary().to_string()});
    CHECK(outcome.status == P2PDIAG_PASS);
    CHECK(outcome.at("/servers/0/ipv4/udp/reachable") == true);
}

TEST_CASE("TCP only, and UDP only") {
    FakeStunOptions options;
    options.fault = StunFault::none;
    options.udp = false;
    const FakeStunServer tcp_only(options);
    const Outcome tcp = run({tcp_only.primary().to_string()});
    CHECK(tcp.status == P2PDIAG_FAIL);
    CHECK(tcp.at("/servers/0/ipv4/udp/reachable") == false);
    CHECK(tcp.at("/servers/0/ipv4/tcp/reachable") == true);

    options.udp = true;
    options.tcp = false;
    const FakeStunServer udp_only(options);
    const Outcome udp = run({udp_only.primary().to_string()});
    CHECK(udp.status == P2PDIAG_PASS);
    CHECK(udp.codes.empty());
    CHECK(udp.at("/servers/0/ipv4/tcp/reachable") == false);
    CHECK(udp.at("/servers/0/ipv4/tcp/reason") == "refused");
}

TEST_CASE("a slow server is waited for, and one that loses packets is asked again") {
    FakeStunOptions options;
    options.delay = Milliseconds(450);
    const FakeStunServer slow(options);
    CHECK(run({slow.primary().to_string()}).status == P2PDIAG_PASS);
    options.delay = Milliseconds(0);
    options.lose_first = 4;
    const FakeStunServer lossy(options);
    const Outcome outcome = run({lossy.primary().to_string()});
    CHECK(outcome.status == P2PDIAG_PASS);
    CHECK(outcome.at("/servers/0/ipv4/udp/sent") == 5);
}

TEST_CASE("one bad server does not hide the good ones, and is named") {
    FakeStunOptions options;
    options.fault = StunFault::silent;
    const FakeStunServer silent(options);
    const FakeStunServer good;
    const Outcome outcome = run({silent.primary().to_string(), good.primary().to_string(), "a b"});
    CHECK(outcome.status == P2PDIAG_PASS);
    CHECK(outcome.codes == std::vector<std::string>{"nat.stun-unreachable"});
    CHECK(outcome.at("/servers/1/ipv4/udp/reachable") == true);
    CHECK(outcome.at("/servers/2/reason") == "invalid");
}

TEST_CASE("IPv6 is asked beside IPv4") {
    if (!has_ipv6_loopback()) {
        WARN("no IPv6 on loopback here: not tested");
        return;
    }
    FakeStunOptions options;
    options.family = Family::ipv6;
    const FakeStunServer server(options);
    const Outcome outcome = run({server.primary().to_string()});
    CHECK(outcome.status == P2PDIAG_PASS);
    CHECK(outcome.at("/servers/0/ipv6/udp/reachable") == true);
    CHECK(outcome.at("/servers/0/ipv4/reason") == "other-family");
}

TEST_CASE("coturn answers over UDP, TCP and TLS, and its certificate is not believed") {
    CoturnOptions options;
    options.tls = true;
    const auto server = Coturn::start(options);
    REQUIRE(server);
    const Outcome outcome = run({server->endpoint().to_string(),
                                 "stuns:localhost:" + std::to_string(server->tls_endpoint().port)});
    CHECK(outcome.status == P2PDIAG_PASS);
    CHECK(outcome.at("/servers/0/ipv4/udp/reachable") == true);
    CHECK(outcome.at("/servers/0/ipv4/tcp/reachable") == true);
    CHECK(outcome.at("/servers/1/ipv4/udp").is_null());
    CHECK(outcome.at("/servers/1/ipv4/tls/reachable") == true);
    CHECK(outcome.at("/servers/1/ipv4/tls/reason") == "tls-untrusted");
    CHECK(outcome.at("/servers/1/ipv4/tls/certificate/trusted") == false);
}

TEST_CASE("nothing configured, or nonsense for input") {
    CHECK(run(std::vector<std::string>{}).status == P2PDIAG_SKIP);
    static constexpr p2pdiag_check check =
        p2pdiag::check<stun_plugin::check_servers>({.id = "stun.servers", .title = "t"});
    for (const char* input :
         {"", "[]", "{}", R"({"servers":{"stun":"x"}})", "{\"servers\":null}"}) {
        FakeHost host;
        CHECK(host.run(check, input) == P2PDIAG_SKIP);
    }
}

TEST_CASE("a run that is cancelled, or out of time, tells what it knows and no more") {
    FakeStunOptions options;
    options.fault = StunFault::silent;
    const FakeStunServer silent(options);
    const std::string silent_name = silent.primary().to_string();
    SECTION("before anything is known") {
        FakeHost host;
        host.cancel();
        const Outcome outcome = run(host, {silent_name});
        CHECK(outcome.status == P2PDIAG_UNKNOWN);
        CHECK(outcome.codes.empty());
        CHECK(outcome.at("/servers/0/server") == json::value(silent_name));
    }
    SECTION("at the deadline") {
        FakeHost host;
        host.set_deadline(Clock::now() + Milliseconds(300));
        const Outcome outcome = run(host, {silent_name});
        CHECK(outcome.status == P2PDIAG_UNKNOWN);
        CHECK(outcome.codes.empty());
    }
    SECTION("when one server has answered and the other is still being asked") {
        const FakeStunServer good;
        FakeHost host;
        std::thread user([&] {
            // The third round of questions: the answer to the first was read before it.
            while (silent.datagrams() < 3) std::this_thread::yield();
            host.cancel();
        });
        const Outcome outcome = run(host, {silent_name, good.primary().to_string()});
        user.join();
        CHECK(outcome.status == P2PDIAG_PASS);
        CHECK(outcome.codes.empty());
        CHECK(outcome.at("/servers/0/ipv4/udp/reachable").is_null());
        CHECK(outcome.at("/servers/0/ipv4/udp/reason") == "not-awaited");
        CHECK(outcome.at("/servers/1/ipv4/udp/reachable") == true);
    }
}
