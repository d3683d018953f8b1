#include <algorithm>

#include "base/text.hpp"
#include "internet.hpp"

namespace p2pdiag::network_plugin {

namespace {

using net::TcpOutcome;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

// A single silent server may be its own fault; of two, it is not believed.
constexpr unsigned enough_servers = 2;
// Certificates and one-time tokens are checked against the clock: TOTP codes change every 30 s
// (RFC 6238 section 5.2) and credentials of TURN servers name the second they end. A machine that
// keeps its time is within a second of the right one; off by a minute, nothing keeps it.
constexpr milliseconds tolerable_skew{60'000};

// What came of the servers of one family.
struct FamilyTally {
    unsigned servers = 0;
    unsigned tried = 0;  // to an end
    unsigned connected = 0;
    unsigned refused = 0;
    unsigned silent = 0;    // no answer, or a router that cannot deliver
    unsigned not_sent = 0;  // this machine's own doing
    std::optional<std::chrono::microseconds> fastest;
};

FamilyTally count(const InternetReport& report, Family family) {
    FamilyTally tally;
    for (const Landmark& landmark : report.landmarks) {
        if (landmark.server.address.family() != family) continue;
        ++tally.servers;
        if (!landmark.result) continue;
        ++tally.tried;
        switch (landmark.result->outcome) {
            case TcpOutcome::connected: ++tally.connected; break;
            case TcpOutcome::refused: ++tally.refused; break;
            case TcpOutcome::no_answer:
            case TcpOutcome::unreachable: ++tally.silent; break;
            case TcpOutcome::no_route:
            case TcpOutcome::not_permitted:
            case TcpOutcome::local_error: ++tally.not_sent; break;
        }
        const auto& took = landmark.result->took;
        if (took && (!tally.fastest || *took < *tally.fastest)) tally.fastest = took;
    }
    return tally;
}

json::value ms_of(const std::optional<std::chrono::microseconds>& time) {
    return time ? json::value(duration_cast<milliseconds>(*time).count()) : json::value(nullptr);
}

std::string seconds_text(milliseconds time) {
    const auto seconds = (std::abs(time.count()) + 500) / 1000;
    if (seconds < 180) return std::to_string(seconds) + " s";
    if (seconds < 3 * 3600) return std::to_string(seconds / 60) + " min";
    if (seconds < 3 * 24 * 3600) return std::to_string(seconds / 3600) + " h";
    return std::to_string(seconds / (24 * 3600)) + " days";
}

class InternetJudge {
public:
    explicit InternetJudge(const InternetReport& report)
        : report_(report), v4_(count(report, Family::ipv4)), v6_(count(report, Family::ipv6)) {}

    Judgement run() {
        describe();
        judge_internet();
        judge_ipv6();
        judge_clock();
        return std::move(result_);
    }

private:
    bool connected() const { return v4_.connected + v6_.connected > 0; }
    bool page_came() const { return report_.portal.portal == Portal::absent; }

    // Something on the way may accept connections in the place of every server. The one connection
    // on which something is asked tells, of its own family alone.
    bool is_mute(Family family) const {
        const PortalResult& portal = report_.portal;
        const FamilyTally& tally = family == Family::ipv4 ? v4_ : v6_;
        return portal.mute && portal.server && portal.server->address.family() == family &&
               tally.connected > 0;
    }

    void judge_internet() {
        if (report_.portal.portal == Portal::present) return captive_portal();
        if (connected()) {
            const bool mute = is_mute(Family::ipv4) || is_mute(Family::ipv6);
            result_.finish(mute ? P2PDIAG_WARN : P2PDIAG_PASS, paths_text() + portal_text());
            return add_silent_router();
        }
        if (page_came()) {
            return result_.finish(P2PDIAG_WARN,
                                  "Web pages come from the internet, but no TCP connection to "
                                  "the ports of the well-known servers does" +
                                      portal_text());
        }
        judge_silence();
    }

    void captive_portal() {
        const PortalResult& portal = report_.portal;
        const std::string message =
            "A login page stands before the internet: " + portal.host + " did not answer itself" +
            (portal.location.empty() ? std::string() : ", the answer leads to " + portal.location);
        json::object evidence{{"host", portal.host}, {"status", nullptr}, {"location", nullptr}};
        if (portal.status) evidence["status"] = *portal.status;
        if (!portal.location.empty()) evidence["location"] = portal.location;
        result_.add("net.captive-portal", Severity::error, message, std::move(evidence));
        result_.finish(P2PDIAG_FAIL, message);
    }

    void judge_silence() {
        const bool no_route = report_.route_v4 == false && report_.route_v6 == false;
        const unsigned tried = v4_.tried + v6_.tried;
        const unsigned silent = v4_.silent + v6_.silent;
        const unsigned refused = v4_.refused + v6_.refused;
        if (no_route) {
            no_internet("This machine has no route to the internet, neither by IPv4 nor by IPv6",
                        "no-route");
        } else if (report_.interrupted) {
            result_.finish(P2PDIAG_UNKNOWN, "Interrupted before any server had answered");
        } else if (report_.landmarks.empty()) {
            result_.finish(P2PDIAG_UNKNOWN, "The profile names no server to try" + portal_text());
        } else if (silent + refused < enough_servers) {
            result_.finish(P2PDIAG_UNKNOWN,
                           "None of " + std::to_string(tried) +
                               " servers answers by TCP, and too few could be asked to "
                               "blame the network");
        } else if (silent == 0) {
            no_internet("Every connection to " + std::to_string(refused) +
                            " well-known servers was refused, which none of them does: something "
                            "before the internet answers in their place",
                        "refused");
        } else {
            no_internet("None of " + std::to_string(silent + refused) +
                            " well-known servers answers by TCP",
                        "nothing-came-back");
        }
    }

    void no_internet(std::string message, std::string_view reason) {
        json::object evidence{{"reason", reason}};
        if (report_.no_neighbour) {
            const std::string server = report_.no_neighbour->to_string();
            message += ", and this machine looks for " + server + " on " + report_.silent_on +
                       " itself instead of asking a router";
            evidence["no_neighbour"] = server;
            evidence["interface"] = report_.silent_on;
        }
        result_.add("net.no-internet", Severity::error, message, std::move(evidence));
        add_silent_router();
        if (report_.gateway_by_hand) {
            const std::string gateway = report_.gateway_by_hand->to_string();
            result_.add("net.gateway-by-hand", Severity::warning,
                        "The address on the link of the router " + gateway +
                            " was set by hand on " + report_.by_hand_on +
                            ": whether anybody is there was never asked, and nothing came back",
                        {{"gateway", gateway}, {"interface", report_.by_hand_on}});
        }
        result_.finish(P2PDIAG_FAIL, std::move(message));
    }

    void add_silent_router() {
        if (!report_.silent_gateway) return;
        const std::string gateway = report_.silent_gateway->to_string();
        std::string message = "The router " + gateway +
                              " did not answer when it was looked for on " + report_.silent_on +
                              " while servers were tried";
        if (connected()) message += "; some are reached by another router";
        result_.add("net.gateway-silent", Severity::warning, std::move(message),
                    {{"gateway", gateway},
                     {"interface", report_.silent_on},
                     {"others_connect", connected()}});
        if (result_.status == P2PDIAG_PASS) result_.status = P2PDIAG_WARN;
    }

    // Tried to the end, and nothing at all came back. A refusal is an answer; and where IPv4 does
    // not work either, or a portal holds everything, IPv6 is not what is broken.
    void judge_ipv6() {
        const bool tried_all = v6_.tried == v6_.servers && v6_.silent == v6_.servers;
        const bool usable = report_.route_v6 == true && report_.public_v6;
        if (!usable || !tried_all || v6_.servers < enough_servers || v4_.connected == 0) return;
        if (is_mute(Family::ipv4)) return;
        if (report_.portal.portal == Portal::present) return;
        result_.add("net.ipv6-broken", Severity::warning,
                    "There is a route for IPv6 and a public address, but none of " +
                        std::to_string(v6_.servers) + " servers answers over it, while IPv4 works",
                    {{"servers_asked", v6_.servers}});
        if (result_.status == P2PDIAG_PASS) result_.status = P2PDIAG_WARN;
    }

    void judge_clock() {
        const auto& skew = report_.portal.skew;
        if (!skew) return;
        const milliseconds off(std::abs(skew->ahead.count()));
        if (off - skew->uncertainty <= tolerable_skew) return;
        result_.add("net.clock-skew", Severity::warning,
                    "This machine's clock is " + seconds_text(skew->ahead) +
                        (skew->ahead.count() > 0 ? " ahead of" : " behind") + " that of " +
                        report_.portal.host,
                    {{"ahead_ms", skew->ahead.count()},
                     {"uncertainty_ms", skew->uncertainty.count()},
                     {"server", report_.portal.host}});
        if (result_.status == P2PDIAG_PASS) result_.status = P2PDIAG_WARN;
    }

    std::string path_text(Family family, const FamilyTally& tally,
                          std::optional<bool> route) const {
        std::string text(family == Family::ipv4 ? "IPv4" : "IPv6");
        if (is_mute(family)) {
            return text +
                   ": connections are accepted, but nothing answers on them, as where "
                   "something on the way accepts them in the servers' place";
        }
        if (tally.connected > 0) {
            return text + " works (" +
                   std::to_string(duration_cast<milliseconds>(*tally.fastest).count()) + " ms)";
        }
        if (route == false) return text + " has no route";
        if (tally.servers == 0) return text + " was not tried";
        return text + (tally.tried == tally.servers ? " does not answer" : " was not awaited");
    }

    std::string paths_text() const {
        return path_text(Family::ipv4, v4_, report_.route_v4) + "; " +
               path_text(Family::ipv6, v6_, report_.route_v6);
    }

    std::string portal_text() const {
        switch (report_.portal.portal) {
            case Portal::absent: return "; no login page";
            case Portal::no_name:
                return "; " + report_.portal.host +
                       " has no address, so a login page was not looked for";
            case Portal::no_answer:
            case Portal::unexpected:
                return "; " + report_.portal.host +
                       " gave no usable answer, so a login page cannot be ruled out";
            case Portal::bad_url: return "; portal_url is no http URL";
            default: return "";
        }
    }

    json::object describe(const FamilyTally& tally, Family family,
                          std::optional<bool> route) const {
        json::array servers;
        for (const Landmark& landmark : report_.landmarks) {
            if (landmark.server.address.family() != family) continue;
            json::object one{{"server", landmark.server.to_string()},
                             {"outcome", "not-awaited"},
                             {"rtt_ms", nullptr}};
            if (landmark.result) {
                one["outcome"] = net::to_string(landmark.result->outcome);
                one["rtt_ms"] = ms_of(landmark.result->took);
            }
            servers.push_back(std::move(one));
        }
        json::object text{{"works", nullptr},
                          {"route", nullptr},
                          {"rtt_ms", ms_of(tally.fastest)},
                          {"servers", std::move(servers)}};
        if (route) text["route"] = *route;
        if (is_mute(family)) {
            // Who accepted is not known.
        } else if (tally.connected > 0) {
            text["works"] = true;
        } else if (route == false ||
                   (tally.silent >= enough_servers && tally.tried == tally.servers)) {
            text["works"] = false;
        }
        return text;
    }

    void describe() {
        result_.data["ipv4"] = describe(v4_, Family::ipv4, report_.route_v4);
        result_.data["ipv6"] = describe(v6_, Family::ipv6, report_.route_v6);
        const PortalResult& portal = report_.portal;
        json::object page{{"present", nullptr}, {"reason", to_string(portal.portal)},
                          {"host", nullptr},    {"server", nullptr},
                          {"status", nullptr},  {"location", nullptr},
                          {"detail", nullptr},  {"mute", portal.mute}};
        if (portal.portal == Portal::absent) page["present"] = false;
        if (portal.portal == Portal::present) page["present"] = true;
        if (!portal.host.empty()) page["host"] = printable(portal.host);
        if (portal.server) page["server"] = portal.server->to_string();
        if (portal.status) page["status"] = *portal.status;
        if (!portal.location.empty()) page["location"] = portal.location;
        if (!portal.detail.empty()) page["detail"] = printable(portal.detail);
        result_.data["portal"] = std::move(page);
        result_.data["clock"] = nullptr;
        if (const auto& skew = portal.skew) {
            result_.data["clock"] = json::object{{"ahead_ms", skew->ahead.count()},
                                                 {"uncertainty_ms", skew->uncertainty.count()}};
        }
        json::array left_out;
        for (const std::string& text : report_.no_addresses) left_out.push_back(json::value(text));
        result_.data["no_addresses"] = std::move(left_out);
    }

    const InternetReport& report_;
    const FamilyTally v4_;
    const FamilyTally v6_;
    Judgement result_;
};

}  // namespace

Judgement judge(const InternetReport& report) { return InternetJudge(report).run(); }

}  // namespace p2pdiag::network_plugin
