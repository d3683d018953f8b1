#include <algorithm>

#include "base/text.hpp"
#include "path.hpp"

namespace p2pdiag::network_plugin {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// ITU-T G.114: above 150 ms one way, talk begins to suffer. Both ways, then, and by the fastest
// answer, which no queue on this machine has made slow.
constexpr milliseconds high_latency{300};

std::string ms_text(const std::chrono::microseconds& time) {
    return std::to_string(duration_cast<milliseconds>(time).count()) + " ms";
}

class FamilyJudge {
public:
    FamilyJudge(const FamilyPath& path, Judgement& into) : path_(path), into_(into) {
        for (const PathTarget& target : path.targets) {
            MtuVerdict verdict = judge_mtu(target.mtu);
            const bool by_silence = verdict.black_hole || !verdict.path_mtu;
            if (!path.finished && by_silence) verdict = {std::nullopt, verdict.passes};
            mtu_.push_back(verdict);
        }
    }

    void run() {
        // What did not come back may have been on its way.
        if (path_.finished) judge_loss();
        judge_latency();
        judge_black_hole();
    }

    // The router alone is no path to the internet.
    bool measured() const { return nearest() != nullptr; }
    bool may_not_ping() const {
        const auto denied = [](const std::optional<PingedHost>& host) {
            return host && host->why_not == "not-permitted";
        };
        return denied(path_.gateway) ||
               std::any_of(path_.hops.begin(), path_.hops.end(),
                           [&](const TracedHop& hop) { return denied(hop.pinged); });
    }
    bool interrupted() const { return !path_.finished && path_.route != false; }

    std::string summary() const {
        std::string text(family_name());
        if (path_.route == false) return text + " has no route";
        std::string parts;
        const auto add = [&parts](const std::string& part) {
            parts += (parts.empty() ? " " : ", ") + part;
        };
        if (path_.gateway && path_.gateway->series.answered() > 0) {
            add("router " + ms_text(*path_.gateway->series.median()));
        }
        if (const PathTarget* best = nearest()) {
            add("internet " + ms_text(*best->series.median()));
            const PathTarget* least = least_lossy();
            if (least == nullptr) {
                add("loss not known, since the server stopped answering");
            } else if (path_.finished) {
                add(std::to_string(100 * least->series.lost() / std::max(1U, least->series.sent)) +
                    " % lost");
            }
        }
        for (const MtuVerdict& mtu : mtu_) {
            if (!mtu.path_mtu) continue;
            add("MTU " + std::to_string(*mtu.path_mtu));
            break;
        }
        return text + (parts.empty() ? ": nothing answered that could be measured" : parts);
    }

    json::object describe() const {
        json::object text{{"route", nullptr}, {"gateway", nullptr}};
        if (path_.route) text["route"] = *path_.route;
        if (path_.gateway) text["gateway"] = describe(*path_.gateway);
        json::array hops;
        for (const TracedHop& hop : path_.hops) hops.push_back(describe(hop));
        text["hops"] = std::move(hops);
        text["private_hops"] = private_hops();
        json::array targets;
        for (std::size_t i = 0; i < path_.targets.size(); ++i) targets.push_back(describe(i));
        text["targets"] = std::move(targets);
        return text;
    }

private:
    std::string_view family_name() const { return path_.family == Family::ipv4 ? "IPv4" : "IPv6"; }

    // Routers with private addresses before any other, the first of them being one's own. Null
    // where the first did not answer.
    json::value private_hops() const {
        const bool seen = !path_.hops.empty() && path_.hops.front().hop.ttl == 1 &&
                          path_.hops.front().hop.router.has_value();
        if (!seen) return nullptr;
        const auto ends = [](const TracedHop& traced) {
            return !traced.hop.router || traced.hop.router->scope() != AddressScope::private_use;
        };
        return std::find_if(path_.hops.begin(), path_.hops.end(), ends) - path_.hops.begin();
    }

    const PathTarget* nearest() const {
        const PathTarget* best = nullptr;
        for (const PathTarget& target : path_.targets) {
            if (target.series.answered() == 0) continue;
            if (best == nullptr || *target.series.fastest() < *best->series.fastest()) {
                best = &target;
            }
        }
        return best;
    }

    void add(std::string code, std::string message, json::object evidence) {
        evidence["family"] = to_string(path_.family);
        into_.findings.push_back(
            {std::move(code), Severity::warning, std::move(message), std::move(evidence)});
    }

    // A server that answers all it gets absolves the path before it. Null where none answered to
    // the end.
    const PathTarget* least_lossy() const {
        const PathTarget* least = nullptr;
        for (const PathTarget& target : path_.targets) {
            if (target.series.answered() == 0 || target.series.fell_silent()) continue;
            const auto rank = [](const PathTarget& one) {
                return std::pair(one.series.lossy(), one.series.lost());
            };
            if (least == nullptr || rank(target) < rank(*least)) least = &target;
        }
        return least;
    }

    // A router that answers few pings may simply have better to do.
    void judge_loss() {
        const PathTarget* least = least_lossy();
        if (least == nullptr || !least->series.lossy()) return;
        const bool at_home = path_.gateway && path_.gateway->series.lossy();
        const std::string lost =
            std::to_string(least->series.lost()) + " of " + std::to_string(least->series.sent);
        add("net.loss-high",
            std::string(family_name()) + ": " + lost + " requests to " + least->server.to_string() +
                " or their answers were lost" +
                (at_home ? ", and already those to the router were" : ""),
            {{"server", least->server.to_string()},
             {"sent", least->series.sent},
             {"lost", least->series.lost()},
             {"router_too", at_home}});
    }

    void judge_latency() {
        const PathTarget* best = nearest();
        if (best == nullptr || *best->series.fastest() <= high_latency) return;
        const auto rtt = duration_cast<milliseconds>(*best->series.fastest()).count();
        add("net.latency-high",
            std::string(family_name()) + ": even the fastest answer of the nearest server, " +
                best->server.to_string() + ", takes " + std::to_string(rtt) + " ms",
            {{"server", best->server.to_string()}, {"rtt_ms", rtt}});
    }

    // Servers of one network may stand behind one firewall of their own.
    static bool share_network(const IpAddress& one, const IpAddress& other) {
        const std::size_t octets = one.is_v4() ? 3 : 6;  // /24; /48, a site's (RFC 6177)
        return one.family() == other.family() &&
               std::equal(one.bytes().begin(), one.bytes().begin() + octets, other.bytes().begin());
    }

    // Large packets vanish on the way to it, or at it.
    bool swallows(std::size_t index) const {
        return mtu_[index].black_hole || mtu_[index].suspected;
    }

    // Servers far from each other cannot all drop large packets themselves.
    bool is_of_path(std::size_t first) const {
        for (std::size_t i = 0; i < mtu_.size(); ++i) {
            const auto& servers = path_.targets;
            const auto& other = servers[i].server.address;
            if (swallows(i) && !share_network(servers[first].server.address, other)) return true;
        }
        return false;
    }

    // Proven at one server, or the same silence at two.
    void judge_black_hole() {
        unsigned suspected = 0;
        std::size_t worst = 0;
        bool proven = false;
        for (std::size_t i = 0; i < mtu_.size(); ++i) {
            if (mtu_[i].path_mtu && !mtu_[i].black_hole) return;
            if (mtu_[i].suspected) ++suspected;
            if (mtu_[i].black_hole && !proven) worst = i;
            proven = proven || mtu_[i].black_hole;
            if (!proven && mtu_[i].suspected) worst = i;
        }
        if (proven || suspected >= 2) add_black_hole(worst, proven);
    }

    void add_black_hole(std::size_t worst, bool in_pieces) {
        const MtuTrial& trial = path_.targets[worst].mtu;
        const auto& passes = mtu_[worst].passes;
        const std::string server = path_.targets[worst].server.to_string();
        const bool of_path = is_of_path(worst);
        const std::string doubt =
            of_path ? ""
                    : ". The path drops them, or the server does: none in another network tells";
        add("net.mtu-blackhole",
            std::string(family_name()) + ": packets of " + std::to_string(trial.link_mtu) +
                " bytes to " + server + " vanish without a word, while " +
                (passes ? "those of " + std::to_string(*passes) + " bytes" : "small ones") +
                " arrive" + doubt,
            {{"server", server},
             {"vanish", trial.link_mtu},
             {"pass", passes ? json::value(*passes) : json::value(nullptr)},
             {"in_pieces", in_pieces},
             {"by", of_path ? "path" : "path-or-server"}});
    }

    static json::object describe(const PingedHost& host) {
        json::object text = host.series.describe();
        text["address"] = host.address.to_string();
        text["reason"] = nullptr;
        if (!host.why_not.empty()) {
            text["reason"] = printable(host.why_not);
        } else if (host.series.answered() == 0) {
            text["reason"] = "no-answer";
        }
        return text;
    }

    static json::object describe(const TracedHop& traced) {
        const net::Hop& hop = traced.hop;
        json::object text{{"ttl", hop.ttl},    {"address", nullptr},        {"scope", nullptr},
                          {"rtt_ms", nullptr}, {"server", hop.destination}, {"ping", nullptr}};
        if (hop.router) {
            text["address"] = hop.router->to_string();
            text["scope"] = to_string(hop.router->scope());
        }
        if (hop.round_trip) text["rtt_ms"] = static_cast<double>(hop.round_trip->count()) / 1000;
        if (traced.pinged) text["ping"] = describe(*traced.pinged);
        return text;
    }

    json::object describe(std::size_t index) const {
        const PathTarget& target = path_.targets[index];
        const MtuVerdict& verdict = mtu_[index];
        json::object text = target.series.describe();
        text["server"] = target.server.to_string();
        if (!path_.finished) text["loss_percent"] = nullptr;
        json::array sizes;
        for (const SizeTally& size : target.mtu.sizes) {
            sizes.push_back(json::object{{"bytes", size.size},
                                         {"fragments", size.fragments},
                                         {"sent", size.sent},
                                         {"answered", size.answered}});
        }
        json::object mtu{{"link", target.mtu.link_mtu}, {"path", nullptr},   {"passes", nullptr},
                         {"black_hole", nullptr},       {"reason", nullptr}, {"told_by", nullptr},
                         {"sizes", std::move(sizes)}};
        if (verdict.path_mtu) mtu["path"] = *verdict.path_mtu;
        if (verdict.passes) mtu["passes"] = *verdict.passes;
        if (verdict.reason == MtuReason::none) {
            mtu["black_hole"] = verdict.black_hole;
        } else {
            mtu["reason"] = to_string(verdict.reason);
        }
        if (target.mtu.told_by) mtu["told_by"] = target.mtu.told_by->to_string();
        text["mtu"] = std::move(mtu);
        return text;
    }

    const FamilyPath& path_;
    Judgement& into_;
    std::vector<MtuVerdict> mtu_;
};

}  // namespace

Judgement judge(const PathReport& report) {
    Judgement result;
    FamilyJudge v4(report.ipv4, result);
    FamilyJudge v6(report.ipv6, result);
    v4.run();
    v6.run();
    const std::string measured = v4.summary() + "; " + v6.summary();
    result.data = {{"ipv4", v4.describe()}, {"ipv6", v6.describe()}};
    if (report.ipv4.route == false && report.ipv6.route == false) {
        result.status = P2PDIAG_SKIP;
        result.summary = "Not measured: this machine has no route to the internet";
    } else if (!result.findings.empty()) {
        result.status = P2PDIAG_WARN;
        result.summary = result.findings.front().message;
    } else if (v4.interrupted() || v6.interrupted()) {
        result.status = P2PDIAG_UNKNOWN;
        result.summary = "Interrupted before loss and packet sizes were known; " + measured;
    } else if (v4.measured() || v6.measured()) {
        result.status = P2PDIAG_PASS;
        result.summary = measured;
    } else {
        result.status = P2PDIAG_UNKNOWN;
        const bool asked = !report.ipv4.targets.empty() || !report.ipv6.targets.empty();
        result.summary =
            std::string(asked ? "No STUN server answers" : "No STUN server's address is known") +
            ", so delay, loss and packet size to the internet are not known; " + measured;
    }
    if (v4.may_not_ping() || v6.may_not_ping()) {
        result.summary += ". This user may not ping the router: sudo p2pdiag run network.path does";
    }
    return result;
}

}  // namespace p2pdiag::network_plugin
