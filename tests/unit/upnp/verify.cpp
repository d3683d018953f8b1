// What is said of a forward: cases C3, F2, and everything that nobody could verify.
#include "forward_verify.hpp"

#include <catch2/catch.hpp>

#include "made_up.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;
using portmap::InForce;

namespace {

VerifyFacts facts(Transport transport = Transport::udp) {
    VerifyFacts made;
    made.made.service.router = router_address;
    made.made.service.local = local_address;
    made.made.request.transport = transport;
    made.made.request.internal_port = made.made.request.external_port = 8000;
    made.grant.internal_port = made.grant.external_port = 8000;
    made.grant.external_address = public_address;
    made.read_back.in_force = InForce::yes;
    return made;
}

VerifyFacts proven(Proof proof, bool tapped = true) {
    VerifyFacts made = facts();
    made.proof.emplace();
    made.proof->result = ProofResult{proof, proof == Proof::arrived, tapped, 5, 5};
    made.proof->why_not = to_string(proof);
    made.proof->server = Endpoint::parse("198.51.100.1:3478");
    made.proof->public_address = public_address;
    made.proof->tapped = tapped;
    return made;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a packet came in") {
    const Judgement judgement = judge_forward(proven(Proof::arrived));
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.findings.empty());
    CHECK(judgement.data.at("method") == "packet");
    CHECK(judgement.data.at("again") == false);
    CHECK(judgement.data.at("external") == "203.0.113.7:8000");

    VerifyFacts seen_only = proven(Proof::arrived);
    seen_only.proof->result->at_socket = false;
    seen_only.proof->port_in_use = true;
    const Judgement interface = judge_forward(seen_only);
    CHECK(interface.status == P2PDIAG_WARN);  // F2 is not ruled out
    CHECK(contains(interface.summary, "was not seen"));
}

TEST_CASE("F2: the router forwards and this machine's firewall drops") {
    const Judgement judgement = judge_forward(proven(Proof::stopped_here));
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(codes(judgement) == std::vector<std::string>{"portmap.mapped-but-unreachable"});
    CHECK(judgement.findings[0].evidence.at("cause") == "host-firewall");
    CHECK(judgement.data.at("again") == false);
}

TEST_CASE("C3: listed and not forwarding is tried once more") {
    const Judgement judgement = judge_forward(proven(Proof::not_arrived));
    CHECK(judgement.status == P2PDIAG_FAIL);
    CHECK(judgement.findings[0].evidence.at("cause") == "router");
    CHECK(contains(judgement.summary, "lists it"));
    CHECK(judgement.data.at("again") == true);
}

TEST_CASE("a packet that was lost where nobody could look is held against nobody") {
    VerifyFacts made = proven(Proof::not_arrived, false);
    const Judgement blind = judge_forward(made);
    CHECK(blind.status == P2PDIAG_UNKNOWN);
    CHECK(blind.findings[0].evidence.at("cause") == "router-or-host-firewall");
    CHECK(contains(blind.summary, "lists it"));
    CHECK(contains(blind.summary, "without root"));
    CHECK(blind.data.at("again") == false);
    made.read_back.in_force = portmap::InForce::unknown;
    CHECK(judge_forward(made).status == P2PDIAG_UNKNOWN);
    // The router itself does not stand by it.
    made.grant.unlisted = true;
    CHECK(judge_forward(made).status == P2PDIAG_FAIL);
    made.grant.unlisted = false;
    made.read_back.in_force = portmap::InForce::no;
    CHECK(judge_forward(made).status == P2PDIAG_FAIL);
    CHECK(judge_forward(made).data.at("again") == true);
}

TEST_CASE("another NAT in front is no reason to try again") {
    VerifyFacts two = proven(Proof::not_arrived);
    two.grant.external_address = ip("10.0.0.2");
    const Judgement judgement = judge_forward(two);
    CHECK(judgement.has("nat.double-nat"));
    CHECK(find(judgement, "portmap.mapped-but-unreachable")->evidence.at("cause") == "double-nat");
    CHECK(judgement.data.at("again") == false);
    // A public one that differs is not called a double NAT.
    two.grant.external_address = ip("198.51.100.77");
    CHECK_FALSE(judge_forward(two).has("nat.double-nat"));
}

TEST_CASE("without a server that can, the router's list has to do, and the output says so") {
    for (const char* why : {"server-unsupported", "no-server", "no-answer", "port-in-use"}) {
        VerifyFacts made = facts();
        made.proof.emplace();
        made.proof->why_not = why;
        const Judgement judgement = judge_forward(made);
        CHECK(judgement.status == P2PDIAG_WARN);
        CHECK(judgement.data.at("method") == "read-back");
        CHECK(contains(judgement.summary, "nobody verified it from outside"));
    }
    for (const Proof proof : {Proof::server_unsupported, Proof::undecided}) {
        CHECK(judge_forward(proven(proof)).data.at("method") == "read-back");
    }
}

TEST_CASE("TCP is read back, or not known") {
    VerifyFacts tcp = facts(Transport::tcp);
    CHECK(judge_forward(tcp).status == P2PDIAG_WARN);
    CHECK(contains(judge_forward(tcp).summary, "by the router's own list alone"));
    CHECK(contains(judge_forward(tcp).summary, "TCP cannot be tried"));
    tcp.read_back.in_force = InForce::unknown;
    const Judgement unknown = judge_forward(tcp);
    CHECK(unknown.status == P2PDIAG_UNKNOWN);
    CHECK(unknown.data.at("method").is_null());
    tcp.read_back.in_force = InForce::no;
    const Judgement missing = judge_forward(tcp);
    CHECK(missing.status == P2PDIAG_FAIL);
    CHECK(missing.data.at("again") == true);
    CHECK(missing.has("portmap.mapped-but-unreachable"));
    CHECK(contains(missing.summary, "does not list it"));
    tcp.read_back.switched_off = true;
    const Judgement off = judge_forward(tcp);
    CHECK(off.status == P2PDIAG_FAIL);
    CHECK(off.data.at("again") == true);
    CHECK(contains(off.summary, "lists it as switched off: it is not in force"));
    REQUIRE(off.has("portmap.mapped-but-unreachable"));
    CHECK(off.findings[0].evidence.at("cause") == "switched-off");
    tcp.read_back.in_force = InForce::foreign;
    tcp.read_back.owner = "192.168.1.99 (game)";
    const Judgement foreign = judge_forward(tcp);
    CHECK(foreign.status == P2PDIAG_FAIL);
    CHECK(foreign.data.at("again") == false);
    CHECK(foreign.has("portmap.conflict"));
    CHECK(contains(foreign.summary, "192.168.1.99"));
}

TEST_CASE("C1: a grant at the outside address 0.0.0.0 is told, and is no second NAT") {
    VerifyFacts untried = facts();
    untried.grant.external_address = IpAddress();
    untried.read_back.in_force = InForce::unknown;
    const Judgement unknown = judge_forward(untried);
    CHECK(unknown.status == P2PDIAG_UNKNOWN);
    CHECK(codes(unknown) == std::vector<std::string>{"portmap.external-private"});
    CHECK(unknown.data.at("external").is_null());
    CHECK(contains(unknown.summary, "though it has no outside address"));

    VerifyFacts silent = proven(Proof::not_arrived);
    silent.grant.external_address = IpAddress();
    const Judgement failed = judge_forward(silent);
    CHECK(failed.status == P2PDIAG_FAIL);
    CHECK(failed.has("portmap.external-private"));
    CHECK_FALSE(failed.has("nat.double-nat"));
    CHECK(failed.data.at("again") == false);
    // A packet knows better, and so does an IPv6 host, whose address is its own.
    VerifyFacts works = proven(Proof::arrived);
    works.grant.external_address = IpAddress();
    CHECK(judge_forward(works).findings.empty());
    CHECK(judge_forward(works).data.at("external") == "203.0.113.7:8000");
    untried.made.service.local = *IpAddress::parse("2001:db8::7");
    untried.grant.external_address = *IpAddress::parse("::");
    CHECK(judge_forward(untried).findings.empty());
}

TEST_CASE("interrupted is not known") {
    VerifyFacts made = facts();
    made.interrupted = true;
    CHECK(judge_forward(made).status == P2PDIAG_UNKNOWN);
}

TEST_CASE("a packet decides over a forward that the router does not list") {
    VerifyFacts unlisted = proven(Proof::arrived);
    unlisted.grant.unlisted = true;
    unlisted.read_back.in_force = InForce::unknown;
    CHECK(judge_forward(unlisted).status == P2PDIAG_PASS);
    unlisted.proof->result->proof = Proof::not_arrived;
    CHECK(judge_forward(unlisted).status == P2PDIAG_FAIL);
    unlisted.proof->result.reset();
    const Judgement untried = judge_forward(unlisted);
    CHECK(untried.status == P2PDIAG_FAIL);
    CHECK(contains(untried.summary, "does not list it"));
}
