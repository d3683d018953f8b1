// What a packet from outside shows of the target port as it is.
#include <catch2/catch.hpp>

#include "made_up.hpp"
#include "target.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;

namespace {

using Codes = std::vector<std::string>;

TargetFacts facts_of(Proof proof, bool behind_nat = true) {
    TargetFacts facts;
    facts.port = 8000;
    facts.behind_nat = behind_nat;
    facts.proof.server = Endpoint{ip("203.0.113.10"), 3478};
    facts.proof.public_address = public_address;
    facts.proof.tapped = true;
    facts.proof.result = ProofResult{proof, proof == Proof::arrived, proof == Proof::arrived, 5, 5};
    facts.proof.why_not = std::string(to_string(proof));
    return facts;
}

}  // namespace

TEST_CASE("a packet that comes in behind a NAT is proof of a forward, by whomever it was made") {
    const Judgement judgement = judge_target(facts_of(Proof::arrived));
    REQUIRE(codes(judgement) == Codes{"portmap.forwarded"});
    CHECK(judgement.status == P2PDIAG_PASS);
    const json::object& evidence = judgement.findings[0].evidence;
    CHECK(evidence.at("verified") == "packet");
    CHECK(evidence.at("port") == 8000);
    const std::string external = Endpoint{public_address, 8000}.to_string();
    CHECK(evidence.at("external") == external.c_str());
    CHECK(evidence.at("seen_by_program") == true);
    CHECK(judgement.data.at("packet") == "arrived");
}

TEST_CASE("without a NAT, or behind one that lets everybody in, it is proof of no forward") {
    CHECK(codes(judge_target(facts_of(Proof::arrived, false))) == Codes{"nat.port-reached"});
    TargetFacts cone = facts_of(Proof::arrived);
    cone.full_cone = true;
    CHECK(codes(judge_target(cone)) == Codes{"nat.port-reached"});
}

TEST_CASE("at the interface alone, whether a program gets it was not seen") {
    TargetFacts facts = facts_of(Proof::arrived);
    facts.proof.result->at_socket = false;
    const Judgement judgement = judge_target(facts);
    CHECK(judgement.findings[0].evidence.at("seen_by_program") == false);
    CHECK(judgement.summary.find("was not seen") != std::string::npos);
}

TEST_CASE("what this machine's own firewall drops has come that far, and is no way in") {
    const Judgement forwarded = judge_target(facts_of(Proof::stopped_here));
    REQUIRE(codes(forwarded) == Codes{"portmap.mapped-but-unreachable"});
    CHECK(forwarded.findings[0].evidence.at("cause") == "host-firewall");
    CHECK(forwarded.status == P2PDIAG_FAIL);
    const Judgement open = judge_target(facts_of(Proof::stopped_here, false));
    REQUIRE(codes(open) == Codes{"nat.port-filtered"});
    CHECK(open.findings[0].evidence.at("by") == "host");
    CHECK(open.status == P2PDIAG_WARN);
}

TEST_CASE("without a NAT, what is not seen to come is dropped on the way") {
    const Judgement judgement = judge_target(facts_of(Proof::not_arrived, false));
    REQUIRE(codes(judgement) == Codes{"nat.port-filtered"});
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.findings[0].evidence.at("port") == 8000);
    CHECK(judgement.findings[0].evidence.at("by") == "way");
    // Who cannot look at the interface cannot tell it from a drop here.
    TargetFacts facts = facts_of(Proof::not_arrived, false);
    facts.proof.tapped = false;
    const Judgement either = judge_target(facts);
    REQUIRE(codes(either) == Codes{"nat.port-filtered"});
    CHECK(either.findings[0].evidence.at("by") == "either");
    CHECK(either.summary.find("own firewall drops it, or") != std::string::npos);
}

TEST_CASE("a port that nobody forwarded is nothing wrong, and silence is no proof against us") {
    const Judgement silent = judge_target(facts_of(Proof::not_arrived));
    CHECK(silent.findings.empty());
    CHECK(silent.status == P2PDIAG_PASS);
    CHECK(silent.summary.find("no forward of it is in force") != std::string::npos);
    TargetFacts facts = facts_of(Proof::not_arrived);
    facts.proof.tapped = false;
    CHECK(judge_target(facts).summary.find("or this machine's own firewall") != std::string::npos);
    facts = facts_of(Proof::not_arrived);
    facts.proven_earlier = true;
    CHECK(judge_target(facts).status == P2PDIAG_UNKNOWN);
    for (const Proof proof : {Proof::undecided, Proof::server_unsupported}) {
        const Judgement judgement = judge_target(facts_of(proof));
        CHECK(judgement.status == P2PDIAG_UNKNOWN);
        CHECK(judgement.findings.empty());
    }
    facts = TargetFacts();
    facts.port = 8000;
    CHECK(judge_target(facts).status == P2PDIAG_SKIP);
    facts.behind_nat = true;
    facts.proof.why_not = "port-in-use";
    CHECK(judge_target(facts).status == P2PDIAG_UNKNOWN);
    CHECK(judge_target(facts).summary.find("CAP_NET_RAW") != std::string::npos);
    facts.interrupted = true;
    CHECK(judge_target(facts).summary.find("Interrupted") != std::string::npos);
}
