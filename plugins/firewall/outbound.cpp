#include "outbound.hpp"

#include <algorithm>

#include "blind.hpp"
#include "route_rules.hpp"
#include "together.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr std::uint16_t dns_port = 53;      // RFC 1035 section 4.2
constexpr std::uint16_t https_port = 443;   // RFC 9110 section 4.2.2
constexpr std::uint16_t stun_port = 3478;   // RFC 8489 section 8.1, also of TURN
constexpr std::uint16_t some_port = 49731;  // stands for what the system gives to a socket
constexpr std::size_t most_errands = 32;

// One errand by one family.
struct Sent {
    const Errand* errand = nullptr;
    Endpoint to;
    Question question;
    Verdict verdict;
    bool leaves = true;  // of what is blocked: our packet leaves, and the answer is what is stopped
    bool by_routes = false;  // before any firewall is asked
};

bool is_same(const Errand& a, const Errand& b) {
    return a.protocol == b.protocol && a.port == b.port && a.to == b.to &&
           a.from_port == b.from_port;
}

void add(std::vector<Errand>& list, Errand errand) {
    const bool known = std::any_of(list.begin(), list.end(), [&](const Errand& other) {
        return other.purpose == errand.purpose && is_same(other, errand);
    });
    if (!known && list.size() < most_errands) list.push_back(std::move(errand));
}

void add_server(std::vector<Errand>& list, const char* purpose, const HostPort& server,
                std::initializer_list<std::uint8_t> protocols) {
    for (const std::uint8_t protocol : protocols) {
        add(list,
            {purpose, protocol, server.port.value_or(stun_port), 0, IpAddress::parse(server.host)});
    }
}

// As rules and routes tell it.
Lookup way_to(const World& world, const Endpoint& to, const Errand& errand) {
    Flow flow = own_flow_to(to.address);
    flow.protocol = errand.protocol;
    if (errand.from_port != 0) flow.source_port = {errand.from_port, 0};
    flow.destination_port = {to.port, 0};
    return find_way(world, flow);
}

// That a family leads nowhere is no rule of anybody's; kernels say so by such a route.
bool is_refused_on_purpose(const Lookup& way) {
    const bool usual = way.rule.empty() && way.type == Route::Type::unreachable;
    return way.is_refused() && !usual;
}

// The links that it may leave by: the one that the routes name, or all where they do not tell.
std::vector<Entrance> links_of(const World& world, const std::vector<Entrance>& entrances,
                               const IpAddress& to, const Lookup& way) {
    std::vector<Entrance> links;
    if (to.scope() == AddressScope::loopback) {
        for (const net::Interface& interface : world.interfaces) {
            if (interface.kind == net::LinkKind::loopback && interface.working())
                links.push_back({interface.name, to});
        }
        return links;
    }
    if (way.leads_nowhere() && !is_refused_on_purpose(way)) return links;
    for (const Entrance& entrance : entrances) {
        const net::Interface* interface = world.find_interface(entrance.interface);
        if (entrance.address.family() != to.family()) continue;
        const bool other =
            way.leads_out() && way.interface != 0 && interface->index != way.interface;
        if (!other) links.push_back(entrance);
    }
    return links;
}

Verdict stopped_by(const Lookup& way) {
    Verdict verdict;
    verdict.kind = VerdictKind::drop;
    verdict.passes = verdict.ordinarily_passes = false;
    verdict.why = why_refused(way);
    return verdict;
}

Verdict assess(const World& world, Packet packet, bool& leaves) {
    Verdict verdict = assess_punching(world, packet);
    if (verdict.passes == false) {
        packet.state = CtState::fresh;
        leaves = evaluate(world, packet).kind == VerdictKind::accept;
    }
    return verdict;
}

void send(const World& world, const std::vector<Entrance>& entrances, const Errand& errand,
          Family family, std::vector<Sent>& all) {
    const Endpoint to = {errand.to.value_or(stranger(family).address), errand.port};
    if (to.address.family() != family) return;
    const Lookup way = way_to(world, to, errand);
    for (const Entrance& link : links_of(world, entrances, to.address, way)) {
        Packet packet;
        packet.direction = Direction::out;
        packet.interface = link.interface;
        packet.source = link.address;
        packet.source_port = errand.from_port == 0 ? some_port : errand.from_port;
        packet.destination = to.address;
        packet.destination_port = to.port;
        packet.protocol = errand.protocol;
        Sent one;
        one.errand = &errand;
        one.to = to;
        one.question = {family, errand.protocol, errand.port, link.interface};
        one.by_routes = is_refused_on_purpose(way);
        one.leaves = !one.by_routes;
        one.verdict = one.by_routes ? stopped_by(way) : assess(world, packet, one.leaves);
        all.push_back(std::move(one));
    }
}

std::vector<Sent> send_all(const World& world, const std::vector<Errand>& errands) {
    const std::vector<Entrance> entrances = find_entrances(world);
    std::vector<Sent> all;
    for (const Errand& errand : errands) {
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            send(world, entrances, errand, family, all);
        }
    }
    return all;
}

std::string name_of(const Errand& errand) {
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"dns", "DNS"}, {"stun", "STUN"}, {"turn", "TURN"}, {"https", "HTTPS"}};
    const std::string transport = errand.protocol == protocol_udp ? "UDP" : "TCP";
    const std::string where = transport + " port " + std::to_string(errand.port);
    for (const auto& [purpose, name] : names) {
        if (errand.purpose == purpose) return std::string(name) + " (" + where + ')';
    }
    return transport + " from port " + std::to_string(errand.from_port) + " to peers";
}

// What one rule, or none, decides over.
using SentAlike = std::vector<const Sent*>;

template <class Holds>
std::vector<SentAlike> those_by_rule(const std::vector<Sent>& all, Holds holds) {
    std::vector<SentAlike> groups;
    for (const Sent& sent : all) {
        if (!holds(sent)) continue;
        const auto group = std::find_if(groups.begin(), groups.end(), [&](const SentAlike& alike) {
            return are_alike(alike.front()->verdict, sent.verdict);
        });
        if (group == groups.end())
            groups.push_back({&sent});
        else
            group->push_back(&sent);
    }
    return groups;
}

// Null: anywhere.
json::value to_of(const Sent& sent) {
    return sent.errand->to ? json::value(sent.to.to_string()) : json::value(nullptr);
}

std::vector<Told> told(const SentAlike& alike) {
    std::vector<Told> packets;
    for (const Sent* sent : alike) {
        const json::object more{{"purpose", sent->errand->purpose}, {"to", to_of(*sent)}};
        packets.push_back({name_of(*sent->errand), sent->question, more});
    }
    return packets;
}

bool is_blocked(const Sent& sent) { return sent.verdict.passes == false; }
bool is_open(const Sent& sent) { return sent.verdict.passes == true; }

// What a direct connection needs; the others have substitutes.
bool is_needed(const Errand& errand) {
    return errand.purpose == "dns" || errand.purpose == "stun" || errand.purpose == "peers";
}

// By another resolver or server, or the other family.
bool works_otherwise(const std::vector<Sent>& all, const Errand& errand) {
    return std::any_of(all.begin(), all.end(), [&](const Sent& other) {
        return other.errand->purpose == errand.purpose &&
               other.errand->protocol == errand.protocol && is_open(other);
    });
}

json::object shown(const Sent& sent, std::size_t max_trace) {
    json::object object = to_json(sent.question, sent.verdict, max_trace);
    object["purpose"] = sent.errand->purpose;
    object["to"] = to_of(sent);
    return object;
}

Finding finding_of(const SentAlike& alike, const char* code, Severity severity,
                   std::string message) {
    Finding finding;
    finding.code = code;
    finding.severity = severity;
    finding.message = std::move(message);
    const Sent& first = *alike.front();
    finding.evidence = evidence_of(shown(first, 0), told(alike),
                                   {first.by_routes, first.leaves ? "answer" : "packet"});
    return finding;
}

void put_data(const std::vector<Sent>& all, Judgement& judgement) {
    json::array verdicts;
    for (const Sent& sent : all) verdicts.push_back(shown(sent, max_trace_in_data));
    judgement.data["verdicts"] = std::move(verdicts);
}

// True where there is nothing to judge, which is said.
bool ends_early(const World& world, const std::vector<Sent>& all, const char* id,
                Judgement& judgement) {
    if (all.empty()) {
        judgement.status = P2PDIAG_SKIP;
        judgement.summary = "No link with an address leads to the internet: nothing can leave.";
        return true;
    }
    if (world.unseen.empty()) return false;
    become_blind(world, std::string("sudo p2pdiag run ") + id, judgement);
    return true;
}

void worsen(Judgement& judgement, p2pdiag_status status, const std::string& summary) {
    static constexpr p2pdiag_status order[] = {P2PDIAG_PASS, P2PDIAG_WARN, P2PDIAG_UNKNOWN,
                                               P2PDIAG_FAIL};
    const auto rank = [](p2pdiag_status one) {
        return std::find(std::begin(order), std::end(order), one) - std::begin(order);
    };
    if (rank(status) <= rank(judgement.status)) return;
    judgement.status = status;
    judgement.summary = summary;
}

void judge_blocked(const std::vector<Sent>& all, const SentAlike& alike, Judgement& judgement) {
    const bool serious = std::any_of(alike.begin(), alike.end(), [&](const Sent* sent) {
        return is_needed(*sent->errand) && !works_otherwise(all, *sent->errand);
    });
    const std::string message = spelled(told(alike)) + (alike.size() == 1 ? " is" : " are") +
                                " blocked by this machine's " +
                                (alike.front()->by_routes ? "routing. " : "firewall. ") +
                                alike.front()->verdict.why;
    judgement.findings.push_back(finding_of(alike, "firewall.outbound-blocked",
                                            serious ? Severity::error : Severity::warning,
                                            message));
    worsen(judgement, serious ? P2PDIAG_FAIL : P2PDIAG_WARN, message);
}

void judge_open_questions(const std::vector<Sent>& all, Judgement& judgement) {
    const auto is_unsettled = [](const Sent& sent) { return !is_blocked(sent) && !is_open(sent); };
    for (const SentAlike& alike : those_by_rule(all, is_unsettled)) {
        const std::string message =
            spelled(told(alike)) + " cannot be judged. " + alike.front()->verdict.why;
        judgement.findings.push_back(
            finding_of(alike, "firewall.undecided", Severity::info, message));
        worsen(judgement, P2PDIAG_UNKNOWN, message);
    }
}

}  // namespace

std::vector<Errand> errands(const Input& input, const std::vector<IpAddress>& resolvers) {
    std::vector<Errand> list;
    for (const IpAddress& resolver : resolvers) {
        add(list, {"dns", protocol_udp, dns_port, 0, resolver});
    }
    for (const HostPort& server : input.stun) add_server(list, "stun", server, {protocol_udp});
    if (input.turn) add_server(list, "turn", *input.turn, {protocol_udp, protocol_tcp});
    add(list, {"https", protocol_tcp, https_port, 0});
    add(list, {"peers", protocol_udp, some_port, input.port});
    return list;
}

Judgement judge_outbound(const World& world, const std::vector<Errand>& errands) {
    Judgement judgement;
    const std::vector<Sent> all = send_all(world, errands);
    put_data(all, judgement);
    if (ends_early(world, all, "firewall.outbound", judgement)) return judgement;
    judgement.status = P2PDIAG_PASS;
    judgement.summary =
        "This machine's firewall lets out what a peer-to-peer program sends, and "
        "lets in the answers.";
    for (const SentAlike& alike : those_by_rule(all, is_blocked))
        judge_blocked(all, alike, judgement);
    judge_open_questions(all, judgement);
    return judgement;
}

Judgement judge_punching(const World& world, std::uint16_t port) {
    Judgement judgement;
    const std::vector<Errand> punch = {{"peers", protocol_udp, some_port, port}};
    const std::vector<Sent> all = send_all(world, punch);
    put_data(all, judgement);
    if (ends_early(world, all, "firewall.punching", judgement)) return judgement;
    judgement.status = P2PDIAG_PASS;
    judgement.summary =
        "A peer's answer to a packet from UDP port " + std::to_string(port) + " would come in.";
    for (const SentAlike& alike : those_by_rule(all, is_blocked)) {
        const bool other = works_otherwise(all, punch.front());
        std::vector<Told> packets = told(alike);
        for (Told& packet : packets) packet.name = "UDP port " + std::to_string(port);
        const std::string message =
            "Hole punching from " + spelled(packets) + " cannot work through this machine's " +
            (alike.front()->by_routes ? "routing. " : "firewall. ") + alike.front()->verdict.why;
        judgement.findings.push_back(finding_of(alike, "firewall.punching-blocked",
                                                other ? Severity::warning : Severity::error,
                                                message));
        worsen(judgement, other ? P2PDIAG_WARN : P2PDIAG_FAIL, message);
    }
    judge_open_questions(all, judgement);
    return judgement;
}

std::vector<IpAddress> resolvers_of(const net::ResolverSetup& setup) {
    constexpr std::size_t most = 8;
    std::vector<IpAddress> found;
    for (const auto* servers : {&setup.configured.servers, &setup.behind_stub}) {
        for (const net::NameServer& server : *servers) {
            const bool known = std::find(found.begin(), found.end(), server.address) != found.end();
            if (!known && found.size() < most) found.push_back(server.address);
        }
    }
    return found;
}

}  // namespace p2pdiag::firewall
