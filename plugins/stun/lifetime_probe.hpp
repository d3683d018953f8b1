// How long a NAT keeps a UDP mapping that nobody uses (RFC 5780 section 4.6), as a state machine.
// Many sockets make a mapping each at the same moment; each is left alone for a time of its own,
// and then another socket asks the server to answer there (RESPONSE-PORT). So a round takes as long
// as its longest step.
#pragma once

#include <map>
#include <optional>

#include "machine.hpp"
#include "verdict.hpp"

namespace p2pdiag::nat {

struct LifetimeConfig {
    Endpoint server;
    Duration limit = std::chrono::seconds(130);  // all of it; steps that do not fit are left out
};

// Bounds, never an exact number: alive after `alive`, gone after `dead`.
struct Lifetime {
    std::optional<Duration> alive;
    std::optional<Duration> dead;
    Reason alive_reason = Reason::none;  // why that is not known
    Reason dead_reason = Reason::none;
    unsigned rounds = 0;
    unsigned undecided = 0;  // steps that loss or a strange order of results left open
};

class LifetimeProbe final : public Machine {
public:
    LifetimeProbe(const LifetimeConfig& config, TransactionSource transactions, TimePoint now);

    Family family() const override { return config_.server.address.family(); }
    void on_opened(SocketId, std::uint16_t) override {}
    void on_open_failed(SocketId socket) override;
    void on_datagram(SocketId socket, const Endpoint& from, ByteView datagram,
                     TimePoint now) override;
    void on_trouble(SocketId, const Endpoint&, const Trouble&, TimePoint) override {}
    void on_time(TimePoint now) override;
    std::vector<Action> take_actions() override;
    TimePoint next_wakeup() const override;
    bool done() const override { return done_; }

    Lifetime result() const;
    double fraction_done() const;  // 0 to 1, of the time that it may still take
    TimePoint now() const { return now_; }

private:
    enum class Stage { opening, waiting, asking, alive, dead, undecided, skipped };

    // One mapping and what becomes of it.
    struct Step {
        Duration idle{};  // until it is asked for; a machine that stood still asks later
        SocketId socket = 0;
        SocketId control = 0;  // opened when this one is asked for, so that it is surely alive
        Stage stage = Stage::opening;
        std::optional<Endpoint> mapped;
        std::optional<Endpoint> control_mapped;
        TimePoint last_used;  // the mapping may have been refreshed as late as this
        TimePoint next_send;
        TimePoint last_send;
        unsigned sent = 0;
        unsigned asked = 0;
        unsigned control_answers = 0;
    };
    struct Sent {
        std::size_t step = 0;
        SocketId target = 0;  // where the answer must arrive
        bool is_opening = false;
        bool by_response_port = false;
        bool is_control = false;
    };

    void start_round(const std::vector<Duration>& idle_times);
    void advance(TimePoint now);
    void advance_step(std::size_t index);
    void open(std::size_t index, bool control);
    void ask(std::size_t index);
    void skip_pointless_steps();
    void finish_round();
    void send(SocketId socket, std::optional<std::uint16_t> response_port, const Sent& sent);
    SocketId add_socket();
    bool is_over(const Step& step) const;
    Reason why_not_dead(Duration alive) const;

    LifetimeConfig config_;
    TransactionSource transactions_;
    TimePoint started_;
    TimePoint now_;
    SocketId sockets_ = 0;
    SocketId asking_socket_ = 0;
    std::vector<Step> steps_;
    std::size_t round_start_ = 0;
    std::map<stun::TransactionId, Sent> sent_;
    std::vector<Action> actions_;
    Reason failure_ = Reason::none;
    bool proven_ = false;  // an answer arrived where RESPONSE-PORT sent it
    unsigned rounds_ = 0;
    bool done_ = false;
};

}  // namespace p2pdiag::nat
