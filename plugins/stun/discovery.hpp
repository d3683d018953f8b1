// NAT behaviour discovery (RFC 5780) for one address family. It only collects observations; what
// they mean is up to classify(), whose parts it asks what is still missing.
#pragma once

#include <map>
#include <random>

#include "machine.hpp"
#include "mapping.hpp"

namespace p2pdiag::nat {

struct ServerConfig {
    Endpoint address;
    std::optional<IpAddress> local;  // the source address that the system uses towards it
    std::size_t name = 0;            // which of the configured names the address is of
    std::optional<Egress> egress = std::nullopt;  // by what packets leave towards it
};

struct DiscoveryConfig {
    Family family = Family::ipv4;
    std::vector<ServerConfig> servers;  // more than max_servers are left out
    bool hairpin = false;
    std::uint16_t given_port = 0;              // a local port to compare with; 0 = none
    bool find_hops = false;                    // send packets with a small TTL, too
    Duration limit = std::chrono::seconds(4);  // on a fast path
};

inline constexpr std::size_t max_servers = 8;

class Discovery final : public Machine {
public:
    Discovery(const DiscoveryConfig& config, TransactionSource transactions, TimePoint now);

    Family family() const override { return config_.family; }
    void on_opened(SocketId socket, std::uint16_t local_port) override;
    void on_open_failed(SocketId socket) override;
    void on_datagram(SocketId socket, const Endpoint& from, ByteView datagram,
                     TimePoint now) override;
    void on_trouble(SocketId socket, const Endpoint& to, const Trouble& trouble,
                    TimePoint now) override;
    void on_time(TimePoint now) override;
    void on_tcp_answer(std::size_t server, TimePoint sent, TimePoint now) override;
    void on_tcp_alive(std::size_t server, TimePoint now) override;
    void on_tcp_failed(std::size_t server, TimePoint now) override;
    bool wants_tap() const override { return true; }
    void on_tap(bool open) override { seen_.tap_open = open; }
    void on_tapped(const Endpoint& from, const Endpoint& to, ByteView datagram) override;
    bool wants_tcp() const override { return !done() && !first_answer_; }

    std::vector<Action> take_actions() override;
    TimePoint next_wakeup() const override;
    bool done() const override { return seen_.finished; }
    const Observations& observations() const { return seen_; }

private:
    struct Schedule {
        TimePoint next;
        Duration interval{};
        unsigned left = 0;
        bool until_answered = true;
        Duration phase{};       // if not zero, the first interval
        unsigned repeats = 0;   // of the first send, repeat_pace apart
        Duration early{};       // by chance, so much before `next` …
        bool punctual = false;  // … or not
        TimePoint due() const { return next - early; }
    };
    struct Sent {
        std::size_t probe = 0;
        std::size_t send = 0;
        std::uint32_t cookie = stun::magic_cookie;
    };
    // One server's OTHER-ADDRESS put to use.
    struct Program {
        std::size_t server = 0;
        Endpoint other;
        TimePoint begun;
        TimePoint contact_at;  // not before: filters are tested on a state without any contact
        bool contacted = false;
        bool over = false;
    };

    void start();
    void find_hops();
    void advance(TimePoint now);
    void reach_further();
    SocketId ask_from_another_socket();
    void try_other_ports(SocketId socket);
    void use_other_ports();
    void try_classic(SocketId socket);
    void keep_baseline();
    void try_unlisted_port();
    void run_program();
    void ask_other_servers(TimePoint when);
    void start_program(std::size_t server);
    void contact_other();
    void start_controls(Role opener, Role control, const stun::ChangeRequest& change);
    void explore(Role role, SocketId socket, std::size_t server, const Endpoint& other);
    void add_filter(Role role, std::size_t server, const stun::ChangeRequest& change,
                    const Schedule& schedule);
    void open_own_filters(Role filter);
    void start_own_controls();
    void close(std::size_t probe);
    void probe_port_step();
    void probe_hairpin();
    bool mapping_done() const;
    Duration first_patience() const;
    bool is_awaited(const Probe& probe) const;
    bool filtering_done() const;
    bool step_done() const;
    bool hairpin_done() const;
    bool given_port_done() const;
    bool served_ports_done() const;
    bool is_done() const;
    TimePoint last_moment() const;

    std::optional<std::size_t> next_candidate() const;
    bool another_may_tell() const;
    bool primaries_settled() const;
    SocketId add_socket(std::uint16_t local_port = 0, PortKind kind = PortKind::even);
    std::size_t add_probe(Role role, SocketId socket, std::size_t server, const Endpoint& to,
                          const Schedule& schedule, stun::ChangeRequest change = {});
    void stop(Role role, std::optional<std::size_t> server = {});
    void send_due();
    void move_on(Schedule& schedule, std::size_t made);
    void send(std::size_t probe);
    std::uint32_t any_other_cookie();
    void on_answer(Probe& probe, Send& send, const Endpoint& from, const stun::Message& answer);
    void on_classic_answer(Probe& probe, Send& send, const Endpoint& from,
                           const stun::Message& answer);
    void learn_other_address(const Probe& probe, const stun::Message& answer);
    void count_invalid(const Endpoint& from);
    bool is_own(const std::optional<IpAddress>& address) const;
    void came_back(SocketId socket, const Endpoint& from);

    DiscoveryConfig config_;
    TransactionSource transactions_;
    Observations seen_;
    std::vector<Schedule> schedules_;  // one for each of seen_.probes
    std::map<stun::TransactionId, Sent> sent_;
    std::vector<Action> actions_;
    std::vector<Program> programs_;
    std::map<SocketId, int> hop_sockets_;
    MappingVerdict mapping_;       // judged anew with each answer
    Field<Dependence> filtering_;  // judged anew with each input
    SocketId mapping_socket_ = 0;
    std::optional<SocketId> given_socket_;
    std::vector<SocketId> hairpin_sockets_;
    std::optional<TimePoint> first_answer_;
    std::optional<std::size_t> answered_server_;
    Duration tcp_rtt_{};
    bool reached_further_ = false;
    bool other_ports_used_ = false;
    unsigned bursts_ = 0;
    std::uint32_t order_ = 0;
    std::minstd_rand chance_;  // of no consequence for what a stranger may guess
};

}  // namespace p2pdiag::nat
