#include "way_back.hpp"

#include <algorithm>

#include "routing.hpp"

namespace p2pdiag::firewall {

namespace {

// One of them applies to a listening socket: its own address, or, by UDP, none.
std::vector<Known> senders_of(const Packet& answer) {
    const unsigned width = answer.family() == Family::ipv4 ? 32 : 128;
    std::vector<Known> senders;
    senders.push_back(answer.source ? Known{to_bits(*answer.source), 0} : Known::nothing(width));
    if (answer.protocol != protocol_tcp) senders.push_back({0, 0});
    return senders;
}

class WayOfAnswer {
public:
    WayOfAnswer(const World& world, const Packet& answer, bool marked, Asked& asked)
        : world_(world), answer_(answer), asked_(asked), flow_(own_flow_to(answer.destination)) {
        flow_.protocol = answer.protocol;
        flow_.source_port = Known::of(answer.source_port, 16);
        flow_.destination_port = {answer.destination_port, 0};
        // With tcp_fwmark_accept a connection has the mark of its first packet.
        const bool may_be_marked = marked && answer.protocol == protocol_tcp;
        if (may_be_marked) flow_.mark = Known::nothing(32);
    }

    // Files of rules tell no routes. And a machine without any route to the sender gets nothing
    // from there either: that is what the checks of routes say.
    bool is_told_elsewhere() {
        if (has_own_rules(world_, answer_.family())) return false;
        flow_.from = senders_of(answer_).front();
        return !world_.routes || find_way(world_, flow_).answer == Lookup::Answer::none;
    }

    void ask() {
        for (const Known& sender : senders_of(answer_)) {
            flow_.from = sender;
            Ways ways = find_ways(world_, flow_);
            if (!ways.open.empty()) open_ = ways.open;
            for (Lookup& way : ways.all) ways_.push_back(std::move(way));
        }
        const net::Interface* link = world_.find_interface(answer_.interface);
        const auto leads_back = [&](const Lookup& way) {
            return way.leads_out() && link != nullptr && way.interface == link->index;
        };
        const auto astray = std::find_if_not(ways_.begin(), ways_.end(), leads_back);
        if (astray == ways_.end()) return;
        if (is_other_uplink(*astray)) return say_other_uplink(*astray);
        if (std::ranges::all_of(ways_, &Lookup::is_refused)) return stop(*astray);
        const bool some = std::any_of(ways_.begin(), ways_.end(), leads_back);
        if (some && open_.empty()) return leave_to_program(*astray);
        const std::string what =
            open_.empty() ? where(*astray) : "which way it takes, " + naming_rules(open_);
        leave(what,
              "It comes in, but of the answer to it is not known " +
                  std::string(open_.empty() ? "whether it reaches the sender: " + what : what) +
                  '.',
              VerdictKind::undecided);
    }

private:
    // A machine on two networks, as a laptop with a cable and Wi-Fi: who comes by the second way is
    // answered by the first, most often through the same router.
    bool is_other_uplink(const Lookup& way) const {
        if (has_own_rules(world_, answer_.family()) || way.answer != Lookup::Answer::found)
            return false;
        const net::Interface* link = world_.find_interface(way.interface);
        const bool usual = link != nullptr && link->kind != net::LinkKind::tunnel &&
                           link->kind != net::LinkKind::ppp;
        return usual && std::ranges::any_of(*world_.routes, [&](const Route& route) {
                   return route.prefix == 0 && route.interface == link->index &&
                          route.type == Route::Type::unicast &&
                          route.destination.family() == answer_.family();
               });
    }

    void say_other_uplink(const Lookup& way) {
        asked_.verdict.why += " The answer leaves by " +
                              world_.find_interface(way.interface)->name +
                              ", this machine's preferred way to the internet.";
    }

    std::string where(const Lookup& way) const {
        const std::string by =
            way.rule.empty() ? std::string() : " (" + naming_rules('`' + way.rule + '`') + ')';
        if (way.answer == Lookup::Answer::none) return "no route leads to the sender" + by;
        const net::Interface* link = world_.find_interface(way.interface);
        if (!way.leads_out() || link == nullptr) return "a route or rule that is not followed" + by;
        return "it leaves by " + link->name + " and not by " + answer_.interface + by;
    }

    void stop(const Lookup& way) {
        Verdict stopped;
        stopped.kind = VerdictKind::drop;
        stopped.passes = stopped.ordinarily_passes = false;
        stopped.why = why_refused(way);
        asked_.by_routes = lets_in(asked_.verdict);
        take_over(std::move(stopped), {"It comes in, but no answer to it leaves. ", {}}, asked_);
    }

    // Without an address of its own a socket's answer is no packet from that address yet when the
    // rules are asked.
    void leave_to_program(const Lookup& astray) {
        const std::string from =
            answer_.source ? answer_.source->to_string() : "the address that was asked";
        leave("whether the program answers from " + from,
              "It comes in, and the answer goes back the same way if the program sends it from " +
                  from + "; else " + where(astray) + '.',
              VerdictKind::depends);
    }

    void leave(std::string what, std::string why, VerdictKind kind) {
        Verdict open;
        open.kind = kind;
        open.open = {std::move(what)};
        open.why = std::move(why);
        take_over(std::move(open), {}, asked_);
    }

    const World& world_;
    const Packet& answer_;
    Asked& asked_;
    Flow flow_;
    std::vector<Lookup> ways_;
    std::string open_;
};

}  // namespace

void ask_for_way_back(const World& world, const Packet& answer, bool marked, Asked& asked) {
    WayOfAnswer way(world, answer, marked, asked);
    if (!way.is_told_elsewhere()) way.ask();
}

}  // namespace p2pdiag::firewall
