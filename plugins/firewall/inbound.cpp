#include "inbound.hpp"

#include <algorithm>

#include "blind.hpp"
#include "together.hpp"

namespace p2pdiag::firewall {

namespace {

// What one rule, or none, decides over.
using Alike = std::vector<const Asked*>;

std::vector<Alike> by_what_decides(const std::vector<Asked>& all) {
    std::vector<Alike> groups;
    for (const Asked& asked : all) {
        const auto group = std::find_if(groups.begin(), groups.end(), [&](const Alike& alike) {
            return are_alike(alike.front()->verdict, asked.verdict) &&
                   alike.front()->some_differ == asked.some_differ;
        });
        if (group == groups.end())
            groups.push_back({&asked});
        else
            group->push_back(&asked);
    }
    return groups;
}

std::vector<Told> told(const Alike& alike) {
    std::vector<Told> packets;
    for (const Asked* asked : alike)
        packets.push_back({name_of(asked->question), asked->question, {}});
    return packets;
}

Finding finding_of(const Alike& alike) {
    Finding finding;
    const Asked& first = *alike.front();
    const bool one = alike.size() == 1;
    const bool udp = std::any_of(alike.begin(), alike.end(), [](const Asked* asked) {
        return asked->question.protocol == protocol_udp;
    });
    const std::string be = one ? " is " : " are ";
    std::string what = spelled(told(alike));
    switch (first.verdict.kind) {
        case VerdictKind::accept:
            finding.code = "firewall.inbound-open";
            what += be + "open in this machine's firewall.";
            break;
        case VerdictKind::reply_only:
            finding.code = "firewall.inbound-reply-only";
            finding.severity = Severity::warning;
            what += one ? " lets in answers only." : " let in answers only.";
            break;
        case VerdictKind::drop:
        case VerdictKind::reject:
            finding.code = "firewall.inbound-blocked";
            finding.severity = udp ? Severity::error : Severity::warning;
            what += first.reply_stopped ? " cannot answer whoever asks."
                                        : be + "blocked by this machine's firewall.";
            break;
        default: finding.code = "firewall.undecided"; what += " cannot be judged.";
    }
    finding.message = what + ' ' + first.verdict.why;
    if (first.some_differ) finding.message += " Some senders are treated otherwise.";
    finding.evidence = evidence_of(to_json(first.question, first.verdict, 0), told(alike),
                                   {first.by_routes, first.reply_stopped ? "later" : "packet"});
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

// What UDP, by which peers connect, may do by one family as far as the firewall is concerned: the
// best of its entrances.
std::optional<int> best_of(const std::vector<Asked>& all, Family family) {
    std::optional<int> best;
    for (const Asked& asked : all) {
        if (asked.question.family != family || asked.question.protocol != protocol_udp) continue;
        if (asked.by_routes) continue;
        best = std::max(best.value_or(0), rank(asked.verdict.kind));
    }
    return best;
}

void sum_up(const std::vector<Asked>& all, const std::vector<Alike>& groups, Judgement& judgement) {
    const auto v4 = best_of(all, Family::ipv4);
    const auto v6 = best_of(all, Family::ipv6);
    if (v4 && v6 && *v4 != *v6 && *v4 != 1 && *v6 != 1) {
        Finding finding;
        finding.code = "firewall.ipv6-differs";
        finding.severity = Severity::warning;
        finding.message = "This machine's firewall treats UDP port " +
                          std::to_string(all.front().question.port) +
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
    for (const Alike& alike : groups) {
        const bool is_its = std::find(alike.begin(), alike.end(), worst) != alike.end();
        if (is_its) judgement.summary = finding_of(alike).message;
    }
}

void put_data(const World& world, const std::vector<Asked>& all, const Listeners& listeners,
              Judgement& judgement) {
    json::array verdicts;
    for (const Asked& asked : all) {
        json::object verdict = to_json(asked.question, asked.verdict, max_trace_in_data);
        const auto listener = find_listener(world, listeners, asked);
        verdict["listener"] = listener ? json::value(to_json(*listener)) : json::value(nullptr);
        verdicts.push_back(std::move(verdict));
    }
    judgement.data["verdicts"] = std::move(verdicts);
}

// Ways in that are none now, and that nothing was asked of.
void put_barred(const std::vector<std::string>& reasons, Judgement& judgement) {
    for (const std::string& reason : reasons) {
        Finding finding;
        finding.code = "firewall.undecided";
        finding.message = "By IPv6 this machine's firewall was not judged. " + reason;
        finding.evidence = {{"reason", "address-check"}};
        judgement.findings.push_back(std::move(finding));
        judgement.summary += ' ' + reason;
        if (judgement.status == P2PDIAG_PASS) judgement.status = P2PDIAG_WARN;
    }
}

}  // namespace

Judgement judge_inbound(const World& world, const std::vector<Asked>& all,
                        const Listeners& listeners) {
    Judgement judgement;
    put_data(world, all, listeners, judgement);
    const std::vector<std::string> barred = why_barred(world);
    if (all.empty()) {
        judgement.status = barred.empty() ? P2PDIAG_SKIP : P2PDIAG_UNKNOWN;
        judgement.summary = "No working link with an address: nothing can come in.";
        put_barred(barred, judgement);
        return judgement;
    }
    if (!world.unseen.empty()) {
        become_blind(world, "sudo p2pdiag run firewall.inbound", judgement);
        return judgement;
    }
    const std::vector<Alike> groups = by_what_decides(all);
    for (const Alike& alike : groups) judgement.findings.push_back(finding_of(alike));
    sum_up(all, groups, judgement);
    put_barred(barred, judgement);
    return judgement;
}

}  // namespace p2pdiag::firewall
