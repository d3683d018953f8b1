#include "topology.hpp"

#include "daemons.hpp"
#include "rulesets.hpp"

namespace p2pdiag::lab {
namespace {

// Linux's own defaults for UDP: half a minute for a flow without a reply, two minutes for one with.
constexpr unsigned unreplied_lifetime_s = 30;
constexpr unsigned replied_lifetime_s = 120;

constexpr const char* internet_gateway_cidr = "11.22.33.1/24";
constexpr const char* carrier_net = "100.64.7.0/24";
constexpr const char* carrier_inside = "100.64.7.1";
constexpr const char* carrier_inside6 = "2001:db8:64::1";
constexpr const char* customer = "100.64.7.2";
constexpr const char* customer6 = "2001:db8:64::2";

std::string bits24(const std::string& address) { return address + "/24"; }
std::string bits64(const std::string& address) { return address + "/64"; }

// One household: where it hangs on the internet, and what it is called.
struct Home {
    std::string host;
    std::string router;
    std::string lan;   // IPv4 prefix up to the last dot
    std::string lan6;  // IPv6 prefix up to the last colons
    // The address on the outer side, of the router, or of the host where there is no router.
    std::string outside;
    std::string outside6;
    std::string gateway;
    std::string gateway6;
    Nat nat;
};

class Builder {
public:
    explicit Builder(const Options& options) : options_(options) {}

    Topology build() {
        add_internet();
        add_server();
        if (options_.cgnat) add_carrier();
        add_home(first_home(), true);
        if (options_.peer_nat) add_home(second_home(), false);
        condition_line();
        topology_.resolv_conf = std::string("nameserver ") + addresses::dns + "\n";
        return std::move(topology_);
    }

private:
    Home first_home() const {
        Home home{.host = "client",
                  .router = "router",
                  .lan = "192.168.7.",
                  .lan6 = "2001:db8:7::",
                  .outside = addresses::home_wan,
                  .outside6 = "2001:db8:33::7",
                  .gateway = addresses::gateway,
                  .gateway6 = addresses::gateway6,
                  .nat = options_.nat};
        if (options_.cgnat) {
            home.outside = customer;
            home.outside6 = customer6;
            home.gateway = carrier_inside;
            home.gateway6 = carrier_inside6;
        }
        return home;
    }

    Home second_home() const {
        return {.host = "peer",
                .router = "peer-router",
                .lan = "192.168.8.",
                .lan6 = "2001:db8:8::",
                .outside = addresses::peer_wan,
                .outside6 = "2001:db8:33::8",
                .gateway = addresses::gateway,
                .gateway6 = addresses::gateway6,
                .nat = *options_.peer_nat};
    }

    static Host named(std::string name) {
        Host host;
        host.name = std::move(name);
        // No waiting for duplicate addresses: ours are unique by construction.
        host.sysctls = {{"net/ipv6/conf/all/accept_dad", "0"},
                        {"net/ipv6/conf/default/accept_dad", "0"}};
        return host;
    }

    Host router(std::string name) const {
        Host host = named(std::move(name));
        host.sysctls.insert(host.sysctls.end(), {{"net/ipv4/ip_forward", "1"},
                                                 {"net/ipv4/conf/all/rp_filter", "0"},
                                                 {"net/ipv4/conf/default/rp_filter", "0"}});
        if (options_.ipv6) host.sysctls.emplace_back("net/ipv6/conf/all/forwarding", "1");
        return host;
    }

    void set_lifetime(Host& host) const {
        const unsigned unreplied = options_.mapping_lifetime.value_or(unreplied_lifetime_s);
        const unsigned replied = options_.mapping_lifetime.value_or(replied_lifetime_s);
        host.conntrack = {
            {"net/netfilter/nf_conntrack_udp_timeout", std::to_string(unreplied)},
            {"net/netfilter/nf_conntrack_udp_timeout_stream", std::to_string(replied)}};
    }

    Interface interface(std::string name, const std::string& v4, const std::string& v6) const {
        Interface made;
        made.name = std::move(name);
        made.addresses.push_back(bits24(v4));
        if (options_.ipv6) made.addresses.push_back(bits64(v6));
        return made;
    }

    void add_default_routes(Host& host, const std::string& gateway, const std::string& gateway6,
                            const std::string& device, std::optional<unsigned> mtu = {}) const {
        host.routes.push_back({"default", gateway, device, mtu});
        if (options_.ipv6) host.routes.push_back({"::/0", gateway6, device, mtu});
    }

    // A cable from `end` to a port of the internet's bridge.
    void attach_to_internet(CableEnd end) {
        Interface port;
        port.name = "p-" + end.host;
        port.bridge = "br0";
        topology_.hosts.front().interfaces.push_back(port);
        topology_.cables.push_back({{"internet", port.name}, std::move(end)});
    }

    // A bridge that all outer ends hang on. Its own address takes what goes to the rest of the
    // world and drops it, as the lab has no way out.
    void add_internet() {
        Host internet = named("internet");
        Interface bridge;
        bridge.name = "br0";
        bridge.is_bridge = true;
        bridge.addresses = {internet_gateway_cidr, bits24(addresses::dns)};
        if (options_.ipv6) {
            bridge.addresses.push_back(bits64(addresses::gateway6));
            bridge.addresses.push_back(bits64(addresses::dns6));
        }
        internet.interfaces.push_back(std::move(bridge));
        if (options_.dns == Dns::broken) {
            internet.rulesets.push_back({"--dns broken", silent_resolver_ruleset()});
        } else if (options_.servers) {
            internet.daemons.push_back(name_server(options_.ipv6, options_.dns));
        }
        topology_.hosts.push_back(std::move(internet));
    }

    void add_server() {
        Host server = named("server");
        Interface outer = interface("eth0", addresses::server, addresses::server6);
        outer.addresses.push_back(bits24(addresses::server_other));
        if (options_.ipv6) outer.addresses.push_back(bits64(addresses::server_other6));
        server.interfaces.push_back(std::move(outer));
        add_default_routes(server, addresses::gateway, addresses::gateway6, "eth0");
        if (options_.servers) {
            server.daemons.push_back(stun_server(options_.ipv6));
            server.daemons.push_back(web_server(options_.ipv6, options_.web_clock_s));
        }
        topology_.hosts.push_back(std::move(server));
        attach_to_internet({"server", "eth0"});
    }

    void add_carrier() {
        Host carrier = router("carrier");
        carrier.interfaces.push_back(interface("lan0", carrier_inside, carrier_inside6));
        carrier.interfaces.push_back(interface("wan0", addresses::carrier_wan, "2001:db8:33::77"));
        add_default_routes(carrier, addresses::gateway, addresses::gateway6, "wan0");
        if (options_.ipv6) carrier.routes.push_back({"2001:db8:7::/64", customer6, "lan0", {}});
        const NatPlace place{.inside_net = carrier_net,
                             .outside_address = addresses::carrier_wan,
                             .lifetime_s = options_.mapping_lifetime.value_or(replied_lifetime_s)};
        carrier.rulesets.push_back({"--cgnat", nat_ruleset(*options_.cgnat, place)});
        const FilterPlace filter{
            .outside_address = addresses::carrier_wan, .block = {}, .routes_ipv6_freely = true};
        carrier.rulesets.push_back({"carrier's filter", router_filter_ruleset(filter)});
        set_lifetime(carrier);
        topology_.hosts.push_back(std::move(carrier));
        attach_to_internet({"carrier", "wan0"});
        if (options_.ipv6) {
            route_on_internet("2001:db8:64::/64", "2001:db8:33::77");
            route_on_internet("2001:db8:7::/64", "2001:db8:33::77");
        }
    }

    void add_home(const Home& home, bool first) {
        Host host = named(home.host);
        const bool routed = home.nat != Nat::open;
        const bool default_route = !first || options_.default_route;
        if (routed) {
            host.interfaces.push_back(interface("eth0", home.lan + "2", home.lan6 + "2"));
            if (default_route) add_default_routes(host, home.lan + "1", home.lan6 + "1", "eth0");
        } else {
            Interface outer = interface("eth0", home.outside, home.outside6);
            if (first) outer.mtu = options_.mtu;
            host.interfaces.push_back(std::move(outer));
            if (default_route) add_default_routes(host, home.gateway, home.gateway6, "eth0");
        }
        if (first) host.taken_ports = options_.listen;
        if (first && options_.block.udp_out) {
            host.rulesets.push_back({"--block udp-out", udp_out_ruleset()});
        }
        topology_.hosts.push_back(std::move(host));

        CableEnd outer{home.host, "eth0"};
        if (routed) {
            add_router(home, first);
            topology_.cables.push_back({{home.router, "lan0"}, outer});
            outer = {home.router, "wan0"};
        }
        if (first && options_.cgnat) {
            topology_.cables.push_back({{"carrier", "lan0"}, outer});
        } else {
            attach_to_internet(outer);
            if (options_.ipv6 && routed) route_on_internet(home.lan6 + "/64", home.outside6);
        }
    }

    void add_router(const Home& home, bool first) {
        Host host = router(home.router);
        const std::optional<unsigned> mtu = first ? options_.mtu : std::nullopt;
        host.interfaces.push_back(interface("lan0", home.lan + "1", home.lan6 + "1"));
        host.interfaces.push_back(interface("wan0", home.outside, home.outside6));
        add_default_routes(host, home.gateway, home.gateway6, "wan0", mtu);
        if (mtu) add_narrow_routes(host, home, *mtu);

        const NatPlace place{.inside_net = home.lan + "0/24",
                             .outside_address = home.outside,
                             .lifetime_s = options_.mapping_lifetime.value_or(replied_lifetime_s),
                             .hairpin = first && options_.hairpin};
        host.rulesets.push_back(
            {"--nat " + std::string(to_string(home.nat)), nat_ruleset(home.nat, place)});
        const bool opens_ports = first && options_.igd.any();
        const FilterPlace filter{.outside_address = home.outside,
                                 .block = first ? options_.block : Block{},
                                 .routes_ipv6_freely = opens_ports};
        host.rulesets.push_back({"router's filter", router_filter_ruleset(filter)});
        if (first && options_.mtu_silent) {
            host.rulesets.push_back({"--mtu-black-hole", silent_mtu_ruleset()});
        }
        if (first && options_.captive_portal) {
            host.rulesets.push_back({"--captive-portal", portal_ruleset()});
            host.daemons.push_back(portal_page());
        }
        set_lifetime(host);
        if (opens_ports) {
            host.rulesets.push_back({"--igd", igd_ruleset(options_.igd)});
            host.daemons.push_back(port_mapper(options_.igd, options_.ipv6));
        }
        topology_.hosts.push_back(std::move(host));
    }

    // The narrow uplink as routes rather than as the interface's MTU: so the router tells both
    // sides when a packet is too big, which a cable that swallows big packets would not.
    void add_narrow_routes(Host& host, const Home& home, unsigned mtu) const {
        const std::string outside_net = options_.cgnat ? carrier_net : "11.22.33.0/24";
        host.routes.push_back({outside_net, "", "wan0", mtu});
        host.routes.push_back({home.lan + "0/24", "", "lan0", mtu});
        if (!options_.ipv6) return;
        const std::string outside_net6 = options_.cgnat ? "2001:db8:64::/64" : "2001:db8:33::/64";
        host.routes.push_back({outside_net6, "", "wan0", mtu});
        host.routes.push_back({home.lan6 + "/64", "", "lan0", mtu});
    }

    // Homes have IPv6 prefixes of their own, and the internet knows the way to them.
    void route_on_internet(const std::string& prefix, const std::string& gateway) {
        for (Host& host : topology_.hosts) {
            if (host.name == "internet") host.routes.push_back({prefix, gateway, "br0", {}});
            if (host.name == "server") host.routes.push_back({prefix, gateway, "eth0", {}});
        }
    }

    // The first home's line: the cable between the internet and whatever stands outermost there.
    void condition_line() {
        const std::string outermost = options_.cgnat              ? "carrier"
                                      : options_.nat == Nat::open ? "client"
                                                                  : "router";
        Host& internet = topology_.hosts.front();
        Line line{.port = "p-" + outermost, .block = {}, .loss_percent = options_.loss_percent};
        if (options_.nat == Nat::open) line.block = options_.block;
        const bool blocks =
            line.block.udp || line.block.udp_3478 || line.block.tcp_high || line.block.ipv6_in;
        if (line.loss_percent > 0 || blocks) {
            internet.rulesets.push_back({"--loss or --block", line_ruleset(line)});
        }
        if (!options_.delay_ms) return;
        for (Host& host : topology_.hosts) {
            const std::string wanted = host.name == "internet" ? line.port
                                       : outermost == "client" ? "eth0"
                                                               : "wan0";
            if (host.name != "internet" && host.name != outermost) continue;
            for (Interface& candidate : host.interfaces) {
                if (candidate.name == wanted) candidate.delay_ms = options_.delay_ms;
            }
        }
    }

    const Options& options_;
    Topology topology_;
};

bool is_v6(const std::string& address) { return address.find(':') != std::string::npos; }

std::string mtu_words(std::optional<unsigned> mtu) {
    return mtu ? " mtu " + std::to_string(*mtu) : "";
}

}  // namespace

Topology build_topology(const Options& options) { return Builder(options).build(); }

const Host* Topology::find(std::string_view host) const {
    for (const Host& candidate : hosts) {
        if (candidate.name == host) return &candidate;
    }
    return nullptr;
}

std::string Topology::host_names() const {
    std::string names;
    for (const Host& host : hosts) names += (names.empty() ? "" : ", ") + host.name;
    return names;
}

std::string cables_batch(const Topology& topology) {
    std::string batch;
    // No two interfaces of the lab share an index: the kernel takes a veth whose other end has the
    // same one for a plain device, and may then notice only after a second that the cable is
    // plugged in.
    unsigned index = 2;
    const auto end = [&index](const CableEnd& cable_end) {
        return cable_end.interface + " netns /run/netns/" + cable_end.host + " index " +
               std::to_string(index++);
    };
    for (const Cable& cable : topology.cables) {
        batch += "link add name " + end(cable.a);
        batch += " type veth peer name " + end(cable.b) + "\n";
    }
    return batch;
}

std::string host_batch(const Host& host) {
    std::string batch = "link set lo up\n";
    for (const Interface& interface : host.interfaces) {
        const std::string device = " dev " + interface.name;
        if (interface.is_bridge) batch += "link add name " + interface.name + " type bridge\n";
        for (const std::string& address : interface.addresses) {
            batch += "addr add " + address + device + (is_v6(address) ? " nodad\n" : "\n");
        }
        batch += "link set" + device + mtu_words(interface.mtu);
        if (!interface.bridge.empty()) batch += " master " + interface.bridge;
        batch += " up\n";
    }
    for (const Route& route : host.routes) {
        // `replace`, as the kernel has made the routes of connected networks already.
        batch += "route replace " + route.destination;
        if (!route.gateway.empty()) batch += " via " + route.gateway;
        batch += " dev " + route.interface + mtu_words(route.mtu) + "\n";
    }
    return batch;
}

}  // namespace p2pdiag::lab
