// What to probe next, and when it is enough. While nothing answers: discovery_reach.cpp.
#include <algorithm>
#include <set>

#include "classify.hpp"
#include "discovery.hpp"
#include "discovery_pace.hpp"
#include "filtering.hpp"
#include "loss.hpp"
#include "mapping.hpp"
#include "peer_ports.hpp"
#include "ports.hpp"
#include "reach.hpp"

namespace p2pdiag::nat {

namespace {

constexpr std::size_t most_programs = 3;
constexpr unsigned most_bursts = 3;
// Enough neighbours among them to see a step even when a third of the answers is lost.
constexpr std::size_t burst_size = 16;
// At 20 % loss in each direction, all of them get lost once in a hundred thousand times.
constexpr unsigned own_sends = 12;

}  // namespace

void Discovery::start() {
    mapping_socket_ = add_socket();
    if (config_.given_port != 0) given_socket_ = add_socket(config_.given_port);
    for (std::size_t i = 0; i < seen_.servers.size(); ++i) {
        // The second may be the first one's other address, which nothing may go to yet; unless the
        // first does not answer.
        Schedule schedule{seen_.now, pace, most_sends};
        if (i == 0) schedule.repeats = filter_repeats;
        if (i > 0) schedule.next += pace;
        add_probe(Role::mapping, mapping_socket_, i, seen_.servers[i].address, schedule);
        if (given_socket_) {
            add_probe(Role::given_port, *given_socket_, i, seen_.servers[i].address, schedule);
        }
    }
}

// A router with an address of RFC 6598 on the way is a hint at a second NAT. One socket for each
// TTL tells which ICMP message belongs to which.
void Discovery::find_hops() {
    constexpr int nearest = 2;
    constexpr int furthest = 5;
    for (int ttl = nearest; ttl <= furthest; ++ttl) {
        const SocketId socket = add_socket();
        hop_sockets_[socket] = ttl;
        stun::Message request;
        request.transaction = transactions_();
        ++seen_.sent;
        actions_.emplace_back(
            SendDatagram{socket, seen_.servers.front().address, stun::encode(request), ttl});
    }
}

void Discovery::advance(TimePoint now) {
    if (done()) return;
    seen_.now = now;
    if (first_answer_) {
        run_program();
        keep_baseline();
        try_unlisted_port();
        probe_port_step();
        probe_hairpin();
    } else {
        reach_further();
        use_other_ports();
    }
    send_due();
    if (is_done()) {
        seen_.finished = true;
        actions_.clear();
    }
}

void Discovery::keep_baseline() {
    if (seen_.now - *first_answer_ < pace) return;
    for (const Probe& probe : seen_.probes) {
        if (probe.role == Role::baseline) return;
    }
    const Schedule schedule{seen_.now, pace, steady_sends, false};
    const std::size_t server = *answered_server_;
    add_probe(Role::baseline, add_socket(), server, seen_.servers[server].address, schedule);
}

// A port by chance, which no list of permitted ones has and at which nothing listens: most hosts
// refuse it by ICMP, and so show that UDP to any port gets out. Silence tells nothing, and nobody
// waits for it.
void Discovery::try_unlisted_port() {
    for (const Probe& probe : seen_.probes) {
        if (probe.role == Role::unlisted_port) return;
    }
    // RFC 6335 section 6: nothing is registered in 49152-65535.
    constexpr unsigned first = 49152;
    constexpr unsigned count = 65536 - first;
    const stun::TransactionId chance = transactions_();
    const auto port = static_cast<std::uint16_t>(first + (chance[0] * 256U + chance[1]) % count);
    constexpr unsigned sends = 3;
    const std::size_t server = *answered_server_;
    const Endpoint to{seen_.servers[server].address.address, port};
    add_probe(Role::unlisted_port, add_socket(), server, to, {seen_.now, pace, sends});
}

std::optional<std::size_t> Discovery::next_candidate() const {
    if (programs_.size() >= most_programs) return std::nullopt;
    for (std::size_t i = 0; i < seen_.servers.size(); ++i) {
        const bool tested = std::count(seen_.tested.begin(), seen_.tested.end(), i) > 0;
        if (seen_.servers[i].other && !tested) return i;
    }
    return std::nullopt;
}

void Discovery::run_program() {
    filtering_ = judge_filtering(seen_, mapping_.varies);
    if (programs_.empty() && !next_candidate()) ask_other_servers(seen_.now);
    const bool needs_next = programs_.empty() || (programs_.back().over && another_may_tell());
    if (needs_next) {
        if (const auto server = next_candidate()) start_program(*server);
    }
    if (programs_.empty()) return;
    Program& program = programs_.back();
    if (program.over && program.contacted) return;
    const FilteringEvidence evidence = judge_filtering(seen_, program.server, mapping_.varies);
    filtering_ = combine(evidence);
    const bool decided = filtering_.value || filtering_.reason != Reason::pending;
    if (decided && !program.over) {
        program.over = true;
        for (const Role role : {Role::filter_address, Role::filter_port, Role::filter_path,
                                Role::open_address, Role::open_port, Role::control_address,
                                Role::control_port, Role::own_open, Role::own_control}) {
            stop(role, program.server);
        }
    }
    if (!program.contacted && (program.over || seen_.now >= program.contact_at)) contact_other();
    if (program.over) return;
    const stun::ChangeRequest both{true, true};
    const stun::ChangeRequest port{false, true};
    start_controls(Role::open_address, Role::control_address, both);
    start_controls(Role::open_port, Role::control_port, port);
    if (evidence.address.silence_proven) open_own_filters(Role::filter_address);
    if (evidence.port.silence_proven) open_own_filters(Role::filter_port);
    start_own_controls();
    const Schedule again{seen_.now, pace, most_sends};
    if (evidence.address.wants_another)
        add_filter(Role::filter_address, program.server, both, again);
    if (evidence.port.wants_another) add_filter(Role::filter_port, program.server, port, again);
}

// Those that nothing was sent to yet.
void Discovery::ask_other_servers(TimePoint when) {
    for (std::size_t i = 0; i < seen_.probes.size(); ++i) {
        const Probe& probe = seen_.probes[i];
        const bool plain = probe.role == Role::mapping || probe.role == Role::given_port;
        if (plain && probe.sends.empty()) schedules_[i].next = when;
    }
}

// What one server cannot do, or what is lost on the way from it, need not be so with the next.
bool Discovery::another_may_tell() const {
    return !filtering_.value && (filtering_.reason == Reason::server_unsupported ||
                                 filtering_.reason == Reason::flow_loss);
}

// Filtering first, on sockets that were never used: whatever goes to the other address only later
// cannot have opened the way for the first answers.
void Discovery::start_program(std::size_t server) {
    Program program;
    program.server = server;
    program.other = *seen_.servers[server].other;
    const Duration unhurried =
        filter_repeats * repeat_pace +
        std::clamp<Duration>(3 * seen_.longest_rtt / 2, Milliseconds(4), Milliseconds(3000));
    program.begun = seen_.now;
    program.contact_at = seen_.now + unhurried;
    programs_.push_back(program);
    seen_.tested.push_back(server);

    const Endpoint primary = seen_.servers[server].address;
    add_probe(Role::baseline, add_socket(), server, primary,
              {seen_.now, pace, steady_sends, false});
    ask_other_servers(program.contact_at);
    // As many beside the controls as ever.
    const auto before = static_cast<unsigned>(unhurried / pace);
    Schedule first{seen_.now, pace, most_sends + filter_repeats + before};
    first.repeats = filter_repeats;
    Schedule second = first;
    second.phase = half_pace;
    for (const Schedule& schedule : {first, second}) {
        add_filter(Role::filter_address, server, {true, true}, schedule);
        add_filter(Role::filter_port, server, {false, true}, schedule);
    }
}

// On a socket of its own, which sends to nobody but the primary address.
void Discovery::add_filter(Role role, std::size_t server, const stun::ChangeRequest& change,
                           const Schedule& schedule) {
    const SocketId socket = add_socket(0, PortKind::odd);
    const Endpoint primary = seen_.servers[server].address;
    add_probe(Role::filter_path, socket, server, primary, schedule);
    add_probe(role, socket, server, primary, schedule, change);
}

// RFC 5780 section 4.3: the same socket to the other address, to its other port, and to the other
// port here.
void Discovery::explore(Role role, SocketId socket, std::size_t server, const Endpoint& other) {
    const Endpoint primary = seen_.servers[server].address;
    const Schedule schedule{seen_.now, pace, most_sends};
    for (const Endpoint& to :
         {Endpoint{other.address, primary.port}, other, Endpoint{primary.address, other.port}}) {
        const bool known =
            std::any_of(seen_.probes.begin(), seen_.probes.end(),
                        [&](const Probe& p) { return p.role == role && p.to == to; });
        if (!known) add_probe(role, socket, server, to, schedule);
    }
}

void Discovery::contact_other() {
    Program& program = programs_.back();
    program.contacted = true;
    ask_other_servers(seen_.now);
    explore(Role::mapping, mapping_socket_, program.server, program.other);
    if (given_socket_) explore(Role::given_port, *given_socket_, program.server, program.other);
    if (program.over) return;
    const Endpoint primary = seen_.servers[program.server].address;
    const Endpoint other_port{primary.address, program.other.port};
    constexpr unsigned sends = 40;
    const Schedule schedule{seen_.now, half_pace, sends};
    for (int i = 0; i < 2; ++i) {
        add_probe(Role::open_address, add_socket(), program.server, program.other, schedule);
        add_probe(Role::open_port, add_socket(), program.server, other_port, schedule);
    }
}

// A control that has reached the other address asks from now on, beside each send of the test, what
// the test asks: answered, it shows that the server obliges, that the other address reaches us, and
// what gets lost.
void Discovery::start_controls(Role opener, Role control, const stun::ChangeRequest& change) {
    const Program& program = programs_.back();
    Duration offset{};
    const std::size_t count = seen_.probes.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Probe& probe = seen_.probes[i];
        if (probe.role != opener || probe.server != program.server) continue;
        const Duration turn = std::exchange(offset, half_pace);
        const SocketId socket = probe.socket;
        const bool running =
            std::any_of(seen_.probes.begin(), seen_.probes.end(),
                        [&](const Probe& p) { return p.role == control && p.socket == socket; });
        if (!probe.answered || running) continue;
        const Duration since = seen_.now - program.begun + turn;
        const Duration phase = pace - since % Duration(pace);
        add_probe(control, socket, program.server, seen_.servers[program.server].address,
                  {seen_.now, pace, steady_sends, false, phase}, change);
    }
}

// The silent sockets contact the other address as well …
void Discovery::open_own_filters(Role filter) {
    const Schedule schedule{seen_.now, half_pace, own_sends};
    const std::size_t server = programs_.back().server;
    const std::size_t count = seen_.probes.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Probe& silent = seen_.probes[i];
        if (silent.role != filter || silent.server != server || silent.answered) continue;
        const SocketId socket = silent.socket;
        const Endpoint other = silent.expected;
        close(i);
        add_probe(Role::own_open, socket, server, other, schedule);
    }
}

// … and ask once more. Only then, for an answer that comes in while a router still makes the state
// for the contact may be taken for a flow of its own, and get another port (Linux does so).
void Discovery::start_own_controls() {
    const Schedule schedule{seen_.now, half_pace, own_sends, false};
    const std::size_t server = programs_.back().server;
    const Endpoint primary = seen_.servers[server].address;
    const std::size_t count = seen_.probes.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Probe& opener = seen_.probes[i];
        if (opener.role != Role::own_open || opener.server != server || !opener.answered) continue;
        const SocketId socket = opener.socket;
        if (of_socket(seen_, Role::own_control, socket) != nullptr) continue;
        const stun::ChangeRequest change{opener.to.address != primary.address, true};
        add_probe(Role::own_control, socket, server, primary, schedule, change);
    }
}

// Many new mappings at once, so that nobody else's come between.
void Discovery::probe_port_step() {
    if (!mapping_.varies || !mapping_done() || bursts_ >= most_bursts) return;
    if (bursts_ > 0 && judge_step(seen_).reason != Reason::loss) return;
    ++bursts_;
    std::vector<std::pair<std::size_t, Endpoint>> destinations;
    std::set<IpAddress> addresses;
    for (const Probe& probe : seen_.probes) {
        if (probe.role != Role::mapping || probe.mapped.empty()) continue;
        const bool new_address = addresses.insert(probe.to.address).second;
        // One address is one mapping there, whatever the port.
        if (mapping_.mapping.value == Dependence::address_dependent && !new_address) continue;
        destinations.emplace_back(probe.server, probe.to);
    }
    const Schedule once{seen_.now, pace, 1};
    for (std::size_t made = 0; made < burst_size; made += destinations.size()) {
        const SocketId socket = add_socket();
        for (const auto& [server, to] : destinations) {
            add_probe(Role::port_step, socket, server, to, once);
        }
    }
}

void Discovery::probe_hairpin() {
    if (!config_.hairpin || judge_behind_nat(seen_).value != true) return;
    const std::size_t server = *answered_server_;
    if (hairpin_sockets_.empty()) {
        hairpin_sockets_ = {add_socket(), add_socket()};
        for (const SocketId socket : hairpin_sockets_) {
            add_probe(Role::hairpin_open, socket, server, seen_.servers[server].address,
                      {seen_.now, half_pace, most_sends});
        }
        return;
    }
    const Probes opened = probes_of(seen_, Role::hairpin_open, server);
    const bool ready = std::all_of(opened.begin(), opened.end(),
                                   [](const Probe* p) { return !p->mapped.empty(); });
    if (!ready || !probes_of(seen_, Role::hairpin, server).empty()) return;
    const Endpoint first = opened.front()->mapped.front();
    const Endpoint second = opened.back()->mapped.front();
    const Schedule schedule{seen_.now, pace, most_sends};
    add_probe(Role::hairpin, hairpin_sockets_.front(), server, second, schedule);
    add_probe(Role::hairpin, hairpin_sockets_.back(), server, first, schedule);
}

bool Discovery::primaries_settled() const {
    return std::all_of(seen_.probes.begin(), seen_.probes.end(), [&](const Probe& probe) {
        if (probe.role != Role::mapping || probe.to != seen_.servers[probe.server].address) {
            return true;
        }
        return is_settled(seen_, probe) || seen_.overdue_sends(probe) >= fewest_sends;
    });
}

Duration Discovery::first_patience() const { return 2 * seen_.longest_rtt + Milliseconds(10); }

// A server that was asked a moment ago may contradict the others, and has its chance to.
bool Discovery::is_awaited(const Probe& probe) const {
    return probe.role == Role::mapping && !probe.answered && probe.error_code == 0 &&
           !probe.sends.empty() && seen_.now < probe.sends.front().at + first_patience();
}

bool Discovery::mapping_done() const {
    for (const Probe& probe : seen_.probes) {
        const bool unasked = probe.role == Role::mapping && probe.sends.empty() &&
                             !seen_.sockets[probe.socket].failed;
        if (unasked || is_awaited(probe)) return false;
    }
    return (programs_.empty() || programs_.back().contacted) && mapping_settled(seen_, mapping_);
}

bool Discovery::filtering_done() const {
    if (!programs_.empty() && !programs_.back().over) return false;
    if (!another_may_tell()) return true;
    return !next_candidate() && primaries_settled();
}

bool Discovery::step_done() const {
    if (!mapping_.varies) return true;
    if (bursts_ == 0) return false;
    const Reason reason = judge_step(seen_).reason;
    return reason != Reason::pending && (reason != Reason::loss || bursts_ >= most_bursts);
}

bool Discovery::hairpin_done() const {
    return !config_.hairpin || judge_hairpinning(seen_).reason != Reason::pending;
}

bool Discovery::given_port_done() const {
    if (!given_socket_ || seen_.sockets[*given_socket_].failed) return true;
    return std::all_of(seen_.probes.begin(), seen_.probes.end(), [&](const Probe& probe) {
        return probe.role != Role::given_port || is_settled(seen_, probe);
    });
}

// Where it looks as if requests to some ports do not get out, until loss is no explanation.
bool Discovery::served_ports_done() const {
    const ServedAndSilent found = judge_served_ports(seen_);
    return found.certain ||
           std::all_of(found.requests.begin(), found.requests.end(),
                       [&](const Probe* probe) { return is_settled(seen_, *probe); });
}

// A slow path takes several round trips and waits three for each silence.
TimePoint Discovery::last_moment() const {
    constexpr Duration slowest = std::chrono::seconds(1);
    return seen_.started + config_.limit + 6 * std::min(seen_.longest_rtt, slowest);
}

bool Discovery::is_done() const {
    if (seen_.servers.empty() || seen_.now >= last_moment()) return true;
    if (!first_answer_) return judge_udp(seen_) != UdpPath::pending;
    return filtering_done() && mapping_done() && step_done() && hairpin_done() &&
           given_port_done() && served_ports_done();
}

}  // namespace p2pdiag::nat
