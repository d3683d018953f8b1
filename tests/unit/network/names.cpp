// What made-up answers of name servers mean.
#include "names.hpp"

#include <catch2/catch.hpp>

#include "base/json.hpp"

using namespace p2pdiag;
using namespace p2pdiag::network_plugin;
using net::DnsOutcome;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t reserved = 2;

// Two wanted names, one below .invalid, one random below each.
Names questions() {
    Names names;
    names.names = {{"one.example", NameKind::wanted, {}},
                   {"two.example", NameKind::wanted, {}},
                   {"x.invalid", NameKind::reserved, {}},
                   {"x.one.example", NameKind::random, "one.example"},
                   {"x.two.example", NameKind::random, "two.example"}};
    names.has_route = true;
    return names;
}

// A server that answers as it should: each wanted name has an address of its own.
ServerAnswers server(const char* address, const Names& names,
                     std::optional<DnsOutcome> trouble = std::nullopt) {
    ServerAnswers made;
    made.server.address = *IpAddress::parse(address);
    for (std::size_t i = 0; i < names.names.size(); ++i) {
        Lookup lookup;
        lookup.name = i;
        lookup.done = true;
        const bool wanted = names.names[i].kind == NameKind::wanted;
        lookup.answer.outcome =
            trouble.value_or(wanted ? DnsOutcome::answered : DnsOutcome::no_name);
        if (!trouble) lookup.answer.took = 5ms;
        if (!trouble && wanted) {
            lookup.answer.addresses = {IpAddress::v4(0xC0000200 + static_cast<std::uint32_t>(i))};
        }
        made.lookups.push_back(lookup);
    }
    return made;
}

void answer(ServerAnswers& server, std::size_t name, const char* address) {
    server.lookups[name].answer.outcome = DnsOutcome::answered;
    server.lookups[name].answer.addresses = {*IpAddress::parse(address)};
}

using Codes = std::vector<std::string>;

Codes codes(const Judgement& judgement) {
    Codes all;
    for (const Finding& finding : judgement.findings) all.push_back(finding.code);
    return all;
}

}  // namespace

TEST_CASE("a name server that answers as it should") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names)};
    const Judgement judgement = judge(names);
    CHECK(judgement.status == P2PDIAG_PASS);
    CHECK(judgement.findings.empty());
    CHECK(judgement.summary == "192.168.1.1 answers in 5 ms");
    const json::value data = judgement.data;
    CHECK(data.at_pointer("/servers/0/usable") == true);
    CHECK(data.at_pointer("/servers/0/lookups/2/outcome") == "no-name");
}

TEST_CASE("no server of use") {
    for (const DnsOutcome trouble :
         {DnsOutcome::timed_out, DnsOutcome::refused, DnsOutcome::servfail, DnsOutcome::closed}) {
        Names names = questions();
        names.servers = {server("192.168.1.1", names, trouble)};
        const Judgement judgement = judge(names);
        CHECK(judgement.status == P2PDIAG_FAIL);
        REQUIRE(codes(judgement) == Codes{"net.dns-failed"});
        CHECK(judgement.findings[0].severity == Severity::error);
        const json::value evidence = judgement.findings[0].evidence;
        CHECK(evidence.at_pointer("/servers/0/reason").as_string() == net::to_string(trouble));
        // Without a way out that is no news.
        names.has_route = false;
        CHECK(judge(names).status == P2PDIAG_SKIP);
        CHECK(judge(names).summary.find("No name server answers") == 0);
        CHECK(judge(names).findings.empty());
        names.has_route = true;
        names.interrupted = true;
        CHECK(judge(names).status == P2PDIAG_UNKNOWN);
    }
}

TEST_CASE("without a configured server this machine's own is asked") {
    Names names = questions();
    names.setup.by_default = true;
    names.servers = {server("127.0.0.1", names)};
    CHECK(judge(names).status == P2PDIAG_PASS);
    CHECK(judge(names).summary.find("names no name server") != std::string::npos);
    CHECK(judge(names).data.at("by_default") == true);
    names.servers = {server("127.0.0.1", names, DnsOutcome::closed)};
    const Judgement judgement = judge(names);
    CHECK(judgement.status == P2PDIAG_FAIL);
    REQUIRE(codes(judgement) == Codes{"net.dns-failed"});
    CHECK(judgement.summary.find("/etc/resolv.conf names no name server") == 0);
    CHECK(judgement.summary.find("127.0.0.1 does not listen") != std::string::npos);
}

TEST_CASE("a server behind the third is never asked, and saves nothing") {
    Names names = questions();
    for (const char* address : {"192.168.1.1", "192.168.1.2", "192.168.1.3"}) {
        names.servers.push_back(server(address, names, DnsOutcome::timed_out));
    }
    names.servers.push_back(server("192.168.1.4", names));
    names.servers.back().never_asked = true;
    const Judgement judgement = judge(names);
    CHECK(judgement.status == P2PDIAG_FAIL);
    REQUIRE(codes(judgement) == Codes{"net.dns-failed"});
    CHECK(judgement.findings[0].severity == Severity::error);
    CHECK(judgement.findings[0].evidence.at("never_asked") == "192.168.1.4");
    CHECK(judgement.findings[0].evidence.at("servers").as_array().size() == 3);
    CHECK(judgement.summary.find("192.168.1.4 answers, and is never asked") != std::string::npos);
    // Nor does it harm, whatever it says.
    for (std::size_t i = 0; i < 3; ++i) names.servers[i] = server("192.168.1.1", names);
    answer(names.servers[3], reserved, "198.51.100.66");
    CHECK(judge(names).status == P2PDIAG_PASS);
    names.servers[3] = server("192.168.1.4", names, DnsOutcome::timed_out);
    names.servers[3].never_asked = true;
    CHECK(judge(names).status == P2PDIAG_PASS);
    CHECK(judge(names).summary.find("192.168.1.4 answers") == std::string::npos);
}

TEST_CASE("a server that has no address for any name is of no use") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names)};
    auto& lookups = names.servers[0].lookups;
    for (const std::size_t name : {0U, 1U}) {
        lookups[name].answer = {DnsOutcome::no_address, {}, 5ms, false};
    }
    // The other type is not known yet.
    CHECK(judge(names).findings.empty());
    for (const std::size_t name : {0U, 1U}) {
        lookups.push_back({name, Family::ipv6, true, {DnsOutcome::no_address, {}, 5ms, false}});
    }
    const Judgement judgement = judge(names);
    CHECK(judgement.status == P2PDIAG_WARN);
    REQUIRE(codes(judgement) == Codes{"net.dns-failed"});
    CHECK(judgement.findings[0].severity == Severity::warning);
    CHECK(judgement.findings[0].message.find("neither A nor AAAA") != std::string::npos);
    const json::value evidence = judgement.findings[0].evidence;
    CHECK(evidence.at_pointer("/servers/0/reason") == "no-address");
    CHECK(json::value(judgement.data).at_pointer("/servers/0/usable") == false);
    // Programs take that for an answer, and ask no other server.
    names.servers.push_back(server("192.168.1.2", names));
    CHECK(codes(judge(names)) == Codes{"net.dns-failed"});
    // By IPv6 alone is an address as well.
    names.servers.pop_back();
    names.servers[0].lookups.back().answer.outcome = DnsOutcome::answered;
    names.servers[0].lookups.back().answer.addresses = {*IpAddress::parse("2001:db8::1")};
    CHECK(judge(names).status == P2PDIAG_PASS);
}

TEST_CASE("one of two is silent: slow when it is asked first") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names, DnsOutcome::timed_out),
                     server("192.168.1.2", names)};
    CHECK(codes(judge(names)) == Codes{"net.dns-slow"});
    CHECK(judge(names).status == P2PDIAG_WARN);
    std::swap(names.servers[0], names.servers[1]);
    REQUIRE(codes(judge(names)) == Codes{"net.dns-failed"});
    CHECK(judge(names).findings[0].severity == Severity::warning);
    // Told at once, the C library goes on to the next without waiting.
    names.servers = {server("192.168.1.1", names, DnsOutcome::refused),
                     server("192.168.1.2", names)};
    CHECK(codes(judge(names)) == Codes{"net.dns-failed"});
}

TEST_CASE("slow is what is slow for every name") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names)};
    names.servers[0].lookups[0].answer.took = 3000ms;
    CHECK(codes(judge(names)).empty());
    names.servers[0].lookups[1].answer.took = 900ms;
    // What is answered out of hand does not make it quick.
    CHECK(codes(judge(names)) == Codes{"net.dns-slow"});
}

TEST_CASE("an answer that this machine was too late to see is not called slow") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names)};
    for (auto& lookup : names.servers[0].lookups) lookup.answer.took = 900ms;
    names.late = 399ms;
    CHECK(codes(judge(names)) == Codes{"net.dns-slow"});
    names.late = 400ms;
    CHECK(codes(judge(names)).empty());
    CHECK(judge(names).status == P2PDIAG_UNKNOWN);
    CHECK(judge(names).summary.find("late by 400 ms") != std::string::npos);
}

TEST_CASE("a name that does not exist, by every server that answers") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names), server("192.168.1.2", names)};
    names.servers[0].lookups[0].answer = {DnsOutcome::no_name, {}, 5ms, false};
    CHECK(codes(judge(names)).empty());
    names.servers[1].lookups[0].answer = {DnsOutcome::no_name, {}, 5ms, false};
    CHECK(codes(judge(names)) == Codes{"net.dns-failed"});
}

TEST_CASE("a name that no server resolves, while others are") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names), server("192.168.1.2", names)};
    names.servers[0].lookups[0].answer = {DnsOutcome::servfail, {}, 5ms, false};
    // The other server does.
    CHECK(judge(names).status == P2PDIAG_PASS);
    names.servers[1].lookups[0].answer = {DnsOutcome::refused, {}, 5ms, false};
    Judgement judgement = judge(names);
    CHECK(judgement.status == P2PDIAG_WARN);
    REQUIRE(codes(judgement) == Codes{"net.dns-failed"});
    CHECK(judgement.findings[0].severity == Severity::warning);
    CHECK(judgement.findings[0].evidence.at("name") == "one.example");
    CHECK(judgement.findings[0].evidence.at("reason") == "servfail");
    // One that is of no use for any name does not tell of this one.
    names.servers[1] = server("192.168.1.2", names, DnsOutcome::timed_out);
    CHECK(codes(judge(names)) == Codes{"net.dns-failed", "net.dns-failed"});
    // Silence is no resolving either.
    names.servers = {server("192.168.1.1", names)};
    names.servers[0].lookups[0].answer = {DnsOutcome::timed_out, {}, {}, false};
    REQUIRE(codes(judge(names)) == Codes{"net.dns-failed"});
    CHECK(judge(names).findings[0].evidence.at("reason") == "timed-out");
}

TEST_CASE("a question that is answered over TCP alone was lost on the way") {
    Names names = questions();
    ServerAnswers made = server("198.51.100.53", names);
    made.lookups[1].answer = {};
    made.lookups[1].answer.outcome = DnsOutcome::timed_out;
    made.lookups[1].tcp = DnsOutcome::answered;
    names.servers = {made};
    const Judgement lost = judge(names);
    REQUIRE(codes(lost) == Codes{"net.dns-failed"});
    CHECK(lost.findings[0].evidence.at("over_tcp") == true);
    CHECK(lost.findings[0].evidence.at("udp_lost_of") == "198.51.100.53");
    CHECK(lost.findings[0].message.find("packets over UDP are lost, or limited") !=
          std::string::npos);
    // Who is silent over TCP as well is asked in vain.
    names.servers[0].lookups[1].tcp = DnsOutcome::timed_out;
    const Judgement silent = judge(names);
    REQUIRE(codes(silent) == Codes{"net.dns-failed"});
    CHECK(silent.findings[0].evidence.at("over_tcp") == false);
    CHECK(silent.findings[0].evidence.at("udp_lost_of").is_null());
    // A type that is never answered is dropped for what it is.
    names = questions();
    made = server("198.51.100.53", names);
    for (const std::size_t name : {0U, 1U}) {
        Lookup lookup;
        lookup.name = name;
        lookup.family = Family::ipv6;
        lookup.done = true;
        lookup.answer.outcome = DnsOutcome::timed_out;
        lookup.tcp = DnsOutcome::answered;
        made.lookups.push_back(lookup);
    }
    names.servers = {made};
    const Judgement dropped = judge(names);
    REQUIRE(codes(dropped) == Codes{"net.dns-slow", "net.dns-slow"});
    CHECK(dropped.findings[0].evidence.at("over_tcp") == false);
}

TEST_CASE("one type of a name that no server resolves") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names)};
    Lookup aaaa{0, Family::ipv6, true, {DnsOutcome::no_address, {}, 5ms, false}};
    names.servers[0].lookups.push_back(aaaa);
    Lookup& asked = names.servers[0].lookups.back();
    CHECK(judge(names).status == P2PDIAG_PASS);
    asked.answer.outcome = DnsOutcome::servfail;
    REQUIRE(codes(judge(names)) == Codes{"net.dns-failed"});
    CHECK(judge(names).findings[0].evidence.at("type") == "AAAA");
    // Programs that ask for both types wait.
    asked.answer = {DnsOutcome::timed_out, {}, {}, false};
    REQUIRE(codes(judge(names)) == Codes{"net.dns-slow"});
    CHECK(judge(names).findings[0].severity == Severity::warning);
    CHECK(judge(names).status == P2PDIAG_WARN);
    // That there is no such name holds for both types.
    names.servers[0].lookups[0].answer = {DnsOutcome::no_name, {}, 5ms, false};
    REQUIRE(codes(judge(names)) == Codes{"net.dns-failed"});
    CHECK(judge(names).findings[0].evidence.at("reason") == "no-name");
}

TEST_CASE("a name that was not waited for is not known to be well") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names), server("192.168.1.2", names)};
    names.interrupted = true;
    names.servers[0].lookups[0].answer = {DnsOutcome::servfail, {}, 5ms, false};
    names.servers[1].lookups[0].done = false;
    CHECK(judge(names).status == P2PDIAG_UNKNOWN);
    CHECK(judge(names).findings.empty());
    names.servers[0].lookups[0].answer.outcome = DnsOutcome::no_address;
    CHECK(judge(names).status == P2PDIAG_PASS);
}

TEST_CASE("answers for names that do not exist") {
    Names names = questions();
    names.servers = {server("192.168.1.1", names)};
    answer(names.servers[0], reserved, "198.51.100.66");
    CHECK(codes(judge(names)) == Codes{"net.dns-rewritten"});
    CHECK(judge(names).status == P2PDIAG_WARN);

    // Liars that spare .invalid.
    names.servers = {server("192.168.1.1", names)};
    answer(names.servers[0], 3, "198.51.100.66");
    CHECK(codes(judge(names)).empty());
    answer(names.servers[0], 4, "198.51.100.66");
    CHECK(codes(judge(names)) == Codes{"net.dns-rewritten"});
    // Two wildcards, each with its own address, or that of its parent.
    answer(names.servers[0], 4, "198.51.100.67");
    CHECK(codes(judge(names)).empty());
    names.servers = {server("192.168.1.1", names)};
    for (const std::size_t name : {0, 1, 3, 4}) answer(names.servers[0], name, "198.51.100.66");
    CHECK(codes(judge(names)).empty());
}

TEST_CASE("an address that no server can have is a filter's") {
    for (const char* address : {"0.0.0.0", "127.0.0.1", "::"}) {
        Names names = questions();
        names.servers = {server("192.168.1.1", names)};
        answer(names.servers[0], 0, address);
        CHECK(codes(judge(names)) == Codes{"net.dns-rewritten"});
    }
    // A private one may be meant.
    Names names = questions();
    names.servers = {server("192.168.1.1", names)};
    answer(names.servers[0], 0, "192.168.1.9");
    CHECK(judge(names).status == P2PDIAG_PASS);
}

TEST_CASE("whether a silent server is out there, and what it says over TCP, is told") {
    Names names = questions();
    names.servers = {server("192.0.2.1", names, DnsOutcome::timed_out)};
    const auto told = [&] { return json::value(judge(names).findings.at(0).evidence); };
    CHECK(told().at("lost_outside") == false);  // where it is is not known
    CHECK(told().at("over_tcp_alone").is_null());
    CHECK(told().at_pointer("/servers/0/tcp").is_null());
    names.servers[0].outside = true;
    names.servers[0].tcp = DnsOutcome::timed_out;
    CHECK(told().at("lost_outside") == true);
    CHECK(told().at("over_tcp_alone").is_null());
    CHECK(told().at_pointer("/servers/0/tcp") == "silent");
    names.servers[0].tcp = DnsOutcome::no_name;
    CHECK(told().at("over_tcp_alone") == "192.0.2.1");
    CHECK(judge(names).summary.find("over TCP it does") != std::string::npos);

    SECTION("one of several that is not out there is its own matter") {
        names.servers.push_back(server("192.168.1.1", names, DnsOutcome::timed_out));
        names.servers[1].outside = false;
        CHECK(told().at("lost_outside") == false);
    }
    SECTION("a stub says what became of those behind it") {
        names.servers.insert(names.servers.begin(),
                             server("127.0.0.53", names, DnsOutcome::servfail));
        names.servers[0].outside = false;
        names.servers[1].behind_stub = true;
        CHECK(told().at("lost_outside") == true);
    }
    SECTION("one that said something over UDP was not lost") {
        names.servers = {server("192.0.2.1", names, DnsOutcome::servfail)};
        names.servers[0].outside = true;
        CHECK(told().at("lost_outside") == false);
    }
}
