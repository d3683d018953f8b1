// The change and the test mappings as they run, against routers on loopback that misbehave as told:
// what is somebody else's is never touched, and what is ours does not stay.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fake_host.hpp>
#include <p2pdiag/run_until.hpp>
#include <thread>

#include "checks.hpp"
#include "fake/igd.hpp"
#include "fake/port_control_server.hpp"
#include "fake/sandbox.hpp"
#include "fake/stun_server.hpp"
#include "forward_step.hpp"
#include "mapping_trials.hpp"
#include "net/portmap/igd.hpp"
#include "router_identity.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using namespace p2pdiag::upnp_plugin;

namespace {

constexpr p2pdiag_change forward =
    change<plan_forward, apply_forward, verify_forward, revert_forward, keep_forward>(
        {.id = "upnp.forward", .title = "t"});
const IpAddress loopback = IpAddress::v4(0x7f000001);
const std::string id = "0123abcd";

Try try_with(portmap::Service service, std::uint16_t external_port = 8000) {
    Try made;
    made.service = std::move(service);
    made.router_name = made.service.router.to_string();
    made.request.internal_port = 8000;
    made.request.external_port = external_port;
    made.request.lifetime = portmap::Seconds(600);
    made.request.nonce = {1, 2, 3};
    return made;
}

portmap::Service upnp_of(const FakeIgd& router) {
    portmap::Service service;
    service.router = router.address();
    service.local = loopback;
    service.control_url = router.control_url();
    service.service_type = "urn:schemas-upnp-org:service:WANIPConnection:1";
    return service;
}

portmap::Service control_of(const PortControlServer& router, portmap::Protocol protocol) {
    portmap::Service service;
    service.protocol = protocol;
    service.router = router.address();
    service.local = loopback;
    return service;
}

struct Said {
    p2pdiag_status status = P2PDIAG_STATUS_INVALID;
    json::value data;
    std::vector<json::value> all_data;
    std::vector<std::string> codes;
    std::string summary;
    std::string log;
};

Said collect(const FakeHost& host, p2pdiag_status status) {
    Said said;
    said.status = status;
    for (const std::string& line : host.emitted()) {
        const json::value message = json::parse(line).value();
        const json::object& object = message.get_object();
        const auto type = json::find_string(object, "type");
        if (type == "data") said.all_data.push_back(object.at("data"));
        if (type == "finding") said.codes.emplace_back(*json::find_string(object, "code"));
        if (type == "summary") said.summary = *json::find_string(object, "text");
        if (type == "log") said.log += std::string(*json::find_string(object, "text")) + "\n";
    }
    if (!said.all_data.empty()) said.data = said.all_data.back();
    return said;
}

std::string input_text(const Step& step, const json::value& record, const json::object& more) {
    json::object input{{"id", id}, {"step", to_json(step)}, {"input", more}};
    if (!record.is_null()) input["record"] = record;
    return json::to_text(input);
}

Said call(int32_t (*function)(const p2pdiag_host*, p2pdiag_str), const Step& step,
          const json::value& record = nullptr, const json::object& more = {}) {
    FakeHost host;
    return collect(host, host.run(function, input_text(step, record, more)));
}

using Codes = std::vector<std::string>;

const FakeMapping foreign{"UDP", 8000, "192.168.1.7", 8000, "Skype", 600};

FakeIgdOptions failing(const char* action, int error) {
    FakeIgdOptions options;
    options.errors[action] = error;
    return options;
}

}  // namespace

TEST_CASE("a forward by UPnP: made, read back, removed") {
    const FakeIgd router;
    const Step step{{try_with(upnp_of(router))}};
    const Said applied = call(forward.apply, step);
    CHECK(applied.status == P2PDIAG_PASS);
    REQUIRE(router.table().size() == 1);
    CHECK(router.table()[0].description == "p2pdiag 0123abcd");
    // The attempt was handed over before the router was asked.
    REQUIRE(applied.all_data.size() >= 2);
    CHECK(applied.all_data[0].at_pointer("/attempts/0/grant").is_null());
    CHECK(applied.data.at_pointer("/attempts/0/grant/external_port") == 8000);

    const Said verified = call(forward.verify, step, applied.data);
    CHECK(verified.status == P2PDIAG_WARN);
    CHECK(verified.data.at("method") == "read-back");
    CHECK(verified.summary.find("nobody verified it from outside") != std::string::npos);

    CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
    CHECK(router.table().empty());
    // Once more: gone is gone.
    CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
}

TEST_CASE("killed before the grant was known: found by what was asked") {
    const FakeIgd router;
    const Step step{{try_with(upnp_of(router))}};
    const Said applied = call(forward.apply, step);
    REQUIRE(router.table().size() == 1);
    CHECK(call(forward.revert, step, applied.all_data[0]).status == P2PDIAG_PASS);
    CHECK(router.table().empty());
    // Without a record nothing was asked, and nothing is.
    const auto before = router.actions().size();
    CHECK(call(forward.revert, step).status == P2PDIAG_PASS);
    CHECK(router.actions().size() == before);
}

TEST_CASE("a forward is renewed by its record, and made again where it was lost") {
    FakeIgdOptions options;
    const FakeIgd router(options);
    const Step step{{try_with(upnp_of(router))}};
    json::value record = call(forward.apply, step).data;
    record.at("attempts").at(0).at("asked_at") = 1000;
    Step longer = step;
    longer.tries[0].request.lifetime = portmap::Seconds(1200);
    const Said renewed = call(forward.apply, longer, record);
    CHECK(renewed.status == P2PDIAG_PASS);
    REQUIRE(router.table().size() == 1);
    CHECK(router.table()[0].lease == 1200);
    CHECK(renewed.data.at_pointer("/attempts/0/grant/lifetime_s") == 1200);
    CHECK(renewed.data.at_pointer("/attempts/0/asked_at").as_int64() > 1000);
    CHECK(renewed.data.at("attempts").as_array().size() == 1);

    const FakeIgd restarted;
    longer.tries[0].service = upnp_of(restarted);
    CHECK(call(forward.apply, longer, renewed.data).status == P2PDIAG_PASS);
    CHECK(restarted.table().size() == 1);

    // Killed before the grant was known: the attempt is made again, and is one all the same.
    record.at("attempts").at(0).at("grant") = nullptr;
    const Said again = call(forward.apply, longer, record);
    CHECK(again.status == P2PDIAG_PASS);
    CHECK(again.data.at("attempts").as_array().size() == 1);
    CHECK(restarted.table().size() == 1);

    // What cannot be renewed stays in the record as it was.
    const FakeIgd refusing(failing("AddPortMapping", 606));
    longer.tries[0].service = upnp_of(refusing);
    const Said refused = call(forward.apply, longer, renewed.data);
    CHECK(refused.status == P2PDIAG_FAIL);
    CHECK(refused.data == renewed.data);
    for (const auto protocol : {portmap::Protocol::natpmp, portmap::Protocol::pcp}) {
        const PortControlServer control;
        const Step by{{try_with(control_of(control, protocol))}};
        const Said first = call(forward.apply, by);
        CHECK(call(forward.apply, by, first.data).status == P2PDIAG_PASS);
        CHECK(control.mappings().size() == 1);
        CHECK(call(forward.revert, by, first.data).status == P2PDIAG_PASS);
        CHECK(control.mappings().empty());
    }
}

TEST_CASE("C9: a port that somebody took before it was asked for stays theirs") {
    FakeIgdOptions options;
    options.table = {foreign};
    const FakeIgd router(options);
    Step step{{try_with(upnp_of(router))}};
    for (const bool exact : {false, true}) {
        step.tries[0].request.exact = exact;
        const Said refused = call(forward.apply, step);
        CHECK(refused.status == P2PDIAG_FAIL);
        CHECK(refused.codes == Codes{"portmap.conflict"});
        CHECK(refused.summary.find("192.168.1.7") != std::string::npos);
        CHECK(refused.summary.find("add --external 8001") != std::string::npos);
        CHECK(call(forward.revert, step, refused.data).status == P2PDIAG_PASS);
        CHECK(router.table() == std::vector{foreign});
    }
}

TEST_CASE("C9: what somebody else has put in its place since is not ours any more") {
    const FakeIgd router;
    const Step step{{try_with(upnp_of(router))}};
    const Said applied = call(forward.apply, step);
    CHECK(applied.status == P2PDIAG_PASS);
    // The same port of this machine, by another program.
    Try other = step.tries[0];
    other.request.description = "game";
    const auto replace = [&]() -> boost::asio::awaitable<void> {
        co_await portmap::igd_delete(other.service, Transport::udp, 8000);
        co_await portmap::igd_add(other.service, other.request);
    };
    run_until(-1, TimePoint::max(), replace());
    REQUIRE(router.table().size() == 1);
    CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
    REQUIRE(router.table().size() == 1);
    CHECK(router.table()[0].description == "game");
}

TEST_CASE("606: a router in secure mode forwards to whoever asks") {
    FakeIgdOptions options;
    options.secure = true;
    options.description = DescriptionFault::version_two;
    const FakeIgd router(options);
    portmap::Service service = upnp_of(router);
    service.service_type = "urn:schemas-upnp-org:service:WANIPConnection:2";
    const Step step{{try_with(std::move(service))}};
    const Said applied = call(forward.apply, step);
    CHECK(applied.status == P2PDIAG_PASS);
    CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
}

TEST_CASE("C6: a lease that is listed as none is for good, and is said and undone") {
    FakeIgdOptions options;
    options.lists_no_lease = true;
    const FakeIgd router(options);
    const Step step{{try_with(upnp_of(router))}};
    const Said applied = call(forward.apply, step);
    CHECK(applied.status == P2PDIAG_PASS);
    CHECK(applied.codes == Codes{"portmap.permanent-only"});
    CHECK(applied.data.at_pointer("/attempts/0/grant/lifetime_s") == 0);
    CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
    CHECK(router.table().empty());
}

TEST_CASE("C7: what a router says no to, in its words and with a code; nothing stays") {
    struct Case {
        int error;
        const char* code;
    };
    for (const Case& one :
         {Case{606, "portmap.refused"}, Case{728, "portmap.refused"}, Case{724, "portmap.refused"},
          Case{726, "portmap.refused"}, Case{501, "portmap.refused"}}) {
        const FakeIgd router(failing("AddPortMapping", one.error));
        const Step step{{try_with(upnp_of(router))}};
        const Said applied = call(forward.apply, step);
        CHECK(applied.status == P2PDIAG_FAIL);
        REQUIRE_FALSE(applied.codes.empty());
        CHECK(applied.codes[0] == one.code);
        CHECK(applied.summary.find(std::to_string(one.error)) != std::string::npos);
        CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
        CHECK(router.table().empty());
    }
}

TEST_CASE("725: for good, with a warning, and undone all the same") {
    FakeIgdOptions options;
    options.only_permanent = true;
    const FakeIgd router(options);
    const Step step{{try_with(upnp_of(router))}};
    const Said applied = call(forward.apply, step);
    CHECK(applied.status == P2PDIAG_PASS);
    CHECK(applied.codes == Codes{"portmap.permanent-only"});
    CHECK(applied.data.at_pointer("/attempts/0/grant/lifetime_s") == 0);
    CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
    CHECK(router.table().empty());
}

TEST_CASE("C2: the router says yes and does nothing") {
    FakeIgdOptions options;
    options.forgets = true;
    const FakeIgd router(options);
    const Said applied = call(forward.apply, {{try_with(upnp_of(router))}});
    CHECK(applied.status == P2PDIAG_FAIL);
    CHECK(applied.codes == Codes{"portmap.mapped-but-unreachable"});

    // Or it does, and does not list it: no packet can be had here, so that it is taken back.
    const FakeIgd shy(failing("GetSpecificPortMappingEntry", 714));
    CHECK(call(forward.apply, {{try_with(upnp_of(shy))}}).status == P2PDIAG_FAIL);
    CHECK(shy.actions().back() == "DeletePortMapping");
    CHECK(shy.table().empty());
}

TEST_CASE("E6: a shorter lease is said") {
    FakeIgdOptions options;
    options.longest_lease = 300;
    const FakeIgd router(options);
    const Said applied = call(forward.apply, {{try_with(upnp_of(router))}});
    CHECK(applied.status == P2PDIAG_PASS);
    CHECK(applied.codes == Codes{"portmap.lease-shortened"});
}

TEST_CASE("one that fails is followed by the next, and the record says which made it") {
    const FakeIgd upnp(failing("AddPortMapping", 606));
    const PortControlServer pcp;
    const Step step{{try_with(upnp_of(upnp)), try_with(control_of(pcp, portmap::Protocol::pcp))}};
    const Said applied = call(forward.apply, step);
    CHECK(applied.status == P2PDIAG_PASS);
    CHECK(applied.data.at_pointer("/attempts/0/try") == 1);
    REQUIRE(pcp.mappings().size() == 1);
    const Said verified = call(forward.verify, step, applied.data);
    CHECK(verified.status == P2PDIAG_UNKNOWN);
    CHECK(verified.data.at("method").is_null());
    CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
    CHECK(pcp.mappings().empty());
}

TEST_CASE("E7: another port than asked for is success with a note, unless it had to be that one") {
    PortControlOptions options;
    options.taken = {8000};
    for (const auto protocol : {portmap::Protocol::pcp, portmap::Protocol::natpmp}) {
        const PortControlServer router(options);
        Step step{{try_with(control_of(router, protocol))}};
        const Said applied = call(forward.apply, step);
        CHECK(applied.status == P2PDIAG_PASS);
        CHECK(applied.summary.find("Note the port: 8000 was asked for") != std::string::npos);
        CHECK(call(forward.revert, step, applied.data).status == P2PDIAG_PASS);
        CHECK(router.mappings().empty());

        step.tries[0].request.exact = true;
        const Said refused = call(forward.apply, step);
        CHECK(refused.status == P2PDIAG_FAIL);
        CHECK(refused.codes == Codes{"portmap.conflict"});
        CHECK(router.mappings().empty());
    }
}

TEST_CASE("C9: a port that is taken by somebody whom the router does not list") {
    FakeIgdOptions options;
    options.errors["AddPortMapping"] = 718;
    const FakeIgd router(options);
    const Said refused = call(forward.apply, Step{{try_with(upnp_of(router))}});
    CHECK(refused.status == P2PDIAG_FAIL);
    CHECK(refused.codes == Codes{"portmap.conflict"});
    CHECK(refused.summary.find("718") != std::string::npos);
    CHECK(refused.summary.find("Another external port may be free: add --external 8001") !=
          std::string::npos);
}

TEST_CASE("C8: a port below 1024 that the router keeps for itself") {
    for (const auto protocol : {portmap::Protocol::pcp, portmap::Protocol::natpmp}) {
        const PortControlServer router;
        Step step{{try_with(control_of(router, protocol), 443)}};
        const Said other = call(forward.apply, step);
        CHECK(other.status == P2PDIAG_PASS);
        CHECK(other.summary.find("Note the port: 443 was asked for") != std::string::npos);
        CHECK(call(forward.revert, step, other.data).status == P2PDIAG_PASS);
        step.tries[0].request.exact = true;
        const Said refused = call(forward.apply, step);
        CHECK(refused.status == P2PDIAG_FAIL);
        CHECK(refused.codes == Codes{"portmap.conflict"});
        CHECK(refused.summary.find("cannot give that very port") != std::string::npos);
        CHECK(router.mappings().empty());
    }
}

TEST_CASE("E7: a low port of this machine that PCP refuses is not asked for by NAT-PMP") {
    PortControlOptions options;
    options.highest_port = 2000;
    const PortControlServer router(options);
    Step step{{try_with(control_of(router, portmap::Protocol::pcp), 443),
               try_with(control_of(router, portmap::Protocol::natpmp), 443)}};
    for (Try& one : step.tries) one.request.internal_port = 443;
    const Said refused = call(forward.apply, step);
    CHECK(refused.status == P2PDIAG_FAIL);
    CHECK(refused.codes == Codes{"portmap.conflict"});
    CHECK(router.mappings().empty());
    CHECK(call(forward.revert, step, refused.data).status == P2PDIAG_PASS);
    // A router that does not answer by PCP is asked all the same.
    PortControlOptions silent;
    silent.pcp = false;
    const PortControlServer other(silent);
    for (Try& one : step.tries) one.service.router = other.address();
    CHECK(call(forward.apply, step).status == P2PDIAG_PASS);
    CHECK(other.mappings().size() == 1);
}

TEST_CASE("results of NAT-PMP and PCP have their codes") {
    struct Case {
        natpmp::ResultCode natpmp;
        pcp::ResultCode pcp;
        const char* code;
    };
    for (const Case& one : {Case{natpmp::ResultCode::not_authorized,
                                 pcp::ResultCode::not_authorized, "portmap.refused"},
                            Case{natpmp::ResultCode::network_failure,
                                 pcp::ResultCode::network_failure, "portmap.external-private"},
                            Case{natpmp::ResultCode::out_of_resources,
                                 pcp::ResultCode::no_resources, "portmap.refused"},
                            Case{natpmp::ResultCode::out_of_resources,
                                 pcp::ResultCode::address_mismatch, "nat.double-nat"}}) {
        PortControlOptions options;
        options.natpmp_result = one.natpmp;
        options.pcp_result = one.pcp;
        const PortControlServer router(options);
        const Said said =
            call(forward.apply, {{try_with(control_of(router, portmap::Protocol::pcp))}});
        CHECK(said.status == P2PDIAG_FAIL);
        REQUIRE_FALSE(said.codes.empty());
        CHECK(said.codes[0] == one.code);
        const Said old =
            call(forward.apply, {{try_with(control_of(router, portmap::Protocol::natpmp))}});
        CHECK(old.status == P2PDIAG_FAIL);
    }
}

TEST_CASE("a gateway that disappears between plan and apply, and before the undo") {
    // It is searched for again, which is not to be seen in the network of this machine.
    const auto seen = in_sandbox({}, []() -> std::string {
        std::optional<FakeIgd> router(std::in_place);
        const Step step{{try_with(upnp_of(*router))}};
        const Said applied = call(forward.apply, step);
        router.reset();
        const Said gone = call(forward.apply, step);
        // It may still forward when it is back: the record stays open.
        const Said open = call(forward.revert, step, applied.data);
        // Unless its time is over by then.
        json::value old = applied.data;
        old.at("attempts").as_array()[0].as_object()["asked_at"] = 1000;
        const Said over = call(forward.revert, step, old);
        const auto said = [](const Said& one) {
            return std::to_string(one.status) + ' ' + (one.codes.empty() ? "" : one.codes[0]) +
                   '\n';
        };
        return said(applied) + said(gone) + said(open) + said(over) + over.log;
    });
    if (!seen) {
        WARN("no namespaces here: not tested");
        return;
    }
    const auto line = [](p2pdiag_status status, const char* code) {
        return std::to_string(status) + ' ' + code + '\n';
    };
    const std::string expected = line(P2PDIAG_PASS, "") + line(P2PDIAG_FAIL, "portmap.none") +
                                 line(P2PDIAG_FAIL, "") + line(P2PDIAG_PASS, "");
    CHECK(seen->substr(0, expected.size()) == expected);
    CHECK(seen->find("time is over") != std::string::npos);
}

TEST_CASE("of several mappings, what is gone is not asked for again") {
    // Both may have been left: the first answer never came.
    FakeIgdOptions options = failing("DeletePortMapping", 501);
    options.table = {{"UDP", 8000, "127.0.0.1", 8000, "p2pdiag 0123abcd", 600}};
    const FakeIgd stubborn(options);
    const PortControlServer pcp;
    const Step step{
        {try_with(control_of(pcp, portmap::Protocol::pcp)), try_with(upnp_of(stubborn))}};
    json::object record = call(forward.apply, step).data.get_object();
    json::value asked =
        json::object{{"try", 1}, {"asked_at", now_in_seconds()}, {"grant", nullptr}};
    record.at("attempts").as_array().push_back(asked);

    const Said partly = call(forward.revert, step, record);
    CHECK(partly.status == P2PDIAG_FAIL);
    CHECK(partly.log.find("removed: UDP port 8000 by PCP") != std::string::npos);
    CHECK(pcp.mappings().empty());
    REQUIRE(partly.all_data.size() == 1);
    REQUIRE(partly.data.at("attempts").as_array().size() == 1);
    CHECK(partly.data.at_pointer("/attempts/0/try") == 1);

    const auto before = pcp.requests();
    CHECK(call(forward.revert, step, partly.data).status == P2PDIAG_FAIL);
    CHECK(pcp.requests() == before);
    CHECK(stubborn.table().size() == 1);
}

TEST_CASE("another router with the same address is not believed that there is nothing") {
    const auto seen = in_sandbox({}, []() -> std::string {
        const int made = std::system(
            "PATH=$PATH:/sbin:/usr/sbin; exec >/dev/null 2>&1; "
            "ip link add lan type veth peer name far && ip link set dev lan up && "
            "ip link set dev far up && ip address add 192.0.2.2/24 dev lan && "
            "ip neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev lan");
        if (made != 0) return "cannot be made";
        portmap::Service service;
        service.protocol = portmap::Protocol::natpmp;
        service.router = *IpAddress::parse("192.0.2.1");
        service.local = *IpAddress::parse("192.0.2.2");
        const Step step{{try_with(service)}};
        json::value record = to_json(Record{{{0, now_in_seconds(), {}, "02:00:00:00:00:02"}}});
        const Said other = call(forward.revert, step, record);
        record.at("attempts").as_array()[0].as_object()["asked_at"] = 1000;
        const Said over = call(forward.revert, step, record);
        return std::to_string(other.status) + other.summary + std::to_string(over.status);
    });
    if (!seen) {
        WARN("no namespaces here: not tested");
        return;
    }
    CHECK(seen->front() == std::to_string(P2PDIAG_FAIL)[0]);
    CHECK(seen->back() == std::to_string(P2PDIAG_PASS)[0]);
    CHECK(seen->find("another router has its address") != std::string::npos);
}

TEST_CASE("who a router was, by the neighbours") {
    const IpAddress address = *IpAddress::parse("192.0.2.1");
    std::vector<net::Neighbour> table = {
        {address, 3, net::NeighbourState::stale, {2, 0, 0, 0, 0, 0xab}},
        {address, 2, net::NeighbourState::reachable, {2, 0, 0, 0, 0, 1}}};
    portmap::Service service;
    service.router = address;
    service.interface = 2;
    CHECK(hardware_in(table, service) == "02:00:00:00:00:01");
    service.interface = 3;
    CHECK(hardware_in(table, service) == "02:00:00:00:00:ab");
    table[0].state = net::NeighbourState::failed;
    CHECK(hardware_in(table, service).empty());
    CHECK(is_another("02:00:00:00:00:01", "02:00:00:00:00:ab"));
    CHECK_FALSE(is_another("02:00:00:00:00:01", "02:00:00:00:00:01"));
    CHECK_FALSE(is_another("", "02:00:00:00:00:ab"));
    CHECK_FALSE(is_another("02:00:00:00:00:01", ""));
}

namespace {

// Kept up until this was said; 30 s at most.
Said keep_until(const char* mark, const Step& step, const json::value& record) {
    FakeHost host;
    p2pdiag_status status = P2PDIAG_STATUS_INVALID;
    std::thread keeper([&] { status = host.run(forward.keep, input_text(step, record, {})); });
    const TimePoint until = Clock::now() + std::chrono::seconds(30);
    while (collect(host, status).log.find(mark) == std::string::npos && Clock::now() < until) {
        std::this_thread::sleep_for(Milliseconds(20));
    }
    host.cancel();
    keeper.join();
    const Said kept = collect(host, status);
    CHECK(kept.log.find(mark) != std::string::npos);
    return kept;
}

}  // namespace

TEST_CASE("keep: a router that lost everything gets it again, and the new record is handed over") {
    PortControlServer router;
    const Step step{{try_with(control_of(router, portmap::Protocol::natpmp))}};
    const Said applied = call(forward.apply, step);
    REQUIRE(router.mappings().size() == 1);
    router.restart();
    CHECK(router.mappings().empty());
    const unsigned before = router.requests();
    FakeHost host;
    p2pdiag_status status = P2PDIAG_STATUS_INVALID;
    std::thread keeper(
        [&] { status = host.run(forward.keep, input_text(step, applied.data, {})); });
    const TimePoint until = Clock::now() + std::chrono::seconds(30);
    while (router.mappings().empty() && Clock::now() < until) {
        std::this_thread::sleep_for(Milliseconds(20));
    }
    const unsigned asked = router.requests();
    // The record follows the router's answer.
    while (collect(host, status).data.is_null() && Clock::now() < until) {
        std::this_thread::sleep_for(Milliseconds(20));
    }
    host.cancel();
    keeper.join();
    CHECK(status == P2PDIAG_PASS);
    CHECK(router.mappings().size() == 1);
    // Within five seconds: at the first look after the restart, and one is taken every 1.5 s. What
    // is more than a question and a request are questions asked once more on a slow machine.
    CHECK(asked <= before + 4);
    const Said kept = collect(host, status);
    CHECK(kept.log.find("is made again, as the router was restarted") != std::string::npos);
    CHECK(kept.data.at_pointer("/attempts/0/grant/epoch_s").is_number());
}

TEST_CASE("keep: renewal at half of what was granted") {
    PortControlOptions options;
    options.longest_lifetime = 4;
    const PortControlServer router(options);
    const Step step{{try_with(control_of(router, portmap::Protocol::pcp))}};
    const Said applied = call(forward.apply, step);
    CHECK(keep_until("was renewed (4 s)", step, applied.data).status == P2PDIAG_PASS);
}

TEST_CASE("keep: another outside address that PCP tells by nothing but its next answer") {
    PortControlServer router;
    const Step step{{try_with(control_of(router, portmap::Protocol::pcp))}};
    const Said applied = call(forward.apply, step);
    router.readdress(*IpAddress::parse("203.0.113.99"));
    const Said kept = keep_until("is at 203.0.113.99:8000 now", step, applied.data);
    CHECK(kept.data.at_pointer("/attempts/0/grant/external_address") == "203.0.113.99");
    CHECK(router.mappings().size() == 1);
}

TEST_CASE("D7: keep: two ports of one router are watched one after the other") {
    FakeIgdOptions options;
    options.action_delay = Milliseconds(100);
    const FakeIgd router(options);
    const Step first{{try_with(upnp_of(router))}};
    Step second{{try_with(upnp_of(router), 8001)}};
    second.tries[0].request.internal_port = 8001;
    const std::string inputs[] = {input_text(first, call(forward.apply, first).data, {}),
                                  input_text(second, call(forward.apply, second).data, {})};
    const std::size_t before = router.actions().size();
    FakeHost hosts[2];
    std::vector<std::thread> keepers;
    for (int i = 0; i < 2; ++i) {
        keepers.emplace_back([&, i] { hosts[i].run(forward.keep, inputs[i]); });
    }
    // Each asks for status, address and list in two rounds.
    const TimePoint until = Clock::now() + std::chrono::seconds(30);
    while (router.actions().size() < before + 6 && Clock::now() < until) {
        std::this_thread::sleep_for(Milliseconds(20));
    }
    for (FakeHost& host : hosts) host.cancel();
    for (std::thread& keeper : keepers) keeper.join();
    CHECK(router.actions().size() >= before + 6);
    CHECK(router.most_at_once() == 1);
}

TEST_CASE("keep: a router whose list cannot be read gets the forward again before it runs out") {
    FakeIgdOptions options = failing("GetSpecificPortMappingEntry", 602);
    const FakeIgd router(options);
    Step step{{try_with(upnp_of(router))}};
    step.tries[0].request.lifetime = portmap::Seconds(2);
    const Said applied = call(forward.apply, step);
    CHECK(applied.data.at_pointer("/attempts/0/grant/lifetime_s").is_null());
    const auto asked = [&] {
        const auto actions = router.actions();
        return std::count(actions.begin(), actions.end(), "AddPortMapping");
    };
    const auto before = asked();
    FakeHost host;
    p2pdiag_status status = P2PDIAG_STATUS_INVALID;
    std::thread keeper(
        [&] { status = host.run(forward.keep, input_text(step, applied.data, {})); });
    const TimePoint until = Clock::now() + std::chrono::seconds(30);
    while (asked() == before && Clock::now() < until) {
        std::this_thread::sleep_for(Milliseconds(20));
    }
    host.cancel();
    keeper.join();
    CHECK(asked() > before);
}

TEST_CASE("a server that cannot prove anything leaves it to the router's list") {
    const FakeIgd router;
    const FakeStunServer plain;
    FakeStunOptions options;
    options.two_addresses = true;
    const FakeStunServer without_response_port(options);
    const Step step{{try_with(upnp_of(router))}};
    const Said applied = call(forward.apply, step);
    for (const FakeStunServer* server : {&plain, &without_response_port}) {
        json::array servers{json::value(server->primary().to_string())};
        json::object stun{{"stun", std::move(servers)}};
        const json::object input{{"servers", std::move(stun)}};
        const Said verified = call(forward.verify, step, applied.data, input);
        CHECK(verified.status == P2PDIAG_WARN);
        CHECK(verified.data.at("method") == "read-back");
        CHECK(verified.data.at("packet") == "server-unsupported");
    }
}

namespace {

std::shared_ptr<MappingSession> session_with(portmap::Service service) {
    auto session = std::make_shared<MappingSession>();
    session->id = id;
    session->test.target_port = 8000;
    session->test.searched = true;
    Trial trial;
    trial.offer.service = std::move(service);
    trial.offer.router_name = "router";
    session->test.trials.push_back(std::move(trial));
    return session;
}

}  // namespace

TEST_CASE("F1: test mappings leave nothing, and touch nothing") {
    FakeIgdOptions options;
    options.table = {foreign};
    const FakeIgd router(options);
    const auto session = session_with(upnp_of(router));
    run_until(-1, TimePoint::max(), run_trials(session));
    CHECK(session->test.complete);
    const Trial& trial = session->test.trials[0];
    REQUIRE(trial.granted.has_value());
    REQUIRE(trial.granted->has_value());
    CHECK((**trial.granted).external_port != 8000);
    CHECK(trial.read_back->in_force == portmap::InForce::yes);
    CHECK(router.table() == std::vector{foreign});
    CHECK(judge_mapping_test(session->test).status == P2PDIAG_PASS);
}

TEST_CASE("606: a router in secure mode forwards to nobody but whoever asks") {
    FakeIgdOptions options;
    options.secure = true;
    const FakeIgd router(options);
    // This machine has several addresses, and the router sees another one.
    portmap::Service service = upnp_of(router);
    service.local = IpAddress::v4(0x7f000005);
    service.from = loopback;
    const auto session = session_with(std::move(service));
    run_until(-1, TimePoint::max(), run_trials(session));
    const Judgement judgement = judge_mapping_test(session->test);
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(judgement.has("portmap.refused"));
    CHECK(judgement.summary.find("does not allow it") != std::string::npos);
    CHECK(router.table().empty());
}

TEST_CASE("F1: no test mapping for good, which nobody would know of after a power cut") {
    FakeIgdOptions permanent;
    permanent.only_permanent = true;
    for (const FakeIgdOptions& options : {permanent, failing("AddPortMapping", 402)}) {
        const FakeIgd router(options);
        const auto session = session_with(upnp_of(router));
        run_until(-1, TimePoint::max(), run_trials(session));
        run_until(-1, TimePoint::max(), clean_up(session));
        CHECK(router.table().empty());
        const auto actions = router.actions();
        CHECK(std::count(actions.begin(), actions.end(), "AddPortMapping") == 1);
        const Judgement judgement = judge_mapping_test(session->test);
        CHECK(judgement.status == P2PDIAG_WARN);
        CHECK(judgement.has("portmap.permanent-only"));
    }
}

TEST_CASE("F1: cancelled at any point, the test mapping goes") {
    // The router takes its time, so that the cancellation comes between two answers.
    PortControlOptions options;
    options.delay = Milliseconds(60);
    for (const int after : {1, 30, 61, 90, 121, 150}) {
        const PortControlServer router(options);
        const auto session = session_with(control_of(router, portmap::Protocol::pcp));
        run_until(-1, Clock::now() + Milliseconds(after), run_trials(session));
        run_until(-1, TimePoint::max(), clean_up(session));
        CHECK(router.mappings().empty());
    }
}

TEST_CASE("F1: granted, but the answer was lost or never understood") {
    PortControlOptions options;
    options.fault = PortControlFault::garbled_port;
    const PortControlServer router(options);
    const auto session = session_with(control_of(router, portmap::Protocol::pcp));
    run_until(-1, TimePoint::max(), run_trials(session));
    run_until(-1, TimePoint::max(), clean_up(session));
    CHECK(router.mappings().empty());
}
