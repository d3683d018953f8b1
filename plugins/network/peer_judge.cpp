#include <algorithm>

#include "base/text.hpp"
#include "peer.hpp"

namespace p2pdiag::network_plugin {

namespace {

using icmp::Meaning;
using net::TcpOutcome;
using net::TcpTalk;

std::string ms_text(const std::chrono::microseconds& time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) +
           " ms";
}

std::string tcp_words(const net::TcpResult& tcp) {
    switch (tcp.outcome) {
        case TcpOutcome::connected: {
            const std::string text = "TCP connected in " + ms_text(*tcp.took);
            if (tcp.talk == TcpTalk::answered) return text + " and was answered";
            if (tcp.talk == TcpTalk::closed) return text + " and was closed";
            return tcp.talk == TcpTalk::reset ? text + " and was reset" : text;
        }
        case TcpOutcome::refused: return "TCP was refused";
        case TcpOutcome::no_answer: return "TCP got no answer";
        case TcpOutcome::unreachable: return "TCP could not be delivered";
        case TcpOutcome::no_route: return "there is no route";
        case TcpOutcome::not_permitted: return "this machine may not connect by TCP";
        case TcpOutcome::local_error: break;
    }
    return "TCP could not be tried";
}

std::string udp_words(UdpOutcome outcome) {
    switch (outcome) {
        case UdpOutcome::answered: return "UDP was answered";
        case UdpOutcome::silent: return "UDP got no answer";
        case UdpOutcome::refused: return "the UDP port is closed";
        case UdpOutcome::unreachable: return "UDP could not be delivered";
        case UdpOutcome::prohibited: return "UDP is forbidden on the way";
        case UdpOutcome::no_route: return "UDP has no route";
        case UdpOutcome::not_permitted: return "this machine's firewall forbids UDP";
        case UdpOutcome::local_error: return "UDP could not be tried";
        case UdpOutcome::unfinished: break;
    }
    return "UDP was not tried to the end";
}

class PeerJudge {
public:
    explicit PeerJudge(const PeerReport& report) : report_(report) {}

    Judgement run() {
        describe();
        if (!report_.parsed) {
            result_.finish(P2PDIAG_UNKNOWN, "'" + report_.text + "' is no HOST:PORT");
        } else if (report_.addresses.empty()) {
            no_address();
        } else {
            connected() ? reached() : not_reached();
            advise();
            result_.summary += wanting_rights();
        }
        return std::move(result_);
    }

private:
    // A forwarder that does not reach the program accepts a connection, too, and then tears it
    // down.
    static bool torn_down(const PeerAddress& address) {
        return address.tcp_is(TcpOutcome::connected) && address.tcp->talk == TcpTalk::reset;
    }

    static bool connects(const PeerAddress& address) {
        return (address.tcp_is(TcpOutcome::connected) && !torn_down(address)) ||
               address.udp == UdpOutcome::answered;
    }

    bool connected() const {
        return std::any_of(report_.addresses.begin(), report_.addresses.end(), connects);
    }

    void no_address() {
        const std::string message =
            printable(report_.parsed->host) + ": " +
            (report_.lookup_error.empty() ? "not looked up to the end" : report_.lookup_error);
        if (report_.lookup_error.empty()) return result_.finish(P2PDIAG_UNKNOWN, message);
        result_.add("net.dns-failed", Severity::error, message,
                    {{"name", printable(report_.parsed->host)}, {"reason", report_.lookup_error}});
        result_.finish(P2PDIAG_FAIL, message);
    }

    void reached() {
        const auto found =
            std::find_if(report_.addresses.begin(), report_.addresses.end(), connects);
        result_.finish(P2PDIAG_PASS, text_of(*found));
    }

    static std::string text_of(const PeerAddress& address) {
        std::string text = address.peer.to_string() + ": ";
        text += address.tcp ? tcp_words(*address.tcp) : "TCP was not tried to the end";
        text += ", " + udp_words(address.udp);
        const bool pinged = address.pings.answered() > 0;
        return text + (pinged ? "; the host answers pings" : "");
    }

    // What more rights would show, and how to get them; empty where nothing is missing.
    std::string wanting_rights() const {
        bool pings = false;
        bool who = false;
        for (const PeerAddress& address : report_.addresses) {
            pings = pings || address.ping_why_not == "not-permitted";
            who = who || (!report_.sees_icmp && (address.tcp_is(TcpOutcome::refused) ||
                                                 address.tcp_is(TcpOutcome::unreachable)));
        }
        if (!pings && !who) return {};
        const std::string what = !who     ? "Pings are"
                                 : !pings ? "Who refuses TCP is"
                                          : "Pings, and who refuses TCP, are";
        return ". " + what + " not for this user to see: sudo p2pdiag run network.connect --peer " +
               report_.parsed->to_string();
    }

    // What one address that does not connect comes to. Higher weights tell more.
    struct Verdict {
        unsigned weight = 0;
        p2pdiag_status status = P2PDIAG_UNKNOWN;
        std::string message;
        std::string code;  // of the finding; empty for none
        json::object evidence;
    };

    // The address that tells most speaks for all; what it says of itself does not close those that
    // may yet be open.
    void not_reached() {
        std::vector<Verdict> verdicts;
        for (const PeerAddress& address : report_.addresses)
            verdicts.push_back(verdict_of(address));
        const auto best = std::max_element(
            verdicts.begin(), verdicts.end(),
            [](const Verdict& one, const Verdict& other) { return one.weight < other.weight; });
        const bool all_fail =
            std::all_of(verdicts.begin(), verdicts.end(),
                        [](const Verdict& verdict) { return verdict.status == P2PDIAG_FAIL; });
        std::string message = best->message;
        for (auto other = verdicts.begin(); other != verdicts.end(); ++other) {
            if (other != best) message += ". " + other->message;
        }
        if (!best->code.empty()) {
            result_.add(best->code, all_fail ? Severity::error : Severity::warning, message,
                        std::move(best->evidence));
        }
        result_.finish(all_fail ? P2PDIAG_FAIL : P2PDIAG_UNKNOWN, message);
    }

    Verdict verdict_of(const PeerAddress& address) const {
        const bool tcp_refused = address.tcp_is(TcpOutcome::refused);
        const bool udp_refused = address.udp == UdpOutcome::refused;
        if (address.advice == Advice::no_host) {
            return {0,
                    P2PDIAG_FAIL,
                    words_of(address.advice, address.peer.address, report_.own),
                    {},
                    {}};
        }
        if (address.tcp_is(TcpOutcome::no_route) || address.udp == UdpOutcome::no_route) {
            Verdict verdict = unreachable(
                address, "This machine has no route to " + address.peer.to_string(), std::nullopt);
            verdict.weight = 1;
            verdict.evidence["no_route"] = true;
            return verdict;
        }
        if (address.udp == UdpOutcome::not_permitted) {
            return {4, P2PDIAG_FAIL, text_of(address), "net.send-forbidden", evidence_of(address)};
        }
        if (torn_down(address)) {
            return {5,
                    P2PDIAG_UNKNOWN,
                    text_of(address) +
                        ": by the program, which may dislike the line, or by a "
                        "forwarder that does not reach it",
                    {},
                    {}};
        }
        if (const auto said = prohibited(address)) return filtered(address, *said);
        if (const auto told = undelivered(address)) {
            return unreachable(address, text_of(address) + who_says(*told), told);
        }
        if (address.tcp_is(TcpOutcome::unreachable)) {
            return unreachable(address, text_of(address), std::nullopt);
        }
        if (tcp_refused || udp_refused) return refused(address, tcp_refused, udp_refused);
        if (address.tcp_is(TcpOutcome::no_answer) && address.udp == UdpOutcome::silent) {
            return silent(address);
        }
        return {2, P2PDIAG_UNKNOWN, text_of(address), {}, {}};
    }

    static std::optional<Said> prohibited(const PeerAddress& address) {
        for (const auto& said : {address.tcp_said, address.udp_said}) {
            if (said && said->meaning == Meaning::prohibited) return said;
        }
        return std::nullopt;
    }

    static std::optional<Said> undelivered(const PeerAddress& address) {
        for (const auto& said : {address.tcp_said, address.udp_said}) {
            const bool told = said && (said->meaning == Meaning::host_unreachable ||
                                       said->meaning == Meaning::network_unreachable ||
                                       said->meaning == Meaning::time_exceeded);
            if (told) return said;
        }
        return std::nullopt;
    }

    bool is_own(const IpAddress& address) const {
        const auto& links = report_.own.interfaces;
        return std::any_of(links.begin(), links.end(), [&](const net::Interface& link) {
            return std::any_of(link.addresses.begin(), link.addresses.end(),
                               [&](const auto& one) { return one.address == address; });
        });
    }

    std::string who_says(const Said& said) const {
        // Address resolution failed: the kernel reports it as if by ICMP from its own address.
        if (is_own(said.by)) return ". No machine in this network has that address now";
        const std::string who = ". " + said.by.to_string();
        switch (said.meaning) {
            case Meaning::host_unreachable: return who + " cannot reach the host";
            case Meaning::network_unreachable: return who + " has no route there";
            case Meaning::time_exceeded: return who + " says that the packet runs in a circle";
            default: return who + " says so";
        }
    }

    Verdict filtered(const PeerAddress& address, const Said& said) const {
        const bool host = said.by == address.peer.address;
        const std::string message = address.peer.to_string() + ": " +
                                    (host ? "the host itself" : said.by.to_string()) +
                                    " forbids it (administratively prohibited)";
        json::object evidence = evidence_of(address);
        evidence["hop"] = said.by.to_string();
        return {4, P2PDIAG_FAIL, message, "net.peer-filtered", std::move(evidence)};
    }

    Verdict unreachable(const PeerAddress& address, const std::string& message,
                        const std::optional<Said>& said) const {
        json::object evidence = evidence_of(address);
        evidence["hop"] = said ? json::value(said->by.to_string()) : json::value(nullptr);
        return {4, P2PDIAG_FAIL, message, "net.peer-unreachable", std::move(evidence)};
    }

    // A closed UDP port is sure; a refused TCP connection says nothing of UDP, which most
    // peer-to-peer programs use.
    Verdict refused(const PeerAddress& address, bool tcp, bool udp) const {
        std::string message = text_of(address);
        // A reject rule of a firewall before the host looks the same, but comes from elsewhere.
        std::optional<IpAddress> elsewhere;
        for (const auto& said : {address.tcp_said, address.udp_said}) {
            if (said && said->by != address.peer.address && !elsewhere) elsewhere = said->by;
        }
        if (elsewhere) {
            message += ". Not the host but " + elsewhere->to_string() + " says so";
        } else if (tcp && udp) {
            message =
                address.peer.to_string() +
                ": the host is there, but nothing listens on this port, by neither TCP nor UDP";
        }
        return {4, udp ? P2PDIAG_FAIL : P2PDIAG_UNKNOWN, message, "net.peer-refused",
                evidence_of(address)};
    }

    Verdict silent(const PeerAddress& address) const {
        const std::string message =
            address.pings.answered() > 0
                ? address.peer.to_string() +
                      ": the host answers pings, but nothing on this port: filtered, or a program "
                      "that answers its own protocol alone"
                : address.peer.to_string() +
                      ": nothing came back, neither by TCP nor by UDP nor "
                      "to pings: off, filtered, or not forwarded";
        return {3, P2PDIAG_UNKNOWN, message, "net.peer-silent", evidence_of(address)};
    }

    static bool is_ones_own(Advice advice) {
        return advice == Advice::loopback || advice == Advice::own_address ||
               advice == Advice::own_public;
    }

    void advise() {
        for (const PeerAddress& address : report_.addresses) {
            if (address.advice == Advice::none) continue;
            // A route to a private network elsewhere there may be: whoever answers is right. But
            // what answers at an address of one's own is rarely the peer.
            if (connects(address) && !is_ones_own(address.advice)) continue;
            result_.add("net.peer-address", connects(address) ? Severity::info : Severity::warning,
                        words_of(address.advice, address.peer.address, report_.own),
                        {{"address", address.peer.address.to_string()},
                         {"reason", to_string(address.advice)}});
        }
    }

    static json::object describe(const std::optional<Said>& said) {
        if (!said) return {{"by", nullptr}, {"meaning", nullptr}};
        return {{"by", said->by.to_string()}, {"meaning", icmp::to_string(said->meaning)}};
    }

    json::object evidence_of(const PeerAddress& address) const {
        json::object text{{"peer", address.peer.to_string()},
                          {"tcp", nullptr},
                          {"udp", to_string(address.udp)},
                          {"pings_answered", address.pings.answered()}};
        if (address.tcp) text["tcp"] = net::to_string(address.tcp->outcome);
        return text;
    }

    json::object describe(const PeerAddress& address) const {
        json::object ping = address.pings.describe();
        ping["reason"] = nullptr;
        if (!address.ping_why_not.empty()) ping["reason"] = address.ping_why_not;
        json::object tcp{{"outcome", "unfinished"},
                         {"ms", nullptr},
                         {"talk", nullptr},
                         {"answer", nullptr},
                         {"error", nullptr}};
        if (address.tcp) {
            tcp["outcome"] = net::to_string(address.tcp->outcome);
            tcp["talk"] = net::to_string(address.tcp->talk);
            if (address.tcp->took) {
                tcp["ms"] = static_cast<double>(address.tcp->took->count()) / 1000;
            }
            if (!address.tcp->answer.empty()) tcp["answer"] = address.tcp->answer;
            if (address.tcp->error) tcp["error"] = printable(address.tcp->error.message());
        }
        tcp["icmp"] = describe(address.tcp_said);
        json::object udp{{"outcome", to_string(address.udp)}, {"answer", nullptr}};
        if (!address.udp_answer.empty()) udp["answer"] = address.udp_answer;
        udp["icmp"] = describe(address.udp_said);
        json::object text{{"address", address.peer.to_string()},
                          {"scope", to_string(address.peer.address.scope())},
                          {"advice", nullptr},
                          {"ping", std::move(ping)},
                          {"tcp", std::move(tcp)},
                          {"udp", std::move(udp)}};
        if (address.advice != Advice::none) text["advice"] = to_string(address.advice);
        return text;
    }

    void describe() {
        json::array addresses;
        for (const PeerAddress& address : report_.addresses) addresses.push_back(describe(address));
        json::array outside;
        for (const IpAddress& address : report_.own.seen_outside) {
            outside.push_back(json::value(address.to_string()));
        }
        result_.data = {{"peer", report_.text},
                        {"addresses", std::move(addresses)},
                        {"lookup_error", nullptr},
                        {"own_public", std::move(outside)},
                        {"sees_icmp_of_tcp", report_.sees_icmp}};
        if (!report_.lookup_error.empty()) result_.data["lookup_error"] = report_.lookup_error;
    }

    const PeerReport& report_;
    Judgement result_;
};

}  // namespace

std::string_view to_string(UdpOutcome outcome) {
    switch (outcome) {
        case UdpOutcome::answered: return "answered";
        case UdpOutcome::silent: return "silent";
        case UdpOutcome::refused: return "refused";
        case UdpOutcome::unreachable: return "unreachable";
        case UdpOutcome::prohibited: return "prohibited";
        case UdpOutcome::no_route: return "no-route";
        case UdpOutcome::not_permitted: return "not-permitted";
        case UdpOutcome::local_error: return "local-error";
        case UdpOutcome::unfinished: break;
    }
    return "unfinished";
}

Judgement judge(const PeerReport& report) { return PeerJudge(report).run(); }

}  // namespace p2pdiag::network_plugin
