#include "route_rules.hpp"

#include <algorithm>

#include "routing.hpp"

namespace p2pdiag::firewall {

namespace {

using IpRule = net::RoutingRule;

unsigned address_width(Family family) { return family == Family::ipv4 ? 32 : 128; }

Truth both(Truth a, Truth b) {
    if (a == Truth::no || b == Truth::no) return Truth::no;
    return a == Truth::maybe ? a : b;
}

bool has_ports(std::uint8_t protocol) {
    return protocol == protocol_tcp || protocol == protocol_udp;
}

// Of packets without ports none is in any range, which do not begin at 0; only of ICMP that is
// sent from here the type stands in the same place.
Truth is_port_in(const Flow& flow, const Known& port, const net::PortRange& range) {
    if (!flow.protocol) return Truth::maybe;
    if (has_ports(*flow.protocol)) return port.in({range.first, range.last});
    const bool has_none = *flow.protocol == protocol_arp || *flow.protocol == protocol_icmp ||
                          *flow.protocol == protocol_icmpv6;
    return has_none && !flow.by_a_program ? Truth::no : Truth::maybe;
}

Truth has_mark(const Known& mark, const IpRule& rule) {
    const Known seen = {mark.value & rule.mark_mask, mark.unknown & rule.mark_mask};
    const Bits asked = rule.mark & rule.mark_mask;
    return seen.in({asked, asked});
}

// A rule may name a link that is not there.
Truth comes_by(const World& world, const std::string& link, const Flow& flow) {
    if (flow.in) return flow.in == link ? Truth::yes : Truth::no;
    return world.find_interface(link) == nullptr ? Truth::no : Truth::maybe;
}

// fib_rule_match() of net/core/fib_rules.c, and of net/ipv4 and net/ipv6.
Truth applies(const World& world, const IpRule& rule, const Flow& flow) {
    Truth truth = Truth::yes;
    if (rule.source) truth = both(truth, is_in_subnet(flow.from, *rule.source, rule.source_prefix));
    if (rule.destination)
        truth = both(truth, is_in_subnet(flow.to, *rule.destination, rule.destination_prefix));
    if (!rule.in.empty()) truth = both(truth, comes_by(world, rule.in, flow));
    if (!rule.out.empty()) truth = both(truth, flow.by_a_program ? Truth::maybe : Truth::no);
    truth = both(truth, has_mark(flow.mark, rule));
    if (rule.protocol != 0) {
        const bool same = flow.protocol == rule.protocol;
        truth = both(truth, !flow.protocol ? Truth::maybe : same ? Truth::yes : Truth::no);
    }
    if (rule.source_ports)
        truth = both(truth, is_port_in(flow, flow.source_port, *rule.source_ports));
    if (rule.destination_ports)
        truth = both(truth, is_port_in(flow, flow.destination_port, *rule.destination_ports));
    if (!rule.asks.empty()) truth = both(truth, Truth::maybe);
    if (rule.strange) return Truth::maybe;
    return rule.inverted ? !truth : truth;
}

bool is_plain_lookup(const IpRule& rule) {
    return rule.action == IpRule::Action::look_up && rule.suppressed_prefix < 0 &&
           !rule.suppresses_links && !rule.strange;
}

// A table that stops packets or sends them somewhere, asked by one rule.
class TableWalk {
public:
    TableWalk(const World& world, const Flow& flow, const IpRule& rule, std::vector<Lookup>& found)
        : world_(world), flow_(flow), rule_(rule), found_(found) {
        if (!net::is_usual(rule)) name_ = rule.text();
    }

    // Whether the rule may leave the packet to the next.
    bool goes_on() {
        if (rule_.table == net::table_local && !world_.local_table_read) return ask_addresses();
        if (!world_.routes) {
            add({});
            return false;
        }
        std::vector<const Route*> routes = candidates();
        std::stable_sort(routes.begin(), routes.end(), [](const Route* a, const Route* b) {
            return a->prefix != b->prefix ? a->prefix > b->prefix : a->metric < b->metric;
        });
        for (std::size_t first = 0; first < routes.size();) {
            std::size_t end = first;
            bool sure = true;
            for (; end < routes.size() && is_equal(*routes[end], *routes[first]); ++end) {
                const Route& route = *routes[end];
                sure = sure && !route.at_times && covers(route) == Truth::yes;
            }
            bool left = false;
            for (std::size_t i = first; i < end; ++i) left = take(*routes[i]) || left;
            // The kernel takes one of equal ones.
            goes_on_ = goes_on_ || left;
            if (sure) return goes_on_;
            first = end;
        }
        return true;
    }

private:
    static bool is_equal(const Route& a, const Route& b) {
        return a.prefix == b.prefix && a.metric == b.metric;
    }

    Truth covers(const Route& route) const {
        return is_in_subnet(flow_.to, route.destination, route.prefix);
    }

    // Who is not known is nobody of this machine.
    bool is_left_out(const Route& route) const {
        if (flow_.to.is_exact() || route.table != net::table_local) return false;
        const bool single = route.prefix == address_width(flow_.family);
        return single || route.destination.scope() == AddressScope::loopback ||
               route.destination.scope() == AddressScope::multicast;
    }

    std::vector<const Route*> candidates() const {
        std::vector<const Route*> routes;
        for (const Route& route : *world_.routes) {
            if (route.table != rule_.table || route.destination.family() != flow_.family) continue;
            if (!is_left_out(route) && covers(route) != Truth::no) routes.push_back(&route);
        }
        return routes;
    }

    // Whether it may leave the packet to the next rule. What refuses is not suppressed
    // (fib_rules_lookup() asks only where there was no error).
    bool take(const Route& route) {
        const Route::Type type = route.type;
        if (type == Route::Type::thrown) return true;
        const bool refuses = net::refuses(type);
        const bool suppressed = static_cast<int>(route.prefix) <= rule_.suppressed_prefix;
        if (!refuses && suppressed) return true;
        Lookup lookup;
        lookup.answer = Lookup::Answer::found;
        lookup.type = type;
        lookup.interface = route.interface;
        lookup.table = route.table;
        add(lookup);
        return !refuses && rule_.suppresses_links;
    }

    // Where the table local was not read: the addresses tell what is in it.
    bool ask_addresses() {
        if (!flow_.to.is_exact()) return true;
        Lookup lookup;
        lookup.answer = Lookup::Answer::found;
        lookup.table = net::table_local;
        switch (kind_of(world_, flow_.to, flow_.family, nullptr)) {
            case AddressKind::local: lookup.type = Route::Type::local; break;
            case AddressKind::broadcast: lookup.type = Route::Type::broadcast; break;
            case AddressKind::multicast: lookup.type = Route::Type::multicast; break;
            case AddressKind::unicast: return true;
            case AddressKind::unknown: lookup.answer = Lookup::Answer::unknown; break;
        }
        add(lookup);
        return lookup.answer == Lookup::Answer::unknown;
    }

    void add(Lookup lookup) {
        lookup.rule = name_;
        if (std::find(found_.begin(), found_.end(), lookup) == found_.end())
            found_.push_back(std::move(lookup));
    }

    const World& world_;
    const Flow& flow_;
    const IpRule& rule_;
    std::vector<Lookup>& found_;
    std::string name_;
    bool goes_on_ = false;
};

// fib_rules_lookup() of net/core/fib_rules.c. A goto leads forward only.
class RuleWalk {
public:
    RuleWalk(const World& world, const Flow& flow, const std::vector<IpRule>& rules)
        : world_(world), flow_(flow), rules_(rules), reached_(rules.size() + 1, false) {}

    Ways run() {
        reached_[0] = true;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (!reached_[i]) continue;
            const Truth truth = applies(world_, rules_[i], flow_);
            if (truth == Truth::maybe) note(rules_[i]);
            if (truth != Truth::yes) reached_[i + 1] = true;
            if (truth != Truth::no) act(i);
        }
        if (reached_.back()) add_refusal(Lookup::Answer::none, Route::Type::unreachable, nullptr);
        return std::move(ways_);
    }

private:
    void act(std::size_t i) {
        const IpRule& rule = rules_[i];
        if (rule.strange) return add_refusal(Lookup::Answer::unknown, Route::Type::other, &rule);
        switch (rule.action) {
            case IpRule::Action::look_up:
                if (rule.suppresses_links) note(rule);
                // With a table of its own that the rule does not name.
                if (rule.table == 0)
                    return add_refusal(Lookup::Answer::unknown, Route::Type::other, &rule);
                if (TableWalk(world_, flow_, rule, ways_.all).goes_on()) reached_[i + 1] = true;
                break;
            case IpRule::Action::go_to: reached_[target_of(i)] = true; break;
            case IpRule::Action::nothing: reached_[i + 1] = true; break;
            case IpRule::Action::blackhole:
                add_refusal(Lookup::Answer::found, Route::Type::blackhole, &rule);
                break;
            case IpRule::Action::unreachable:
                // As if there were no route: fib4_rule_action() and fib6_rule_action().
                add_refusal(Lookup::Answer::none, Route::Type::unreachable, &rule);
                break;
            case IpRule::Action::prohibit:
                add_refusal(Lookup::Answer::found, Route::Type::prohibit, &rule);
                break;
            case IpRule::Action::other: break;
        }
    }

    // The next rule, where there is none with that number.
    std::size_t target_of(std::size_t i) const {
        for (std::size_t next = i + 1; next < rules_.size(); ++next) {
            if (rules_[next].priority == rules_[i].target) return next;
        }
        return i + 1;
    }

    void note(const IpRule& rule) {
        if (!rule.asks.empty() || rule.strange || rule.suppresses_links) ways_.understood = false;
        const std::string text = '`' + rule.text() + '`';
        constexpr int most = 3;
        if (noted_++ > most) return;
        if (!ways_.open.empty()) ways_.open += ", ";
        ways_.open += noted_ > most ? "others" : text;
    }

    void add_refusal(Lookup::Answer answer, Route::Type type, const IpRule* rule) {
        Lookup lookup;
        lookup.answer = answer;
        lookup.type = type;
        if (rule != nullptr) lookup.rule = rule->text();
        if (std::find(ways_.all.begin(), ways_.all.end(), lookup) == ways_.all.end())
            ways_.all.push_back(std::move(lookup));
    }

    const World& world_;
    const Flow& flow_;
    const std::vector<IpRule>& rules_;
    std::vector<bool> reached_;
    Ways ways_;
    int noted_ = 0;
};

}  // namespace

Truth is_in_subnet(const Known& address, const IpAddress& subnet, unsigned prefix) {
    const unsigned width = address_width(subnet.family());
    if (prefix > width) return Truth::no;
    const Bits mask = low_mask(width) & ~low_mask(width - prefix);
    const Known part = {address.value & mask, address.unknown & mask};
    const Bits asked = to_bits(subnet) & mask;
    return part.in({asked, asked});
}

Flow flow_to(const Known& to, Family family) {
    Flow flow;
    flow.family = family;
    flow.to = to;
    flow.from = Known::nothing(address_width(family));
    flow.mark = Known::nothing(32);
    flow.source_port = flow.destination_port = Known::nothing(16);
    return flow;
}

Flow own_flow_to(const IpAddress& to) {
    Flow flow = flow_to({to_bits(to), 0}, to.family());
    flow.in = "lo";
    flow.by_a_program = true;
    flow.mark = {0, 0};
    return flow;
}

Ways find_ways(const World& world, const Flow& flow) {
    const auto& rules = world.rules_of(flow.family);
    if (!rules) return {{Lookup()}, {}, false};
    return RuleWalk(world, flow, *rules).run();
}

Lookup find_way(const World& world, const Flow& flow) {
    const Ways ways = find_ways(world, flow);
    return ways.all.size() == 1 ? ways.all.front() : Lookup();
}

std::string why_refused(const Lookup& way) {
    const std::string rule = "he rule `" + way.rule + '`';
    if (way.is_refused_by_rule()) return 'T' + rule + " of `ip rule` refuses it.";
    const std::string table = way.table == net::table_main ? "main" : std::to_string(way.table);
    const std::string asked =
        way.rule.empty() ? "" : ", which t" + rule + " of `ip rule` looks up,";
    return "A route of the table " + table + asked + " refuses it.";
}

std::string naming_rules(const std::string& open) {
    return open.empty() ? "rules of `ip rule`" : "of `ip rule`: " + open;
}

bool has_own_rules(const World& world, Family family) {
    const auto& rules = world.rules_of(family);
    return !rules || rules->size() != net::usual_rules(family).size() ||
           !std::all_of(rules->begin(), rules->end(), net::is_usual);
}

bool has_rules_on_marks(const World& world, Family family) {
    const auto& rules = world.rules_of(family);
    return !rules || std::any_of(rules->begin(), rules->end(), [](const IpRule& rule) {
        return rule.mark_mask != 0 || rule.strange;
    });
}

bool is_local_first(const World& world, const Flow& flow) {
    const auto& rules = world.rules_of(flow.family);
    if (!rules) return false;
    for (const IpRule& rule : *rules) {
        const Truth truth = applies(world, rule, flow);
        if (truth == Truth::no) continue;
        return truth == Truth::yes && is_plain_lookup(rule) && rule.table == net::table_local;
    }
    return false;
}

}  // namespace p2pdiag::firewall
