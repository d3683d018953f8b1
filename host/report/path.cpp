#include "report/path.hpp"

#include <algorithm>
#include <optional>

namespace p2pdiag::report {
namespace {

enum Leg : std::size_t { to_firewall, to_router, to_carrier, to_internet };

// When a finding that is more than information concerns its leg.
enum class Weight {
    as_severe,    // error: broken, warning: limited
    at_most,      // limited: the way is there, something beside it is wrong
    errors_only,  // a warning of it is about one server of several
    without_nat   // only where the NAT was not found to let peers in
};

struct LegOfCode {
    std::string_view code;
    Leg leg;
    Weight weight = Weight::as_severe;
};

// Codes that are not here say nothing of the way: an information, the clock, a peer's own machine.
constexpr LegOfCode legs_of_codes[] = {
    {"firewall.inbound-blocked", to_firewall},
    {"firewall.inbound-reply-only", to_firewall},
    {"firewall.outbound-blocked", to_firewall},
    {"firewall.punching-blocked", to_firewall},
    {"net.port-in-use", to_firewall},
    {"net.listener-loopback-only", to_firewall},
    {"net.listener-elsewhere", to_firewall},
    {"net.port-not-permitted", to_firewall},
    {"net.conntrack-full", to_firewall},
    {"net.ports-exhausted", to_firewall},
    {"net.files-exhausted", to_firewall},
    {"net.no-link", to_router},
    {"net.no-default-route", to_router},
    {"net.route-refused", to_router},
    {"net.gateway-silent", to_router},
    {"net.vpn-default-route", to_router},
    {"nat.symmetric", to_router},
    {"nat.symmetric-predictable", to_router},
    {"nat.symmetric-firewall", to_router},
    {"nat.mapping-lifetime-short", to_router},
    {"nat.address-rewritten", to_router},
    {"portmap.conflict", to_router},
    {"portmap.mapped-but-unreachable", to_router},
    {"portmap.forward-lost", to_router, Weight::without_nat},
    {"portmap.none", to_router, Weight::without_nat},
    {"portmap.refused", to_router, Weight::without_nat},
    {"portmap.permanent-only", to_router, Weight::without_nat},
    {"portmap.multiple-gateways", to_router, Weight::without_nat},
    {"portmap.lease-shortened", to_router, Weight::without_nat},
    {"nat.cgnat", to_carrier},
    {"nat.double-nat", to_carrier},
    {"portmap.external-private", to_carrier},
    {"net.no-internet", to_internet},
    {"net.captive-portal", to_internet},
    {"nat.udp-blocked", to_internet},
    {"nat.udp-ports-limited", to_internet},
    {"nat.stun-unreachable", to_internet, Weight::errors_only},
    {"net.dns-failed", to_internet, Weight::at_most},
    {"net.ipv6-broken", to_internet},
    {"net.loss-high", to_internet},
    {"net.latency-high", to_internet},
    {"net.mtu-blackhole", to_internet},
};

// A NAT that was measured: packets got out, and answers back. Those that are not passable as well
// are found wanting by their own finding.
constexpr std::string_view measured_nats[] = {"nat.none",
                                              "nat.full-cone",
                                              "nat.restricted-cone",
                                              "nat.port-restricted-cone",
                                              "nat.cone",
                                              "nat.public-address",
                                              "nat.kind-unknown",
                                              "nat.symmetric-firewall",
                                              "nat.symmetric",
                                              "nat.symmetric-predictable"};
constexpr std::string_view passable_nats[] = {"nat.none", "nat.full-cone", "nat.restricted-cone",
                                              "nat.port-restricted-cone", "nat.cone"};

template <std::size_t count>
bool is_in(const std::string_view (&codes)[count], std::string_view code) {
    return std::ranges::find(codes, code) != std::end(codes);
}

bool about_ipv6(const Finding& finding) {
    return json::find_string(finding.evidence, "family") == "ipv6";
}

const CheckResult* check_of(const Report& report, std::string_view id) {
    const auto found = std::ranges::find(report.checks, id, &CheckResult::id);
    return found == report.checks.end() ? nullptr : &*found;
}

// A machine that has no way to IPv4 is judged by IPv6; any other by IPv4, as most peers are.
bool without_ipv4(const Report& report) {
    for (const char* id : {"network.interfaces", "stun.nat"}) {
        const CheckResult* check = check_of(report, id);
        const json::object* data = check == nullptr ? nullptr : check->data.if_object();
        if (data == nullptr || json::find_string(*data, "ipv4_reason") != "no-route") continue;
        return data->contains("ipv6") && data->at("ipv6").is_object();
    }
    return false;
}

template <class Predicate>
bool any_object(const json::object& from, std::string_view member, Predicate predicate) {
    const json::array* all = json::find_array(from, member);
    return all != nullptr && std::ranges::any_of(*all, [&](const json::value& one) {
               return one.is_object() && predicate(one.get_object());
           });
}

// Whether something on the internet answered by `family`, as the pages of these checks in
// docs/checks describe their data: that a check passes may be the other family's merit.
bool internet_answered(const CheckResult& check, std::string_view family) {
    const json::object* data = check.data.if_object();
    if (data == nullptr) return false;
    const json::object* measured = json::find_object(*data, family);
    if (check.id == "network.internet") {
        return measured != nullptr && json::find_bool(*measured, "works").value_or(false);
    }
    if (check.id == "network.path") {
        return measured != nullptr && any_object(*measured, "targets", [](const auto& target) {
                   return json::find_integer(target, "answered").value_or(0) > 0;
               });
    }
    return check.id == "stun.servers" && any_object(*data, "servers", [&](const auto& server) {
               const json::object* asked = json::find_object(server, family);
               const json::object* udp =
                   asked == nullptr ? nullptr : json::find_object(*asked, "udp");
               return udp != nullptr && json::find_bool(*udp, "reachable").value_or(false);
           });
}

// Who filters is the plugin's word, in the data beside the finding (docs/checks/stun.nat.md).
bool filtered_here(const CheckResult& check, const Finding& finding) {
    const json::object* data = check.data.if_object();
    const json::object* family =
        data == nullptr ? nullptr : json::find_object(*data, about_ipv6(finding) ? "ipv6" : "ipv4");
    return family != nullptr && json::find_string(*family, "filtered_by") == "host";
}

class PathJudge {
public:
    explicit PathJudge(const Report& report) : report_(report), ipv6_leads_(without_ipv4(report)) {}

    std::array<PathLeg, 4> legs() {
        prove();
        for (const CheckResult& check : report_.checks) {
            for (const Finding& finding : check.findings) weigh(check, finding);
        }
        doubt();
        explain();
        return std::move(legs_);
    }

private:
    bool passed(std::string_view id) const {
        const CheckResult* check = check_of(report_, id);
        return check != nullptr && check->status == Status::pass;
    }

    bool leads(const Finding& finding) const { return about_ipv6(finding) == ipv6_leads_; }

    void works(Leg leg, std::string_view check, std::string_view why) {
        if (legs_[leg].state == PathState::works) return;
        legs_[leg] = {PathState::works, {}, std::string(check), std::string(why)};
    }

    void prove() {
        if (passed("firewall.inbound")) {
            works(to_firewall, "firewall.inbound",
                  "This machine's own firewall lets the port through.");
        }
        for (const CheckResult& check : report_.checks) {
            for (const Finding& finding : check.findings) {
                if (!leads(finding) || !is_in(measured_nats, finding.code)) continue;
                server_answered_ = true;
                answers_came(check.id);
                if (!is_in(passable_nats, finding.code)) continue;
                nat_lets_in_ = true;
                works(to_router, check.id, "The router keeps a way back for whatever was sent.");
            }
        }
        for (const CheckResult& check : report_.checks) {
            if (internet_answered(check, ipv6_leads_ ? "ipv6" : "ipv4")) answers_came(check.id);
        }
    }

    void answers_came(std::string_view check) {
        works(to_carrier, check, "Answers from the internet come back across it.");
        works(to_internet, check, "Servers on the internet answer.");
    }

    std::optional<PathState> severity_on_path(const LegOfCode& rule, const Finding& finding) const {
        if (finding.severity == Severity::info) return std::nullopt;
        // Another finding is what is broken; this one only follows.
        if (finding.evidence.contains("follows_from")) return std::nullopt;
        const bool error = finding.severity == Severity::error;
        if (rule.weight == Weight::errors_only && !error) return std::nullopt;
        if (rule.weight == Weight::without_nat && nat_lets_in_) return std::nullopt;
        const bool beside = about_ipv6(finding) && !ipv6_leads_;
        // What limits IPv6 alone limits nobody who has IPv4 as well.
        if (beside && !error && legs_[rule.leg].state == PathState::works) return std::nullopt;
        // A server that answered another check shows that packets come through.
        const bool passes = rule.weight == Weight::errors_only && server_answered_;
        const bool breaks = error && !beside && !passes && rule.weight != Weight::at_most;
        return breaks ? PathState::broken : PathState::limited;
    }

    void weigh(const CheckResult& check, const Finding& finding) {
        const auto rule = std::ranges::find(legs_of_codes, finding.code, &LegOfCode::code);
        if (rule == std::end(legs_of_codes)) return;
        const auto state = severity_on_path(*rule, finding);
        if (!state) return;
        PathLeg& leg = legs_[filtered_here(check, finding) ? to_firewall : rule->leg];
        // The first of the most severe ones is the one that is named.
        if (*state <= leg.state) return;
        leg = {*state, finding.code, check.id, finding.message};
    }

    // What does not come through may be lost anywhere: that something else gets across, a
    // connection by TCP say, proves nothing then of the legs before.
    void doubt() {
        if (legs_[to_internet].state == PathState::broken) forget_works({to_router, to_carrier});
        if (legs_[to_router].state == PathState::broken) forget_works({to_carrier, to_internet});
        if (legs_[to_carrier].state == PathState::broken) forget_works({to_internet});
    }

    void forget_works(std::initializer_list<Leg> which) {
        for (const Leg leg : which) {
            if (legs_[leg].state == PathState::works) legs_[leg] = {};
        }
    }

    void explain() {
        for (std::size_t i = 0; i < legs_.size(); ++i) {
            if (legs_[i].state == PathState::unknown) legs_[i].why = why_unknown(i);
        }
    }

    std::string why_unknown(std::size_t leg) const {
        const auto broken = [](const PathLeg& one) { return one.state == PathState::broken; };
        const auto here = legs_.begin() + static_cast<std::ptrdiff_t>(leg);
        if (std::any_of(legs_.begin(), here, broken)) {
            return "It lies beyond the break: nothing could be measured there.";
        }
        // The firewall's rules are read: what is lost further out says nothing of them.
        if (leg != to_firewall && std::any_of(here, legs_.end(), broken)) {
            return "Whether it is here that packets get lost could not be told.";
        }
        static constexpr std::string_view asked[] = {"firewall.inbound", "stun.nat", "stun.nat",
                                                     "network.internet"};
        const CheckResult* check = check_of(report_, asked[leg]);
        if (check == nullptr) return "No check measured it in this run.";
        const bool says_why =
            check->status == Status::unknown || check->status == Status::cancelled;
        return says_why && !check->summary.empty() ? check->summary
                                                   : "It could not be told in this run.";
    }

    const Report& report_;
    bool ipv6_leads_;
    bool nat_lets_in_ = false;
    bool server_answered_ = false;  // by UDP
    std::array<PathLeg, 4> legs_;
};

}  // namespace

std::string_view to_string(PathState state) {
    switch (state) {
        case PathState::works: return "works";
        case PathState::limited: return "limited";
        case PathState::broken: return "broken";
        case PathState::unknown: break;
    }
    return "unknown";
}

std::string path_leg_name(std::size_t leg) {
    return std::string(path_stations[leg]) + " to " + std::string(path_stations[leg + 1]);
}

std::array<PathLeg, 4> path_of(const Report& report) { return PathJudge(report).legs(); }

}  // namespace p2pdiag::report
