#include "filtering.hpp"

#include <algorithm>

#include "discovery_pace.hpp"
#include "loss.hpp"

namespace p2pdiag::nat {

namespace {

// One fresh local port may by accident meet state that the NAT kept from an earlier use of it.
constexpr unsigned sockets_to_believe = 2;
// A second and a half: a router that lets in one new flow a second would have let one in.
constexpr std::size_t sends_to_outvote = 15;

struct Roles {
    Role filter;
    Role opener;
    Role control;
};
constexpr Roles address_roles{Role::filter_address, Role::open_address, Role::control_address};
constexpr Roles port_roles{Role::filter_port, Role::open_port, Role::control_port};

bool any_answered(const Probes& probes) {
    return std::any_of(probes.begin(), probes.end(), [](const Probe* p) { return p->answered; });
}

bool is_over(const Observations& seen, const Probe& probe) {
    return probe.exhausted &&
           (probe.sends.empty() || seen.now - probe.sends.back().at >= seen.tail());
}

bool done_sending(const Observations& seen, const Probes& probes) {
    return std::all_of(probes.begin(), probes.end(),
                       [&](const Probe* p) { return p->answered || is_over(seen, *p); });
}

// Those that may still be answered count as lost, so nothing has to be waited for.
Tally up_to_last_answer(const Probe& probe) {
    Tally last;
    Tally tries;
    for (const Send& send : probe.sends) {
        ++tries.sent;
        if (!send.rtt) ++tries.unanswered;
        if (send.rtt) last = tries;
    }
    return last;
}

bool sent_enough(const Observations& seen, const Probes& probes) {
    return std::all_of(probes.begin(), probes.end(), [&](const Probe* probe) {
        return tally(seen, {probe}).sent >= fewest_sends;
    });
}

// From when on the requests of this probe's socket are known to get out and their answers in: a
// plain one was answered. A router that admits few new flows may hold back the sockets of a test
// alone.
std::optional<TimePoint> path_proven(const Observations& seen, const Probe& filter) {
    for (const Probe& probe : seen.probes) {
        if (probe.role != Role::filter_path || probe.socket != filter.socket) continue;
        for (const Send& send : probe.sends) {
            if (send.rtt) return send.at;
        }
    }
    return std::nullopt;
}

// RFC 5780 section 6.1 and 7.2: a server that cannot change address answers 420, or without
// alternates ignores the attribute. Behind a load balancer another server with other alternates may
// answer. One such answer disqualifies it for good.
bool refuses_change(const Observations& seen, std::size_t server) {
    return std::any_of(seen.probes.begin(), seen.probes.end(), [&](const Probe& probe) {
        const bool asks_change = probe.change.address || probe.change.port;
        return probe.server == server && asks_change &&
               (probe.change_ignored || probe.error_code != 0);
    });
}

Test decided(Test test, Passed passed) {
    test.passed = passed;
    test.reason = Reason::none;
    return test;
}

Test undecided(Test test, Reason reason) {
    test.passed = Passed::undecided;
    test.reason = reason;
    return test;
}

// Why the controls say nothing (yet).
Test without_control(Test test, const Observations& seen, const Probes& filters,
                     const Probes& openers, const Probes& controls, const Probes& baseline,
                     bool mapping_varies) {
    if (!any_answered(openers)) {
        const bool dead = !openers.empty() && sent_enough(seen, openers) &&
                          loss_excluded(seen, openers, baseline);
        return dead ? undecided(test, Reason::server_unsupported) : test;
    }
    if (controls.empty() || !sent_enough(seen, controls) || !sent_enough(seen, filters))
        return test;
    if (mapping_varies) return undecided(test, Reason::mapping_varies);
    if (loss_excluded(seen, controls, baseline)) return undecided(test, Reason::server_unsupported);
    return test;
}

// Routers and servers that spread flows over several links, of which one is broken, lose the same
// flows again and again, and so may a server that limits its answers: other sockets' controls show
// nothing of these. What a filter stopped comes in once the socket has contacted the other address.
Test judge_own_controls(Test test, const Observations& seen, const Probes& openers) {
    // The silence beside other controls is past credible_ratio already.
    constexpr double convincing = 1e-2;
    Tally now;
    bool over = true;
    for (const Probe* opener : openers) {
        const Probe* control = of_socket(seen, Role::own_control, opener->socket);
        over = over && (control != nullptr ? is_over(seen, *control)
                                           : !opener->answered && is_over(seen, *opener));
        if (control == nullptr) continue;
        const Tally tries = up_to_last_answer(*control);
        if (tries.sent > 0) ++test.own_controls_answered;
        now.sent += tries.sent;
        now.unanswered += tries.unanswered;
    }
    test.own_controls = static_cast<unsigned>(openers.size());
    const bool all = test.own_controls_answered == test.own_controls;
    if (all && loss_likelihood(now, test.silent) < convincing) return decided(test, Passed::no);
    return over ? undecided(test, Reason::flow_loss) : test;
}

// From when on the NAT may let in the answers of this test for another reason than that it lets in
// anybody: something was sent to where they come from, from whichever port. (Not what was tried
// while nothing at all had answered: on a slow path that goes to the other port before any test
// can.)
TimePoint first_contact(const Observations& seen, const Probe& filter) {
    const bool by_address = filter.change.address;
    TimePoint first = TimePoint::max();
    for (const Probe& probe : seen.probes) {
        if (probe.role == Role::other_port) continue;
        const bool there =
            by_address ? probe.to.address == filter.expected.address : probe.to == filter.expected;
        if (there && !probe.sends.empty()) first = std::min(first, probe.sends.front().at);
    }
    return first;
}

bool passed_before(const Probe& filter, TimePoint contact) {
    return std::any_of(filter.sends.begin(), filter.sends.end(), [&](const Send& send) {
        return send.rtt && send.at + *send.rtt <= contact;
    });
}

Test judge(const Observations& seen, std::size_t server, const Roles& roles, bool mapping_varies) {
    const Probes filters = probes_of(seen, roles.filter, server);
    const Probes openers = probes_of(seen, roles.opener, server);
    const Probes controls = probes_of(seen, roles.control, server);
    const Probes baseline = probes_of(seen, Role::baseline, server);

    Test test;
    if (refuses_change(seen, server)) return undecided(test, Reason::server_unsupported);
    Probes silent;
    Probes own_openers;
    bool late = false;
    for (const Probe* probe : filters) {
        if (probe->answered) {
            const bool passed = passed_before(*probe, first_contact(seen, *probe));
            if (passed) ++test.passing_sockets;
            late = late || !passed;
            continue;
        }
        silent.push_back(probe);
        const Probe* own = of_socket(seen, Role::own_open, probe->socket);
        if (own != nullptr) own_openers.push_back(own);
    }
    if (test.passing_sockets >= sockets_to_believe) return decided(test, Passed::yes);
    // The first answers may have been lost; or it is the contact that lets these in.
    if (late) return undecided(test, Reason::loss);

    const Tally control = tally(seen, controls);
    test.controls_sent = control.sent;
    test.controls_answered = control.sent - control.unanswered;
    bool paths_proven = true;
    for (const Probe* probe : silent) {
        const auto since = path_proven(seen, *probe);
        paths_proven = paths_proven && since;
        if (since) test.silent += telling_silence(seen, *probe, controls, *since);
    }
    if (!own_openers.empty()) return judge_own_controls(test, seen, own_openers);
    if (any_answered(controls)) {
        const bool proven = !silent.empty() && paths_proven && sent_enough(seen, silent) &&
                            loss_likelihood(control, test.silent) < credible_ratio;
        // A filter that lets strangers in lets them in on every port. So one that passed among
        // silent ones met state of its own, kept from an earlier use; or the router lets in few new
        // flows at once. A further socket is silent for long only where it was the former.
        test.wants_another = proven && test.passing_sockets > 0 && silent.size() == 1;
        const bool lasting =
            test.passing_sockets == 0 || seen.overdue_sends(*silent.back()) >= sends_to_outvote;
        if (proven && (test.wants_another || !lasting)) return test;
        test.silence_proven = proven;
        if (proven) return test;
    } else {
        test = without_control(test, seen, filters, openers, controls, baseline, mapping_varies);
        if (test.passed == Passed::undecided) return test;
    }
    const bool over = !filters.empty() && done_sending(seen, filters);
    return over ? undecided(test, Reason::loss) : test;
}

}  // namespace

FilteringEvidence judge_filtering(const Observations& seen, std::size_t server,
                                  bool mapping_varies) {
    return {judge(seen, server, address_roles, mapping_varies),
            judge(seen, server, port_roles, mapping_varies)};
}

FilteredBy judge_filterer(const Observations& seen) {
    // One that came in while the test was ending may lie unread in its socket.
    constexpr std::size_t arrivals_to_believe = 3;
    // As many sends as any silence must last.
    constexpr std::size_t controls_to_believe = fewest_sends;
    if (!seen.tap_open) return FilteredBy::unknown;
    std::size_t stopped_here = 0;
    std::size_t answered = 0;
    std::size_t answered_unseen = 0;
    for (const Probe& probe : seen.probes) {
        const bool filter = probe.role == Role::filter_address || probe.role == Role::filter_port;
        const bool control =
            probe.role == Role::control_address || probe.role == Role::control_port;
        for (const Send& send : probe.sends) {
            if (filter && !probe.answered && send.tapped) ++stopped_here;
            if (!control || !send.rtt) continue;
            ++answered;
            if (!send.tapped) ++answered_unseen;
        }
    }
    if (stopped_here >= arrivals_to_believe) return FilteredBy::host;
    // Silence at the interfaces means something only where what does arrive is seen there.
    const bool sees_all = answered >= controls_to_believe && answered_unseen == 0;
    return stopped_here == 0 && sees_all ? FilteredBy::router : FilteredBy::unknown;
}

bool controls_deny(const Observations& seen, const Field<Dependence>& varying_mapping) {
    const bool by_port = varying_mapping.value == Dependence::address_and_port_dependent;
    return std::any_of(seen.tested.begin(), seen.tested.end(), [&](std::size_t server) {
        const FilteringEvidence evidence = judge_filtering(seen, server, true);
        return evidence.address.passed == Passed::no ||
               (by_port && evidence.port.passed == Passed::no);
    });
}

Field<Dependence> combine(const FilteringEvidence& evidence) {
    const Test& address = evidence.address;
    const Test& port = evidence.port;
    if (address.passed == Passed::yes) {
        // What lets strangers in lets a known address in by any port.
        if (port.passed == Passed::no) return Field<Dependence>::unknown(Reason::inconsistent);
        return Field<Dependence>::known(Dependence::endpoint_independent);
    }
    if (port.passed == Passed::no) {
        if (address.passing_sockets == 0 || address.passed == Passed::no) {
            return Field<Dependence>::known(Dependence::address_and_port_dependent);
        }
        const bool waiting = address.passed == Passed::pending;
        return Field<Dependence>::unknown(waiting ? Reason::pending : Reason::inconsistent);
    }
    if (port.passed == Passed::yes && address.passed == Passed::no) {
        return Field<Dependence>::known(Dependence::address_dependent);
    }
    if (address.passed == Passed::pending || port.passed == Passed::pending) {
        return Field<Dependence>::unknown(Reason::pending);
    }
    return Field<Dependence>::unknown(address.passed == Passed::undecided ? address.reason
                                                                          : port.reason);
}

bool second_address_is_silent(const Observations& seen) {
    const auto silent = [&](std::size_t server, Role opener) {
        const Probes probes = probes_of(seen, opener, server);
        return !probes.empty() && !any_answered(probes);
    };
    return std::any_of(seen.tested.begin(), seen.tested.end(), [&](std::size_t server) {
        return !refuses_change(seen, server) &&
               (silent(server, Role::open_address) || silent(server, Role::open_port));
    });
}

Field<Dependence> judge_filtering(const Observations& seen, bool mapping_varies) {
    Field<Dependence> verdict = Field<Dependence>::unknown(Reason::server_unsupported);
    for (const std::size_t server : seen.tested) {
        verdict = combine(judge_filtering(seen, server, mapping_varies));
        if (verdict.value) return verdict;
    }
    return verdict;
}

}  // namespace p2pdiag::nat
