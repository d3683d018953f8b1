// What test mappings show: research cases C2, C4, C6, C7, E6, E9 and F1 as they are judged.
#include <catch2/catch.hpp>

#include "made_up.hpp"
#include "mapping_check.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using namespace p2pdiag::upnp_plugin::made_up;
using portmap::InForce;
using portmap::Problem;
using portmap::Protocol;

namespace {

using Codes = std::vector<std::string>;

Offer offer(Protocol protocol = Protocol::upnp) {
    Offer made;
    made.service.protocol = protocol;
    made.service.router = router_address;
    made.service.local = local_address;
    made.router_name = "192.168.1.1";
    return made;
}

// One that works in every respect.
Trial trial(Protocol protocol = Protocol::upnp, std::int64_t granted_s = 120) {
    Trial made;
    made.offer = offer(protocol);
    Try asked;
    asked.service = made.offer.service;
    asked.router_name = "192.168.1.1";
    asked.request.internal_port = asked.request.external_port = 8000;
    asked.request.lifetime = portmap::Seconds(120);
    made.asked = asked;
    portmap::MapGrant grant;
    grant.internal_port = grant.external_port = 8000;
    grant.lifetime = portmap::Seconds(granted_s);
    made.granted = grant;
    portmap::ReadBack said;
    said.in_force = protocol == Protocol::upnp ? InForce::yes : InForce::unknown;
    made.read_back = said;
    made.removed = portmap::Outcome<void>();
    return made;
}

Trial refused(Problem problem, int code) {
    Trial made = trial();
    made.granted = failure(problem, code);
    made.read_back.reset();
    made.removed.reset();
    return made;
}

Judgement judged(std::vector<Trial> trials) {
    MappingTest test;
    test.trials = std::move(trials);
    test.target_port = 8000;
    test.searched = test.complete = true;
    return judge_mapping_test(test);
}

const auto everything_free = [](std::uint16_t) { return true; };

}  // namespace

TEST_CASE("a forward that was made and removed") {
    const Judgement both = judged({trial(), trial(Protocol::natpmp)});
    CHECK(both.status == P2PDIAG_PASS);
    CHECK(both.findings.empty());
    const json::value data = both.data;
    CHECK(data.at_pointer("/trials/0/asked/lease_s") == 120);
    CHECK(data.at_pointer("/trials/0/granted/external_port") == 8000);
    CHECK(data.at_pointer("/trials/0/read_back") == "yes");
    CHECK(data.at_pointer("/trials/1/read_back") == "unknown");
    CHECK(data.at_pointer("/trials/0/removed") == true);
    CHECK(judged({trial(Protocol::pcp)}).summary.find("cannot be asked") != std::string::npos);
}

TEST_CASE("C6, E6, E9: leases that differ from what was asked for") {
    const Judgement permanent = judged({trial(Protocol::upnp, 0)});
    CHECK(codes(permanent) == Codes{"portmap.permanent-only"});
    CHECK(permanent.status == P2PDIAG_WARN);
    const Judgement shorter = judged({trial(Protocol::pcp, 60)});
    CHECK(codes(shorter) == Codes{"portmap.lease-shortened"});
    CHECK(shorter.findings[0].severity == Severity::info);
    CHECK(judged({trial(Protocol::pcp, 20)}).findings[0].severity == Severity::warning);
    CHECK(judged({trial(Protocol::pcp, 86400)}).findings.empty());
}

TEST_CASE("C7: each refusal has its code") {
    struct Case {
        Problem problem;
        int number;
        const char* code;
    };
    for (const Case& one : {Case{Problem::conflict, 718, "portmap.conflict"},
                            Case{Problem::refused, 606, "portmap.refused"},
                            Case{Problem::same_port_required, 724, "portmap.refused"},
                            Case{Problem::wildcard_required, 726, "portmap.refused"},
                            Case{Problem::full, 728, "portmap.refused"},
                            Case{Problem::failed, 501, "portmap.refused"},
                            Case{Problem::no_external_address, 3, "portmap.external-private"},
                            Case{Problem::address_mismatch, 12, "nat.double-nat"},
                            Case{Problem::failed, 0, "portmap.mapped-but-unreachable"}}) {
        const Judgement judgement = judged({refused(one.problem, one.number)});
        CHECK(codes(judgement) == Codes{one.code});
        CHECK(judgement.status == P2PDIAG_FAIL);
        CHECK(judgement.findings[0].evidence.at("code") == one.number);
    }
    CHECK(judged({trial(), refused(Problem::full, 728)}).status == P2PDIAG_WARN);
}

TEST_CASE("silence is no refusal") {
    for (const Problem problem : {Problem::no_answer, Problem::absent}) {
        Trial silent = refused(problem, 0);
        if (problem == Problem::no_answer) silent.removed = portmap::Outcome<void>();
        const Judgement judgement = judged({silent});
        CHECK(codes(judgement) == Codes{"portmap.none"});
        CHECK(judgement.status == P2PDIAG_UNKNOWN);
        CHECK(judgement.summary.find("this request") != std::string::npos);
        CHECK(judged({trial(), silent}).status == P2PDIAG_WARN);
    }
}

TEST_CASE("a router that takes no lease is not tried with a forward that would stay") {
    const Judgement judgement = judged({refused(Problem::permanent_only, 725)});
    CHECK(codes(judgement) == Codes{"portmap.permanent-only"});
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.summary.find("not tried") != std::string::npos);
}

TEST_CASE("C2: accepted, and not in the list") {
    Trial empty = trial();
    empty.read_back->in_force = InForce::no;
    const Judgement judgement = judged({empty});
    CHECK(codes(judgement) == Codes{"portmap.mapped-but-unreachable"});
    CHECK(judgement.status == P2PDIAG_FAIL);
    Trial foreign = trial();
    foreign.read_back->in_force = InForce::foreign;
    foreign.read_back->owner = "192.168.1.99";
    CHECK(codes(judged({foreign})) == Codes{"portmap.conflict"});
}

TEST_CASE("C1: granted by PCP at the outside address 0.0.0.0") {
    Trial made = trial(Protocol::pcp);
    (**made.granted).external_address = IpAddress();
    const Judgement judgement = judged({made});
    CHECK(codes(judgement) == Codes{"portmap.external-private"});
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.summary.find("no outside address") != std::string::npos);
}

TEST_CASE("C2: accepted, listed, and no packet comes in") {
    const auto with_packet = [](Proof proof, bool tapped) {
        Trial made = trial();
        OutsideProof outside;
        outside.server = Endpoint{ip("203.0.113.10"), 3478};
        outside.public_address = public_address;
        outside.tapped = tapped;
        outside.result = ProofResult{proof, proof == Proof::arrived, proof == Proof::arrived, 5, 5};
        outside.why_not = std::string(to_string(proof));
        made.proof = outside;
        return made;
    };
    const Judgement dropped = judged({with_packet(Proof::not_arrived, true)});
    CHECK(codes(dropped) == Codes{"portmap.mapped-but-unreachable"});
    CHECK(dropped.status == P2PDIAG_FAIL);
    CHECK(dropped.findings[0].evidence.at("cause") == "router");
    CHECK(dropped.findings[0].message.find("lists it, but a packet") != std::string::npos);
    CHECK(dropped.data.at("trials").at(0).at("packet") == "not-arrived");
    // Another NAT before the router is why.
    Trial behind = with_packet(Proof::not_arrived, true);
    (**behind.granted).external_address = ip("100.64.0.2");
    const Judgement two = judged({behind});
    CHECK(codes(two) == Codes{"nat.double-nat", "portmap.mapped-but-unreachable"});
    CHECK(find(two, "portmap.mapped-but-unreachable")->evidence.at("cause") == "double-nat");
    // It may be this machine's firewall, or it is.
    for (const Trial& own :
         {with_packet(Proof::not_arrived, false), with_packet(Proof::stopped_here, true)}) {
        const Judgement judgement = judged({own});
        const bool seen = own.proof->result->proof == Proof::stopped_here;
        CHECK(codes(judgement) == (seen ? Codes{"portmap.forward-works"} : Codes{}));
        CHECK(judgement.status == P2PDIAG_PASS);
        CHECK((judgement.summary.find("which a firewall here may") == std::string::npos) == seen);
    }
    // A pass that no packet stands behind says so.
    Trial untried = trial();
    untried.proof.emplace();
    untried.proof->why_not = "no-answer";
    CHECK(judged({untried}).summary.find("not tried by a packet: no STUN server answers") !=
          std::string::npos);
    // Whatever the router's address looks like, what came in came in.
    Trial exposed = with_packet(Proof::arrived, true);
    (**exposed.granted).external_address = ip("192.168.9.2");
    const Judgement works = judged({exposed});
    REQUIRE(codes(works) == Codes{"portmap.forward-works"});
    CHECK(works.status == P2PDIAG_PASS);
    CHECK(works.findings[0].severity == Severity::info);
    const std::string external = Endpoint{public_address, 8000}.to_string();
    CHECK(works.findings[0].evidence.at("external") == external.c_str());
    CHECK(works.findings[0].evidence.at("family") == "ipv4");
    CHECK(works.findings[0].evidence.at("seen_by_program") == true);
    // A router that cannot be asked has shown it.
    Trial silent = with_packet(Proof::arrived, true);
    silent.read_back->in_force = InForce::unknown;
    const Judgement shown = judged({silent});
    CHECK(shown.status == P2PDIAG_PASS);
    CHECK(shown.summary.find("cannot be asked") == std::string::npos);
    CHECK(judged({with_packet(Proof::undecided, true)}).findings.empty());
    CHECK(judged({trial()}).data.at("trials").at(0).at("packet").is_null());
}

TEST_CASE("F1: what could not be removed is said") {
    Trial left = trial();
    left.removed = failure(Problem::no_answer);
    const Judgement judgement = judged({left});
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.summary.find("could not be removed: UDP port 8000") != std::string::npos);
}

TEST_CASE("F1: what an earlier run left is named") {
    MappingTest test;
    test.trials = {trial()};
    test.searched = test.complete = true;
    test.leftovers.removed = {"UDP port 8001 by UPnP of 192.168.1.1"};
    Judgement judgement = judge_mapping_test(test);
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.data.at("leftovers").at(0).at("removed") == true);
    test.leftovers.left = {"UDP port 8002 by PCP of 192.168.1.1: no-answer"};
    judgement = judge_mapping_test(test);
    CHECK(judgement.status == P2PDIAG_WARN);
    CHECK(judgement.summary.find("earlier run may still be there: UDP port 8002") !=
          std::string::npos);
    CHECK(judgement.data.at("leftovers").at(1).at("removed") == false);
    test.trials = {refused(Problem::full, 728)};
    CHECK(judge_mapping_test(test).status == P2PDIAG_FAIL);
}

TEST_CASE("F1: what is not known to be removed is no pass, whatever came before") {
    // The time was over, or Ctrl-C came.
    const auto cut = [](Trial made) {
        made.removed.reset();
        const Judgement judgement = judged({std::move(made)});
        CHECK(judgement.summary.find(
                  "It is not known that a test mapping is gone: UDP port 8000") == 0);
        return judgement.status;
    };
    CHECK(cut(trial()) == P2PDIAG_WARN);
    Trial unlisted = trial();
    unlisted.read_back->in_force = InForce::no;
    CHECK(cut(unlisted) == P2PDIAG_FAIL);
    Trial unanswered = trial();
    unanswered.granted.reset();
    CHECK(cut(unanswered) == P2PDIAG_WARN);
    CHECK(cut(refused(Problem::no_answer, 0)) == P2PDIAG_WARN);
    CHECK(cut(refused(Problem::malformed, 0)) == P2PDIAG_FAIL);
    // Asked for, no answer, and the removal was not answered either.
    Trial lost = refused(Problem::no_answer, 0);
    lost.removed = failure(Problem::no_answer);
    CHECK(judged({lost}).status == P2PDIAG_WARN);
    // Who says no has made nothing.
    CHECK(judged({refused(Problem::full, 728)}).summary.find("makes no forward") !=
          std::string::npos);
}

TEST_CASE("nothing to try, nothing tried") {
    CHECK(judged({}).status == P2PDIAG_SKIP);
    MappingTest test;
    CHECK(judge_mapping_test(test).status == P2PDIAG_UNKNOWN);
    test.searched = test.complete = true;
    test.not_ready.push_back(offer());
    test.not_ready[0].why_not = "refused";
    CHECK(judge_mapping_test(test).status == P2PDIAG_FAIL);
    test.not_ready[0].undecided = true;
    CHECK(judge_mapping_test(test).status == P2PDIAG_UNKNOWN);
    test.not_ready.push_back(offer());
    test.not_ready[1].pinhole = true;
    CHECK(judge_mapping_test(test).status == P2PDIAG_UNKNOWN);
    test.not_ready.erase(test.not_ready.begin());
    CHECK(judge_mapping_test(test).status == P2PDIAG_FAIL);
    MappingTest unread;
    unread.searched = unread.complete = true;
    unread.unread = "192.168.1.1, too-large";
    CHECK(judge_mapping_test(unread).status == P2PDIAG_UNKNOWN);
    Trial no_port;
    no_port.offer = offer();
    CHECK(judged({no_port}).status == P2PDIAG_UNKNOWN);
    Trial interrupted = trial();
    interrupted.granted.reset();
    test.not_ready.clear();
    test.trials = {interrupted};
    test.complete = false;
    CHECK(judge_mapping_test(test).status == P2PDIAG_UNKNOWN);
}

TEST_CASE("the port to try is never somebody's") {
    const auto chosen = [](const Offer& one, const portmap::Discovered& found) {
        return choose_port(one, Transport::udp, 8000, found, everything_free);
    };
    // The whole list is known, and nobody has it.
    CHECK(chosen(offer(), search({igd()}).found) == 8000);
    // NAT-PMP of the same router: the list holds for it as well.
    CHECK(chosen(offer(Protocol::natpmp), search({igd()}).found) == 8000);
    // No list: the target port may belong to a program that is not running.
    CHECK(chosen(offer(Protocol::natpmp), search().found) == 8001);
    portmap::IgdReport taken = igd();
    (**taken.mappings).entries = {mapping(8000, "192.168.1.99")};
    CHECK(chosen(offer(), search({taken}).found) == 8001);
    // Of this machine, under another external port.
    portmap::IgdMapping here = mapping(9000, "192.168.1.7");
    here.internal_port = 8000;
    (**taken.mappings).entries = {here, mapping(8001, "192.168.1.99")};
    CHECK(chosen(offer(), search({taken}).found) == 8002);
    (**taken.mappings).entries.clear();
    (**taken.mappings).complete = false;
    CHECK(chosen(offer(), search({taken}).found) == 8001);

    const auto busy = [](std::uint16_t port) { return port > 8004; };
    const auto found = search({igd()}).found;
    CHECK(choose_port(offer(), Transport::udp, 8000, found, busy) == 8005);
    const auto none = [](std::uint16_t) { return false; };
    CHECK(choose_port(offer(), Transport::udp, 8000, found, none) == 0);
    CHECK(choose_port(offer(), Transport::udp, 65535, search().found, everything_free) == 0);
}
