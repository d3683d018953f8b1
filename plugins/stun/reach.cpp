#include "reach.hpp"

#include <algorithm>

#include "loss.hpp"

namespace p2pdiag::nat {

namespace {

// At 20 % loss in each direction fifteen requests stay unanswered once in five million times.
constexpr unsigned silence_to_believe = 15;
// As many on TCP show that the path does not lose nearly everything.
constexpr int answers_to_believe = 5;
// A local firewall that drops by chance, as labs do, does not hit five of five.
constexpr std::uint64_t refusals_to_believe = 5;
constexpr std::size_t arrivals_to_believe = 5;

// A router that refuses all UDP refuses it towards any address.
constexpr std::size_t refused_addresses_to_believe = 2;

// Sends to a second server that must have stayed silent, too: as many as any test has.
constexpr unsigned silence_beside = 5;

// To its own port, that is.
Probes all_towards(const Observations& seen, std::size_t server) {
    Probes probes;
    for (const Probe& probe : seen.probes) {
        const bool own = probe.role != Role::other_port && probe.role != Role::classic;
        if (own && probe.server == server) probes.push_back(&probe);
    }
    return probes;
}

// What was asked of the servers' own ports, with the cookie, by those that asked something else as
// well: flows may get lost by their local port.
Probes from_the_same_socket(const Observations& seen, const Probes& others) {
    Probes found;
    for (const Probe* other : others) {
        for (const Probe& probe : seen.probes) {
            const bool beside = probe.role == Role::reach && probe.socket == other->socket &&
                                probe.server == other->server;
            if (beside) found.push_back(&probe);
        }
    }
    return found;
}

// A router that lets few new flows out at once lets out some to a server's own port in this time.
bool own_ports_stay_silent(const Observations& seen) {
    constexpr std::size_t sends = 25;  // half_pace apart
    Probes passing;
    for (const Probe& probe : seen.probes) {
        if (probe.role == Role::other_port && probe.came_back) passing.push_back(&probe);
    }
    const Probes beside = from_the_same_socket(seen, passing);
    return std::all_of(beside.begin(), beside.end(),
                       [&](const Probe* probe) { return seen.overdue_sends(*probe) >= sends; });
}

// Other ports were tried, and have had their time to answer.
bool other_ports_tried(const Observations& seen) {
    bool any = false;
    for (const Probe& probe : seen.probes) {
        if (probe.role != Role::other_port || probe.sends.empty()) continue;
        any = true;
        const bool told = probe.prohibited || probe.refused;
        if (!told && seen.overdue_sends(probe) < silence_beside) return false;
    }
    return any;
}

bool other_ports_asked(const Observations& seen) {
    return std::any_of(seen.probes.begin(), seen.probes.end(), [](const Probe& probe) {
        return probe.role == Role::other_port && !probe.sends.empty();
    });
}

bool classic_answered(const Observations& seen) {
    return std::any_of(seen.probes.begin(), seen.probes.end(), [](const Probe& probe) {
        return probe.role == Role::classic && probe.answered;
    });
}

// TCP requests answered at the very time of the silence, so that no outage can be the reason.
bool tcp_answers_meanwhile(const Observations& seen, std::size_t server) {
    const Server& entry = seen.servers[server];
    if (entry.tcp != Tcp::answered) return false;
    const Probes udp = all_towards(seen, server);
    if (telling_silence(seen, udp, {&entry.tcp_requests}) < silence_to_believe) return false;
    return std::count_if(entry.tcp_requests.sends.begin(), entry.tcp_requests.sends.end(),
                         [](const Send& send) { return send.rtt.has_value(); }) >=
           answers_to_believe;
}

// One server may have trouble with its UDP service alone. Two of different names at different
// addresses do not have it at the same time; but one that shows no life by TCP either may be dead,
// and its silence by UDP tells nothing.
bool another_is_silent(const Observations& seen, std::size_t beside) {
    const Server& first = seen.servers[beside];
    for (std::size_t server = 0; server < seen.servers.size(); ++server) {
        const Server& second = seen.servers[server];
        const bool independent =
            second.name != first.name && second.address.address != first.address.address;
        const bool alive = second.tcp_alive || second.tcp == Tcp::answered;
        if (!independent || !alive) continue;
        if (tally(seen, all_towards(seen, server)).unanswered >= silence_beside) return true;
    }
    return false;
}

// Sends whose answer came in at an interface and was never seen at the socket.
std::size_t tapped_in_vain(const std::vector<Probe>& probes) {
    std::size_t count = 0;
    for (const Probe& probe : probes) {
        if (probe.answered) continue;
        count += static_cast<std::size_t>(
            std::count_if(probe.sends.begin(), probe.sends.end(),
                          [](const Send& send) { return send.tapped && !send.rtt; }));
    }
    return count;
}

// An ICMP error may reach a socket that no datagram reaches.
bool stopped_at_host(const Observations& seen) {
    const bool answered = std::any_of(seen.probes.begin(), seen.probes.end(),
                                      [](const Probe& probe) { return probe.answered; });
    const bool none_arrived = seen.ignored + seen.malformed + seen.wrong_source == 0 && !answered;
    return none_arrived && tapped_in_vain(seen.probes) >= arrivals_to_believe;
}

bool lets_nothing_out(const Observations& seen) {
    return seen.not_permitted >= refusals_to_believe && seen.not_permitted == seen.sent;
}

// A router that lets out one new flow a second may have let out none since the discovery began.
bool silent_for_long(const Observations& seen) {
    constexpr Duration long_enough = std::chrono::milliseconds(950);
    return seen.now - seen.started >= long_enough + seen.longest_rtt;
}

bool tcp_passes(const Observations& seen) {
    return std::any_of(seen.servers.begin(), seen.servers.end(),
                       [](const Server& s) { return s.tcp == Tcp::answered; });
}

}  // namespace

FilteredBy judge_blocker(const Observations& seen) {
    if (stopped_at_host(seen) || lets_nothing_out(seen)) return FilteredBy::host;
    const bool router = seen.prohibited >= refusals_to_believe && seen.refused == 0 &&
                        seen.prohibited_towards.size() >= refused_addresses_to_believe;
    return router ? FilteredBy::router : FilteredBy::unknown;
}

std::optional<OnlyOtherPorts> judge_other_ports(const Observations& seen) {
    OnlyOtherPorts result;
    bool passes = false;
    for (const Probe& probe : seen.probes) {
        const Server& server = seen.servers[probe.server];
        if (probe.role == Role::other_port) {
            const bool tells_more = !passes || (probe.answered && !result.answered);
            if (!probe.came_back || !tells_more) continue;
            passes = true;
            result.passing = probe.to;
            result.answered = probe.answered;
        } else if (!server.instead_of && probe.to == server.address &&
                   probe.role != Role::classic) {
            if (probe.came_back) return std::nullopt;
            result.silent.insert(server.address.port);
            result.servers.insert(server.address.address);
        }
    }
    return passes ? std::optional(result) : std::nullopt;
}

std::optional<Endpoint> judge_content(const Observations& seen) {
    if (seen.wrong_source > 0) return std::nullopt;
    for (const Probe& probe : seen.probes) {
        if (probe.role == Role::classic) continue;
        // A refusal at another port tells nothing of what this one lets through.
        const bool answered = probe.answered || probe.error_code != 0;
        if (answered || (probe.role != Role::other_port && probe.came_back)) return std::nullopt;
    }
    for (std::size_t server = 0; server < seen.servers.size(); ++server) {
        const Probes classic = probes_of(seen, Role::classic, server);
        const Probes beside = from_the_same_socket(seen, classic);
        if (!beside.empty() && loss_excluded(seen, beside, classic)) {
            return seen.servers[server].address;
        }
    }
    return std::nullopt;
}

UdpPath judge_udp(const Observations& seen) {
    if (seen.anything_answered()) return UdpPath::works;
    const bool rejected = std::any_of(seen.probes.begin(), seen.probes.end(),
                                      [](const Probe& p) { return p.error_code != 0; });
    if (stopped_at_host(seen) && !rejected && other_ports_tried(seen)) return UdpPath::blocked;
    const bool at_other_ports = judge_other_ports(seen).has_value();
    const bool classic = classic_answered(seen);
    // What arrives shows that UDP passes, even where it is no answer; so does a server's own ICMP
    // error.
    const bool told = rejected || at_other_ports ||
                      seen.ignored + seen.malformed + seen.wrong_source + seen.refused > 0;
    const bool anything_arrived = told || classic;
    if (!anything_arrived) {
        if (lets_nothing_out(seen) && other_ports_asked(seen)) return UdpPath::blocked;
        const bool router = judge_blocker(seen) == FilteredBy::router && other_ports_tried(seen);
        if (router && tcp_passes(seen)) return UdpPath::blocked;
    }
    bool over = true;
    for (std::size_t server = 0; server < seen.servers.size(); ++server) {
        const bool tcp_told = tcp_answers_meanwhile(seen, server);
        const bool silence = !anything_arrived && other_ports_tried(seen) && silent_for_long(seen);
        if (silence && tcp_told && another_is_silent(seen, server)) return UdpPath::blocked;
        const Probes udp = all_towards(seen, server);
        const bool refused =
            std::any_of(udp.begin(), udp.end(), [](const Probe* p) { return p->error_code != 0; });
        const bool tcp_may_tell =
            !anything_arrived && !tcp_told && seen.servers[server].tcp != Tcp::failed;
        const bool silent = tally(seen, udp).unanswered >= silence_to_believe &&
                            silent_for_long(seen) && !tcp_may_tell;
        over = over && (refused || silent);
    }
    if (!over) return UdpPath::pending;
    if (classic && judge_content(seen)) return UdpPath::stun_filtered;
    if (at_other_ports) {
        return own_ports_stay_silent(seen) ? UdpPath::other_ports : UdpPath::pending;
    }
    if (told) return UdpPath::no_valid_answer;
    if (classic) return UdpPath::pending;  // it may be loss all the same
    return tcp_passes(seen) ? UdpPath::tcp_only : UdpPath::no_answer;
}

}  // namespace p2pdiag::nat
