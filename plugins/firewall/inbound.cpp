#include "inbound.hpp"

#include <algorithm>

#include "verdict_json.hpp"

namespace p2pdiag::firewall {

namespace {

// Stands for a stranger on the internet where it matters who sends: assigned, of nobody in
// particular, and on no list of addresses that cannot be. Nothing is ever sent there.
constexpr std::uint32_t stranger_v4 = 0x2D43595B;  // 45.67.89.91
constexpr const char* stranger_v6 = "2a02:6ea0:4567::91";
constexpr std::uint16_t stranger_port = 49731;

struct Asked {
    Question question;
    Verdict verdict;
    bool some_differ = false;  // there are senders who are treated otherwise
};

Verdict assess(const World& world, Packet packet, bool& some_differ) {
    Verdict verdict = assess_inbound(world, packet);
    some_differ = false;
    if (verdict.kind != VerdictKind::depends) return verdict;
    packet.source = packet.family() == Family::ipv4 ? IpAddress::v4(stranger_v4)
                                                    : *IpAddress::parse(stranger_v6);
    packet.source_port = stranger_port;
    Verdict to_stranger = assess_inbound(world, packet);
    if (to_stranger.kind == VerdictKind::depends || to_stranger.kind == VerdictKind::undecided) {
        return verdict;
    }
    some_differ = true;
    to_stranger.open = std::move(verdict.open);
    return to_stranger;
}

std::string spelled(const Question& question) {
    return std::string(question.protocol == protocol_udp ? "UDP" : "TCP") + " port " +
           std::to_string(question.port) + " by " +
           (question.family == Family::ipv4 ? "IPv4" : "IPv6") + " on " + question.interface;
}

Finding finding_of(const Asked& asked) {
    Finding finding;
    const bool udp = asked.question.protocol == protocol_udp;
    std::string what = spelled(asked.question);
    switch (asked.verdict.kind) {
        case VerdictKind::accept:
            finding.code = "firewall.inbound-open";
            what += " is open in this machine's firewall.";
            break;
        case VerdictKind::reply_only:
            finding.code = "firewall.inbound-reply-only";
            finding.severity = Severity::warning;
            what += " lets in answers only.";
            break;
        case VerdictKind::drop:
        case VerdictKind::reject:
            finding.code = "firewall.inbound-blocked";
            finding.severity = udp ? Severity::error : Severity::warning;
            what += " is blocked by this machine's firewall.";
            break;
        default: finding.code = "firewall.undecided"; what += " cannot be judged.";
    }
    finding.message = what + ' ' + asked.verdict.why;
    if (asked.some_differ) finding.message += " Some senders are treated otherwise.";
    finding.evidence = to_json(asked.question, asked.verdict, 0);
    return finding;
}

// How good, the worst first.
int rank(VerdictKind kind) {
    switch (kind) {
        case VerdictKind::drop:
        case VerdictKind::reject: return 0;
        case VerdictKind::depends:
        case VerdictKind::undecided: return 1;
        case VerdictKind::reply_only: return 2;
        case VerdictKind::accept: break;
    }
    return 3;
}

// What UDP, by which peers connect, may do by one family: the best of its entrances.
std::optional<int> best_of(const std::vector<Asked>& all, Family family) {
    std::optional<int> best;
    for (const Asked& asked : all) {
        if (asked.question.family != family || asked.question.protocol != protocol_udp) continue;
        best = std::max(best.value_or(0), rank(asked.verdict.kind));
    }
    return best;
}

void sum_up(const std::vector<Asked>& all, std::uint16_t port, Judgement& judgement) {
    const auto v4 = best_of(all, Family::ipv4);
    const auto v6 = best_of(all, Family::ipv6);
    if (v4 && v6 && *v4 != *v6 && *v4 != 1 && *v6 != 1) {
        Finding finding;
        finding.code = "firewall.ipv6-differs";
        finding.severity = Severity::warning;
        finding.message = "This machine's firewall treats UDP port " + std::to_string(port) +
                          " differently by IPv4 and by IPv6.";
        judgement.findings.push_back(std::move(finding));
    }
    const auto* worst = &all.front();
    for (const Asked& asked : all) {
        const bool udp = asked.question.protocol == protocol_udp;
        if (udp && rank(asked.verdict.kind) < rank(worst->verdict.kind)) worst = &asked;
    }
    static constexpr p2pdiag_status statuses[] = {P2PDIAG_FAIL, P2PDIAG_UNKNOWN, P2PDIAG_WARN,
                                                  P2PDIAG_PASS};
    judgement.status = statuses[rank(worst->verdict.kind)];
    judgement.summary = finding_of(*worst).message;
}

void not_visible(const World& world, Judgement& judgement) {
    Finding finding;
    finding.code = "firewall.not-visible";
    std::string parts;
    json::array list;
    for (const Unseen& unseen : world.unseen) {
        if (!parts.empty()) parts += "; ";
        parts += unseen.what + ": " + unseen.why;
        list.push_back(json::object{{"what", unseen.what}, {"why", unseen.why}});
    }
    finding.message = "This machine's firewall cannot be seen (" + parts +
                      "). With the rights to read it: sudo p2pdiag run firewall.inbound";
    finding.evidence["unseen"] = std::move(list);
    judgement.status = P2PDIAG_UNKNOWN;
    judgement.summary = finding.message;
    judgement.findings.push_back(std::move(finding));
}

bool leads_anywhere(const Route& route, Family family) {
    return route.prefix == 0 && route.type == Route::Type::unicast &&
           route.destination.family() == family;
}

bool is_entrance(const World& world, const net::Interface& interface, Family family, bool any) {
    if (!interface.working() || interface.kind == net::LinkKind::loopback) return false;
    if (any) return true;
    return std::any_of(world.routes->begin(), world.routes->end(), [&](const Route& route) {
        return leads_anywhere(route, family) && route.interface == interface.index;
    });
}

// Link-local addresses count only where there is no other.
const net::InterfaceAddress* address_of(const net::Interface& interface, Family family) {
    const net::InterfaceAddress* found = nullptr;
    for (const net::InterfaceAddress& own : interface.addresses) {
        if (own.address.family() != family || !own.usable) continue;
        const bool link_local = own.address.scope() == AddressScope::link_local;
        if (!link_local) return &own;
        if (found == nullptr) found = &own;
    }
    return found;
}

}  // namespace

std::vector<Entrance> find_entrances(const World& world) {
    std::vector<Entrance> entrances;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const bool any =
            !world.routes ||
            std::none_of(world.routes->begin(), world.routes->end(), [&](const Route& route) {
                return leads_anywhere(route, family) && route.interface != 0;
            });
        for (const net::Interface& interface : world.interfaces) {
            const net::InterfaceAddress* own = address_of(interface, family);
            if (own == nullptr || !is_entrance(world, interface, family, any)) continue;
            if (entrances.size() < max_entrances)
                entrances.push_back({interface.name, own->address});
        }
    }
    return entrances;
}

Judgement judge_inbound(const World& world, std::uint16_t port) {
    Judgement judgement;
    std::vector<Asked> all;
    for (const Entrance& entrance : find_entrances(world)) {
        for (const std::uint8_t protocol : {protocol_udp, protocol_tcp}) {
            Packet packet;
            packet.interface = entrance.interface;
            packet.destination = entrance.address;
            packet.protocol = protocol;
            packet.destination_port = port;
            Asked asked;
            asked.question = {packet.family(), protocol, port, entrance.interface};
            asked.verdict = assess(world, packet, asked.some_differ);
            all.push_back(std::move(asked));
        }
    }
    json::array verdicts;
    for (const Asked& asked : all) {
        verdicts.push_back(to_json(asked.question, asked.verdict, max_trace_in_data));
    }
    judgement.data["verdicts"] = std::move(verdicts);
    if (all.empty()) {
        judgement.status = P2PDIAG_SKIP;
        judgement.summary = "No working link with an address: nothing can come in.";
        return judgement;
    }
    if (!world.unseen.empty()) {
        not_visible(world, judgement);
        return judgement;
    }
    for (const Asked& asked : all) judgement.findings.push_back(finding_of(asked));
    sum_up(all, port, judgement);
    return judgement;
}

}  // namespace p2pdiag::firewall
