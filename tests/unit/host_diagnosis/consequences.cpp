#include "diagnosis/consequences.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;
using report::Severity;

namespace {

report::Finding error(const char* code, const char* family = nullptr) {
    report::Finding finding;
    finding.code = code;
    finding.severity = Severity::error;
    finding.message = "m";
    if (family != nullptr) finding.evidence["family"] = family;
    return finding;
}

// Of one check each, since the cause and what follows from it come from different ones.
std::vector<report::Finding> demoted(const std::vector<report::Finding>& findings) {
    std::vector<report::CheckResult> checks;
    for (const report::Finding& finding : findings) {
        report::CheckResult check;
        check.status = report::Status::fail;
        check.findings = {finding};
        checks.push_back(check);
    }
    diagnosis::demote_consequences(checks);
    std::vector<report::Finding> after;
    for (const report::CheckResult& check : checks) {
        CHECK(check.status == report::Status::fail);
        after.push_back(check.findings.front());
    }
    return after;
}

}  // namespace

TEST_CASE("what follows from another error is a warning, and says from which") {
    const auto after = demoted({error("nat.stun-unreachable"), error("net.no-internet"),
                                error("net.captive-portal"), error("net.dns-failed")});
    CHECK(after[0].severity == Severity::warning);
    CHECK(after[0].message == "m (follows from net.captive-portal)");
    CHECK(after[0].evidence.at("follows_from") == "net.captive-portal");
    CHECK(after[1].severity == Severity::warning);
    CHECK(after[2].severity == Severity::error);
    CHECK(after[2].message == "m");
    // No login page makes names fail.
    CHECK(after[3].severity == Severity::error);
}

TEST_CASE("alone, or beside what is no error, it stands for itself") {
    CHECK(demoted({error("net.no-internet")})[0].severity == Severity::error);
    report::Finding maybe = error("net.no-default-route");
    maybe.severity = Severity::warning;
    CHECK(demoted({error("net.no-internet"), maybe})[0].severity == Severity::error);
}

TEST_CASE("one family explains nothing of the other") {
    const auto udp = error("nat.udp-blocked", "ipv6");
    CHECK(demoted({error("nat.stun-unreachable", "ipv4"), udp})[0].severity == Severity::error);
    CHECK(demoted({error("nat.stun-unreachable", "ipv6"), udp})[0].severity == Severity::warning);
    CHECK(demoted({error("nat.stun-unreachable"), udp})[0].severity == Severity::warning);
}
