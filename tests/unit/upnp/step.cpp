// What lies in the journal: written and read again, and refused when it was tampered with.
#include "forward_step.hpp"

#include <catch2/catch.hpp>

#include "forward_input.hpp"
#include "made_up.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;

namespace {

Step sample() {
    Try upnp;
    upnp.service = *about(*std::make_unique<portmap::IgdReport>(igd())).mapping;
    upnp.router_name = "192.168.1.1 (ACME)";
    upnp.request.transport = Transport::tcp;
    upnp.request.internal_port = 8000;
    upnp.request.external_port = 8001;
    upnp.request.lifetime = portmap::Seconds(7200);
    for (std::size_t i = 0; i < upnp.request.nonce.size(); ++i) {
        upnp.request.nonce[i] = static_cast<std::uint8_t>(17 * i);
    }
    Try pcp = upnp;
    pcp.service = {};
    pcp.service.protocol = portmap::Protocol::pcp;
    pcp.service.router = router_address;
    pcp.service.interface = 2;
    pcp.service.local = local_address;
    pcp.request.exact = true;
    pcp.request.lease_only = true;
    return {{upnp, pcp}};
}

Record granted_record() {
    Record record;
    record.attempts.push_back({0, 1000, std::nullopt});
    portmap::MapGrant grant;
    grant.internal_port = 8000;
    grant.external_port = 8001;
    grant.external_address = public_address;
    grant.lifetime = portmap::Seconds(3600);
    grant.epoch = 4000000000;
    grant.pinhole_id = 0;
    grant.listed_as = "their own name";
    grant.unlisted = true;
    record.attempts.push_back({1, 1001, grant, "02:00:00:00:00:01"});
    record.attempts.back().service = sample().tries[1].service;
    record.attempts.back().service->local = ip("192.168.1.8");
    return record;
}

}  // namespace

TEST_CASE("a step and its record survive the journal") {
    const Step step = sample();
    const auto read = parse_step(json::parse(json::to_text(to_json(step)))->get_object());
    REQUIRE(read);
    REQUIRE(read->tries.size() == 2);
    CHECK(to_json(*read) == to_json(step));
    CHECK(read->tries[0].request.nonce == step.tries[0].request.nonce);
    CHECK(read->tries[1].request.exact);
    CHECK(read->tries[1].request.lease_only);
    CHECK_FALSE(read->tries[0].request.lease_only);
    CHECK(read->tries[0].service.udn == "uuid:192.168.1.1");
    CHECK(read->family() == Family::ipv4);

    const Record record = granted_record();
    const auto back = parse_record(json::parse(json::to_text(to_json(record)))->get_object(), step);
    REQUIRE(back);
    CHECK(to_json(*back) == to_json(record));
    REQUIRE(back->granted() != nullptr);
    CHECK(back->granted()->grant->epoch == 4000000000);
    CHECK(back->granted()->grant->listed_as == "their own name");
    CHECK(back->granted()->grant->unlisted);
    // As it was asked for in the end, and in the beginning.
    CHECK(try_of(step, *back->granted()).service.local == ip("192.168.1.8"));
    CHECK(try_of(step, back->attempts[0]).service.local == local_address);
}

TEST_CASE("what is missing or impossible is refused") {
    const std::string good = json::to_text(to_json(sample()));
    const auto spoiled = [&](std::string_view from, std::string_view to) {
        std::string text = good;
        const std::size_t at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
        return parse_step(json::parse(text)->get_object());
    };
    CHECK_FALSE(spoiled(R"("internal_port":8000)", R"("internal_port":0)"));
    CHECK_FALSE(spoiled(R"("internal_port":8000)", R"("internal_port":65536)"));
    CHECK_FALSE(spoiled(R"("transport":"tcp")", R"("transport":"sctp")"));
    CHECK_FALSE(spoiled(R"("protocol":"upnp")", R"("protocol":"telnet")"));
    CHECK_FALSE(spoiled(R"("router":"192.168.1.1")", R"("router":"router")"));
    CHECK_FALSE(spoiled(R"("lifetime_s":7200)", R"("lifetime_s":-1)"));
    CHECK_FALSE(spoiled(R"("nonce":"0011)", R"("nonce":"xx11)"));
    CHECK_FALSE(spoiled(R"("nonce":"0011)", R"("nonce":"11)"));
    CHECK_FALSE(spoiled(R"("control_url":"http)", R"("url":"http)"));
    CHECK_FALSE(parse_step(json::object{{"tries", json::array()}}));
    json::array many(most_tries + 1, json::value(json::parse(good)->at("tries").as_array()[0]));
    CHECK_FALSE(parse_step(json::object{{"tries", std::move(many)}}));

    const Step step = sample();
    const auto record = [&](const char* text) {
        return parse_record(json::parse(text)->get_object(), step);
    };
    CHECK(record(R"({"attempts":[]})"));
    CHECK_FALSE(record(R"({})"));
    CHECK_FALSE(record(R"({"attempts":[{"try":2,"asked_at":1}]})"));
    CHECK_FALSE(record(R"({"attempts":[{"try":0,"asked_at":1,"service":{"protocol":"pcp"}}]})"));
    CHECK_FALSE(record(R"({"attempts":[{"try":0,"asked_at":1,"grant":{"internal_port":1}}]})"));
}

TEST_CASE("a mapping of ours is known by its description, and only by the whole of it") {
    CHECK(describe_as("0123abcd") == "p2pdiag 0123abcd");
    CHECK(id_of("p2pdiag 0123abcd") == "0123abcd");
    for (const char* text : {"", "p2pdiag", "p2pdiag ", "p2pdiag 0123abc", "p2pdiag 0123abcde",
                             "p2pdiag 0123abcX", "P2PDIAG 0123abcd", "a p2pdiag 0123abcd"}) {
        CHECK_FALSE(is_ours(text));
    }
}

TEST_CASE("a lease that is over needs no router to say so") {
    const Step step = sample();
    const Try& upnp = step.tries[0];
    const Try& pcp = step.tries[1];
    Attempt attempt = granted_record().attempts[1];
    CHECK_FALSE(lease_is_over(attempt, upnp, 1001 + 3600));
    CHECK(lease_is_over(attempt, upnp, 1001 + 3600 + 61));
    attempt.grant->lifetime = portmap::Seconds(0);
    CHECK_FALSE(lease_is_over(attempt, upnp, 2000000000));
    // Not known: UPnP may have made it permanent, PCP cannot.
    attempt.grant.reset();
    CHECK_FALSE(lease_is_over(attempt, upnp, 2000000000));
    CHECK(lease_is_over(attempt, pcp, 1001 + 7200 + 61));
    // One that would rather not be made than for good.
    Try lease_only = upnp;
    lease_only.request.lease_only = true;
    CHECK(lease_is_over(attempt, lease_only, 1001 + 7200 + 61));
    CHECK_FALSE(lease_is_over(attempt, lease_only, 1001 + 7200 + 59));
    attempt.asked_at = 0;
    CHECK_FALSE(lease_is_over(attempt, pcp, 2000000000));
}

TEST_CASE("what the host hands over is read, or refused as a whole") {
    const json::object object{{"id", "0123abcd"},
                              {"step", to_json(sample())},
                              {"record", to_json(granted_record())},
                              {"input", json::parse(R"({"servers":{"stun":["a:1",7]}})").value()}};
    const auto input = parse_step_input(json::to_text(object));
    REQUIRE(input);
    CHECK(input->id == "0123abcd");
    CHECK(input->record->granted() != nullptr);
    CHECK(input->stun_servers == std::vector<std::string>{"a:1"});
    CHECK_FALSE(parse_step_input("[]"));
    CHECK_FALSE(parse_step_input(R"({"id":"0123abcd"})"));
    CHECK_FALSE(parse_step_input("{"));

    const auto plan = parse_plan_input(
        R"({"arguments":{"port":8000,"protocol":"both","lease":600000,"via":"pcp","external":9},
            "open":[{"id":"x"},3]})");
    REQUIRE(plan);
    CHECK(plan->wanted.transports == std::vector{Transport::udp, Transport::tcp});
    CHECK(plan->wanted.lease == portmap::Seconds(600));
    CHECK(plan->wanted.via == portmap::Protocol::pcp);
    CHECK(plan->wanted.external == 9);
    CHECK(plan->open.empty());
    for (const char* text :
         {R"({"arguments":{}})", R"({"arguments":{"port":0}})", R"({"arguments":{"port":70000}})",
          R"({"arguments":{"port":1,"protocol":"icmp"}})",
          R"({"arguments":{"port":1,"via":"telnet"}})", R"({"arguments":{"port":1,"lease":1}})"}) {
        CHECK_FALSE(parse_plan_input(text));
    }
}
