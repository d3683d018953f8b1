#include <algorithm>
#include <set>

#include "servers.hpp"

namespace p2pdiag::stun_plugin {

namespace {

using net::Outcome;

// One server over all its families and transports.
struct Sums {
    unsigned udp_asked = 0;  // families in which UDP was tried to the end
    unsigned udp_ok = 0;
    unsigned udp_error = 0;    // error responses
    unsigned udp_unclear = 0;  // not awaited, or this machine could not try
    bool stream_ok = false;
    bool anything = false;       // some packet came back, over any transport
    bool lookup_failed = false;  // in both families
    bool not_found = false;      // the name server says so
    bool no_route = false;       // none of its addresses can be reached from here
    std::string udp_reason;
};

// Whether something came back at all, be it a refusal. An ICMP message from a router on the way is
// no proof of an internet behind it.
bool came_back(const TransportReport& transport) {
    if (!transport.result) return false;
    switch (transport.result->outcome) {
        case Outcome::no_answer:
        case Outcome::unreachable:
        case Outcome::no_route:
        case Outcome::not_permitted:
        case Outcome::local_error: return false;
        default: return true;
    }
}

// A connection that was accepted is more than silence.
bool stream_came_back(const TransportReport& stream) {
    return came_back(stream) || (stream.result && stream.result->local.has_value());
}

bool came_back(const FamilyReport& family) {
    return came_back(family.udp) || stream_came_back(family.tcp) || stream_came_back(family.tls);
}

bool is_ok(const TransportReport& transport) {
    return transport.result && transport.result->outcome == Outcome::ok;
}

void add_family(Sums& sums, const FamilyReport& family) {
    if (family.udp.asked) {
        const bool unclear = !family.udp.result ||
                             family.udp.result->outcome == Outcome::local_error ||
                             family.udp.result->outcome == Outcome::no_route;
        if (unclear) {
            ++sums.udp_unclear;
        } else {
            ++sums.udp_asked;
            const Outcome outcome = family.udp.result->outcome;
            if (outcome == Outcome::ok) ++sums.udp_ok;
            if (outcome == Outcome::error_response) ++sums.udp_error;
            if (sums.udp_reason.empty()) sums.udp_reason = net::to_string(outcome);
        }
    }
    sums.stream_ok = sums.stream_ok || is_ok(family.tcp) || is_ok(family.tls);
    sums.anything = sums.anything || came_back(family);
}

// A server alone may be dead, or its name mistyped; one that has addresses of both families counts
// once for each, so the families are counted apart.
constexpr std::size_t targets_to_believe = 2;

// Addresses on the internet that were asked, in one family.
class Targets {
public:
    void add(const FamilyReport& family) {
        const bool asked = family.udp.asked || family.tls.asked;
        if (!asked || !family.addresses.front().is_public()) return;
        addresses_.insert(family.addresses.front());
        for (const TransportReport* transport : {&family.udp, &family.tcp, &family.tls}) {
            if (!transport->result) continue;
            const Outcome outcome = transport->result->outcome;
            refused_here_ = refused_here_ || outcome == Outcome::not_permitted ||
                            outcome == Outcome::local_error || outcome == Outcome::no_route;
        }
    }
    bool enough() const { return addresses_.size() >= targets_to_believe; }
    // This machine itself held something back, so silence tells nothing of the network.
    bool refused_here() const { return refused_here_; }

private:
    std::set<IpAddress> addresses_;
    bool refused_here_ = false;
};

Sums sum_up(const ServerReport& server) {
    Sums sums;
    add_family(sums, server.ipv4);
    add_family(sums, server.ipv6);
    using net::ResolveError;
    const auto v4 = server.ipv4.lookup_error;
    const auto v6 = server.ipv6.lookup_error;
    const bool looked_up = !server.name.host.empty() && !server.name.is_literal();
    sums.lookup_failed = looked_up && v4 && v6;
    sums.not_found = v4 == ResolveError::not_found || v6 == ResolveError::not_found ||
                     (v4 == ResolveError::no_address && v6 == ResolveError::no_address);
    const bool found = !server.ipv4.addresses.empty() || !server.ipv6.addresses.empty();
    sums.no_route = found && (server.ipv4.addresses.empty() || server.ipv4.no_route) &&
                    (server.ipv6.addresses.empty() || server.ipv6.no_route);
    return sums;
}

class Judge {
public:
    explicit Judge(const ServersReport& report) : report_(report) {
        for (const ServerReport& server : report.servers) {
            sums_.push_back(sum_up(server));
            const Sums& one = sums_.back();
            if (one.udp_ok > 0) ++answering_;
            if (one.udp_asked > 0) ++tried_;
            if (one.stream_ok) ++streaming_;
            anything_ = anything_ || one.anything;
            ipv4_targets_.add(server.ipv4);
            ipv6_targets_.add(server.ipv6);
        }
        no_internet_route_ = report.internet_v4 == false && report.internet_v6 == false;
    }

    ServersVerdict run() {
        judge_lookups();
        judge_servers();
        judge_internet();
        judge_ipv6();
        judge_status();
        return std::move(verdict_);
    }

private:
    const std::string& text(std::size_t index) const { return report_.servers[index].name.text; }

    bool any(bool Sums::*member) const {
        return std::any_of(sums_.begin(), sums_.end(),
                           [&](const Sums& sums) { return sums.*member; });
    }

    void add(std::string code, Severity severity, std::string message, json::object evidence) {
        verdict_.findings.push_back(
            {std::move(code), severity, std::move(message), std::move(evidence)});
    }

    void judge_lookups() {
        // Without a route no name server can be reached: that is the finding, not DNS.
        if (no_internet_route_ || !any(&Sums::lookup_failed)) return;
        json::array failed;
        bool all_unknown = true;
        std::string names;
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            if (!sums_[i].lookup_failed) continue;
            const ServerReport& server = report_.servers[i];
            failed.push_back(json::object{{"server", text(i)},
                                          {"ipv4", net::to_string(*server.ipv4.lookup_error)},
                                          {"ipv6", net::to_string(*server.ipv6.lookup_error)}});
            all_unknown = all_unknown && sums_[i].not_found;
            names += (names.empty() ? "" : ", ") + text(i);
        }
        const bool none = tried_ == 0;
        const std::string message = all_unknown
                                        ? "The name does not exist or has no address: " + names
                                        : "The name servers gave no answer for " + names;
        add("net.dns-failed", none ? Severity::error : Severity::warning, message,
            {{"servers", std::move(failed)}});
    }

    void judge_servers() {
        json::array silent;
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            const Sums& sums = sums_[i];
            const bool answers = sums.udp_ok > 0 || sums.udp_error > 0;
            if (sums.udp_asked == 0 || answers || sums.udp_unclear > 0) continue;
            json::object evidence{{"server", text(i)},
                                  {"reason", sums.udp_reason},
                                  {"answers_over_tcp_or_tls", sums.stream_ok}};
            if (answering_ > 0) {
                add("nat.stun-unreachable", Severity::warning,
                    "The STUN server " + text(i) + " does not answer over UDP (" + sums.udp_reason +
                        "), while others do",
                    std::move(evidence));
            } else {
                silent.push_back(std::move(evidence));
            }
        }
        if (silent.empty()) return;
        const std::string message = "None of the STUN servers answers over UDP";
        add("nat.stun-unreachable", Severity::error, message, {{"servers", std::move(silent)}});
    }

    void judge_internet() {
        if (no_internet_route_ && tried_ == 0) {
            no_internet("This machine has no route to the internet, neither by IPv4 nor by IPv6",
                        "no-route");
        } else if (!anything_ && asked_enough() && !report_.interrupted) {
            no_internet(
                "Nothing came back from any STUN server, neither over UDP nor over TCP or TLS",
                "nothing-came-back");
        }
    }

    bool asked_enough() const {
        return (ipv4_targets_.enough() || ipv6_targets_.enough()) &&
               !ipv4_targets_.refused_here() && !ipv6_targets_.refused_here();
    }

    void no_internet(std::string message, std::string_view reason) {
        no_internet_ = message;
        add("net.no-internet", Severity::error, std::move(message), {{"reason", reason}});
    }

    // One silent server may be a server's own fault; two are not.
    void judge_ipv6() {
        unsigned asked = 0;
        unsigned back = 0;
        bool v4_answers = false;
        for (const ServerReport& server : report_.servers) {
            v4_answers = v4_answers || is_ok(server.ipv4.udp);
            const FamilyReport& v6 = server.ipv6;
            if (v6.addresses.empty() || !v6.addresses.front().is_public()) continue;
            if (!v6.udp.result || v6.udp.result->outcome == Outcome::local_error) continue;
            ++asked;
            if (came_back(v6)) ++back;
        }
        if (asked < 2 || back > 0 || !v4_answers) return;
        add("net.ipv6-broken", Severity::warning,
            "There is a route for IPv6, but no STUN server answers over it, while IPv4 works",
            {{"servers_asked", asked}});
    }

    void finish(p2pdiag_status status, std::string summary) {
        verdict_.status = status;
        verdict_.summary = std::move(summary);
    }

    void judge_status() {
        const std::string of_all = " of " + std::to_string(report_.servers.size());
        const bool errors = std::any_of(sums_.begin(), sums_.end(),
                                        [](const Sums& sums) { return sums.udp_error > 0; });
        const bool unclear = std::any_of(sums_.begin(), sums_.end(),
                                         [](const Sums& sums) { return sums.udp_unclear > 0; });
        if (answering_ > 0) {
            finish(P2PDIAG_PASS, std::to_string(answering_) + of_all +
                                     " STUN servers answer over UDP, " +
                                     std::to_string(streaming_) + " over TCP or TLS");
        } else if (report_.interrupted) {
            finish(P2PDIAG_UNKNOWN, "Interrupted before any STUN server had answered over UDP");
        } else if (errors) {
            finish(P2PDIAG_WARN, "UDP gets through, but the STUN servers answer with errors only");
        } else if (!no_internet_.empty()) {
            finish(P2PDIAG_FAIL, no_internet_);
        } else if (unclear) {
            finish(P2PDIAG_UNKNOWN, "This machine could not send: nothing is known of UDP");
        } else if (tried_ > 0 && !anything_) {
            finish(P2PDIAG_UNKNOWN,
                   "Nothing came back from any STUN server that was asked, which may be the fault "
                   "of the servers, of the network or of this machine's firewall");
        } else if (tried_ > 0) {
            finish(P2PDIAG_FAIL, "No STUN server answers over UDP; " + std::to_string(streaming_) +
                                     of_all + " answer over TCP or TLS");
        } else if (any(&Sums::lookup_failed)) {
            finish(P2PDIAG_FAIL, "No STUN server's name can be looked up");
        } else if (any(&Sums::no_route)) {
            finish(P2PDIAG_FAIL, "There is no route to any of the STUN servers");
        } else {
            finish(P2PDIAG_UNKNOWN, "No configured server can be asked over UDP; " +
                                        std::to_string(streaming_) + of_all +
                                        " answer over TCP or TLS");
        }
    }

    const ServersReport& report_;
    std::vector<Sums> sums_;
    ServersVerdict verdict_;
    unsigned answering_ = 0;  // servers
    unsigned tried_ = 0;
    unsigned streaming_ = 0;
    bool anything_ = false;
    Targets ipv4_targets_;
    Targets ipv6_targets_;
    bool no_internet_route_ = false;
    std::string no_internet_;  // what the finding says, where there is one
};

}  // namespace

ServersVerdict judge(const ServersReport& report) { return Judge(report).run(); }

}  // namespace p2pdiag::stun_plugin
