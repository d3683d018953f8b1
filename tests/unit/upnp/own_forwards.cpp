// What became of earlier forwards: in force, lost, stale, or not known.
#include "own_forwards.hpp"

#include <catch2/catch.hpp>

#include "made_up.hpp"
#include "own_forwards_ask.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;
using portmap::InForce;
using portmap::Protocol;

namespace {

constexpr std::int64_t made_at = 1'000'000;

// Made an hour ago for two hours, by a router that was recognised.
OwnForward earlier(Protocol protocol) {
    Try made;
    made.service.protocol = protocol;
    made.service.router = router_address;
    made.service.local = local_address;
    made.router_name = "192.168.1.1 (ACME)";
    made.request.internal_port = made.request.external_port = 8000;
    made.request.lifetime = portmap::Seconds(7200);
    portmap::MapGrant grant;
    grant.internal_port = grant.external_port = 8000;
    grant.lifetime = portmap::Seconds(7200);
    if (protocol != Protocol::upnp) grant.epoch = 50'000;
    OwnForward forward;
    forward.open.id = "0123abcd";
    forward.open.step = {{made}};
    forward.open.record = Record{{{0, made_at, grant}}};
    forward.now = made_at + 3600;
    forward.router = made.service;
    forward.router_is_here = forward.router_is_known = true;
    if (protocol == Protocol::upnp) forward.said.in_force = InForce::yes;
    if (protocol != Protocol::upnp) forward.epoch = 53'600;
    return forward;
}

OwnForward proven(OwnForward forward, const char* external = "203.0.113.7:8000") {
    forward.open.verified = Verified{"packet", Endpoint::parse(external).value(), true};
    return forward;
}

Search here(IpAddress seen_by_stun = public_address) {
    Search made = search({igd()});
    (**made.found.igds[0].mappings).entries = {mapping(8000, "192.168.1.7", "p2pdiag 0123abcd")};
    made.seen = seen(seen_by_stun);
    return made;
}

std::string stands(const OwnForward& forward, const Search& search = here()) {
    const Stands all = judge_standing(forward, search);
    CHECK(all.why.empty() == (all.standing == Standing::in_force));
    const bool wrong = all.standing == Standing::lost || all.standing == Standing::stale;
    CHECK(all.reason.empty() == !wrong);
    return std::string(to_string(all.standing)) + (all.reason.empty() ? "" : " " + all.reason);
}

const Protocol all_protocols[] = {Protocol::upnp, Protocol::natpmp, Protocol::pcp};

}  // namespace

TEST_CASE("what the router lists, or has promised and not forgotten, is in force") {
    for (const Protocol protocol : all_protocols) {
        CAPTURE(portmap::to_string(protocol));
        CHECK(stands(earlier(protocol)) == "in-force");
    }
}

TEST_CASE("of a router that is not there, or may be another one, nothing is known") {
    for (const Protocol protocol : all_protocols) {
        CAPTURE(portmap::to_string(protocol));
        OwnForward away = earlier(protocol);
        away.router_is_here = away.router_is_known = false;
        away.now = made_at + 100'000;
        CHECK(stands(away) == "unknown");
        OwnForward other = earlier(protocol);
        other.router_is_known = false;
        other.said.in_force = InForce::no;
        other.epoch = 1;
        CHECK(stands(other) == "unknown");
    }
}

TEST_CASE("UPnP: what the router says is what is so") {
    OwnForward forward = earlier(Protocol::upnp);
    forward.said.in_force = InForce::no;
    CHECK(stands(forward) == "lost gone");
    forward.said.switched_off = true;
    CHECK(stands(forward) == "lost switched-off");
    forward.said.switched_off = false;
    forward.now = made_at + 7200;
    CHECK(stands(forward) == "lost lease-over");
    forward.said.in_force = InForce::foreign;
    CHECK(stands(forward) == "lost taken");
    forward.said.in_force = InForce::unknown;
    CHECK(stands(forward) == "unknown");
    // Also after its time, where the router has kept it.
    forward.said.in_force = InForce::yes;
    CHECK(stands(forward) == "in-force");
}

TEST_CASE("NAT-PMP and PCP: their epoch and the time count") {
    for (const Protocol protocol : {Protocol::natpmp, Protocol::pcp}) {
        OwnForward forward = earlier(protocol);
        forward.epoch = 600;
        CHECK(stands(forward) == "lost restarted");
        forward.epoch = std::nullopt;
        CHECK(stands(forward) == "unknown");
        forward.epoch = 90'000;  // a clock was set, or it was restarted long ago
        CHECK(stands(forward) == "unknown");
        forward = earlier(protocol);
        forward.now = made_at + 7201;
        forward.epoch = 57'201;
        CHECK(stands(forward) == "unknown");
        forward.now = made_at + 7300;
        CHECK(stands(forward) == "lost lease-over");
        forward = earlier(protocol);
        forward.open.record->attempts[0].grant->epoch.reset();
        CHECK(stands(forward) == "unknown");
        // The router that promised it does not have it in its list.
        Search without = here();
        (**without.found.igds[0].mappings).entries.clear();
        CHECK(stands(earlier(protocol), without) == "unknown");
        (**without.found.igds[0].mappings).complete = false;
        CHECK(stands(earlier(protocol), without) == "in-force");
    }
}

TEST_CASE("epochs are compared with a clock that may have been set") {
    CHECK(compare_epochs(1000, 4600, 3600) == Epoch::same);
    CHECK(compare_epochs(1000, 4600, 3800) == Epoch::same);  // RFC 6887 section 8.5: a sixteenth
    CHECK(compare_epochs(1000, 4600, 4200) == Epoch::undecided);
    CHECK(compare_epochs(1000, 4600, -5) == Epoch::undecided);
    CHECK(compare_epochs(1000, 999, 0) == Epoch::same);
    CHECK(compare_epochs(1000, 998, 0) == Epoch::restarted);
    CHECK(compare_epochs(0, 4'294'967'295U, 1) == Epoch::undecided);
}

TEST_CASE(
    "a forward to an address that this machine no longer has, or of a dead command, is stale") {
    for (const Protocol protocol : all_protocols) {
        CAPTURE(portmap::to_string(protocol));
        OwnForward forward = earlier(protocol);
        forward.address_is_ours = false;
        CHECK(stands(forward) == "stale other-address");
        forward = earlier(protocol);
        forward.open.begun_only = true;
        CHECK(stands(forward) == "stale unfinished");
        // Somebody works on it, or keeps it up and will follow.
        forward.open.held_by = 4711;
        CHECK(stands(forward) == "unknown");
        forward = earlier(protocol);
        forward.address_is_ours = false;
        forward.open.held_by = 4711;
        CHECK(stands(forward) == "unknown");
    }
    OwnForward nothing_left = earlier(Protocol::upnp);
    nothing_left.open.begun_only = true;
    nothing_left.said.in_force = InForce::no;
    CHECK(stands(nothing_left) == "unknown");
    nothing_left.open.record.reset();
    CHECK(stands(nothing_left) == "unknown");
}

TEST_CASE("a packet proves the address and the port at which it came in, and no other") {
    CHECK(reached(proven(earlier(Protocol::upnp)), here()).verified == "packet");
    CHECK(reached(proven(earlier(Protocol::pcp)), here()).verified == "packet");
    CHECK(reached(proven(earlier(Protocol::pcp)), here()).at->to_string() == "203.0.113.7:8000");
    // Nobody has tried.
    CHECK(reached(earlier(Protocol::upnp), here()).verified == "read-back");
    CHECK(reached(earlier(Protocol::pcp), here()).verified.empty());
    // The network has another address since, or the router another port.
    const Search moved = here(ip("203.0.113.99"));
    CHECK(reached(proven(earlier(Protocol::upnp)), moved).verified == "read-back");
    CHECK(reached(proven(earlier(Protocol::pcp)), moved).verified.empty());
    CHECK(reached(proven(earlier(Protocol::pcp), "203.0.113.7:8001"), here()).verified.empty());
    // Without STUN the router's own word has to do.
    Search unseen = here();
    unseen.seen = {};
    CHECK(reached(proven(earlier(Protocol::upnp)), unseen).verified == "packet");
    status_of(unseen.found.igds[0]).external = ip("203.0.113.99");
    CHECK(reached(proven(earlier(Protocol::upnp)), unseen).verified == "read-back");
}

TEST_CASE("the check says of each forward of ours how it stands") {
    OwnForward lost = earlier(Protocol::upnp);
    lost.open.step.tries[0].request.internal_port = 9000;
    lost.said.in_force = InForce::no;
    OwnForward stale = earlier(Protocol::natpmp);
    stale.address_is_ours = false;
    OwnForward unknown = earlier(Protocol::pcp);
    unknown.router_is_here = false;
    const Judgement all =
        judge_gateways(here(), {proven(earlier(Protocol::upnp)), lost, stale, unknown});
    CHECK(all.status == P2PDIAG_WARN);
    CHECK(
        all.summary.ends_with("; UDP port 8000 forwarded, UDP port 9000 no longer forwarded, UDP "
                              "port 8000 forwarded to nobody"));
    const Finding* good = find(all, "portmap.forwarded");
    REQUIRE(good != nullptr);
    CHECK(good->severity == Severity::info);
    CHECK(good->evidence.at("protocol") == "udp");
    CHECK(good->evidence.at("port") == 8000);
    CHECK(good->evidence.at("family") == "ipv4");
    CHECK(good->evidence.at("external") == "203.0.113.7:8000");
    CHECK(good->evidence.at("verified") == "packet");
    CHECK(good->evidence.at("seen_by_program") == true);
    CHECK(find(all, "portmap.forward-lost")->evidence.at("port") == 9000);
    const Finding* old = find(all, "portmap.forward-stale");
    REQUIRE(old != nullptr);
    CHECK(old->evidence.at("shared") == true);
    CHECK(old->evidence.at("removable") == false);
    CHECK(old->evidence.at("leads_to") == "192.168.1.7:8000");
    const json::value data = all.data;
    REQUIRE(data.at("forwards").as_array().size() == 4);
    CHECK(data.at_pointer("/forwards/3/state") == "unknown");
    CHECK(data.at_pointer("/forwards/3/verified").is_null());
    CHECK(data.at_pointer("/forwards/1/state") == "lost");
    // A secret by which PCP forwards can be changed.
    CHECK(json::to_text(all.data).find("nonce") == std::string::npos);

    const Judgement fine = judge_gateways(here(), {earlier(Protocol::upnp)});
    CHECK(fine.status == P2PDIAG_PASS);
    CHECK(find(fine, "portmap.forwarded")->evidence.at("verified") == "read-back");
    CHECK(judge_gateways(here()).data.at("forwards").as_array().empty());
}

TEST_CASE("a forward is read from what the host hands over, and nonsense is left out") {
    const OwnForward made = earlier(Protocol::natpmp);
    json::object record{{"id", "0123abcd"},
                        {"step", to_json(made.open.step)},
                        {"record", to_json(*made.open.record)},
                        {"state", "applied"},
                        {"held_by", nullptr},
                        {"verify",
                         {{"status", "warn"},
                          {"summary", ""},
                          {"data", {{"method", "packet"}, {"external", "203.0.113.7:8000"}}}}}};
    const auto read = [](json::array changes) {
        const json::object input{{"changes", std::move(changes)}};
        return own_forwards(json::parse(json::to_text(input))->get_object());
    };
    const auto one = read({record, "text", json::object{{"id", "1"}}});
    REQUIRE(one.size() == 1);
    CHECK_FALSE(one[0].open.begun_only);
    REQUIRE(one[0].open.verified);
    CHECK(one[0].open.verified->method == "packet");
    CHECK_FALSE(one[0].open.verified->at_program);
    record["state"] = "planned";
    record["verify"] = json::object{
        {"status", "fail"}, {"data", {{"method", "packet"}, {"external", "203.0.113.7:8000"}}}};
    const auto two = read({record});
    REQUIRE(two.size() == 1);
    CHECK(two[0].open.begun_only);
    CHECK_FALSE(two[0].open.verified);
    CHECK(read(json::array(100, record)).size() == most_own_forwards);
    CHECK(own_forwards({}).empty());
}
