#include "loss.hpp"

#include <algorithm>
#include <cmath>

namespace p2pdiag::nat {

namespace {

// Controls run every 50 ms, so each send has one at most this far away.
constexpr Milliseconds beside{50};

// Logarithm of q^k (1-q)^(n-k), with 0 log 0 = 0.
double log_likelihood(double q, double k, double n) {
    double sum = 0;
    if (k > 0) sum += k * std::log(q);
    if (n > k) sum += (n - k) * std::log1p(-q);
    return sum;
}

bool has_answer_beside(TimePoint at, const Probes& controls) {
    for (const Probe* control : controls) {
        const auto& sends = control->sends;
        const auto earlier = [](const Send& send, TimePoint time) { return send.at < time; };
        auto send = std::lower_bound(sends.begin(), sends.end(), at - beside, earlier);
        for (; send != sends.end() && send->at <= at + beside; ++send) {
            if (send->rtt) return true;
        }
    }
    return false;
}

}  // namespace

// RFC 8489 section 6.2.1 waits far longer before it gives up; here a control and not patience tells
// whether the path works. 350 ms covers a jittery mobile link, three round trips a satellite.
Duration Observations::tail() const {
    constexpr Duration shortest = Milliseconds(350);
    constexpr Duration longest = Milliseconds(2500);
    // As long as TCP is waited for, where nothing shows how slow the path is.
    constexpr Duration unknown = Milliseconds(1500);
    if (longest_rtt == Duration{} && !anything_came_back()) return unknown;
    return std::clamp<Duration>(3 * longest_rtt, shortest, longest);
}

std::size_t Observations::overdue_sends(const Probe& probe) const {
    return static_cast<std::size_t>(
        std::count_if(probe.sends.begin(), probe.sends.end(),
                      [&](const Send& send) { return is_overdue(send); }));
}

bool Observations::anything_came_back() const {
    return std::any_of(servers.begin(), servers.end(),
                       [](const Server& s) { return s.tcp_alive; }) ||
           std::any_of(probes.begin(), probes.end(), [](const Probe& p) { return p.answered; });
}

bool Observations::anything_answered() const {
    return std::any_of(probes.begin(), probes.end(), [](const Probe& probe) {
        return probe.answered && probe.role != Role::other_port && probe.role != Role::classic;
    });
}

Tally tally(const Observations& seen, const Probes& probes) {
    Tally result;
    for (const Probe* probe : probes) {
        for (const Send& send : probe->sends) {
            // A quick answer may not count before a slow or lost one of the same age can.
            if (seen.now - send.at < seen.tail()) continue;
            ++result.sent;
            if (!send.rtt) ++result.unanswered;
        }
    }
    return result;
}

unsigned telling_silence(const Observations& seen, const Probes& silent, const Probes& controls) {
    unsigned count = 0;
    for (const Probe* probe : silent) {
        count += telling_silence(seen, *probe, controls, TimePoint::min());
    }
    return count;
}

unsigned telling_silence(const Observations& seen, const Probe& silent, const Probes& controls,
                         TimePoint since) {
    return static_cast<unsigned>(
        std::count_if(silent.sends.begin(), silent.sends.end(), [&](const Send& send) {
            return send.at >= since && !send.repeated && seen.is_overdue(send) &&
                   has_answer_beside(send.at, controls);
        }));
}

double loss_likelihood(Tally controls, unsigned silent) {
    if (controls.sent == 0 || controls.unanswered >= controls.sent) return 1;
    const double k = controls.unanswered;
    const double sent = controls.sent;
    const double n = silent;
    const double apart = log_likelihood(k / sent, k, sent);
    const double together = log_likelihood((k + n) / (sent + n), k + n, sent + n);
    return std::exp(together - apart);
}

bool loss_excluded(const Observations& seen, const Probes& silent, const Probes& controls) {
    const Tally control = tally(seen, controls);
    return loss_likelihood(control, telling_silence(seen, silent, controls)) < credible_ratio;
}

Probes probes_of(const Observations& seen, Role role, std::size_t server) {
    Probes found;
    for (const Probe& probe : seen.probes) {
        if (probe.role == role && probe.server == server) found.push_back(&probe);
    }
    return found;
}

const Probe* of_socket(const Observations& seen, Role role, SocketId socket) {
    for (const Probe& probe : seen.probes) {
        if (probe.role == role && probe.socket == socket) return &probe;
    }
    return nullptr;
}

}  // namespace p2pdiag::nat
