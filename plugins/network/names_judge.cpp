#include <algorithm>
#include <optional>
#include <set>

#include "base/json.hpp"
#include "base/text.hpp"
#include "names_tally.hpp"

namespace p2pdiag::network_plugin {

namespace {

using net::DnsOutcome;
using std::chrono::milliseconds;

// A lookup that takes longer is felt in every connection. The quickest of several counts, so that
// one name whose own servers are slow does not make the resolver slow.
constexpr milliseconds slow{500};

std::string_view words(DnsOutcome outcome) {
    switch (outcome) {
        case DnsOutcome::servfail: return "says that it cannot find out (SERVFAIL)";
        case DnsOutcome::refused: return "refuses to answer this machine (REFUSED)";
        case DnsOutcome::malformed: return "sends what is no valid answer";
        case DnsOutcome::truncated: return "sends cut answers and does not answer over TCP";
        case DnsOutcome::closed: return "does not listen: the port is closed";
        case DnsOutcome::no_route: return "cannot be reached: no route";
        case DnsOutcome::failed: return "could not be asked";
        default: return "does not answer";
    }
}

bool answers_over_tcp_alone(const ServerAnswers& server) {
    return server.tcp && net::has_answered(*server.tcp);
}

class NamesJudge {
public:
    explicit NamesJudge(const Names& names) : names_(names) {
        for (const ServerAnswers& server : names.servers)
            tallies_.push_back(tally_of(names, server));
    }

    Judgement run() {
        result_.data = describe(names_, tallies_);
        judge_servers();
        judge_lies();
        judge_filter();
        return std::move(result_);
    }

private:
    const AskedName& name_of(const Lookup& lookup) const { return names_.names[lookup.name]; }

    std::string text_of(std::size_t index) const {
        const ServerAnswers& server = names_.servers[index];
        return server.server.to_string() +
               (server.behind_stub ? " (behind " + names_.setup.stub + ")" : std::string());
    }

    bool is_asked(std::size_t index) const { return !names_.servers[index].never_asked; }

    // Of no use for any wanted name, and asked to the end.
    bool is_dead(std::size_t index) const {
        const Tally& tally = tallies_[index];
        return tally.asked > 0 && tally.usable == 0;
    }

    void judge_servers() {
        const std::size_t count = names_.servers.size();
        if (names_.has_route == false && !any_usable()) {
            return result_.finish(
                P2PDIAG_SKIP,
                "No name server answers, and this machine has no route to the internet, "
                "where names are of use");
        }
        if (!any_asked()) {
            return result_.finish(P2PDIAG_UNKNOWN,
                                  names_.interrupted
                                      ? "Interrupted before any name server had answered"
                                      : "The profile names no host to ask for");
        }
        if (!any_usable()) return none_answers();
        for (std::size_t i = 0; i < count; ++i) judge_dead(i);
        judge_empty();
        for (std::size_t name = 0; name < names_.names.size(); ++name) judge_name(name);
        judge_speed();
        if (!result_.findings.empty()) {
            result_.finish(P2PDIAG_WARN, result_.findings.front().message);
        } else if (hurried_) {
            result_.finish(
                P2PDIAG_UNKNOWN,
                "Names are resolved; how fast is not known, since this machine itself was late "
                "by " +
                    std::to_string(names_.late.count()) + " ms in all meanwhile: " + summary());
        } else if (open_) {
            result_.finish(P2PDIAG_UNKNOWN,
                           "Interrupted before every name had an answer; " + summary());
        } else {
            result_.finish(P2PDIAG_PASS, summary());
        }
    }

    bool any_usable() const {
        for (std::size_t i = 0; i < tallies_.size(); ++i) {
            if (is_asked(i) && tallies_[i].usable > 0) return true;
        }
        return false;
    }

    bool any_asked() const {
        return std::any_of(tallies_.begin(), tallies_.end(),
                           [](const Tally& tally) { return tally.asked > 0; });
    }

    // Null where there is none.
    json::value would_do() const {
        for (std::size_t i = 0; i < tallies_.size(); ++i) {
            if (!is_asked(i) && tallies_[i].usable > 0) {
                return json::value(names_.servers[i].server.to_string());
            }
        }
        return nullptr;
    }

    void none_answers() {
        if (names_.interrupted) {
            return result_.finish(P2PDIAG_UNKNOWN,
                                  "Interrupted before any name server had answered");
        }
        std::string message =
            names_.setup.by_default      ? "/etc/resolv.conf names no name server, so that of this "
                                           "machine is asked: "
            : names_.servers.size() == 1 ? "The name server "
                                         : "No name server gives usable answers: ";
        json::array servers;
        for (std::size_t i = 0; i < names_.servers.size(); ++i) {
            if (!is_asked(i)) continue;
            const DnsOutcome trouble = tallies_[i].trouble.value_or(DnsOutcome::timed_out);
            message += (i == 0 ? "" : "; ") + text_of(i) + ' ' + std::string(words(trouble)) +
                       over_tcp_words(i);
            servers.push_back(evidence_of(i, trouble));
        }
        const json::value other = would_do();
        if (other.is_string()) {
            message += "; " + std::string(other.as_string()) +
                       " answers, and is never asked, since programs ask the first three alone";
        }
        result_.add("net.dns-failed", Severity::error, message,
                    {{"servers", std::move(servers)},
                     {"never_asked", other},
                     {"lost_outside", all_lost_outside()},
                     {"over_tcp_alone", over_tcp_alone()}});
        result_.finish(P2PDIAG_FAIL, message);
    }

    json::object evidence_of(std::size_t index, DnsOutcome trouble) const {
        return {{"server", names_.servers[index].server.to_string()},
                {"reason", net::to_string(trouble)},
                {"outside", outside_value(names_.servers[index])},
                {"tcp", tcp_value(names_.servers[index])}};
    }

    std::string over_tcp_words(std::size_t index) const {
        return answers_over_tcp_alone(names_.servers[index])
                   ? " over UDP, though over TCP it does: something on the way drops UDP, or the "
                     "server takes TCP alone"
                   : "";
    }

    bool is_lost_outside(std::size_t index) const {
        const ServerAnswers& server = names_.servers[index];
        return server.outside == true && is_lost_over_udp(names_, server);
    }

    // What a stub says is what became of the servers behind it.
    bool all_lost_outside() const {
        const bool stub = std::ranges::any_of(names_.servers, &ServerAnswers::behind_stub);
        for (std::size_t i = 0; i < names_.servers.size(); ++i) {
            const ServerAnswers& server = names_.servers[i];
            const bool is_stub = stub && server.server.address.scope() == AddressScope::loopback;
            if (!is_stub && !is_lost_outside(i)) return false;
        }
        return !names_.servers.empty();
    }

    // The first one; null where there is none.
    json::value over_tcp_alone() const {
        const auto one = std::ranges::find_if(names_.servers, answers_over_tcp_alone);
        if (one == names_.servers.end()) return nullptr;
        return json::value(one->server.to_string());
    }

    // The C library asks in the given order, and waits for each that is silent.
    void judge_dead(std::size_t index) {
        if (!is_dead(index) || !is_asked(index)) return;
        const DnsOutcome trouble = *tallies_[index].trouble;
        const std::string who = "The name server " + text_of(index);
        std::string message = who + ' ' + std::string(words(trouble)) + over_tcp_words(index);
        const json::object evidence{{"servers", json::array{evidence_of(index, trouble)}},
                                    {"lost_outside", is_lost_outside(index)}};
        const bool waited_for =
            trouble == DnsOutcome::timed_out || trouble == DnsOutcome::truncated;
        const bool first = index == 0 && !names_.servers[index].behind_stub;
        if (first && waited_for) {
            message += ", and it is asked first: every lookup waits " +
                       std::to_string(names_.setup.configured.timeout_s) + " s for it";
            result_.add("net.dns-slow", Severity::warning, message, evidence);
        } else {
            message += ", while another one does";
            result_.add("net.dns-failed", Severity::warning, message, evidence);
        }
    }

    // Programs take the first answer they get, and this one as well: that another server knows more
    // does not help.
    void judge_empty() {
        std::string which;
        json::array servers;
        for (std::size_t i = 0; i < names_.servers.size(); ++i) {
            if (!is_asked(i) || !tallies_[i].empty) continue;
            which += (which.empty() ? "" : ", ") + text_of(i);
            servers.push_back(evidence_of(i, DnsOutcome::no_address));
        }
        if (servers.empty()) return;
        const std::string message = "Answers come from " + which +
                                    ", and none of them has an address, neither A nor AAAA, for "
                                    "any name that was asked for";
        result_.add("net.dns-failed", Severity::warning, message,
                    {{"servers", std::move(servers)}, {"lost_outside", false}});
    }

    // What becomes of one question, whichever server is asked.
    struct Asked {
        bool usable = false;
        bool missing = false;               // there is no such name, which holds for both types
        bool open = false;                  // a server was not waited for
        std::optional<DnsOutcome> trouble;  // of the first server that is of use for other names
        std::string over_tcp;               // the server that answers it so; empty = none is known
    };

    Asked ask(std::size_t name, Family family) const {
        Asked asked;
        for (std::size_t i = 0; i < names_.servers.size(); ++i) {
            if (!is_asked(i) || is_dead(i)) continue;  // the latter has been said
            for (const Lookup& lookup : names_.servers[i].lookups) {
                if (lookup.name != name || lookup.family != family) continue;
                const DnsOutcome outcome = lookup.answer.outcome;
                if (!lookup.done) {
                    asked.open = true;
                } else if (outcome == DnsOutcome::no_name) {
                    asked.missing = true;
                } else if (is_usable(outcome)) {
                    asked.usable = true;
                } else if (!asked.trouble) {
                    asked.trouble = outcome;
                }
                if (lookup.tcp && net::has_answered(*lookup.tcp)) {
                    asked.over_tcp = names_.servers[i].server.to_string();
                }
            }
        }
        return asked;
    }

    // Servers that are well may be of no use for one name, or for one type of it.
    void judge_name(std::size_t name) {
        if (names_.names[name].kind != NameKind::wanted) return;
        const Asked v4 = ask(name, Family::ipv4);
        const Asked v6 = ask(name, Family::ipv6);
        const bool found = v4.usable || v6.usable;
        if (!found && (v4.missing || v6.missing)) {
            result_.add("net.dns-failed", Severity::warning,
                        "The name does not exist: " + printable(names_.names[name].name),
                        {{"name", printable(names_.names[name].name)}, {"reason", "no-name"}});
            return;
        }
        const auto failed = [](const Asked& asked) {
            return asked.trouble && !asked.usable && !asked.missing && !asked.open;
        };
        open_ = open_ || (v4.open && !v4.usable) || (v6.open && !v6.usable);
        if (failed(v4) && failed(v6)) {
            name_failed(name, {}, *v4.trouble, v4.over_tcp.empty() ? v6.over_tcp : v4.over_tcp);
        } else if (failed(v4)) {
            type_failed(name, "A", of_type(v4, Family::ipv4), found);
        } else if (failed(v6)) {
            type_failed(name, "AAAA", of_type(v6, Family::ipv6), found);
        }
    }

    // Where no question for this type is answered, something drops the type: that is no loss.
    Asked of_type(Asked asked, Family family) const {
        const auto is_answered = [&](const Lookup& lookup) {
            return lookup.family == family && lookup.done &&
                   name_of(lookup).kind == NameKind::wanted &&
                   net::has_answered(lookup.answer.outcome);
        };
        const bool any = std::ranges::any_of(names_.servers, [&](const ServerAnswers& server) {
            return std::ranges::any_of(server.lookups, is_answered);
        });
        if (!any) asked.over_tcp.clear();
        return asked;
    }

    static std::string lost_words(const std::string& over_tcp) {
        return over_tcp.empty() ? ""
                                : " over UDP, and over TCP " + over_tcp +
                                      " does: packets over UDP are lost, or limited, on the way";
    }

    static void add_over_tcp(json::object& evidence, const std::string& over_tcp) {
        evidence["over_tcp"] = !over_tcp.empty();
        evidence["udp_lost_of"] = json::text_or_null(over_tcp);
    }

    // The C library asks for both types, and waits for both.
    void type_failed(std::size_t name, std::string_view type, const Asked& asked,
                     bool other_works) {
        const DnsOutcome trouble = *asked.trouble;
        if (!other_works || trouble != DnsOutcome::timed_out) {
            return name_failed(name, type, trouble, asked.over_tcp);
        }
        json::object evidence{{"name", printable(names_.names[name].name)},
                              {"type", type},
                              {"reason", net::to_string(trouble)}};
        add_over_tcp(evidence, asked.over_tcp);
        result_.add("net.dns-slow", Severity::warning,
                    "No name server answers the question for " + std::string(type) + " of " +
                        printable(names_.names[name].name) + lost_words(asked.over_tcp) +
                        ": who asks for both types waits for it in vain",
                    std::move(evidence));
    }

    // `type` is empty for both.
    void name_failed(std::size_t name, std::string_view type, DnsOutcome trouble,
                     const std::string& over_tcp) {
        const std::string of = printable(names_.names[name].name);
        const std::string what = type.empty() ? of : std::string(type) + " of " + of;
        const std::string why = over_tcp.empty()
                                    ? ", though other names are: one " + std::string(words(trouble))
                                    : lost_words(over_tcp);
        json::object evidence{{"name", of},
                              {"type", type.empty() ? json::value(nullptr) : json::value(type)},
                              {"reason", net::to_string(trouble)}};
        add_over_tcp(evidence, over_tcp);
        result_.add("net.dns-failed", Severity::warning, "No name server resolves " + what + why,
                    std::move(evidence));
    }

    // Of the first server that works: it is the one that programs wait for.
    void judge_speed() {
        for (std::size_t i = 0; i < tallies_.size(); ++i) {
            if (!is_asked(i) || tallies_[i].usable == 0) continue;
            const auto& quickest = tallies_[i].quickest;
            // It may have been this machine that was slow.
            if (quickest && *quickest > slow && *quickest - names_.late <= slow) {
                hurried_ = true;
            } else if (quickest && *quickest > slow) {
                const auto ms = tallies_[i].quickest->count();
                result_.add(
                    "net.dns-slow", Severity::warning,
                    "The name server " + text_of(i) + " takes " + std::to_string(ms) +
                        " ms for its quickest answer",
                    {{"server", names_.servers[i].server.to_string()}, {"quickest_ms", ms}});
            }
            return;
        }
    }

    std::string summary() const {
        std::string text;
        for (std::size_t i = 0; i < names_.servers.size(); ++i) {
            text += (i == 0 ? "" : "; ") + text_of(i);
            if (!is_asked(i)) {
                text += " is never asked, since programs ask the first three alone";
                continue;
            }
            text += " answers";
            if (tallies_[i].quickest) {
                text += " in " + std::to_string(tallies_[i].quickest->count()) + " ms";
            }
        }
        if (names_.setup.by_default) text += "; /etc/resolv.conf names no name server";
        return text;
    }

    const Lookup* lookup_of(const ServerAnswers& server, std::string_view name) const {
        for (const Lookup& lookup : server.lookups) {
            if (name_of(lookup).name == name && lookup.family == Family::ipv4) return &lookup;
        }
        return nullptr;
    }

    // What the server makes up for names that do not exist; empty where it does not. A name below
    // one that exists may have an address in all honesty: a wildcard. Two with the same address,
    // which is none of their parents', have not.
    std::vector<IpAddress> made_up(const ServerAnswers& server) const {
        std::vector<const Lookup*> random;
        for (const Lookup& lookup : server.lookups) {
            if (!lookup.done || lookup.answer.outcome != DnsOutcome::answered) continue;
            if (name_of(lookup).kind == NameKind::reserved) return lookup.answer.addresses;
            if (name_of(lookup).kind == NameKind::random) random.push_back(&lookup);
        }
        if (random.size() < 2) return {};
        const auto& addresses = random.front()->answer.addresses;
        for (const Lookup* lookup : random) {
            if (lookup->answer.addresses != addresses) return {};
            const Lookup* parent = lookup_of(server, name_of(*lookup).parent);
            const bool told =
                parent != nullptr && parent->done && net::has_answered(parent->answer.outcome);
            if (!told || parent->answer.addresses == addresses) return {};
        }
        return addresses;
    }

    void judge_lies() {
        for (std::size_t i = 0; i < names_.servers.size(); ++i) {
            const auto addresses = made_up(names_.servers[i]);
            if (!is_asked(i) || addresses.empty()) continue;
            const std::string address = addresses.front().to_string();
            result_.add("net.dns-rewritten", Severity::warning,
                        "The name server " + text_of(i) +
                            " has an address for names that do not exist: " + address,
                        {{"server", names_.servers[i].server.to_string()}, {"address", address}});
            warn();
        }
    }

    // 0.0.0.0 and 127.0.0.1 are what filters answer for what they block.
    void judge_filter() {
        std::set<std::string> told;
        for (const ServerAnswers& server : names_.servers) {
            if (server.never_asked) continue;
            for (const Lookup& lookup : server.lookups) {
                const AskedName& name = name_of(lookup);
                if (name.kind != NameKind::wanted || lookup.answer.addresses.empty()) continue;
                const auto& addresses = lookup.answer.addresses;
                const bool blocked =
                    std::all_of(addresses.begin(), addresses.end(), [](const IpAddress& address) {
                        return address.scope() == AddressScope::unspecified ||
                               address.scope() == AddressScope::loopback;
                    });
                if (!blocked || name.name == "localhost" || !told.insert(name.name).second)
                    continue;
                const std::string address = addresses.front().to_string();
                result_.add("net.dns-rewritten", Severity::warning,
                            "The name server " + server.server.to_string() + " answers " + address +
                                " for " + printable(name.name) +
                                ", as filters do for what they block",
                            {{"server", server.server.to_string()},
                             {"address", address},
                             {"name", printable(name.name)}});
                warn();
            }
        }
    }

    void warn() {
        if (result_.status != P2PDIAG_PASS) return;
        result_.finish(P2PDIAG_WARN, result_.findings.back().message);
    }

    const Names& names_;
    std::vector<Tally> tallies_;
    bool hurried_ = false;  // a slow answer that may have been this machine's own doing
    bool open_ =
        false;  // for some question, a server that was not waited for might have been of use
    Judgement result_;
};

}  // namespace

bool is_lost_over_udp(const Names& names, const ServerAnswers& server) {
    bool asked = false;
    for (const Lookup& lookup : server.lookups) {
        if (!lookup.done || names.names[lookup.name].kind != NameKind::wanted) continue;
        const DnsOutcome outcome = lookup.answer.outcome;
        if (outcome != DnsOutcome::timed_out && outcome != DnsOutcome::closed) return false;
        asked = true;
    }
    return asked;
}

Judgement judge(const Names& names) { return NamesJudge(names).run(); }

}  // namespace p2pdiag::network_plugin
