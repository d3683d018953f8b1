#include "simulation.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <queue>
#include <stdexcept>

namespace p2pdiag::nat::testing {

namespace {

const IpAddress wan = IpAddress::v4(0x0B161701);  // 11.22.23.1
const IpAddress twin_address = IpAddress::v4(0x0B1621F0);
const IpAddress mask = IpAddress::v4(0x0B162D01);
const Endpoint other_source{IpAddress::v4(0x0B162C63), 9};
constexpr std::uint16_t first_local_port = 40000;

struct Packet {
    TimePoint at;
    std::uint64_t number = 0;
    std::function<void()> deliver;
    friend bool operator<(const Packet& a, const Packet& b) {
        return std::tie(a.at, a.number) > std::tie(b.at, b.number);
    }
};

class Simulation {
public:
    Simulation(const World& world, unsigned seed, const Asked& asked)
        : world_(world),
          random_(seed),
          next_port_(static_cast<std::uint16_t>(20000 + seed % 20000)),
          discovery_(
              config(world, asked), [this] { return transaction(); }, now_) {}

    Outcome run() {
        discovery_.on_tap(world_.tap);
        carry_out();
        for (unsigned i = 0; i < world_.flood; ++i) {
            const Bytes junk = i % 2 == 0 ? garbage() : stun::encode(stun::Message{});
            discovery_.on_datagram(0, other_source, junk, now_);
        }
        unsigned steps = 0;
        while (!discovery_.done()) {
            if (++steps > 100000) throw std::logic_error("the discovery never ends");
            const TimePoint wakeup = after_stall(discovery_.next_wakeup());
            if (!packets_.empty() && packets_.top().at <= wakeup) {
                const Packet packet = packets_.top();
                packets_.pop();
                now_ = packet.at;
                packet.deliver();
            } else {
                now_ = wakeup;
                discovery_.on_time(now_);
            }
            carry_out();
        }
        return {classify(discovery_.observations()), discovery_.observations(), now_ - start_,
                traversals_};
    }

private:
    static DiscoveryConfig config(const World& world, const Asked& asked) {
        DiscoveryConfig config;
        config.family = world.local.family();
        for (const SimServer& server : world.servers) {
            const std::size_t name = world.one_name ? 0 : config.servers.size();
            const net::LinkKind kind =
                world.local_by_tunnel ? net::LinkKind::tunnel : net::LinkKind::ethernet;
            const IpAddress local = server.local.value_or(world.local);
            config.servers.push_back({server.primary, local, name, Egress{"eth0", kind}});
        }
        config.hairpin = asked.hairpin;
        config.given_port = asked.given_port;
        config.find_hops = asked.find_hops;
        return config;
    }

    stun::TransactionId transaction() {
        stun::TransactionId id{};
        for (auto& byte : id) byte = static_cast<std::uint8_t>(random_());
        return id;
    }

    Bytes garbage() {
        Bytes bytes(random_() % 64);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
        return bytes;
    }

    bool chance(double probability) {
        return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
    }

    bool in_burst(TimePoint when) {
        if (world_.loss.bursts_per_second <= 0) return false;
        std::exponential_distribution<double> pause(world_.loss.bursts_per_second);
        std::exponential_distribution<double> length(
            1 / std::chrono::duration<double>(world_.loss.burst).count());
        const auto seconds = [](double s) {
            return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
        };
        while (bursts_.empty() || when >= bursts_.back().second) {
            const TimePoint start =
                (bursts_.empty() ? start_ - std::chrono::seconds(1) : bursts_.back().second) +
                seconds(pause(random_));
            bursts_.emplace_back(start, start + seconds(length(random_)));
        }
        return std::any_of(bursts_.begin(), bursts_.end(), [&](const auto& burst) {
            return when >= burst.first && when < burst.second;
        });
    }

    bool lost() {
        const std::uint64_t number = traversals_++;
        if (world_.loss.only && *world_.loss.only == number) return true;
        if (in_burst(now_)) return true;
        return world_.loss.each_way > 0 && chance(world_.loss.each_way);
    }

    void later(Duration delay, std::function<void()> deliver) {
        Duration extra{};
        if (world_.jitter > Duration{}) {
            extra = Duration(static_cast<Duration::rep>(
                random_() % static_cast<std::uint64_t>(world_.jitter.count())));
        }
        packets_.push({now_ + delay + extra, packet_number_++, std::move(deliver)});
    }

    // When the machine that measures next runs.
    TimePoint after_stall(TimePoint when) const {
        for (const Stall& stall : world_.stalls) {
            const TimePoint begin = start_ + stall.begin;
            if (when >= begin && when < begin + stall.length) return begin + stall.length;
        }
        return when;
    }

    // What reaches a machine that stands still waits there, and is found in any order.
    void reach_client(std::function<void()> deliver) {
        const TimePoint when = after_stall(now_);
        if (when == now_) return deliver();
        packets_.push({when, random_(), std::move(deliver)});
    }

    // Every packet asks anew until its flow is let through.
    bool admits(std::uint16_t local_port, const Endpoint& to) {
        if (!world_.new_flows || flows_.contains({local_port, to})) return true;
        const auto passed = std::chrono::duration<double>(now_ - start_).count();
        const double allowed = world_.new_flows->at_once + world_.new_flows->per_second * passed;
        if (static_cast<double>(flows_.size()) + 1 > allowed) return false;
        flows_.insert({local_port, to});
        return true;
    }

    // The handshake, then a request every 50 ms. What is lost comes after a retransmission timeout,
    // and what is behind it waits.
    void connect_tcp(std::size_t server) {
        constexpr Milliseconds first_timeout{1000};
        constexpr Milliseconds timeout{200};
        constexpr Milliseconds patience{1500};
        const Fault fault = world_.servers[server].fault;
        const bool no_tcp = fault == Fault::silent || fault == Fault::wrong_source;
        if (world_.tcp_refused.contains(server)) {
            return at(now_ + 2 * world_.one_way, [=, this] {
                discovery_.on_tcp_alive(server, now_);
                discovery_.on_tcp_failed(server, now_);
            });
        }
        if (!world_.tcp_passes || no_tcp) {
            return at(now_ + patience, [=, this] { discovery_.on_tcp_failed(server, now_); });
        }
        TimePoint connected = now_ + 2 * world_.one_way;
        for (int i = 0; i < 2; ++i) {
            if (tcp_lost(now_)) connected += first_timeout;
        }
        at(connected, [=, this] { discovery_.on_tcp_alive(server, now_); });
        TimePoint answered = connected;
        for (int i = 0; i < 60; ++i) {
            const TimePoint sent = connected + i * Milliseconds(50);
            TimePoint arrives = sent + 2 * world_.one_way;
            for (int trip = 0; trip < 2; ++trip) {
                TimePoint try_at = sent;
                // After this many timeouts the discovery is over.
                for (int tries = 0; tries < 40 && tcp_lost(try_at); ++tries) {
                    try_at += timeout;
                    arrives += timeout;
                }
            }
            answered = std::max(answered, arrives);
            at(answered, [=, this] { discovery_.on_tcp_answer(server, sent, now_); });
        }
    }

    bool tcp_lost(TimePoint when) {
        return in_burst(when) || (world_.loss.each_way > 0 && chance(world_.loss.each_way));
    }

    void at(TimePoint when, std::function<void()> deliver) {
        packets_.push({when, packet_number_++, std::move(deliver)});
    }

    void carry_out() {
        for (Action& action : discovery_.take_actions()) {
            if (const auto* open = std::get_if<OpenSocket>(&action)) {
                const std::uint16_t port =
                    open->local_port != 0
                        ? open->local_port
                        : static_cast<std::uint16_t>(first_local_port + open->socket);
                socket_by_port_[port] = open->socket;
                port_by_socket_[open->socket] = port;
                discovery_.on_opened(open->socket, port);
            } else if (const auto* tcp = std::get_if<OpenTcp>(&action)) {
                connect_tcp(tcp->server);
            } else {
                const auto& send = std::get<SendDatagram>(action);
                leave(send.socket, send.to, send.datagram, send.ttl);
            }
        }
    }

    Endpoint allocate(std::uint16_t local_port, const Endpoint& to) {
        if (world_.direct) return {world_.local, local_port};
        if (world_.own_mapping) return world_.own_mapping(local_port, to);
        IpAddress address = wan;
        if (!world_.pool.empty()) address = world_.pool[random_() % world_.pool.size()];
        if (local_port == world_.static_port) return {address, local_port};
        switch (world_.ports) {
            case Ports::preserved: return {address, local_port};
            case Ports::sequential:
                next_port_ = static_cast<std::uint16_t>(next_port_ + world_.step);
                return {address, next_port_};
            case Ports::random: break;
        }
        std::uint16_t port = 0;
        do {
            port = static_cast<std::uint16_t>(1024 + random_() % 64000);
        } while (inside_.contains({address, port}) || socket_by_port_.contains(port));
        return {address, port};
    }

    using Key = std::tuple<std::uint16_t, IpAddress, std::uint16_t>;
    Key key_of(std::uint16_t local_port, const Endpoint& to) const {
        const Dependence mapping = world_.direct || local_port == world_.static_port
                                       ? Dependence::endpoint_independent
                                       : world_.mapping;
        if (world_.own_mapping) return {local_port, to.address, to.port};
        if (mapping == Dependence::endpoint_independent) return {local_port, {}, 0};
        if (mapping == Dependence::address_dependent) return {local_port, to.address, 0};
        return {local_port, to.address, to.port};
    }

    Endpoint map(std::uint16_t local_port, const Endpoint& to) {
        const auto [found, added] = mappings_.try_emplace(key_of(local_port, to));
        if (added) {
            found->second = allocate(local_port, to);
            inside_[found->second] = local_port;
        }
        contacts_[found->second].insert(to);
        contacted_.insert(to.address);
        return found->second;
    }

    bool lets_in(const Endpoint& outside, const Endpoint& from) const {
        const auto contacts = contacts_.find(outside);
        if (contacts == contacts_.end()) return false;
        if (world_.filtering == Dependence::endpoint_independent) return true;
        if (world_.stale_ports.contains(inside_.at(outside))) return true;
        if (world_.filter_of_host) return contacted_.contains(from.address);
        return std::any_of(contacts->second.begin(), contacts->second.end(), [&](auto& known) {
            return known.address == from.address &&
                   (world_.filtering == Dependence::address_dependent || known.port == from.port);
        });
    }

    // Of a flow that begins outside.
    bool admits_inbound(const Endpoint& outside, const Endpoint& from) {
        const auto contacts = contacts_.find(outside);
        const bool known = contacts != contacts_.end() && contacts->second.contains(from);
        if (!world_.new_inbound || known || inbound_.contains({outside, from})) return true;
        const auto passed = std::chrono::duration<double>(now_ - start_).count();
        const double allowed =
            world_.new_inbound->at_once + world_.new_inbound->per_second * passed;
        if (static_cast<double>(inbound_.size()) + 1 > allowed) return false;
        inbound_.insert({outside, from});
        return true;
    }

    bool host_lets_in(std::uint16_t port, const Endpoint& from) const {
        if (world_.host_deaf) return false;
        if (!world_.host_filtering) return true;
        const auto contacts = host_contacts_.find(port);
        if (contacts == host_contacts_.end()) return false;
        const bool by_port = *world_.host_filtering == Dependence::address_and_port_dependent;
        return std::any_of(contacts->second.begin(), contacts->second.end(), [&](auto& known) {
            return known.address == from.address && (!by_port || known.port == from.port);
        });
    }

    void leave(SocketId socket, const Endpoint& to, const Bytes& datagram, int ttl) {
        const bool all_ports = world_.blocked_ports.empty();
        if (world_.not_permitted && (all_ports || world_.blocked_ports.contains(to.port))) {
            Trouble trouble;
            trouble.error = EPERM;
            return discovery_.on_trouble(socket, to, trouble, now_);
        }
        if (ttl > 0) return expire(socket, to, ttl);
        if (world_.udp_blocked) return stop(socket, to);
        if (world_.cookie_dropped && has_cookie(datagram)) return;
        if (!admits(port_by_socket_.at(socket), to)) return;
        host_contacts_[port_by_socket_.at(socket)].insert(to);
        const Endpoint from = map(port_by_socket_.at(socket), to);
        if (world_.blocked_ports.contains(to.port)) return;
        const bool permits_some = !world_.permitted_ports.empty();
        if (permits_some && !world_.permitted_ports.contains(to.port)) return stop(socket, to);
        if (world_.closed_ports_refuse && is_closed(to) && !lost() && !lost()) {
            const Trouble trouble{ECONNREFUSED, true, 3, 3, to.address};
            return later(2 * world_.one_way,
                         [=, this] { discovery_.on_trouble(socket, to, trouble, now_); });
        }
        if (inside_.contains(to) && !world_.direct) {
            if (world_.hairpin && !lost()) enter(from, to, datagram);
            return;
        }
        if (lost()) return;
        later(world_.one_way, [=, this] { serve(from, to, datagram); });
    }

    // Silently, or with a word to the sender.
    void stop(SocketId socket, const Endpoint& to) {
        if (!world_.prohibits_by_icmp) return;
        const IpAddress router = IpAddress::v4(0xC0A80701);
        const IpAddress offender = world_.servers_prohibit ? to.address : router;
        const Trouble trouble{EHOSTUNREACH, true, 3, 13, offender};
        later(world_.one_way, [=, this] { discovery_.on_trouble(socket, to, trouble, now_); });
    }

    static bool has_cookie(const Bytes& datagram) {
        const auto message = stun::parse(datagram);
        return message && !message->is_classic();
    }

    void expire(SocketId socket, const Endpoint& to, int ttl) {
        if (!world_.carrier_hop || ttl != 2 || lost()) return;
        Trouble trouble{EHOSTUNREACH, true, 11, 0, IpAddress::v4(0x64400001)};
        later(world_.one_way, [=, this] { discovery_.on_trouble(socket, to, trouble, now_); });
    }

    bool is_dead(const Endpoint& from, const Endpoint& to) {
        if (world_.dead_flows <= 0) return false;
        const auto [found, added] = dead_.try_emplace({from, to}, false);
        if (added) found->second = chance(world_.dead_flows);
        return found->second;
    }

    bool obliges() {
        if (!world_.change_limit) return true;
        const ChangeLimit& limit = *world_.change_limit;
        const auto passed = std::chrono::duration<double>(now_ - tokens_at_).count();
        if (tokens_ < 0) tokens_ = limit.at_once;
        tokens_ = std::min(limit.at_once, tokens_ + passed * limit.per_second);
        tokens_at_ = now_;
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
    }

    void enter(const Endpoint& from, const Endpoint& to, const Bytes& datagram) {
        const auto inside = inside_.find(to);
        if (inside == inside_.end() || is_dead(from, to) || !lets_in(to, from)) return;
        if (!admits_inbound(to, from)) return;
        const std::uint16_t port = inside->second;
        later(world_.one_way, [=, this] {
            if (world_.tap) discovery_.on_tapped(from, {world_.local, port}, datagram);
            if (!host_lets_in(port, from)) return;
            const SocketId socket = socket_by_port_.at(port);
            reach_client([=, this] { discovery_.on_datagram(socket, from, datagram, now_); });
        });
    }

    // The address of a server, but no port that it serves.
    bool is_closed(const Endpoint& to) const {
        bool address = false;
        for (const SimServer& server : world_.servers) {
            const bool here =
                to.address == server.primary.address || to.address == server.other.address;
            address = address || here;
            const bool port = to.port == server.primary.port || to.port == server.other.port;
            if (here && port) return false;
        }
        return address;
    }

    void reply(const Endpoint& from, const Endpoint& to, const Bytes& datagram, Duration delay) {
        if (world_.blocked_ports.contains(from.port)) return;
        later(delay, [=, this] {
            if (!lost()) enter(from, to, datagram);
        });
    }

    // A load balancer chooses by the client's port.
    static IpAddress second_address(const SimServer& server, const Endpoint& client) {
        const bool twin = server.fault == Fault::two_backends && (client.port / 3) % 2 == 1;
        return twin ? twin_address : server.other.address;
    }

    // RFC 5780 section 7.4: the other address and the other port, seen from where it was asked.
    static std::optional<Endpoint> other_of(const SimServer& server, const Endpoint& at,
                                            const Endpoint& client) {
        switch (server.fault) {
            case Fault::no_other: return std::nullopt;
            case Fault::same_ip_other: return Endpoint{server.primary.address, server.other.port};
            case Fault::same_port_other: return Endpoint{server.other.address, server.primary.port};
            case Fault::private_other:
                return Endpoint{IpAddress::v4(0xC0A80105), server.other.port};
            default: break;
        }
        const bool here = at.address == server.primary.address;
        const bool own_port = at.port == server.primary.port;
        return Endpoint{here ? second_address(server, client) : server.primary.address,
                        own_port ? server.other.port : server.primary.port};
    }

    void serve(const Endpoint& client, const Endpoint& at, const Bytes& datagram) {
        for (const SimServer& server : world_.servers) {
            const bool is_here =
                at.address == server.primary.address || at.address == server.other.address ||
                (server.fault == Fault::two_backends && at.address == twin_address);
            const bool is_port = at.port == server.primary.port || at.port == server.other.port;
            if (is_here && is_port) return answer(server, client, at, datagram);
        }
    }

    void answer(const SimServer& server, const Endpoint& client, const Endpoint& at,
                const Bytes& datagram) {
        const Fault fault = server.fault;
        const bool elsewhere = at.address != server.primary.address;
        if (fault == Fault::silent || (fault == Fault::dead_other && elsewhere)) return;
        const auto request = stun::parse(datagram);
        if (!request || request->message_class != stun::Class::request) return;
        if (fault == Fault::garbage) return reply(at, client, garbage(), world_.one_way);

        stun::Message answer;
        answer.message_class = stun::Class::success;
        answer.transaction = request->transaction;
        answer.cookie = request->cookie;
        if (fault == Fault::wrong_transaction) answer.transaction = transaction();
        Endpoint source = at;
        if (request->change_request) {
            if (fault == Fault::drops_change || !obliges()) return;
            const bool refuses = fault == Fault::rejects_change;
            if (refuses || fault == Fault::error_500) return refuse(answer, client, at, 420);
            if (fault != Fault::ignores_change) {
                if (request->change_request->address) {
                    source.address =
                        elsewhere ? server.primary.address : second_address(server, client);
                }
                if (request->change_request->port) {
                    const bool is_other_port = at.port == server.other.port;
                    source.port = is_other_port ? server.primary.port : server.other.port;
                }
            }
        }
        if (fault == Fault::error_500) return refuse(answer, client, at, 500);
        const bool mute = fault == Fault::dead_other || fault == Fault::mute_other;
        if (mute && source.address == server.other.address) return;
        if (fault == Fault::wrong_source) ++source.port;
        answer.xor_mapped_address = client;
        answer.mapped_address = client;
        if (fault == Fault::rewritten) answer.mapped_address->port ^= 1;
        if (world_.plain_restored) {
            answer.xor_mapped_address.reset();
            answer.mapped_address = Endpoint{world_.local, inside_.at(client)};
        }
        if (fault == Fault::masked) {
            answer.xor_mapped_address = answer.mapped_address =
                Endpoint{mask, static_cast<std::uint16_t>(client.port ^ 0x155)};
        }
        if (fault == Fault::other_port_for_each) {
            const unsigned apart = (elsewhere ? 1U : 0U) + at.port % 100;
            answer.xor_mapped_address->port = static_cast<std::uint16_t>(client.port ^ apart);
            answer.mapped_address = answer.xor_mapped_address;
        }
        answer.other_address = other_of(server, at, client);
        const Bytes bytes = stun::encode(answer);
        const Duration delay =
            world_.one_way + (fault == Fault::late ? Milliseconds(200) : Milliseconds(0));
        for (int i = 0; i < (fault == Fault::duplicates ? 3 : 1); ++i) {
            reply(source, client, bytes, delay);
        }
    }

    void refuse(stun::Message& answer, const Endpoint& client, const Endpoint& at, int code) {
        answer.message_class = stun::Class::error;
        answer.error = stun::ErrorCodeAttribute{code, "no"};
        reply(at, client, stun::encode(answer), world_.one_way);
    }

    World world_;
    std::mt19937 random_;
    std::uint16_t next_port_;
    TimePoint start_{std::chrono::hours(1)};
    TimePoint now_ = start_;
    std::priority_queue<Packet> packets_;
    std::uint64_t packet_number_ = 0;
    std::uint64_t traversals_ = 0;
    std::vector<std::pair<TimePoint, TimePoint>> bursts_;
    std::map<Key, Endpoint> mappings_;
    std::set<std::pair<std::uint16_t, Endpoint>> flows_;
    std::map<std::pair<Endpoint, Endpoint>, bool> dead_;
    double tokens_ = -1;  // a full bucket
    TimePoint tokens_at_ = start_;
    std::map<Endpoint, std::uint16_t> inside_;
    std::map<Endpoint, std::set<Endpoint>> contacts_;
    std::set<IpAddress> contacted_;
    std::set<std::pair<Endpoint, Endpoint>> inbound_;
    std::map<std::uint16_t, std::set<Endpoint>> host_contacts_;
    std::map<std::uint16_t, SocketId> socket_by_port_;
    std::map<SocketId, std::uint16_t> port_by_socket_;
    Discovery discovery_;
};

template <class T>
void claim(std::string& wrong, const char* name, const Field<T>& field, const T& truth) {
    if (field.value && *field.value != truth)
        wrong += std::string(wrong.empty() ? "" : ", ") + name;
}

}  // namespace

World::World() : servers{server_number(0)}, local(IpAddress::v4(0xC0A80702)) {}

SimServer server_number(unsigned number, Fault fault) {
    const std::uint32_t base = 0x0B162101 + 0x10 * number;
    return {{IpAddress::v4(base), 3478}, {IpAddress::v4(base + 1), 3479}, fault};
}

Outcome discover(const World& world, unsigned seed, const Asked& asked) {
    World complete = world;
    // No NAT means a public address of one's own.
    const bool is_private = !world.local.is_public();
    if (world.direct && is_private) complete.local = IpAddress::v4(0x0B163701);
    return Simulation(complete, seed, asked).run();
}

Dependence true_mapping(const World& world) {
    return world.direct ? Dependence::endpoint_independent : world.mapping;
}

NatType true_type(const World& world) {
    if (world.udp_blocked) return NatType::udp_blocked;
    const bool any = world.filtering == Dependence::endpoint_independent;
    if (world.direct) return any ? NatType::open : NatType::symmetric_firewall;
    if (world.mapping != Dependence::endpoint_independent) return NatType::symmetric;
    if (any) return NatType::full_cone;
    return world.filtering == Dependence::address_dependent ? NatType::restricted_cone
                                                            : NatType::port_restricted_cone;
}

std::string wrong_claims(const World& world, const Verdict& verdict) {
    std::string wrong;
    if (!world.own_mapping) claim(wrong, "mapping", verdict.mapping, true_mapping(world));
    claim(wrong, "filtering", verdict.filtering, world.filtering);
    claim(wrong, "nat_type", verdict.nat_type, true_type(world));
    claim(wrong, "behind_nat", verdict.behind_nat, !world.direct);
    claim(wrong, "hairpinning", verdict.hairpinning, world.hairpin);
    const bool kept = world.direct || world.ports == Ports::preserved;
    if (!world.own_mapping) claim(wrong, "port_preservation", verdict.port_preservation, kept);
    claim(wrong, "port_step", verdict.port_step, world.ports == Ports::sequential ? world.step : 0);
    return wrong;
}

bool is_complete(const World& world, const Verdict& verdict) {
    if (world.udp_blocked) return verdict.nat_type.value.has_value();
    const bool filtering_knowable = world.mapping == Dependence::endpoint_independent ||
                                    world.direct ||
                                    world.filtering == Dependence::endpoint_independent;
    return verdict.mapping.value && verdict.nat_type.value && verdict.behind_nat.value &&
           (verdict.filtering.value || !filtering_knowable) &&
           (verdict.port_step.value || world.ports != Ports::sequential || !verdict.mapping_varies);
}

std::string to_string(Fault fault) {
    static const char* names[] = {"none",          "silent",          "ignores-change",
                                  "drops-change",  "rejects-change",  "no-other",
                                  "same-ip-other", "same-port-other", "private-other",
                                  "dead-other",    "mute-other",      "wrong-transaction",
                                  "wrong-source",  "rewritten",       "late",
                                  "duplicates",    "garbage",         "two-backends",
                                  "error-500",     "masked",          "other-port-for-each"};
    return names[static_cast<int>(fault)];
}

std::string describe(const World& world) {
    std::string text = world.direct ? "direct" : std::string(to_string(world.mapping));
    text += " / " + std::string(to_string(world.filtering));
    if (world.ports == Ports::sequential) text += " sequential";
    for (const SimServer& server : world.servers) text += ", server " + to_string(server.fault);
    if (world.udp_blocked) text += ", UDP blocked";
    text += ", loss " + std::to_string(world.loss.each_way);
    if (world.loss.only) text += ", without packet " + std::to_string(*world.loss.only);
    if (world.dead_flows > 0) text += ", dead flows " + std::to_string(world.dead_flows);
    if (world.change_limit) {
        text += ", changes " + std::to_string(world.change_limit->per_second) + " a second, " +
                std::to_string(world.change_limit->at_once) + " at once";
    }
    return text;
}

std::string describe(const Verdict& verdict) {
    const auto show = [](const auto& field) {
        return field.value ? std::string(to_string(*field.value))
                           : "null(" + std::string(to_string(field.reason)) + ")";
    };
    const auto flag = [](const Field<bool>& field) {
        return field.value ? std::string(*field.value ? "yes" : "no")
                           : "null(" + std::string(to_string(field.reason)) + ")";
    };
    std::string text =
        "mapping " + show(verdict.mapping) + ", filtering " + show(verdict.filtering);
    text += ", type " + show(verdict.nat_type) + ", behind " + flag(verdict.behind_nat);
    text += ", preserved " + flag(verdict.port_preservation) + ", step ";
    text += verdict.port_step.value ? std::to_string(*verdict.port_step.value)
                                    : std::string(to_string(verdict.port_step.reason));
    return text + ", hairpin " + flag(verdict.hairpinning);
}

}  // namespace p2pdiag::nat::testing
