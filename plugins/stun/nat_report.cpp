// Findings, summary and status of stun.nat.
#include "nat_report.hpp"

#include "nat_words.hpp"
#include "peer_ports.hpp"
#include "reach.hpp"

namespace p2pdiag::nat {

namespace {

bool is_stun_filtered(const FamilyResult& result) {
    return result.verdict.nat_type.reason == Reason::stun_filtered;
}

std::string evidence_of(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    json::object evidence{{"family", to_string(result.family)}};
    const auto put = [&](const char* name, const auto& field) {
        if (field.value) evidence[name] = to_string(*field.value);
    };
    put("mapping", verdict.mapping);
    put("filtering", verdict.filtering);
    if (verdict.public_endpoint.value)
        evidence["public"] = verdict.public_endpoint.value->to_string();
    json::array destinations;
    for (const Destination& destination : verdict.destinations) {
        destinations.push_back(json::object{{"address", destination.address.to_string()},
                                            {"mapped", destination.mapped.to_string()}});
    }
    evidence["destinations"] = std::move(destinations);
    if (verdict.port_step.value) evidence["port_step"] = *verdict.port_step.value;
    if (verdict.carrier_hop) evidence["carrier_hop"] = verdict.carrier_hop->to_string();
    if (verdict.carrier_local) evidence["carrier_local"] = verdict.carrier_local->to_string();
    const Observations& seen = result.seen;
    if (seen.invalid_from) evidence["invalid_from"] = seen.invalid_from->to_string();
    if (seen.answered_elsewhere) {
        evidence["asked"] = seen.answered_elsewhere->asked.to_string();
        evidence["answered_from"] = seen.answered_elsewhere->from.to_string();
    }
    const auto& unlisted = verdict.unlisted_ports.value;
    evidence["unlisted_ports"] = unlisted ? json::value(*unlisted) : json::value(nullptr);
    const auto ports = judge_other_ports(seen);
    if (ports && !is_stun_filtered(result)) {
        json::array silent;
        for (const std::uint16_t port : ports->silent) silent.emplace_back(port);
        evidence["silent_udp_ports"] = std::move(silent);
        evidence["passing"] = ports->passing.to_string();
    }
    if (is_stun_filtered(result)) {
        evidence["answers_without_cookie"] = judge_content(seen)->to_string();
    }
    if (const auto egress = common_egress(seen)) evidence["interface"] = egress->interface;
    return json::to_text(evidence);
}

// Of one server that is silent at its own port, and sends something back from another, its own
// firewall may be the reason; of several at the same port it is rather the network.
bool is_port_blocked(const FamilyResult& result) {
    constexpr std::size_t enough = 2;
    const auto ports = judge_other_ports(result.seen);
    return result.verdict.nat_type.reason == Reason::only_other_ports && ports &&
           ports->servers.size() >= enough && ports->silent.size() == 1;
}

p2pdiag_status status_of(const FamilyResult& result) {
    // What kind of NAT there is nobody knows then, but what is wrong.
    if (result.tried && (is_stun_filtered(result) || is_port_blocked(result))) return P2PDIAG_FAIL;
    if (!result.tried || !result.verdict.nat_type.value) return P2PDIAG_UNKNOWN;
    switch (*result.verdict.nat_type.value) {
        case NatType::udp_blocked: return P2PDIAG_FAIL;
        case NatType::symmetric:
        case NatType::symmetric_firewall: return P2PDIAG_WARN;
        case NatType::open:
        case NatType::full_cone:
        case NatType::restricted_cone:
        case NatType::port_restricted_cone: break;
    }
    const bool carrier = result.verdict.carrier_hop || result.verdict.carrier_local;
    const bool limited = !about_limited_ports(result).empty();
    return carrier || limited ? P2PDIAG_WARN : P2PDIAG_PASS;
}

// Findings that stand beside the type of the NAT.
void find_more(Run& run, const FamilyResult& result, const FamilyResult& other) {
    const Verdict& verdict = result.verdict;
    const std::string family = family_name(result) + ": ";
    if (verdict.carrier_local) {
        run.finding("nat.cgnat", Severity::warning,
                    family + "this machine's own address " + verdict.carrier_local->to_string() +
                        " is in the carrier-grade range, which suggests that the NAT is the "
                        "provider's, or a VPN's",
                    evidence_of(result));
    } else if (verdict.carrier_hop) {
        run.finding("nat.cgnat", Severity::warning,
                    family + "a router on the way has the carrier-grade address " +
                        verdict.carrier_hop->to_string() +
                        ", which suggests a second NAT at the provider",
                    evidence_of(result));
    }
    if (verdict.hairpinning.value == false) {
        run.finding(
            "nat.hairpin-unsupported", Severity::info,
            family + "the NAT does not connect two of its own hosts by their public addresses",
            evidence_of(result));
    }
    if (result.seen.rewritten) {
        run.finding("nat.address-rewritten", Severity::warning,
                    family + "something on the way rewrites addresses inside of packets (" +
                        result.seen.rewritten->xor_mapped.to_string() + " became " +
                        result.seen.rewritten->mapped.to_string() + ")",
                    evidence_of(result));
    }
    const std::string ports = about_ports(result);
    const bool by_stand_in = !ports.empty() && result.seen.anything_answered();
    if (by_stand_in) {
        run.finding("nat.stun-unreachable", Severity::warning,
                    family + ports + "; that port was used to measure", evidence_of(result));
    }
    if (const std::string limited = about_limited_ports(result); !limited.empty()) {
        run.finding("nat.udp-ports-limited", Severity::warning, family + limited,
                    evidence_of(result));
    }
    const bool silent = verdict.nat_type.reason == Reason::no_server_answered ||
                        verdict.nat_type.reason == Reason::only_other_ports ||
                        is_stun_filtered(result) ||
                        verdict.nat_type.reason == Reason::no_valid_answer ||
                        verdict.nat_type.reason == Reason::one_destination;
    if (silent) {
        const bool other_works = other.tried && other.verdict.public_endpoint.value;
        run.finding("nat.stun-unreachable", other_works ? Severity::warning : Severity::error,
                    family + why_unknown(result), evidence_of(result));
    }
    const bool public_v6 = result.family == Family::ipv6 && verdict.public_endpoint.value;
    if (public_v6) {
        run.finding("net.ipv6-available", Severity::info,
                    "IPv6: works by UDP, seen as " + verdict.public_endpoint.value->to_string(),
                    evidence_of(result));
    }
}

void find_nat64(Run& run, const FamilyResult& ipv4, const json::object& data) {
    const bool translated = ipv4.tried && ipv4.verdict.translated_from_ipv6;
    const json::object* nat64 = json::find_object(data, "nat64");
    if (!translated && nat64 == nullptr) return;
    json::object evidence{{"translated_from_ipv6", translated}};
    std::string prefix;
    if (nat64 != nullptr) {
        evidence["prefix"] = nat64->at("prefix");
        prefix = " with the prefix " + std::string(*json::find_string(*nat64, "prefix"));
    }
    run.finding(
        "nat.nat64", Severity::info,
        translated
            ? "IPv4 is translated to IPv6 on this side (464XLAT) and back by a NAT64" + prefix +
                  " of the provider, so the NAT is the provider's"
            : "This network has a NAT64" + prefix + ", by which hosts with IPv6 alone reach IPv4",
        json::to_text(evidence));
}

// From good to bad. Unknown is no place in that order.
int badness(p2pdiag_status status) {
    switch (status) {
        case P2PDIAG_FAIL: return 2;
        case P2PDIAG_WARN: return 1;
        default: return 0;
    }
}

}  // namespace

p2pdiag_status report(Run& run, const FamilyResult& ipv4, const FamilyResult& ipv6,
                      const Nat64Result& nat64) {
    json::object data;
    for (const FamilyResult* result : {&ipv4, &ipv6}) {
        const std::string name(to_string(result->family));
        if (result->tried) {
            data[name] = to_json(*result);
        } else {
            data[name] = nullptr;
            data[name + "_reason"] = to_string(result->why_not);
            continue;
        }
        if (const auto words = words_of(*result)) {
            run.finding(words->code, words->severity,
                        family_name(*result) + ": " + type_sentence(*result), evidence_of(*result));
        } else if (result->seen.anything_answered()) {
            run.finding("nat.kind-unknown", Severity::info,
                        family_name(*result) +
                            ": UDP gets out and answers come in; what kind of "
                            "NAT there is could not be told: " +
                            why_unknown(*result),
                        evidence_of(*result));
        }
        find_more(run, *result, result == &ipv4 ? ipv6 : ipv4);
    }
    put_nat64(data, nat64);
    find_nat64(run, ipv4, data);
    run.data(json::to_text(data));

    const bool ipv4_leads = ipv4.tried || !ipv6.tried;
    const FamilyResult& lead = ipv4_leads ? ipv4 : ipv6;
    const FamilyResult& other = ipv4_leads ? ipv6 : ipv4;
    std::string summary = sentence_of(lead);
    const bool say_both = other.tried || !lead.tried;
    if (say_both) summary += ". " + sentence_of(other);
    run.summary(summary);
    const p2pdiag_status first = status_of(lead);
    const p2pdiag_status second = status_of(other);
    // The leading family decides; trouble in the other one is worth a warning.
    if (first == P2PDIAG_PASS && badness(second) > 0) return P2PDIAG_WARN;
    return first;
}

}  // namespace p2pdiag::nat
