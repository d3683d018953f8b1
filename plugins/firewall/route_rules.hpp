// Which way a packet is sent: through the rules of `ip rule`, and the tables that they look up.
#pragma once

#include <string>
#include <vector>

#include "bits.hpp"
#include "model.hpp"

namespace p2pdiag::firewall {

// In place of a protocol: to rules of `ip rule` ARP has none, and no ports.
inline constexpr std::uint8_t protocol_arp = 0;

// What rules and routes ask of a packet.
struct Flow {
    Family family = Family::ipv4;
    Known from;
    Known to;
    // Where it came in, by name; "lo": sent by this machine. Absent: not known.
    std::optional<std::string> in;
    bool by_a_program = false;  // whose socket may be bound to a link
    Known mark;
    std::optional<std::uint8_t> protocol;  // IANA number; absent: not known
    Known source_port;
    Known destination_port;
};

// Of this family, with nothing known but where it goes.
Flow flow_to(const Known& to, Family family);
// From a program here, whose socket has neither address nor mark yet as far as is known.
Flow own_flow_to(const IpAddress& to);

struct Lookup {
    enum class Answer : std::uint8_t { unknown, found, none };
    Answer answer = Answer::unknown;
    Route::Type type = Route::Type::unicast;
    int interface = 0;        // 0: not told
    std::uint32_t table = 0;  // that has the route; 0: a rule said it
    std::string rule;         // that said so, in the words of `ip rule`; "": a usual one

    // By a link, which may be known.
    bool leads_out() const { return answer == Answer::found && type == Route::Type::unicast; }
    // A rule stops it itself, without a table: "unreachable" is as if there were no route.
    bool is_refused_by_rule() const {
        return answer != Answer::unknown && !rule.empty() && table == 0;
    }
    bool is_refused() const {
        return is_refused_by_rule() || (answer == Answer::found && net::refuses(type));
    }
    bool leads_nowhere() const { return answer == Answer::none || is_refused(); }

    friend bool operator==(const Lookup&, const Lookup&) = default;
};

// All that it may come to. More than one where something is not known.
struct Ways {
    std::vector<Lookup> all;
    std::string open;        // the rules of which it is not known whether they apply; "": none
    bool understood = true;  // all that those ask
};

Ways find_ways(const World& world, const Flow& flow);

// The one that it comes to; unknown where there are several.
Lookup find_way(const World& world, const Flow& flow);

// "The rule `…` of `ip rule` refuses it.", of a way that is refused.
std::string why_refused(const Lookup& way);

// "rules of `ip rule`", or with `open` which.
std::string naming_rules(const std::string& open);

// Others than those that every machine has, or not all of these.
bool has_own_rules(const World& world, Family family);
// One of them asks for the packet's mark, or may.
bool has_rules_on_marks(const World& world, Family family);

// The table local decides, before any other rule, about what is for this machine.
bool is_local_first(const World& world, const Flow& flow);

// Of an address that may be known in part, of the same family.
Truth is_in_subnet(const Known& address, const IpAddress& subnet, unsigned prefix);

}  // namespace p2pdiag::firewall
