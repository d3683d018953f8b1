// What is let in, in every language, and steps and records as they lie in the journal.
#include "allow_opening.hpp"

#include <catch2/catch.hpp>

#include "rules.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

std::string parsed_net(std::string_view text) {
    std::string why;
    const auto net = SourceNet::parse(text, why);
    return net ? net->to_string() : why;
}

AllowStep nft_step() {
    std::string why;
    AllowStep step;
    step.opening = {8000, protocol_tcp, SourceNet::parse("fd00::/8", why)};
    step.place = {"inet", "f", "input", 7, 0, "drop \"x\"\n", true};
    step.aims = {{Family::ipv6, "eth0"}};
    return step;
}

// As it comes back from the journal.
json::object json_of(const AllowStep& step) {
    return json::parse(json::to_text(to_json(step))).value().get_object();
}

}  // namespace

TEST_CASE("networks") {
    CHECK(parsed_net("192.0.2.0/24") == "192.0.2.0/24");
    CHECK(parsed_net("192.0.2.7") == "192.0.2.7/32");
    CHECK(parsed_net("fd00::/8") == "fd00::/8");
    CHECK(parsed_net("192.0.2.7/24").find("the network is 192.0.2.0/24") != std::string::npos);
    CHECK(parsed_net("0.0.0.0/0").find("everybody") != std::string::npos);
    for (const std::string_view bad :
         {"", "example.org", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/24 ",
          "192.0.2.0/24;reboot", "fd00::/129", "224.0.0.0/4", "fe80::1%eth0"}) {
        INFO(bad);
        std::string why;
        CHECK_FALSE(SourceNet::parse(bad, why));
        CHECK_FALSE(why.empty());
    }
    std::string why;
    CHECK(SourceNet::parse("192.0.2.0/24", why)->last().to_string() == "192.0.2.255");
}

TEST_CASE("arguments that cannot be") {
    std::string why;
    CHECK_FALSE(AllowWanted::parse({{"port", 0}, {"protocol", "udp"}}, why));
    CHECK_FALSE(AllowWanted::parse({{"port", 65536}, {"protocol", "udp"}}, why));
    CHECK_FALSE(
        AllowWanted::parse({{"port", 8000}, {"protocol", "udp"}, {"source", "$(id)"}}, why));
    CHECK(why.starts_with("--source: "));
}

TEST_CASE("a step survives the journal") {
    const AllowStep step = nft_step();
    const auto back = parse_allow_step(json_of(step));
    REQUIRE(back);
    CHECK(back->tool == step.tool);
    CHECK(back->opening == step.opening);
    CHECK(back->place == step.place);
    CHECK(back->aims == step.aims);
    CHECK(back->left_out.empty());

    AllowStep half = step;
    half.left_out = {{{Family::ipv4, "eth0"}, protocol_tcp}};
    const auto half_back = parse_allow_step(json_of(half));
    REQUIRE(half_back);
    CHECK(half_back->left_out == half.left_out);

    AllowStep zone;
    zone.tool = Tool::firewalld;
    zone.opening = {8000, protocol_udp, std::nullopt};
    zone.zone = "public";
    zone.permanent = true;
    const auto again = parse_allow_step(json_of(zone));
    REQUIRE(again);
    CHECK(again->zone == "public");
    CHECK(again->permanent);

    const auto record = parse_allow_record(to_json(AllowRecord{true, 7}));
    REQUIRE(record);
    CHECK(record->done);
    CHECK(record->handle == 7);
}

TEST_CASE("a step that somebody has edited") {
    const auto broken = [](auto change) {
        json::object object = json_of(nft_step());
        change(object);
        return !parse_allow_step(object).has_value();
    };
    CHECK(broken([](json::object& o) { o["tool"] = "sh"; }));
    CHECK(broken([](json::object& o) { o.erase("opening"); }));
    CHECK(broken([](json::object& o) { o["opening"].get_object()["port"] = 70000; }));
    CHECK(broken([](json::object& o) { o["opening"].get_object()["protocol"] = "icmp"; }));
    CHECK(broken([](json::object& o) { o["opening"].get_object()["source"] = "x"; }));
    CHECK(broken([](json::object& o) { o["place"].get_object()["chain"] = "--flush"; }));
    CHECK(broken([](json::object& o) { o["place"].get_object()["table"] = ""; }));
    CHECK(broken([](json::object& o) { o["place"].get_object()["handle"] = -1; }));
    CHECK(
        broken([](json::object& o) { o["place"].get_object()["chain"] = std::string(200, 'x'); }));
    CHECK(broken([](json::object& o) { o.erase("aims"); }));
    CHECK(broken([](json::object& o) { o.erase("place"); }));
    CHECK(broken([](json::object& o) { o["left_out"] = "all"; }));
    CHECK(broken([](json::object& o) { o["left_out"] = json::array{json::object{}}; }));
    CHECK_FALSE(parse_allow_record({{"handle", 7}}));
    CHECK(is_id("0123abcd"));
    for (const std::string_view id : {"", "a b", "a\"b", "../x", "A"}) CHECK_FALSE(is_id(id));
}
