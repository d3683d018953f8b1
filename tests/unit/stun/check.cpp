// The check itself over real sockets on loopback.
#include "checks.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <catch2/catch.hpp>
#include <fake_host.hpp>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "fake/coturn.hpp"
#include "fake/sandbox.hpp"
#include "fake/stun_server.hpp"
#include "net/endpoint.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;

namespace {

const p2pdiag_check nat_check = check<stun_plugin::check_nat>({.id = "stun.nat", .title = "NAT"});

struct NatRun {
    p2pdiag_status status = P2PDIAG_STATUS_INVALID;
    json::object data;
    std::string summary;
    std::vector<std::string> codes;
    std::vector<std::string> messages;  // one for each of codes

    // The message of the first finding with that code.
    std::string finding(std::string_view code) const {
        const auto at = std::find(codes.begin(), codes.end(), code);
        return at == codes.end() ? "" : messages[static_cast<std::size_t>(at - codes.begin())];
    }
    const json::object& ipv4() const { return data.at("ipv4").as_object(); }
};

NatRun run_nat(const std::vector<Endpoint>& servers, const json::object& options = {}) {
    json::array list;
    for (const Endpoint& server : servers) list.emplace_back(server.to_string());
    json::object input;
    input["servers"] = json::object{{"stun", list}};
    input["options"] = options;
    FakeHost host;
    host.set_deadline(Clock::now() + std::chrono::seconds(20));
    NatRun result;
    result.status = host.run(nat_check, json::to_text(input));
    for (const std::string& line : host.emitted()) {
        const json::object message = json::parse(line).value().as_object();
        const std::string_view type = message.at("type").as_string();
        if (type == "data") result.data = message.at("data").as_object();
        if (type == "summary") result.summary = message.at("text").as_string();
        if (type != "finding") continue;
        result.codes.emplace_back(message.at("code").as_string());
        result.messages.emplace_back(message.at("message").as_string());
    }
    return result;
}

}  // namespace

TEST_CASE("stun.nat against coturn: no NAT on loopback, but no public address either",
          "[stun][check]") {
    const auto coturn = Coturn::start();
    if (!coturn) {
        WARN("coturn is not installed: skipped");
        return;
    }
    const NatRun result = run_nat({coturn->endpoint()});
    INFO(json::to_text(result.data));
    CHECK(result.ipv4().at("mapping") == "endpoint-independent");
    CHECK(result.ipv4().at("filtering") == "endpoint-independent");
    CHECK(result.ipv4().at("port_preservation") == true);
    CHECK(result.ipv4().at("nat_type").is_null());
    CHECK(result.ipv4().at("nat_type_reason") == "server-inside");
    CHECK(result.ipv4().at("destinations").as_array().size() >= 3);
    CHECK(result.status == P2PDIAG_UNKNOWN);
    CHECK(result.data.at("ipv6").is_null());
    CHECK(result.data.at("ipv6_reason") == "no-server");
}

TEST_CASE("stun.nat against a server without RFC 5780", "[stun][check]") {
    const auto coturn = Coturn::start({.rfc5780 = false});
    if (!coturn) {
        WARN("coturn is not installed: skipped");
        return;
    }
    const NatRun result = run_nat({coturn->endpoint()});
    INFO(json::to_text(result.data));
    CHECK(result.ipv4().at("mapping").is_null());
    CHECK(result.ipv4().at("mapping_reason") == "one-destination");
    CHECK(result.ipv4().at("filtering_reason") == "server-unsupported");
    CHECK(result.status == P2PDIAG_UNKNOWN);
}

TEST_CASE("stun.nat and servers with faults", "[stun][check]") {
    struct Case {
        StunFault fault;
        const char* words;
    };
    const Case cases[] = {
        {StunFault::wrong_transaction, "no STUN server gave an answer that counts"},
        {StunFault::wrong_source, " and not from "},
        {StunFault::malformed, "something that is no valid STUN"},
        {StunFault::garbage, "something that is no valid STUN"},
        {StunFault::no_mapped_address, "something that is no valid STUN"},
        {StunFault::error_420, "answers with the error 420"}};
    for (const Case& entry : cases) {
        FakeStunOptions options;
        options.fault = entry.fault;
        const FakeStunServer server(options);
        const NatRun result = run_nat({server.primary()});
        INFO(json::to_text(result.data));
        CHECK(result.ipv4().at("nat_type_reason") == "no-valid-answer");
        CHECK(result.status == P2PDIAG_UNKNOWN);
        INFO(result.summary);
        CHECK(result.summary.find(entry.words) != std::string::npos);
        CHECK(result.finding("nat.stun-unreachable").find(entry.words) != std::string::npos);
        const bool elsewhere = entry.fault == StunFault::wrong_source;
        CHECK(result.ipv4().at("answered_elsewhere").is_null() == !elsewhere);
        if (elsewhere) {
            CHECK(result.ipv4().at("answered_elsewhere").at("asked") ==
                  json::value(server.primary().to_string()));
        }
    }
}

namespace {

// Loopback refuses what goes to a port without a socket, and so shows that UDP passes. These
// sockets swallow it, as a network that blocks UDP does.
class BlackHoles {
public:
    explicit BlackHoles(const std::vector<Endpoint>& at) {
        for (const Endpoint& endpoint : at) {
            sockets_.emplace_back(context_, net::to_udp(endpoint));
        }
    }

private:
    boost::asio::io_context context_;
    std::vector<boost::asio::ip::udp::socket> sockets_;
};

// stun.nat against servers that are silent by UDP, where nothing refuses: status, summary, codes
// and the IPv4 data. Nothing where that cannot be made.
std::optional<json::object> run_blocked(bool two_names) {
    const auto result = in_sandbox({}, [two_names] {
        FakeStunOptions options;
        options.two_addresses = true;
        options.lose_first = 100000;
        const FakeStunServer server(options);
        std::vector<Endpoint> servers{server.primary()};
        if (two_names) servers.push_back(server.alternate());
        std::vector<Endpoint> others;
        for (const Endpoint& at : servers) {
            for (const int port : {443, 3478, 3479, 19302}) {
                others.push_back({at.address, static_cast<std::uint16_t>(port)});
            }
        }
        const BlackHoles holes(others);
        const NatRun run = run_nat(servers);
        json::array codes;
        for (const std::string& code : run.codes) codes.emplace_back(code);
        return json::to_text(json::object{{"status", static_cast<int>(run.status)},
                                          {"summary", run.summary},
                                          {"codes", codes},
                                          {"ipv4", run.ipv4()}});
    });
    if (!result) {
        WARN("no namespaces here: not tested");
        return std::nullopt;
    }
    INFO(*result);
    const auto parsed = json::parse(*result);
    REQUIRE(parsed.has_value());
    return parsed->as_object();
}

}  // namespace

TEST_CASE("stun.nat: silent by UDP while TCP answers is blocked UDP", "[stun][check]") {
    const auto result = run_blocked(true);
    if (!result) return;
    INFO(json::to_text(*result));
    const json::object& ipv4 = result->at("ipv4").as_object();
    CHECK(ipv4.at("nat_type") == "udp-blocked");
    CHECK(ipv4.at("filtered_by") == "unknown");
    CHECK(ipv4.at("udp_ports_tried").as_array().size() == 8);
    for (const json::value& tried : ipv4.at("udp_ports_tried").as_array()) {
        CHECK(tried.at("outcome") == "no-answer");
    }
    CHECK(ipv4.at("egress").at("interface") == "lo");
    CHECK(result->at("status") == static_cast<int>(P2PDIAG_FAIL));
    CHECK(result->at("codes") == json::value(json::array{"nat.udp-blocked"}));
    CHECK(json::find_string(*result, "summary")->find("by the interface lo") != std::string::npos);
}

TEST_CASE("stun.nat: one server that is silent by UDP may itself be at fault", "[stun][check]") {
    const auto result = run_blocked(false);
    if (!result) return;
    INFO(json::to_text(*result));
    const json::object& ipv4 = result->at("ipv4").as_object();
    CHECK(ipv4.at("nat_type").is_null());
    CHECK(ipv4.at("nat_type_reason") == "one-destination");
    CHECK(result->at("status") == static_cast<int>(P2PDIAG_UNKNOWN));
    CHECK(result->at("codes") == json::value(json::array{"nat.stun-unreachable"}));
}

TEST_CASE("stun.nat: silent servers on a machine that refuses at its other ports",
          "[stun][check]") {
    FakeStunOptions options;
    options.two_addresses = true;
    options.lose_first = 100000;
    const FakeStunServer server(options);
    const NatRun result = run_nat({server.primary(), server.alternate()});
    INFO(json::to_text(result.data));
    CHECK(result.ipv4().at("nat_type").is_null());
    CHECK(result.ipv4().at("nat_type_reason") == "only-other-ports");
    CHECK(result.ipv4().at("udp_ports_tried").as_array().front().at("outcome") == "refused");
    CHECK(result.status == P2PDIAG_UNKNOWN);
    CHECK(result.finding("nat.stun-unreachable").find("UDP is not blocked as such") !=
          std::string::npos);
}

TEST_CASE("stun.nat: a closed port is no blocked UDP", "[stun][check]") {
    const NatRun result = run_nat({closed_port()});
    INFO(json::to_text(result.data));
    CHECK(result.ipv4().at("nat_type").is_null());
    CHECK(result.status == P2PDIAG_UNKNOWN);
    CHECK(result.codes == std::vector<std::string>{"nat.stun-unreachable"});
}

TEST_CASE("stun.nat: ignored CHANGE-REQUEST, rewriting and floods", "[stun][check]") {
    FakeStunOptions options;
    options.two_addresses = true;
    options.fault = StunFault::ignores_change;
    {
        const FakeStunServer server(options);
        const NatRun result = run_nat({server.primary()});
        CHECK(result.ipv4().at("filtering_reason") == "server-unsupported");
    }
    options.fault = StunFault::rewritten;
    {
        const FakeStunServer server(options);
        const NatRun result = run_nat({server.primary()});
        CHECK(result.ipv4().at("address_rewritten").is_object());
        CHECK(result.codes ==
              std::vector<std::string>{"nat.kind-unknown", "nat.address-rewritten"});
    }
    options.fault = StunFault::flood;
    {
        const FakeStunServer server(options);
        const NatRun result = run_nat({server.primary()});
        CHECK(result.ipv4().at("mapping") == "endpoint-independent");
    }
}

TEST_CASE("stun.nat over IPv6", "[stun][check]") {
    if (!has_ipv6_loopback()) {
        WARN("no IPv6 on loopback: skipped");
        return;
    }
    FakeStunOptions options;
    options.family = Family::ipv6;
    const FakeStunServer server(options);
    const NatRun result = run_nat({server.primary()});
    INFO(json::to_text(result.data));
    CHECK(result.data.at("ipv4").is_null());
    CHECK(result.data.at("ipv6").as_object().at("local").is_string());
}

TEST_CASE("stun.nat: a given local port", "[stun][check]") {
    FakeStunOptions options;
    options.two_addresses = true;
    const FakeStunServer server(options);
    const std::uint16_t port = closed_port().port;
    const NatRun result = run_nat({server.primary()}, {{"local_port", port}});
    INFO(json::to_text(result.data));
    const json::object& given = result.ipv4().at("local_port").as_object();
    CHECK(given.at("port") == port);
    CHECK(given.at("port_preserved") == true);
    CHECK(given.at("mapping") == "endpoint-independent");
}

TEST_CASE("stun.nat: nothing to ask, and bad input", "[stun][check]") {
    const NatRun result = run_nat({});
    CHECK(result.status == P2PDIAG_UNKNOWN);
    CHECK(result.data.at("ipv4").is_null());
    CHECK(result.data.at("ipv4_reason") == "no-server");
    FakeHost host;
    CHECK(host.run(nat_check, "[]") == P2PDIAG_UNKNOWN);
    CHECK(host.run(nat_check, R"({"servers":{"stun":[1,"a b:3","host:99999"]}})") ==
          P2PDIAG_UNKNOWN);
}

TEST_CASE("stun.nat ends when it is cancelled", "[stun][check]") {
    FakeStunOptions options;
    options.fault = StunFault::silent;
    options.tcp = false;
    const FakeStunServer server(options);
    json::object input;
    input["servers"] = json::object{{"stun", json::array{server.primary().to_string()}}};
    FakeHost host;
    host.cancel();
    CHECK(host.run(nat_check, json::to_text(input)) == P2PDIAG_UNKNOWN);
}
