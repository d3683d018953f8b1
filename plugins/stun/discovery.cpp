// Inputs, sockets and the pace of sending. What to probe next is in discovery_steps.cpp.
#include "discovery.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace p2pdiag::nat {

namespace {

// RFC 792, RFC 1812 section 5.2.7.1 and RFC 4443 section 3: the codes that tell a refusal from a
// lost route.
enum class IcmpMeaning { time_exceeded, port_closed, prohibited, unreachable };

IcmpMeaning meaning_of(Family family, const Trouble& trouble) {
    const bool v4 = family == Family::ipv4;
    if (trouble.icmp_type == (v4 ? 11 : 3)) return IcmpMeaning::time_exceeded;
    if (trouble.icmp_type != (v4 ? 3 : 1)) return IcmpMeaning::unreachable;
    const int code = trouble.icmp_code;
    if (v4) {
        if (code == 3) return IcmpMeaning::port_closed;
        const bool prohibited = code == 9 || code == 10 || code == 13;
        return prohibited ? IcmpMeaning::prohibited : IcmpMeaning::unreachable;
    }
    if (code == 4) return IcmpMeaning::port_closed;
    const bool prohibited = code == 1 || code == 5 || code == 6;
    return prohibited ? IcmpMeaning::prohibited : IcmpMeaning::unreachable;
}

Family other_family(Family family) { return family == Family::ipv4 ? Family::ipv6 : Family::ipv4; }

bool is_usable(Family family, const Endpoint& endpoint) {
    return endpoint.address.family() == family && stun::is_usable(endpoint);
}

Endpoint unmapped(const Endpoint& endpoint) { return {endpoint.address.unmapped(), endpoint.port}; }

void add_distinct(std::vector<Endpoint>& list, const Endpoint& endpoint) {
    // An answer each is bounded by the sends; a NAT that picks another port each time needs no
    // longer list.
    constexpr std::size_t most = 8;
    if (list.size() >= most) return;
    if (std::find(list.begin(), list.end(), endpoint) == list.end()) list.push_back(endpoint);
}

}  // namespace

Discovery::Discovery(const DiscoveryConfig& config, TransactionSource transactions, TimePoint now)
    : config_(config), transactions_(std::move(transactions)) {
    if (config_.servers.size() > max_servers) config_.servers.resize(max_servers);
    seen_.family = config_.family;
    seen_.started = seen_.now = now;
    seen_.hairpin_asked = config_.hairpin;
    seen_.given_port = config_.given_port;
    for (const ServerConfig& server : config_.servers) {
        Server entry;
        entry.address = server.address;
        entry.local = server.local;
        entry.name = server.name;
        entry.egress = server.egress;
        seen_.servers.push_back(entry);
    }
    const stun::TransactionId chance = transactions_();
    chance_.seed(chance[0] << 16 | chance[1] << 8 | chance[2]);
    start();
    advance(now);
    // After the first requests: a router that lets out few new flows at once is to let out those.
    if (config_.find_hops && !seen_.servers.empty()) find_hops();
}

std::vector<Action> Discovery::take_actions() { return std::exchange(actions_, {}); }

TimePoint Discovery::next_wakeup() const {
    if (done()) return TimePoint::max();
    const Duration tail = seen_.tail();
    TimePoint next = last_moment();
    for (std::size_t i = 0; i < seen_.probes.size(); ++i) {
        if (schedules_[i].left > 0) next = std::min(next, schedules_[i].due());
        if (is_awaited(seen_.probes[i])) {
            next = std::min(next, seen_.probes[i].sends.front().at + first_patience());
        }
        for (const Send& send : seen_.probes[i].sends) {
            if (send.at + tail > seen_.now) next = std::min(next, send.at + tail);
        }
    }
    for (const Program& program : programs_) {
        if (!program.contacted) next = std::min(next, program.contact_at);
    }
    return std::max(next, seen_.now + Milliseconds(1));
}

void Discovery::on_opened(SocketId socket, std::uint16_t local_port) {
    if (socket < seen_.sockets.size()) seen_.sockets[socket].local_port = local_port;
}

void Discovery::on_open_failed(SocketId socket) {
    if (socket >= seen_.sockets.size() || seen_.sockets[socket].failed) return;
    seen_.sockets[socket].failed = true;
    // What was to be sent from it never left.
    seen_.sent -= hop_sockets_.erase(socket);
    for (std::size_t i = 0; i < seen_.probes.size(); ++i) {
        if (seen_.probes[i].socket != socket) continue;
        schedules_[i].left = 0;
        auto& sends = seen_.probes[i].sends;
        seen_.sent -= sends.size();
        for (const Send& send : sends) sent_.erase(send.transaction);
        sends.clear();
    }
}

void Discovery::on_time(TimePoint now) { advance(now); }

void Discovery::on_datagram(SocketId socket, const Endpoint& from, ByteView datagram,
                            TimePoint now) {
    if (done()) return;
    const auto message = stun::parse(datagram);
    const auto found = message ? sent_.find(message->transaction) : sent_.end();
    // What answers the classic request that a socket sent tells nothing of its others.
    const bool classic =
        found != sent_.end() && seen_.probes[found->second.probe].role == Role::classic;
    if (!classic) came_back(socket, unmapped(from));
    if (!message) return count_invalid(unmapped(from));
    if (found == sent_.end() || message->method != stun::Method::binding ||
        message->cookie != found->second.cookie) {
        ++seen_.ignored;
        return;
    }
    Probe& probe = seen_.probes[found->second.probe];
    Send& send = probe.sends[found->second.send];
    seen_.now = now;
    if (probe.role == Role::classic) {
        on_classic_answer(probe, send, unmapped(from), *message);
    } else if (message->message_class == stun::Class::request) {
        // Our own request, turned around by the NAT.
        if (probe.role == Role::hairpin && socket != probe.socket && !send.rtt) {
            send.rtt = now - send.at;
            probe.answered = true;
        }
    } else if (socket == probe.socket) {
        on_answer(probe, send, unmapped(from), *message);
    }
    advance(now);
}

// It tells that it came, and nothing else: its address is not safe from being rewritten.
void Discovery::on_classic_answer(Probe& probe, Send& send, const Endpoint& from,
                                  const stun::Message& answer) {
    if (from != probe.to || answer.message_class != stun::Class::success || send.rtt) return;
    send.rtt = seen_.now - send.at;
    seen_.longest_rtt = std::max(seen_.longest_rtt, *send.rtt);
    probe.answered = true;
}

void Discovery::on_answer(Probe& probe, Send& send, const Endpoint& from,
                          const stun::Message& answer) {
    probe.came_back = true;
    const stun::BindingResponse kind = stun::as_binding_response(answer);
    if (kind == stun::BindingResponse::invalid) return count_invalid(from);
    if (from != probe.expected) {
        if (from == probe.to) {
            if (kind == stun::BindingResponse::error) {
                probe.error_code = answer.error->code;
            } else {
                probe.change_ignored = true;
            }
        } else {
            ++seen_.wrong_source;
            if (probe.change.address || probe.change.port) probe.change_ignored = true;
            if (!seen_.answered_elsewhere) seen_.answered_elsewhere = Elsewhere{probe.to, from};
        }
        return;
    }
    if (kind == stun::BindingResponse::error) {
        probe.error_code = answer.error->code;
        return;
    }
    const Endpoint mapped = unmapped(*answer.reflexive_address());
    if (!is_usable(seen_.family, mapped)) {
        const bool translated = is_usable(other_family(seen_.family), mapped);
        if (translated && !seen_.translated) seen_.translated = mapped;
        return count_invalid(from);
    }
    if (send.rtt) {
        ++seen_.duplicates;
        return;
    }
    send.rtt = seen_.now - send.at;
    seen_.longest_rtt = std::max(seen_.longest_rtt, *send.rtt);
    probe.answered = true;
    add_distinct(probe.mapped, mapped);
    if (!answer.xor_mapped_address) probe.plain_address = true;
    if (answer.mapped_address && answer.xor_mapped_address && !seen_.rewritten) {
        const Endpoint plain = unmapped(*answer.mapped_address);
        if (plain != mapped) seen_.rewritten = Rewritten{probe.to, plain, mapped};
    }
    if (!first_answer_ && probe.role != Role::other_port) {
        first_answer_ = seen_.now;
        answered_server_ = probe.server;
        stop(Role::reach);
        stop(Role::other_port);
        stop(Role::classic);
    }
    learn_other_address(probe, answer);
    mapping_ = judge_mapping(seen_);
}

void Discovery::on_tapped(const Endpoint& from, const Endpoint& to, ByteView datagram) {
    if (done()) return;
    const auto message = stun::parse(datagram);
    if (!message || message->message_class != stun::Class::success) return;
    const auto found = sent_.find(message->transaction);
    if (found == sent_.end()) return;
    Probe& probe = seen_.probes[found->second.probe];
    if (from != probe.expected || to.port != seen_.sockets[probe.socket].local_port) return;
    probe.sends[found->second.send].tapped = true;
}

void Discovery::came_back(SocketId socket, const Endpoint& from) {
    for (Probe& probe : seen_.probes) {
        if (probe.socket == socket && probe.to == from) probe.came_back = true;
    }
}

void Discovery::count_invalid(const Endpoint& from) {
    ++seen_.malformed;
    const bool asked = std::any_of(seen_.servers.begin(), seen_.servers.end(),
                                   [&](const Server& server) { return server.address == from; });
    if (asked && !seen_.invalid_from) seen_.invalid_from = from;
}

// RFC 5780 section 7.4 wants another address and another port; anything less, or an address that
// leads nowhere because the server itself sits behind a NAT, would make tests pass or fail by
// themselves.
void Discovery::learn_other_address(const Probe& probe, const stun::Message& answer) {
    Server& server = seen_.servers[probe.server];
    if (!answer.other_address || server.other || probe.to != server.address) return;
    const Endpoint other = unmapped(*answer.other_address);
    const AddressScope scope = other.address.scope();
    const bool reachable =
        scope == AddressScope::public_use || scope == server.address.address.scope();
    const bool differs =
        other.address != server.address.address && other.port != server.address.port;
    if (is_usable(seen_.family, other) && reachable && differs) {
        server.other = other;
    } else {
        server.other_useless = true;
    }
}

void Discovery::on_trouble(SocketId socket, const Endpoint& to, const Trouble& trouble,
                           TimePoint now) {
    if (done()) return;
    seen_.now = now;
    if (!trouble.icmp) {
        const bool forbidden = trouble.error == EPERM || trouble.error == EACCES;
        ++(forbidden ? seen_.not_permitted : seen_.unreachable);
        for (Probe& probe : seen_.probes) {
            if (probe.socket == socket && probe.to == to) probe.forbidden |= forbidden;
        }
    } else {
        const bool by_server = trouble.offender && trouble.offender->unmapped() == to.address;
        switch (meaning_of(seen_.family, trouble)) {
            case IcmpMeaning::time_exceeded: {
                const auto hop = hop_sockets_.find(socket);
                if (hop == hop_sockets_.end() || !trouble.offender) break;
                seen_.hops.push_back({hop->second, trouble.offender->unmapped()});
                hop_sockets_.erase(hop);
                break;
            }
            // From the server itself, either is its own firewall's word and shows that UDP passes.
            case IcmpMeaning::port_closed:
            case IcmpMeaning::prohibited: {
                // A rule of this machine that rejects: its sendto() was told so already.
                if (!by_server && is_own(trouble.offender)) break;
                bool wanted = false;  // not one of which nothing but a refusal was expected
                for (Probe& probe : seen_.probes) {
                    if (probe.to != to) continue;
                    wanted = wanted || probe.role != Role::unlisted_port;
                    probe.came_back = probe.came_back || by_server;
                    (by_server ? probe.refused : probe.prohibited) = true;
                }
                if (!wanted) break;
                if (by_server) {
                    ++seen_.refused;
                } else {
                    ++seen_.prohibited;
                    // What an ICMP message quotes may be made up.
                    const bool asked = std::any_of(
                        seen_.servers.begin(), seen_.servers.end(),
                        [&](const Server& server) { return server.address.address == to.address; });
                    if (asked) seen_.prohibited_towards.insert(to.address);
                }
                break;
            }
            case IcmpMeaning::unreachable: ++seen_.unreachable; break;
        }
    }
    advance(now);
}

bool Discovery::is_own(const std::optional<IpAddress>& address) const {
    if (!address) return false;
    return std::any_of(seen_.servers.begin(), seen_.servers.end(),
                       [&](const Server& server) { return server.local == address->unmapped(); });
}

void Discovery::on_tcp_answer(std::size_t server, TimePoint sent, TimePoint now) {
    if (done() || server >= seen_.servers.size()) return;
    // RFC 6298 section 2.4 allows no retransmission timeout below a second, common kernels go down
    // to 200 ms: what took less cannot have been lost once.
    constexpr Duration prompt = Milliseconds(150);
    Server& entry = seen_.servers[server];
    Send request;
    request.at = sent;
    const Duration took = now - sent;
    const bool first = entry.tcp != Tcp::answered;
    if (first || took < tcp_rtt_ + prompt) {
        request.rtt = took;
        tcp_rtt_ = first ? took : std::min(tcp_rtt_, took);
        seen_.longest_rtt = std::max(seen_.longest_rtt, took);
    }
    entry.tcp = Tcp::answered;
    entry.tcp_requests.answered = true;
    auto& sends = entry.tcp_requests.sends;
    const auto later = [](TimePoint at, const Send& other) { return at < other.at; };
    sends.insert(std::upper_bound(sends.begin(), sends.end(), sent, later), request);
    advance(now);
}

void Discovery::on_tcp_alive(std::size_t server, TimePoint now) {
    if (done() || server >= seen_.servers.size()) return;
    seen_.servers[server].tcp_alive = true;
    advance(now);
}

void Discovery::on_tcp_failed(std::size_t server, TimePoint now) {
    if (done() || server >= seen_.servers.size()) return;
    Server& entry = seen_.servers[server];
    if (entry.tcp_open > 0) --entry.tcp_open;
    if (entry.tcp_open == 0 && entry.tcp != Tcp::answered) entry.tcp = Tcp::failed;
    advance(now);
}

SocketId Discovery::add_socket(std::uint16_t local_port, PortKind kind) {
    const SocketId id = seen_.sockets.size();
    Socket socket;
    socket.asked_port = local_port;
    seen_.sockets.push_back(socket);
    actions_.emplace_back(OpenSocket{id, local_port, kind});
    return id;
}

std::size_t Discovery::add_probe(Role role, SocketId socket, std::size_t server, const Endpoint& to,
                                 const Schedule& schedule, stun::ChangeRequest change) {
    Probe probe;
    probe.role = role;
    probe.socket = socket;
    probe.server = server;
    probe.to = to;
    probe.change = change;
    probe.expected = to;
    if (change.address) probe.expected.address = seen_.servers[server].other->address;
    if (change.port) probe.expected.port = seen_.servers[server].other->port;
    seen_.probes.push_back(std::move(probe));
    schedules_.push_back(schedule);
    return seen_.probes.size() - 1;
}

void Discovery::stop(Role role, std::optional<std::size_t> server) {
    for (std::size_t i = 0; i < seen_.probes.size(); ++i) {
        if (seen_.probes[i].role != role || (server && seen_.probes[i].server != *server)) continue;
        schedules_[i].left = 0;
    }
}

// From now on the filter is open to this probe's answers, so none counts any more, and what has not
// had its time to be answered was never asked.
void Discovery::close(std::size_t index) {
    Probe& probe = seen_.probes[index];
    schedules_[index].left = 0;
    probe.exhausted = true;
    for (const Send& send : probe.sends) sent_.erase(send.transaction);
    std::erase_if(probe.sends, [&](const Send& send) { return !seen_.is_overdue(send); });
}

void Discovery::send_due() {
    std::vector<std::size_t> due;
    for (std::size_t i = 0; i < seen_.probes.size(); ++i) {
        Schedule& schedule = schedules_[i];
        const Probe& probe = seen_.probes[i];
        const bool told = probe.answered || probe.error_code != 0 ||
                          (probe.role == Role::unlisted_port && probe.refused);
        if (schedule.until_answered && told) schedule.left = 0;
        if (schedule.left > 0 && schedule.due() <= seen_.now) {
            move_on(schedule, probe.sends.size());
            due.push_back(i);
        }
        seen_.probes[i].exhausted = schedule.left == 0;
    }
    std::shuffle(due.begin(), due.end(), chance_);
    // A router that lets out a new flow only now and then is to let out one that may be answered.
    std::stable_partition(due.begin(), due.end(), [&](std::size_t probe) {
        return seen_.probes[probe].role != Role::other_port;
    });
    for (const std::size_t probe : due) send(probe);
}

// `made`: sends before the one that is due now. A server or router that lets only so many packets
// pass must not favour a test over its control, or the other way round, each time: chance decides
// who comes first.
void Discovery::move_on(Schedule& schedule, std::size_t made) {
    constexpr Duration earliest = Milliseconds(25);
    --schedule.left;
    const bool repeat_follows = made < schedule.repeats;
    Duration gap = schedule.interval;
    if (repeat_follows) {
        gap = repeat_pace;
    } else if (made == schedule.repeats) {
        if (schedule.phase > Duration{}) gap = schedule.phase;
        gap -= schedule.repeats * repeat_pace;
    }
    schedule.next += gap;
    if (schedule.next <= seen_.now) schedule.next = seen_.now + gap;
    std::uniform_int_distribution<Duration::rep> early(0, earliest.count());
    schedule.early = repeat_follows || schedule.punctual ? Duration{} : Duration(early(chance_));
}

void Discovery::send(std::size_t index) {
    Probe& probe = seen_.probes[index];
    stun::Message request;
    request.transaction = transactions_();
    if (probe.change.address || probe.change.port) request.change_request = probe.change;
    const bool classic = probe.role == Role::classic;
    if (classic) request.cookie = any_other_cookie();
    sent_[request.transaction] = {index, probe.sends.size(), request.cookie};
    Send send;
    send.transaction = request.transaction;
    send.at = seen_.now;
    send.order = order_++;
    send.repeated = !probe.sends.empty() && probe.sends.size() <= schedules_[index].repeats;
    probe.sends.push_back(send);
    ++seen_.sent;
    stun::EncodeOptions options;
    options.fingerprint = !classic;
    actions_.emplace_back(SendDatagram{probe.socket, probe.to, stun::encode(request, options), 0});
}

// RFC 3489 section 11.1: the whole of the 128 bits is a random transaction ID.
std::uint32_t Discovery::any_other_cookie() {
    const stun::TransactionId chance = transactions_();
    const std::uint32_t cookie = std::uint32_t{chance[0]} << 24 | std::uint32_t{chance[1]} << 16 |
                                 std::uint32_t{chance[2]} << 8 | chance[3];
    return cookie == stun::magic_cookie ? ~cookie : cookie;
}

}  // namespace p2pdiag::nat
