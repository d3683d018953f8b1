#include "options.hpp"

#include <cstdlib>
#include <utility>

namespace p2pdiag::lab {
namespace {

Problem usage(std::string message) { return {exit_usage, std::move(message)}; }

std::string nat_list() {
    std::string list;
    for (const auto& [nat, name] : nat_names) {
        if (!list.empty()) list += ", ";
        list += name;
    }
    return list;
}

Outcome<std::optional<Nat>> read_nat(const json::object& options, std::string_view key) {
    const std::optional<std::string_view> text = json::find_string(options, key);
    if (!text) return std::optional<Nat>{};
    for (const auto& [nat, name] : nat_names) {
        if (name == *text) return std::optional(nat);
    }
    return usage("--" + std::string(key) + " " + std::string(*text) +
                 " is no kind of NAT. The kinds: " + nat_list());
}

Outcome<Igd> read_igd(std::string_view text) {
    Igd igd;
    bool none = false;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        if (word == "upnp") {
            igd.upnp = true;
        } else if (word == "natpmp") {
            igd.natpmp = true;
        } else if (word == "pcp") {
            igd.pcp = true;
        } else if (word == "none") {
            none = true;
        } else {
            return usage("--igd takes upnp, natpmp and pcp, separated by commas, or none; not '" +
                         std::string(word) + "'");
        }
        begin = end + 1;
    }
    if (none && igd.any()) return usage("--igd none excludes the other protocols");
    return igd;
}

Outcome<Block> read_block(const json::object& options) {
    Block block;
    const json::array* list = json::find_array(options, "block");
    if (list == nullptr) return block;
    for (const json::value& item : *list) {
        const std::string text = item.is_string() ? std::string(item.as_string()) : "";
        if (text == "udp") {
            block.udp = true;
        } else if (text == "udp-3478") {
            block.udp_3478 = true;
        } else if (text == "udp-out") {
            block.udp_out = true;
        } else if (text == "tcp-high") {
            block.tcp_high = true;
        } else if (text == "ipv6-in") {
            block.ipv6_in = true;
        } else {
            return usage("--block takes udp, udp-3478, udp-out, tcp-high or ipv6-in; not '" + text +
                         "'");
        }
    }
    return block;
}

// More would be no program any more.
constexpr std::size_t max_taken_ports = 64;

Outcome<std::vector<TakenPort>> read_listen(const json::object& options) {
    std::vector<TakenPort> ports;
    const json::array* list = json::find_array(options, "listen");
    if (list == nullptr) return ports;
    if (list->size() > max_taken_ports) return usage("--listen is given too many times");
    for (const json::value& item : *list) {
        const std::string text = item.is_string() ? std::string(item.as_string()) : "";
        const std::size_t colon = std::min(text.find(':'), text.size());
        const auto transport = parse_transport(text.substr(0, colon));
        const auto local = Endpoint::parse(text.substr(std::min(colon + 1, text.size())));
        if (!transport || !local) {
            return usage("--listen takes udp:ADDRESS:PORT or tcp:ADDRESS:PORT; not '" + text + "'");
        }
        ports.push_back({*transport, *local});
    }
    return ports;
}

Outcome<std::optional<unsigned>> read_unsigned(const json::object& options, std::string_view key,
                                               unsigned min, unsigned max) {
    const std::optional<std::int64_t> value = json::find_integer(options, key);
    if (!value) return std::optional<unsigned>{};
    if (*value < min || *value > max) {
        return usage("--" + std::string(key) + " " + std::to_string(*value) + " is not from " +
                     std::to_string(min) + " to " + std::to_string(max));
    }
    return std::optional(static_cast<unsigned>(*value));
}

bool flag(const json::object& options, std::string_view key) {
    return json::find_bool(options, key).value_or(false);
}

Outcome<void> check_combination(const Options& options) {
    if (options.nat == Nat::open && options.igd.any()) {
        return usage("--igd needs a router, and --nat open has none");
    }
    if (options.nat == Nat::open && options.hairpin) {
        return usage("--hairpin needs a router, and --nat open has none");
    }
    const bool some_nat = options.nat != Nat::open || options.cgnat.has_value() ||
                          options.peer_nat.value_or(Nat::open) != Nat::open;
    if (options.mapping_lifetime && !some_nat) {
        return usage("--mapping-lifetime needs a NAT, and there is none");
    }
    if (options.cgnat == Nat::open) {
        return usage("--cgnat open is no NAT; leave --cgnat out instead");
    }
    // RFC 8200 section 5: every link must carry 1280 bytes.
    if (options.ipv6 && options.mtu && *options.mtu < 1280) {
        return usage("--mtu " + std::to_string(*options.mtu) +
                     " is too little for --ipv6, which needs 1280");
    }
    if ((options.dns == Dns::nat64 || options.dns == Dns::lying) && !options.servers) {
        return usage("--dns nat64 and lying need the name server that --no-servers leaves out");
    }
    if (options.block.ipv6_in && !options.ipv6) return usage("--block ipv6-in needs --ipv6");
    if (options.nat == Nat::open && options.captive_portal) {
        return usage("--captive-portal needs a router, and --nat open has none");
    }
    if (options.nat == Nat::open && options.mtu_silent) {
        return usage("--mtu-black-hole needs a router, and --nat open has none");
    }
    if (options.web_clock_s != 0 && !options.servers) {
        return usage("--web-clock needs the web server that --no-servers leaves out");
    }
    return {};
}

}  // namespace

std::string_view to_string(Nat nat) {
    for (const auto& [kind, name] : nat_names) {
        if (kind == nat) return name;
    }
    return "unknown";
}

std::string TakenPort::to_string() const {
    return std::string(p2pdiag::to_string(transport)) + ":" + local.to_string();
}

Outcome<Options> parse_options(const json::object& given) {
    Options options;
    const Outcome<std::optional<Nat>> nat = read_nat(given, "nat");
    if (!nat) return nat.error();
    if (!*nat) return usage("--nat KIND is missing. The kinds: " + nat_list());
    options.nat = **nat;

    const Outcome<std::optional<Nat>> peer = read_nat(given, "peer-nat");
    if (!peer) return peer.error();
    options.peer_nat = *peer;
    const Outcome<std::optional<Nat>> carrier = read_nat(given, "cgnat");
    if (!carrier) return carrier.error();
    options.cgnat = *carrier;

    const Outcome<Igd> igd = read_igd(json::find_string(given, "igd").value_or("none"));
    if (!igd) return igd.error();
    options.igd = *igd;
    const Outcome<Block> block = read_block(given);
    if (!block) return block.error();
    options.block = *block;

    const Outcome<std::vector<TakenPort>> listen = read_listen(given);
    if (!listen) return listen.error();
    options.listen = *listen;

    options.loss_percent = json::find_number(given, "loss").value_or(0);
    if (!(options.loss_percent >= 0 && options.loss_percent <= 90)) {
        return usage("--loss is a percentage from 0 to 90");
    }
    const auto lifetime = read_unsigned(given, "mapping-lifetime", 1, 86400);
    if (!lifetime) return lifetime.error();
    options.mapping_lifetime = *lifetime;
    // RFC 791 section 3.1: every host takes 576 bytes. 1500 is what the lab's links carry.
    const auto mtu = read_unsigned(given, "mtu", 576, 1500);
    if (!mtu) return mtu.error();
    options.mtu = *mtu;
    const auto silent_mtu = read_unsigned(given, "mtu-black-hole", 576, 1500);
    if (!silent_mtu) return silent_mtu.error();
    if (*silent_mtu && *mtu) return usage("--mtu and --mtu-black-hole exclude each other");
    if (*silent_mtu) options.mtu = *silent_mtu;
    options.mtu_silent = silent_mtu->has_value();
    const auto delay = read_unsigned(given, "delay", 1, 10000);
    if (!delay) return delay.error();
    options.delay_ms = *delay;

    options.on = json::find_string(given, "on").value_or("client");
    options.host_firewall = json::find_string(given, "host-firewall").value_or("");
    options.command = flag(given, "command");
    options.servers = !flag(given, "no-servers");
    options.hairpin = flag(given, "hairpin");
    options.ipv6 = flag(given, "ipv6");
    options.default_route = !flag(given, "no-default-route");
    options.captive_portal = flag(given, "captive-portal");
    options.web_clock_s = static_cast<int>(json::find_integer(given, "web-clock").value_or(0));
    // Twenty years: its Date stays one that a program can show.
    if (std::abs(options.web_clock_s) > 630'000'000) {
        return usage("--web-clock is at most 630000000 seconds either way");
    }
    const std::string_view dns = json::find_string(given, "dns").value_or("ok");
    if (dns == "broken") {
        options.dns = Dns::broken;
    } else if (dns == "nat64") {
        options.dns = Dns::nat64;
    } else if (dns == "lying") {
        options.dns = Dns::lying;
    } else if (dns != "ok") {
        return usage("--dns is ok, broken, nat64 or lying");
    }

    const Outcome<void> combination = check_combination(options);
    if (!combination) return combination.error();
    return options;
}

}  // namespace p2pdiag::lab
