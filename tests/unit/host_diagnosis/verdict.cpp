#include "diagnosis/verdict.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;

namespace {

report::CheckResult nat(std::vector<std::string> codes, const std::string& summary = "") {
    report::CheckResult result;
    result.id = "stun.nat";
    result.summary = summary;
    for (const std::string& code : codes) {
        report::Finding finding;
        finding.code = code;
        finding.message = "message of " + code;
        result.findings.push_back(finding);
    }
    return result;
}

}  // namespace

TEST_CASE("each kind of network has its verdict") {
    const auto [code, status] =
        GENERATE(table<std::string, std::string>({{"nat.none", "open"},
                                                  {"nat.full-cone", "direct"},
                                                  {"nat.restricted-cone", "direct"},
                                                  {"nat.port-restricted-cone", "direct"},
                                                  {"nat.symmetric-firewall", "direct"},
                                                  {"nat.cone", "direct"},
                                                  {"nat.public-address", "direct"},
                                                  {"nat.symmetric", "relay-only"},
                                                  {"nat.symmetric-predictable", "relay-only"},
                                                  {"nat.udp-blocked", "relay-only"},
                                                  {"net.captive-portal", "offline"},
                                                  {"net.no-link", "offline"},
                                                  {"net.no-default-route", "offline"},
                                                  {"net.no-internet", "offline"}}));
    CAPTURE(code);
    const report::Verdict verdict = diagnosis::judge({nat({code})});
    CHECK(verdict.status == status);
    CHECK(verdict.headline.size() > 10);
}

TEST_CASE("F3: with which peers a direct connection works is said for each NAT") {
    const auto [code, peers] = GENERATE(table<std::string, std::string>(
        {{"nat.full-cone", "with every peer"},
         {"nat.restricted-cone", "with nearly every peer"},
         {"nat.port-restricted-cone", "every peer that is not behind a symmetric NAT"},
         {"nat.cone", "every peer that is not behind a symmetric NAT"},
         {"nat.symmetric",
          "only with peers whose own NAT is open or a full or address-restricted cone"},
         {"nat.symmetric-predictable", "most connections need a relay"},
         {"nat.udp-blocked", "direct connections cannot work here"}}));
    CAPTURE(code);
    const std::string headline = diagnosis::judge({nat({code})}).headline;
    CHECK(headline.find(peers) != std::string::npos);
    // Nobody has tried yet.
    const bool promises = headline.find("should") != std::string::npos;
    CHECK(promises == (headline.find("Not yet proven with a peer") != std::string::npos));
}

TEST_CASE("whoever is seen from outside is not offline, though the NAT's kind is not known") {
    report::CheckResult unclear = nat({"net.no-internet"}, "a NAT with some mapping");
    CHECK(diagnosis::judge({unclear}).status == "offline");
    unclear.data = {{"ipv4", {{"public", "11.22.33.7:4000"}}}};
    const report::Verdict verdict = diagnosis::judge({unclear});
    CHECK(verdict.status == "unknown");
    CHECK(verdict.headline.find("a NAT with some mapping") != std::string::npos);
    report::Report report;
    report.checks = {unclear};
    report.causes.emplace_back();
    report.causes[0].title = "The internet cannot be reached";
    report.causes[0].confidence = 0.9;
    report.causes[0].impact = report::Impact::offline;
    CHECK(diagnosis::conclude(report).status == "unknown");
}

TEST_CASE("nothing measured is unknown, and the headline says what is missing") {
    CHECK(diagnosis::judge({}).status == "unknown");
    CHECK(diagnosis::judge({}).headline.find("not measured") != std::string::npos);
    const report::Verdict silent = diagnosis::judge({nat({}, "too many answers were lost")});
    CHECK(silent.status == "unknown");
    CHECK(silent.headline.find("too many answers were lost") != std::string::npos);
}

TEST_CASE("IPv4 leads; what is known of IPv6 alone is said to be that") {
    report::CheckResult open_by_ipv6 = nat({"nat.none"});
    open_by_ipv6.findings[0].evidence = {{"family", "ipv6"}};
    const report::Verdict alone = diagnosis::judge({open_by_ipv6});
    CHECK(alone.status == "open");
    CHECK(alone.headline.find("IPv6 alone") != std::string::npos);
    const report::Verdict both = diagnosis::judge({open_by_ipv6, nat({"nat.symmetric"})});
    CHECK(both.status == "relay-only");
    CHECK(both.headline.find("Over IPv6, with peers that have it: No NAT") != std::string::npos);
    CHECK(diagnosis::judge({open_by_ipv6, nat({"nat.full-cone"})}).status == "direct");
}

TEST_CASE("a measured NAT outweighs a missing default route") {
    CHECK(diagnosis::judge({nat({"net.no-default-route", "nat.none"})}).status == "open");
}

TEST_CASE("a login page is why UDP is blocked, unless the NAT was measured") {
    CHECK(diagnosis::judge({nat({"nat.udp-blocked", "net.captive-portal"})}).status == "offline");
    CHECK(diagnosis::judge({nat({"net.captive-portal", "nat.full-cone"})}).status == "direct");
}

namespace {

report::Cause cause(report::Impact impact, bool fixable, double confidence = 0.9) {
    report::Cause out;
    out.title = "Title";
    out.impact = impact;
    out.confidence = confidence;
    if (fixable) out.remedies.push_back({"r", "t", "c", true, false, true, "v", {}});
    return out;
}

report::Verdict conclude(std::vector<report::CheckResult> checks,
                         std::vector<report::Cause> causes) {
    report::Report report;
    report.target_port = 8000;
    report.checks = std::move(checks);
    report.causes = std::move(causes);
    return diagnosis::conclude(report);
}

std::string status(const std::string& nat_code, std::vector<report::Cause> causes) {
    const std::vector<std::string> found =
        nat_code.empty() ? std::vector<std::string>{} : std::vector<std::string>{nat_code};
    return conclude({nat(found)}, std::move(causes)).status;
}

report::CheckResult forwarded(json::object evidence) {
    report::CheckResult result;
    result.id = "upnp.gateways";
    report::Finding finding;
    finding.code = "portmap.forwarded";
    for (const auto& [name, value] : json::object{{"protocol", "udp"},
                                                  {"port", 8000},
                                                  {"family", "ipv4"},
                                                  {"external", "203.0.113.7:8000"},
                                                  {"verified", "packet"}}) {
        if (!evidence.contains(name)) evidence[name] = value;
    }
    finding.evidence = std::move(evidence);
    result.findings = {finding};
    return result;
}

}  // namespace

TEST_CASE("a likely cause makes the verdict worse, and says so first") {
    using report::Impact;
    CHECK(status("nat.full-cone", {}) == "direct");
    CHECK(status("nat.full-cone", {cause(Impact::no_direct, false)}) == "relay-only");
    CHECK(status("nat.full-cone", {cause(Impact::no_direct, true)}) == "direct-after-fix");
    CHECK(status("nat.none", {cause(Impact::no_calls, true)}) == "direct-after-fix");
    CHECK(status("nat.none", {cause(Impact::no_calls, false)}) == "direct");
    CHECK(status("nat.none", {cause(Impact::quality, false)}) == "open");
    CHECK(status("nat.none", {cause(Impact::no_direct, false, 0.5)}) == "open");
    CHECK(status("nat.symmetric", {cause(Impact::no_direct, true)}) == "direct-after-fix");
    CHECK(status("", {cause(Impact::offline, false)}) == "offline");
    CHECK(status("", {cause(Impact::no_direct, false)}) == "unknown");
    CHECK(conclude({nat({})}, {cause(Impact::no_direct, false)})
              .headline.starts_with("Title. Could not tell which NAT you are behind"));
    const auto verdict = conclude({nat({"nat.full-cone"})}, {cause(Impact::no_direct, false)});
    CHECK(verdict.headline.starts_with("Title. Apart from that: You are behind a full cone NAT"));
}

TEST_CASE("a fix is promised only where it mends all that is as bad") {
    using report::Impact;
    CHECK(status("nat.symmetric", {cause(Impact::no_direct, true),
                                   cause(Impact::no_direct, false)}) == "relay-only");
    CHECK(status("nat.full-cone", {cause(Impact::no_direct, true),
                                   cause(Impact::no_calls, false)}) == "direct-after-fix");
}

TEST_CASE("a NAT that was measured is proof against being offline") {
    CHECK(status("nat.full-cone", {cause(report::Impact::offline, false)}) == "direct");
}

TEST_CASE("a forward that a packet proved makes the port reachable behind any NAT") {
    for (const char* kind : {"nat.symmetric", "nat.symmetric-predictable",
                             "nat.port-restricted-cone", "nat.restricted-cone"}) {
        CAPTURE(kind);
        const auto verdict = conclude({nat({kind}), forwarded({})}, {});
        CHECK(verdict.status == "direct");
        CHECK(
            verdict.headline.starts_with("Peers reach UDP port 8000 of this machine at "
                                         "203.0.113.7:8000, by a forward in the router;"));
        CHECK(verdict.headline.ends_with("firewall lets it through was not seen."));
    }
    report::CheckResult firewall;
    firewall.id = "firewall.inbound";
    firewall.status = report::Status::pass;
    const std::string unseen = "was not seen";
    CHECK(conclude({nat({"nat.symmetric"}), forwarded({}), firewall}, {}).headline.find(unseen) ==
          std::string::npos);
    CHECK(conclude({nat({"nat.symmetric"}), forwarded({{"seen_by_program", true}})}, {})
              .headline.find(unseen) == std::string::npos);
    // Whatever else keeps packets out still does.
    CHECK(
        conclude({nat({"nat.symmetric"}), forwarded({})}, {cause(report::Impact::no_direct, false)})
            .status == "relay-only");
}

TEST_CASE(
    "behind a firewall that lets in answers alone, the target port may be open all the same") {
    const auto with = [](const char* code, json::object evidence) {
        report::CheckResult result = forwarded(std::move(evidence));
        result.findings[0].code = code;
        return conclude({nat({"nat.symmetric-firewall"}), result}, {});
    };
    const auto proven = with("nat.port-reached", {{"seen_by_program", true}});
    CHECK(proven.status == "open");
    CHECK(proven.headline.starts_with("No NAT, and UDP port 8000 of this machine is open"));
    // At the interface alone it is not known to be.
    CHECK(with("nat.port-reached", {{"seen_by_program", false}}).status == "direct");
    CHECK(with("nat.port-reached", {{"port", 8001}, {"seen_by_program", true}}).status == "direct");
    const auto by_rules = with("firewall.inbound-open", {});
    CHECK(by_rules.status == "direct");
    CHECK(by_rules.headline.find("lets UDP port 8000 in, by its rules") != std::string::npos);
    CHECK(by_rules.headline.ends_with("was not tried."));
}

TEST_CASE("no forward but a proven one of the target port over UDP and IPv4 changes the verdict") {
    for (const json::object& evidence :
         {json::object{{"verified", "read-back"}}, json::object{{"verified", nullptr}},
          json::object{{"external", nullptr}}}) {
        const auto verdict = conclude({nat({"nat.symmetric"}), forwarded(evidence)}, {});
        CHECK(verdict.status == "relay-only");
        CHECK(verdict.headline.find("no packet from outside has proven it") != std::string::npos);
    }
    for (const json::object& evidence :
         {json::object{{"port", 8001}}, json::object{{"protocol", "tcp"}},
          json::object{{"family", "ipv6"}}}) {
        const auto verdict = conclude({nat({"nat.symmetric"}), forwarded(evidence)}, {});
        CHECK(verdict.status == "relay-only");
        CHECK(verdict.headline.find("forward") == std::string::npos);
    }
    // Nobody is reached where UDP does not get out, and nothing is known where the NAT is not.
    CHECK(conclude({nat({"nat.udp-blocked"}), forwarded({})}, {}).status == "relay-only");
    CHECK(conclude({nat({}), forwarded({})}, {}).status == "unknown");
    CHECK(conclude({nat({"nat.none"}), forwarded({})}, {}).status == "open");
}

TEST_CASE("a firewall that was not seen is not open") {
    report::CheckResult blind;
    blind.id = "firewall.inbound";
    blind.findings.emplace_back().code = "firewall.not-visible";
    const std::string unseen = "own firewall stands in the way was not seen";
    const auto headline = [&](std::vector<report::CheckResult> checks) {
        return conclude(std::move(checks), {}).headline;
    };
    CHECK(headline({nat({"nat.full-cone"}), blind}).find(unseen) != std::string::npos);
    CHECK(headline({nat({"nat.full-cone"})}).find(unseen) == std::string::npos);
    // No NAT lets anybody in: the firewall is not what decides.
    CHECK(headline({nat({"nat.symmetric"}), blind}).find(unseen) == std::string::npos);
}
