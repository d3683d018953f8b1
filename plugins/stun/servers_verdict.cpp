#include <algorithm>

#include "servers_sums.hpp"

namespace p2pdiag::stun_plugin {

namespace {

using net::Outcome;

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
            udp_back_ = udp_back_ || one.udp_back;
            ipv4_targets_.add(server.ipv4);
            ipv6_targets_.add(server.ipv6);
        }
        no_internet_route_ = report.internet_v4 == false && report.internet_v6 == false;
    }

    Judgement run() {
        judge_lookups();
        judge_own_firewall();
        judge_servers();
        judge_routes();
        judge_internet();
        judge_ipv6();
        judge_status();
        result_.data = to_json(report_);
        return std::move(result_);
    }

private:
    const std::string& text(std::size_t index) const { return report_.servers[index].name.text; }

    bool any(bool Sums::*member) const {
        return std::any_of(sums_.begin(), sums_.end(),
                           [&](const Sums& sums) { return sums.*member; });
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
        result_.add("net.dns-failed", none ? Severity::error : Severity::warning, message,
                    {{"servers", std::move(failed)}});
    }

    // Asked over UDP to the end, and nothing came of it.
    bool in_trouble(const Sums& sums) const {
        return sums.udp_asked > 0 && sums.udp_ok + sums.udp_error + sums.udp_unclear == 0;
    }

    json::object evidence_of(std::size_t index) const {
        const Sums& sums = sums_[index];
        json::object evidence{{"server", text(index)},
                              {"reason", net::to_string(sums.udp_trouble->outcome)},
                              {"icmp", icmp_json(*sums.udp_trouble)},
                              {"answers_over_tcp_or_tls", sums.stream_ok}};
        if (sums.udp_trouble->answered_from) {
            evidence["answered_from"] = sums.udp_trouble->answered_from->to_string();
        }
        return evidence;
    }

    // EPERM is the kernel's word for a packet that a rule of its own dropped.
    void judge_own_firewall() {
        json::array forbidden;
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            const auto& trouble = sums_[i].udp_trouble;
            if (trouble && trouble->outcome == Outcome::not_permitted)
                forbidden.emplace_back(text(i));
        }
        if (forbidden.empty()) return;
        const bool all = forbidden.size() == sums_.size();
        result_.add("net.send-forbidden", all ? Severity::error : Severity::warning,
                    "This machine's own firewall forbids it to send UDP to " +
                        std::string(all ? "the STUN servers" : "a STUN server"),
                    {{"servers", std::move(forbidden)}});
    }

    void judge_servers() {
        json::array unusable;
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            if (!in_trouble(sums_[i])) continue;
            if (answering_ == 0) {
                unusable.push_back(evidence_of(i));
                continue;
            }
            result_.add("nat.stun-unreachable", Severity::warning,
                        "The STUN server " + text(i) +
                            " cannot be used over UDP, while others can: " +
                            words_of_udp(*sums_[i].udp_trouble),
                        evidence_of(i));
        }
        if (unusable.empty()) return;
        const bool silence = asked_enough() && !report_.interrupted;
        result_.add("nat.stun-unreachable", Severity::error,
                    "None of the STUN servers can be used over UDP" + troubles() +
                        (nothing_came_back() ? ", nor does anything come over TCP or TLS" : ""),
                    {{"servers", std::move(unusable)},
                     {"silent_over_udp", silence && !udp_back_},
                     {"nothing_came_back", nothing_came_back()},
                     {"servers_over_tcp_or_tls", streaming_}});
    }

    // Over any transport, from enough servers that were asked to the end.
    bool nothing_came_back() const { return !anything_ && asked_enough() && !report_.interrupted; }

    // " (a:1: no answer; b:1: …)", of the first few servers.
    std::string troubles() const {
        constexpr unsigned most = 4;
        std::string list;
        unsigned count = 0;
        bool silence = false;
        bool refusal = false;
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            if (!in_trouble(sums_[i]) || ++count > most) continue;
            list +=
                (list.empty() ? " (" : "; ") + text(i) + ": " + words_of_udp(*sums_[i].udp_trouble);
            const net::BindingResult& trouble = *sums_[i].udp_trouble;
            silence = silence || trouble.outcome == Outcome::no_answer;
            refusal = refusal || (trouble.outcome == Outcome::unreachable && trouble.said);
        }
        if (silence && refusal) {
            list += "; routers say so about once a second only, so silence may be a refusal, too";
        }
        if (count > most) list += "; " + std::to_string(count - most) + " more";
        return list.empty() ? list : list + ')';
    }

    // There is a way to the internet, and routes or rules of this machine keep UDP to these servers
    // from it.
    void judge_routes() {
        json::array refused;
        std::string names;
        for (const ServerReport& server : report_.servers) {
            const bool v4 = is_refused(server.ipv4, report_.internet_v4);
            const bool v6 = is_refused(server.ipv6, report_.internet_v6);
            if (!server.name.port || (!v4 && !v6)) continue;
            const FamilyReport& family = v4 ? server.ipv4 : server.ipv6;
            refused.push_back(json::object{{"server", server.name.text},
                                           {"address", family.addresses.front().to_string()}});
            names += (names.empty() ? "" : ", ") + server.name.text;
        }
        if (refused.empty()) return;
        const std::string message =
            "This machine's own routing refuses to send by UDP to " + names +
            ", while there is a route to the internet: a rule of `ip rule` or a route says so";
        if (answering_ == 0 && tried_ == 0) refused_by_routes_ = message;
        result_.add("firewall.outbound-blocked",
                    refused_by_routes_.empty() ? Severity::warning : Severity::error, message,
                    {{"by", "routes"},
                     {"purpose", "stun"},
                     {"stopped", "packet"},
                     {"protocol", "udp"},
                     {"servers", std::move(refused)}});
    }

    static bool is_refused(const FamilyReport& family, const std::optional<bool>& internet) {
        return family.refused_by_routes && internet == true && family.addresses.front().is_public();
    }

    // Servers that are silent over every transport are no proof: a network may let out the web
    // alone.
    void judge_internet() {
        if (!no_internet_route_ || tried_ > 0) return;
        no_internet_ = "This machine has no route to the internet, neither by IPv4 nor by IPv6";
        result_.add("net.no-internet", Severity::error, no_internet_, {{"reason", "no-route"}});
    }

    bool asked_enough() const {
        return (ipv4_targets_.enough() || ipv6_targets_.enough()) &&
               !ipv4_targets_.refused_here() && !ipv6_targets_.refused_here();
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
            if (!v6.udp.result || v6.udp.result->outcome == Outcome::local_error ||
                v6.udp.result->outcome == Outcome::no_route) {
                continue;
            }
            ++asked;
            if (came_back(v6)) ++back;
        }
        if (asked < 2 || back > 0 || !v4_answers) return;
        result_.add(
            "net.ipv6-broken", Severity::warning,
            "There is a route for IPv6, but no STUN server answers over it, while IPv4 works",
            {{"servers_asked", asked}});
    }

    void judge_status() {
        const std::string of_all = " of " + std::to_string(report_.servers.size());
        const bool errors = std::any_of(sums_.begin(), sums_.end(),
                                        [](const Sums& sums) { return sums.udp_error > 0; });
        const bool unclear = std::any_of(sums_.begin(), sums_.end(),
                                         [](const Sums& sums) { return sums.udp_unclear > 0; });
        if (answering_ > 0) {
            result_.finish(P2PDIAG_PASS, std::to_string(answering_) + of_all +
                                             " STUN servers answer over UDP, " +
                                             std::to_string(streaming_) + " over TCP or TLS");
        } else if (report_.interrupted) {
            result_.finish(P2PDIAG_UNKNOWN,
                           "Interrupted before any STUN server had answered over UDP");
        } else if (errors) {
            result_.finish(P2PDIAG_WARN,
                           "UDP gets through, but the STUN servers answer with errors only");
        } else if (!no_internet_.empty()) {
            result_.finish(P2PDIAG_FAIL, no_internet_);
        } else if (nothing_came_back()) {
            result_.finish(
                P2PDIAG_FAIL,
                "Nothing came back from any STUN server, neither over UDP nor over TCP or TLS");
        } else if (!refused_by_routes_.empty()) {
            result_.finish(P2PDIAG_FAIL, refused_by_routes_);
        } else if (unclear) {
            result_.finish(P2PDIAG_UNKNOWN, "This machine could not send: nothing is known of UDP");
        } else if (tried_ > 0 && !anything_) {
            result_.finish(
                P2PDIAG_UNKNOWN,
                "Nothing came back from any STUN server that was asked, which may be the fault "
                "of the servers, of the network or of this machine's firewall");
        } else if (tried_ > 0) {
            result_.finish(P2PDIAG_FAIL, "No STUN server can be used over UDP" + troubles() + "; " +
                                             std::to_string(streaming_) + of_all +
                                             " answer over TCP or TLS");
        } else if (any(&Sums::lookup_failed)) {
            result_.finish(P2PDIAG_FAIL, "No STUN server's name can be looked up");
        } else if (any(&Sums::no_route)) {
            result_.finish(P2PDIAG_FAIL, "There is no route to any of the STUN servers");
        } else {
            result_.finish(P2PDIAG_UNKNOWN, "No configured server can be asked over UDP; " +
                                                std::to_string(streaming_) + of_all +
                                                " answer over TCP or TLS");
        }
    }

    const ServersReport& report_;
    std::vector<Sums> sums_;
    Judgement result_;
    unsigned answering_ = 0;  // servers
    unsigned tried_ = 0;
    unsigned streaming_ = 0;
    bool anything_ = false;
    bool udp_back_ = false;
    Targets ipv4_targets_;
    Targets ipv6_targets_;
    bool no_internet_route_ = false;
    std::string no_internet_;        // what the finding says, where there is one
    std::string refused_by_routes_;  // … where no server was asked for it
};

}  // namespace

Judgement judge(const ServersReport& report) { return Judge(report).run(); }

}  // namespace p2pdiag::stun_plugin
