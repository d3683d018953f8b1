#include "options.hpp"

#include <catch2/catch.hpp>

#include <fake_host.hpp>
#include "base/json.hpp"
#include "lab.hpp"
#include "schema.hpp"

using namespace p2pdiag;
using lab::Nat;

namespace {

lab::Outcome<lab::Options> parse(std::string_view text) {
    return lab::parse_options(json::parse(text)->as_object());
}

void check_refused(std::string_view text, std::string_view word) {
    CAPTURE(text);
    const auto options = parse(text);
    REQUIRE(options.has_error());
    CHECK(options.error().exit_code == lab::exit_usage);
    CHECK(options.error().message.find(word) != std::string::npos);
}

}  // namespace

TEST_CASE("a kind of NAT is enough") {
    const auto options = parse(R"({"nat":"symmetric-sequential"})");
    REQUIRE(options.has_value());
    CHECK(options->nat == Nat::symmetric_sequential);
    CHECK_FALSE(options->peer_nat);
    CHECK_FALSE(options->cgnat);
    CHECK(options->on == "client");
    CHECK(options->servers);
    CHECK(options->default_route);
    CHECK_FALSE(options->igd.any());
    CHECK(options->loss_percent == 0);
    CHECK_FALSE(options->mapping_lifetime);
}

TEST_CASE("every kind is read and named alike") {
    for (const auto& [nat, name] : lab::nat_names) {
        const auto options = parse(R"({"nat":")" + std::string(name) + "\"}");
        REQUIRE(options.has_value());
        CHECK(options->nat == nat);
        CHECK(lab::to_string(nat) == name);
    }
}

TEST_CASE("ports that are taken") {
    const auto options = parse(R"({"nat":"open","listen":["udp:0.0.0.0:8000","tcp:[::1]:80"]})");
    REQUIRE(options.has_value());
    REQUIRE(options->listen.size() == 2);
    CHECK(options->listen[0].transport == Transport::udp);
    CHECK(options->listen[0].local.to_string() == "0.0.0.0:8000");
    CHECK(options->listen[1].to_string() == "tcp:[::1]:80");
    for (const char* bad : {"", "udp", "udp:", "udp:8000", "sctp:0.0.0.0:1", "udp:0.0.0.0:0",
                            "udp:0.0.0.0:65536", "tcp:::1:80"}) {
        check_refused(R"({"nat":"open","listen":[")" + std::string(bad) + "\"]}", "--listen takes");
    }
}

TEST_CASE("all options together") {
    const auto options =
        parse(R"({"nat":"full-cone","peer-nat":"open","cgnat":"symmetric","on":"peer",
        "igd":"pcp,upnp","block":["udp-out","udp-3478","tcp-high"],"host-firewall":"a.nft","loss":2.5,"delay":40,
        "mapping-lifetime":30,"mtu":1400,"hairpin":true,"ipv6":true,"dns":"broken","no-default-route":true,
        "listen":["udp:0.0.0.0:8000","tcp:[::1]:80"],
        "no-servers":true,"command":true})");
    REQUIRE(options.has_value());
    CHECK(options->peer_nat == Nat::open);
    CHECK(options->cgnat == Nat::symmetric);
    CHECK(options->on == "peer");
    CHECK(options->igd.upnp);
    CHECK_FALSE(options->igd.natpmp);
    CHECK(options->igd.pcp);
    CHECK_FALSE(options->block.udp);
    CHECK(options->block.udp_out);
    CHECK(options->block.udp_3478);
    CHECK(options->block.tcp_high);
    CHECK(options->host_firewall == "a.nft");
    CHECK(options->loss_percent == 2.5);
    CHECK(options->delay_ms == 40U);
    CHECK(options->mapping_lifetime == 30U);
    CHECK(options->mtu == 1400U);
    CHECK(options->hairpin);
    CHECK(options->ipv6);
    CHECK(options->dns == lab::Dns::broken);
    CHECK_FALSE(options->default_route);
    CHECK_FALSE(options->servers);
    CHECK(options->command);
}

TEST_CASE("what makes no sense is refused with the way out") {
    check_refused("{}", "port-restricted-cone");
    check_refused(R"({"nat":"cone"})", "port-restricted-cone");
    check_refused(R"({"nat":"open","peer-nat":"x"})", "--peer-nat");
    check_refused(R"({"nat":"full-cone","cgnat":"open"})", "leave --cgnat out");
    check_refused(R"({"nat":"full-cone","igd":""})", "natpmp");
    check_refused(R"({"nat":"full-cone","igd":"upnp,"})", "natpmp");
    check_refused(R"({"nat":"full-cone","igd":"none,upnp"})", "none");
    check_refused(R"({"nat":"open","igd":"upnp"})", "router");
    check_refused(R"({"nat":"open","hairpin":true})", "router");
    check_refused(R"({"nat":"open","mapping-lifetime":5})", "NAT");
    check_refused(R"({"nat":"full-cone","mapping-lifetime":0})", "86400");
    check_refused(R"({"nat":"full-cone","mtu":575})", "576");
    check_refused(R"({"nat":"full-cone","mtu":1279,"ipv6":true})", "1280");
    check_refused(R"({"nat":"full-cone","delay":10001})", "10000");
    check_refused(R"({"nat":"full-cone","loss":90.1})", "90");
    check_refused(R"({"nat":"full-cone","loss":-1})", "90");
    check_refused(R"({"nat":"full-cone","block":["tcp"]})", "tcp-high");
    check_refused(R"({"nat":"full-cone","block":[7]})", "tcp-high");
    check_refused(R"({"nat":"full-cone","dns":"slow"})", "broken");
    check_refused(R"({"nat":"full-cone","dns":"nat64","no-servers":true})", "name server");
    check_refused(R"({"nat":"full-cone","dns":"lying","no-servers":true})", "name server");
    check_refused(R"({"nat":"full-cone","block":["ipv6-in"]})", "--ipv6");
    check_refused(R"({"nat":"open","captive-portal":true})", "router");
    check_refused(R"({"nat":"open","mtu-black-hole":1400})", "router");
    check_refused(R"({"nat":"full-cone","mtu":1400,"mtu-black-hole":1400})", "exclude");
    check_refused(R"({"nat":"full-cone","web-clock":630000001})", "630000000");
    check_refused(R"({"nat":"full-cone","web-clock":60,"no-servers":true})", "web server");
}

TEST_CASE("options that break a network in one way") {
    const auto options = parse(R"({"nat":"full-cone","ipv6":true,"block":["ipv6-in"],
        "dns":"lying","mtu-black-hole":1400,"captive-portal":true,"web-clock":-60})");
    REQUIRE(options.has_value());
    CHECK(options->block.ipv6_in);
    CHECK(options->dns == lab::Dns::lying);
    CHECK(options->mtu == 1400U);
    CHECK(options->mtu_silent);
    CHECK(options->captive_portal);
    CHECK(options->web_clock_s == -60);
}

TEST_CASE("the schema is JSON and knows every kind") {
    const auto schema = json::parse(lab::schema);
    REQUIRE(schema.has_value());
    const json::array* commands = json::find_array(schema->as_object(), "commands");
    REQUIRE(commands != nullptr);
    REQUIRE(commands->size() == 3);
    for (std::size_t i = 0; i < 2; ++i) {
        const json::array* options = json::find_array((*commands)[i].as_object(), "options");
        REQUIRE(options != nullptr);
        const json::object& nat = options->front().as_object();
        const json::array* choices = json::find_array(nat, "choices");
        REQUIRE(choices != nullptr);
        REQUIRE(choices->size() == lab::nat_names.size());
        for (std::size_t kind = 0; kind < choices->size(); ++kind) {
            CHECK((*choices)[kind].as_string() == lab::nat_names[kind].second);
        }
    }
}

TEST_CASE("the verb refuses what no host would hand over") {
    constexpr p2pdiag_verb verb = p2pdiag::verb<lab::lab>({.name = "lab", .summary = ""});
    testing::FakeHost host;
    CHECK(host.run(verb, "not JSON") == lab::exit_failed);
    CHECK(host.run(verb, "[]") == lab::exit_failed);
    CHECK(host.run(verb, "{}") == lab::exit_usage);
    CHECK(host.run(verb, R"({"command":"run","options":{"nat":"open"},"rest":[]})") ==
          lab::exit_usage);
    CHECK(host.run(verb, R"({"command":"run","options":{"nat":"open"},"rest":["run"]})") ==
          lab::exit_failed);
    CHECK(host.run(verb, R"({"command":"shell","options":{"nat":"open","on":"router"}})") ==
          lab::exit_usage);
}
