// Findings, summary and status of stun.nat.
#include "nat_report.hpp"

#include <algorithm>

namespace p2pdiag::nat {

namespace {

std::string family_name(const FamilyResult& result) {
    return result.family == Family::ipv4 ? "IPv4" : "IPv6";
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
    return json::to_text(evidence);
}

struct TypeWords {
    const char* code;
    Severity severity;
    const char* sentence;
};

TypeWords words_of(const Verdict& verdict) {
    switch (*verdict.nat_type.value) {
        case NatType::open:
            return {"nat.none", Severity::info,
                    "no NAT: this machine has a public address, and anybody can reach it by UDP"};
        case NatType::symmetric_firewall:
            return {"nat.symmetric-firewall", Severity::warning,
                    "no NAT, but a firewall lets in only answers to what was sent from here"};
        case NatType::full_cone:
            return {"nat.full-cone", Severity::info,
                    "full-cone NAT: once a port has been used, anybody can reach it from outside"};
        case NatType::restricted_cone:
            return {"nat.restricted-cone", Severity::info,
                    "restricted-cone NAT: a peer gets in once something was sent to its address"};
        case NatType::port_restricted_cone:
            return {
                "nat.port-restricted-cone", Severity::info,
                "port-restricted-cone NAT: a peer gets in once something was sent to its address "
                "and port, so both sides must start"};
        case NatType::symmetric:
            if (verdict.port_step.value) {
                return {"nat.symmetric-predictable", Severity::warning,
                        "symmetric NAT with predictable ports: each destination sees another port, "
                        "at a constant distance from the one before"};
            }
            return {"nat.symmetric", Severity::warning,
                    "symmetric NAT: each destination sees another port, so peers cannot know which "
                    "one to contact"};
        case NatType::udp_blocked: break;
    }
    return {
        "nat.udp-blocked", Severity::error,
        "UDP is blocked: no STUN server answers by UDP, although packets of other kinds pass or "
        "the network said no itself"};
}

// What came back instead of an answer that counts.
std::string what_came(const Observations& seen) {
    if (seen.translated) {
        return ": they see this machine as " + seen.translated->to_string() +
               ", so an address translator (NAT64) is on the way";
    }
    std::vector<std::string> kinds;
    if (seen.invalid_from) {
        kinds.push_back(seen.invalid_from->to_string() +
                        " answers with something that is no valid STUN");
    }
    if (seen.answered_elsewhere) {
        kinds.push_back("an answer came from " + seen.answered_elsewhere->from.to_string() +
                        " and not from " + seen.answered_elsewhere->asked.to_string() +
                        ", which was asked");
    }
    for (const Probe& probe : seen.probes) {
        if (probe.error_code == 0) continue;
        kinds.push_back(probe.to.to_string() + " answers with the error " +
                        std::to_string(probe.error_code));
        break;
    }
    if (seen.refused > 0) kinds.push_back("a server says that nothing listens at its port");
    if (kinds.empty()) return {};
    std::string text;
    for (const std::string& kind : kinds) text += (text.empty() ? ": " : "; ") + kind;
    return text;
}

std::string why_unknown(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    switch (verdict.nat_type.reason) {
        case Reason::no_server_answered: return "no STUN server answered, by UDP or by TCP";
        case Reason::one_destination:
            return "a STUN server answers by TCP and not by UDP, so either UDP is blocked or its "
                   "UDP service is down; a second one that answers by TCP would tell";
        case Reason::no_valid_answer:
            return "no STUN server gave an answer that counts" + what_came(result.seen);
        case Reason::loss: return "too many packets were lost to tell";
        case Reason::server_inside:
            return "the STUN servers are inside this network and see no public address";
        case Reason::plain_address:
            return "the STUN server's answers are not safe from being rewritten on the way "
                   "(no XOR-MAPPED-ADDRESS)";
        case Reason::local_unknown: return "the system names no local address";
        case Reason::cancelled: return "it was cut short";
        case Reason::mapping_unknown:
            if (verdict.mapping.reason == Reason::one_destination) {
                return "only one destination answered, and two are needed to see how ports are "
                       "mapped";
            }
            if (verdict.mapping.reason == Reason::inconsistent) {
                return "equal tests saw different ports";
            }
            return "how ports are mapped could not be told";
        case Reason::filtering_unknown:
            if (verdict.filtering.reason == Reason::server_unsupported) {
                return "no STUN server can test from a second address whom the NAT lets in";
            }
            return "whom the NAT lets in could not be told";
        default: break;
    }
    return "it could not be told";
}

const char* why_not_tried(Reason reason) {
    switch (reason) {
        case Reason::no_route: return "this machine has no route for it";
        case Reason::name_lookup: return "the servers' names could not be looked up";
        case Reason::no_server: return "no server is configured for it";
        case Reason::cancelled: return "it was cut short";
        default: break;
    }
    return "it could not be tried";
}

std::string sentence_of(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    if (!result.tried) {
        return family_name(result) + ": not measured, since " + why_not_tried(result.why_not);
    }
    std::string sentence = family_name(result) + ": ";
    if (verdict.nat_type.value) return sentence + words_of(verdict).sentence;
    if (verdict.behind_nat.value == true && verdict.mapping.value) {
        sentence += "a NAT with " + std::string(to_string(*verdict.mapping.value)) + " mapping; ";
    } else if (verdict.behind_nat.value == true) {
        sentence += "a NAT of unknown kind; ";
    } else if (verdict.behind_nat.value == false) {
        sentence += "no NAT; ";
    } else {
        sentence += "unknown; ";
    }
    return sentence + why_unknown(result);
}

p2pdiag_status status_of(const FamilyResult& result) {
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
    return carrier ? P2PDIAG_WARN : P2PDIAG_PASS;
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
    const bool silent = verdict.nat_type.reason == Reason::no_server_answered ||
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

// From good to bad. Unknown is no place in that order.
int badness(p2pdiag_status status) {
    switch (status) {
        case P2PDIAG_FAIL: return 2;
        case P2PDIAG_WARN: return 1;
        default: return 0;
    }
}

}  // namespace

p2pdiag_status report(Run& run, const FamilyResult& ipv4, const FamilyResult& ipv6) {
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
        if (result->verdict.nat_type.value) {
            const TypeWords words = words_of(result->verdict);
            run.finding(words.code, words.severity, family_name(*result) + ": " + words.sentence,
                        evidence_of(*result));
        }
        find_more(run, *result, result == &ipv4 ? ipv6 : ipv4);
    }
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
