#include "nat_words.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "filtering.hpp"
#include "peer_ports.hpp"
#include "reach.hpp"

namespace p2pdiag::nat {

namespace {

std::string list_of(const std::set<std::uint16_t>& ports) {
    std::string list;
    for (const std::uint16_t port : ports) {
        list += (list.empty() ? "" : ", ") + std::to_string(port);
    }
    return (ports.size() == 1 ? "port " : "ports ") + list;
}

std::string about_egress(const Observations& seen) {
    const auto egress = common_egress(seen);
    if (!egress) return {};
    std::string words = "; packets leave by the interface " + printable(egress->interface);
    if (egress->kind == net::LinkKind::tunnel) words += ", a tunnel like those of VPNs";
    if (egress->kind == net::LinkKind::ppp) words += ", a PPP link";
    return words;
}

// What came back instead of an answer that counts.
std::string what_came(const Observations& seen) {
    if (seen.translated) {
        // A NAT64 hands out public addresses; a private one is what a proxy before a server shows
        // it.
        const bool public_v4 = seen.translated->address.scope() == AddressScope::public_use;
        return ": they see this machine as " + seen.translated->to_string() +
               (public_v4 ? ", so an address translator (NAT64) is on the way"
                          : ", so a proxy stands before them");
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

// Most public servers have no second address, so whom the NAT or a firewall lets in cannot be told,
// and what matters more can. Where one has it and what comes from there or goes there is lost,
// other peers may fare no better, and nothing is promised.
std::optional<TypeWords> words_without_filtering(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    const bool no_server = verdict.nat_type.reason == Reason::filtering_unknown &&
                           verdict.filtering.reason == Reason::server_unsupported &&
                           !second_address_is_silent(result.seen);
    if (!no_server) return std::nullopt;
    if (verdict.behind_nat.value == false) {
        return TypeWords{"nat.public-address", Severity::info,
                         "no NAT: a peer gets in at least once something was sent to its address "
                         "and port, whoever else does"};
    }
    if (verdict.mapping.value != Dependence::endpoint_independent) return std::nullopt;
    return TypeWords{"nat.cone", Severity::info,
                     "cone NAT: all destinations see one and the same port, and a peer gets in at "
                     "least once something was sent to its address and port, whoever else does"};
}

}  // namespace

std::string family_name(const FamilyResult& result) {
    return result.family == Family::ipv4 ? "IPv4" : "IPv6";
}

std::optional<Egress> common_egress(const Observations& seen) {
    std::optional<Egress> common;
    for (const Server& server : seen.servers) {
        const bool same = !common || server.egress == common;
        if (!server.egress || !same) return std::nullopt;
        common = server.egress;
    }
    return common;
}

std::optional<TypeWords> words_of(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    if (!verdict.nat_type.value) return words_without_filtering(result);
    switch (*verdict.nat_type.value) {
        case NatType::open:
            return TypeWords{
                "nat.none", Severity::info,
                "no NAT: this machine has a public address, and anybody can reach it by UDP"};
        case NatType::symmetric_firewall:
            return TypeWords{
                "nat.symmetric-firewall", Severity::warning,
                "no NAT, but a firewall lets in only answers to what was sent from here"};
        case NatType::full_cone:
            return TypeWords{
                "nat.full-cone", Severity::info,
                "full-cone NAT: once a port has been used, anybody can reach it from outside"};
        case NatType::restricted_cone:
            return TypeWords{
                "nat.restricted-cone", Severity::info,
                "restricted-cone NAT: a peer gets in once something was sent to its address"};
        case NatType::port_restricted_cone:
            return TypeWords{
                "nat.port-restricted-cone", Severity::info,
                "port-restricted-cone NAT: a peer gets in once something was sent to its address "
                "and port, so both sides must start"};
        case NatType::symmetric:
            if (verdict.port_step.value) {
                return TypeWords{
                    "nat.symmetric-predictable", Severity::warning,
                    "symmetric NAT with predictable ports: each destination sees another port, "
                    "at a constant distance from the one before"};
            }
            if (verdict.port_preservation.value == true) {
                return TypeWords{
                    "nat.symmetric", Severity::warning,
                    "symmetric NAT: destinations see this machine at several public addresses, "
                    "though at the same port, so peers cannot know which one to contact"};
            }
            return TypeWords{
                "nat.symmetric", Severity::warning,
                "symmetric NAT: each destination sees another port, so peers cannot know which "
                "one to contact"};
        case NatType::udp_blocked: break;
    }
    return TypeWords{
        "nat.udp-blocked", Severity::error,
        "UDP is blocked: no STUN server answers by UDP, at its own port or at others, although "
        "packets of other kinds pass or the network said no itself"};
}

std::string about_ports(const FamilyResult& result) {
    const auto ports = judge_other_ports(result.seen);
    const bool lasted = result.verdict.nat_type.reason == Reason::only_other_ports ||
                        std::any_of(result.seen.servers.begin(), result.seen.servers.end(),
                                    [](const Server& s) { return s.instead_of.has_value(); });
    if (!ports || !lasted) return {};
    return "UDP to " + list_of(ports->silent) + " gets no answer, while port " +
           std::to_string(ports->passing.port) + " of " + ports->passing.address.to_string() +
           (ports->answered ? " answers" : " sends something back") +
           ", so UDP is not blocked as such";
}

std::string about_limited_ports(const FamilyResult& result) {
    if (result.verdict.unlisted_ports.reason == Reason::prohibited) {
        return "a router on the way refuses UDP to a port by chance (ICMP: prohibited), so this "
               "network seems to let out UDP to chosen ports alone, and nothing gets to a peer's";
    }
    if (result.verdict.unlisted_ports.reason != Reason::served_and_silent) return {};
    std::string list;
    for (const Endpoint& endpoint : judge_served_ports(result.seen).endpoints) {
        list += (list.empty() ? "" : " and ") + endpoint.to_string();
    }
    return "what is sent to " + list +
           " is not answered, although the server answers from there, and at its other port: "
           "either this network lets out UDP to chosen ports alone, so that nothing gets to a "
           "peer's, or the server's own firewall does not let it in";
}

FilteredBy filterer_of(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    if (verdict.nat_type.value == NatType::udp_blocked) return judge_blocker(result.seen);
    const bool filters =
        verdict.filtering.value && *verdict.filtering.value != Dependence::endpoint_independent;
    return filters ? judge_filterer(result.seen) : FilteredBy::unknown;
}

std::string type_sentence(const FamilyResult& result) {
    std::string sentence = words_of(result)->sentence;
    if (!result.verdict.nat_type.value) return sentence + "; " + why_unknown(result);
    const bool blocked = result.verdict.nat_type.value == NatType::udp_blocked;
    const bool all_forbidden = result.seen.not_permitted == result.seen.sent;
    if (filterer_of(result) == FilteredBy::host) {
        sentence += blocked && all_forbidden
                        ? "; it is this machine's own firewall that lets nothing out"
                        : "; it is this machine's own firewall that stops them: the answers do "
                          "come in at its interface";
    }
    if (blocked) sentence += about_egress(result.seen);
    return sentence;
}

std::string why_unknown(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    switch (verdict.nat_type.reason) {
        case Reason::no_server_answered:
            return "no STUN server answered by UDP or by TCP (stun.servers asks over TLS as well)";
        case Reason::one_destination:
            return "a STUN server answers by TCP and not by UDP, so either UDP is blocked or its "
                   "UDP service is down; a second one that answers by TCP would tell";
        case Reason::only_other_ports: return about_ports(result) + about_egress(result.seen);
        case Reason::stun_filtered:
            return "UDP passes, but STUN does not: " + judge_content(result.seen)->to_string() +
                   " answers requests as of RFC 3489, without the magic cookie, and none that "
                   "has it, so something on the way drops STUN by its content";
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
            if (verdict.mapping.reason == Reason::servers_disagree) {
                return "the STUN servers see different public addresses, so packets to them leave "
                       "by different ways, or one of them is mistaken";
            }
            return "how ports are mapped could not be told";
        case Reason::filtering_unknown:
            if (verdict.filtering.reason == Reason::server_unsupported &&
                second_address_is_silent(result.seen)) {
                return "nothing comes back from the second address or port by which a STUN server "
                       "tests whom the NAT lets in: either it is dead, or something on the way "
                       "drops that";
            }
            if (verdict.filtering.reason == Reason::server_unsupported) {
                return "no STUN server can test from a second address whom the NAT lets in";
            }
            if (verdict.filtering.reason == Reason::flow_loss) {
                return "whom the NAT lets in could not be told: some of this machine's ports get "
                       "no answer from a STUN server's second address even once they have "
                       "contacted it, while others do, so packets are lost by the ports that they "
                       "are "
                       "between, or the server favours some";
            }
            return "whom the NAT lets in could not be told";
        default: break;
    }
    return "it could not be told";
}

std::string sentence_of(const FamilyResult& result) {
    const Verdict& verdict = result.verdict;
    if (!result.tried) {
        return family_name(result) + ": not measured, since " + why_not_tried(result.why_not);
    }
    std::string sentence = family_name(result) + ": ";
    const std::string ports = about_ports(result);
    if (verdict.nat_type.value) {
        sentence += type_sentence(result);
        if (verdict.translated_from_ipv6) sentence += ", the provider's own (464XLAT)";
        const std::string limited = about_limited_ports(result);
        if (!limited.empty()) sentence += "; " + limited;
        return sentence + (ports.empty() ? "" : "; " + ports);
    }
    if (verdict.behind_nat.value == true && verdict.mapping.value) {
        sentence += "a NAT with " + std::string(to_string(*verdict.mapping.value)) + " mapping; ";
    } else if (verdict.behind_nat.value == true) {
        sentence += "a NAT of unknown kind; ";
    } else if (verdict.behind_nat.value == false) {
        sentence += "no NAT; ";
    } else {
        sentence += "unknown; ";
    }
    sentence += why_unknown(result);
    if (const std::string limited = about_limited_ports(result); !limited.empty()) {
        sentence += "; " + limited;
    }
    const bool said = verdict.nat_type.reason == Reason::only_other_ports || ports.empty();
    return said ? sentence : sentence + "; " + ports;
}

}  // namespace p2pdiag::nat
