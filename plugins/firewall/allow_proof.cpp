// That a plan opens nothing but what was asked for: other packets fare after it as before.
#include <algorithm>
#include <set>

#include "allow_plan.hpp"
#include "allow_verify.hpp"
#include "ask.hpp"

namespace p2pdiag::firewall {

namespace {

struct Probe {
    Packet packet;
    std::string what;
};

std::string text_of(const Packet& packet) {
    return std::string(packet.protocol == protocol_udp ? "UDP" : "TCP") + " port " +
           std::to_string(packet.destination_port);
}

std::uint8_t other(std::uint8_t protocol) {
    return protocol == protocol_udp ? protocol_tcp : protocol_udp;
}

bool is_target_port(const Expression& expression) {
    const auto* field = std::get_if<Payload>(&expression.form);
    return field != nullptr && field->base == Base::transport && field->offset == 16 &&
           field->length == 16;
}

// The ports that a rule which rewrites packets asks for: what is sent on to the opened port would
// be opened with it.
void add_rewritten(const Ruleset& ruleset, const Rule& rule, std::set<unsigned>& ports) {
    constexpr std::size_t most = 256;
    const bool rewrites = std::any_of(rule.steps.begin(), rule.steps.end(), [](const Step& step) {
        return std::holds_alternative<Translate>(step);
    });
    for (const Step& step : rule.steps) {
        const auto* match = std::get_if<Match>(&step);
        if (!rewrites || match == nullptr || match->how != Match::How::in_set) continue;
        const Set& set = ruleset.sets[match->set];
        for (std::size_t part = 0; part < match->left.size() && part < set.parts; ++part) {
            if (!is_target_port(match->left[part])) continue;
            for (std::size_t i = 0; i < set.size() && ports.size() < most; ++i) {
                ports.insert(static_cast<unsigned>(set.bounds[i * set.parts + part].low));
            }
        }
    }
}

std::set<unsigned> ports_to_try(const World& world, unsigned port) {
    std::set<unsigned> ports = {port - 1, port + 1, 1, 22, 53, 443, 1024, 65535};
    for (const Ruleset& ruleset : world.rulesets) {
        for (const Chain& chain : ruleset.chains) {
            for (const Rule& rule : chain.rules) add_rewritten(ruleset, rule, ports);
        }
    }
    return ports;
}

void add_ports(const std::set<unsigned>& ports, const Packet& packet, const Opening& opening,
               std::vector<Probe>& probes) {
    for (const unsigned one : ports) {
        if (one == 0 || one > 65535 || one == opening.port) continue;
        for (const std::uint8_t protocol : {protocol_udp, protocol_tcp}) {
            Packet probe = packet;
            probe.destination_port = static_cast<std::uint16_t>(one);
            probe.protocol = protocol;
            probes.push_back({probe, text_of(probe)});
        }
    }
    Packet probe = packet;
    probe.protocol = other(opening.protocol);
    probes.push_back({probe, text_of(probe)});
}

// To somebody in the networks behind, as far as this machine would forward it.
void add_forwarded(const World& world, const Packet& packet, std::vector<Probe>& probes) {
    for (const net::Interface& interface : world.interfaces) {
        if (interface.name == packet.interface || interface.kind == net::LinkKind::loopback)
            continue;
        for (const net::InterfaceAddress& own : interface.addresses) {
            const unsigned width = own.address.is_v4() ? 32 : 128;
            if (own.address.family() != packet.family() || own.prefix + 1 >= width) continue;
            Packet probe = packet;
            // Its neighbour.
            probe.destination = to_address(to_bits(own.address) ^ 1, packet.family());
            if (world.owner_of(probe.destination) != nullptr) continue;
            probes.push_back({probe, text_of(probe) + " of machines behind this one"});
        }
    }
}

std::vector<Probe> probes_for(const World& world, const Opening& opening) {
    std::vector<Probe> probes;
    const std::set<unsigned> ports = ports_to_try(world, opening.port);
    for (const Entrance& entrance : find_entrances(world)) {
        Packet packet;
        packet.interface = entrance.interface;
        packet.destination = entrance.address;
        packet.protocol = opening.protocol;
        packet.destination_port = opening.port;
        const Endpoint nobody = stranger(packet.family());
        packet.source = nobody.address;
        packet.source_port = nobody.port;
        const bool of_family =
            opening.source && opening.source->address.family() == packet.family();
        const bool outside =
            opening.source && (!of_family || nobody.address < opening.source->first() ||
                               opening.source->last() < nobody.address);
        if (outside) probes.push_back({packet, text_of(packet) + " from everywhere"});
        if (of_family) {
            packet.source.reset();
            packet.source_within = opening.source->bits();
            packet.source = somebody_within(world, packet);
        }
        add_ports(ports, packet, opening, probes);
        add_forwarded(world, packet, probes);
    }
    return probes;
}

}  // namespace

std::string opened_besides(const World& before, const World& after, const Opening& opening) {
    for (const Probe& probe : probes_for(before, opening)) {
        const Verdict was = evaluate(before, probe.packet);
        const Verdict is = evaluate(after, probe.packet);
        if (was.kind != is.kind || was.passes != is.passes)
            return probe.what + " would be opened too";
    }
    return {};
}

}  // namespace p2pdiag::firewall
