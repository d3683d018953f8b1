// The lifetime probe on a virtual clock, behind a NAT that forgets.
#include <catch2/catch.hpp>
#include <map>
#include <queue>
#include <random>

#include "lifetime_probe.hpp"

using namespace p2pdiag;
using namespace p2pdiag::nat;
using std::chrono::seconds;

namespace {

struct Forgetful {
    std::optional<Duration> lifetime = seconds(30);  // nothing = for ever
    double loss = 0;
    bool supports = true;  // RESPONSE-PORT
    bool rejects = false;  // 420 instead of ignoring it
    bool answers = true;
    Duration limit = seconds(130);
    unsigned seed = 1;
    unsigned addresses = 1;  // public ones of the NAT, any of them for each socket
    Duration stall_from{};   // the machine that measures stands still …
    Duration stall_for{};    // … for so long
    Duration deaf_from{};    // from then on everything is lost
};

const Endpoint server = *Endpoint::parse("11.22.33.1:3478");

class Network {
public:
    explicit Network(const Forgetful& nat)
        : nat_(nat),
          random_(nat.seed),
          probe_(
              config(nat), [this] { return transaction(); }, now_) {}

    Lifetime run() { return run_for(std::chrono::hours(1)); }

    // Until it is cut short.
    Lifetime run_for(Duration limit) {
        carry_out();
        while (!probe_.done() && now_ < start_ + limit) {
            TimePoint wakeup = probe_.next_wakeup();
            const TimePoint stall = start_ + nat_.stall_from;
            if (wakeup >= stall) wakeup = std::max(wakeup, stall + nat_.stall_for);
            if (!queue_.empty() && queue_.begin()->first <= wakeup) {
                const auto event = queue_.begin()->second;
                now_ = queue_.begin()->first;
                queue_.erase(queue_.begin());
                event();
            } else {
                now_ = wakeup;
                probe_.on_time(now_);
            }
            carry_out();
        }
        return probe_.result();
    }

    Duration elapsed() const { return now_ - start_; }

private:
    static LifetimeConfig config(const Forgetful& nat) {
        LifetimeConfig config;
        config.server = server;
        config.limit = nat.limit;
        return config;
    }

    stun::TransactionId transaction() {
        stun::TransactionId id{};
        for (auto& byte : id) byte = static_cast<std::uint8_t>(random_());
        return id;
    }

    bool lost() {
        if (nat_.deaf_from > Duration{} && now_ >= start_ + nat_.deaf_from) return true;
        return std::uniform_real_distribution<double>(0, 1)(random_) < nat_.loss;
    }

    void later(std::function<void()> event) { queue_.emplace(now_ + Milliseconds(5), event); }

    void carry_out() {
        for (const Action& action : probe_.take_actions()) {
            if (const auto* send = std::get_if<SendDatagram>(&action)) leave(*send);
        }
    }

    bool alive(std::uint16_t port) const {
        const auto used = used_.find(port);
        return used != used_.end() && (!nat_.lifetime || now_ - used->second < *nat_.lifetime);
    }

    void leave(const SendDatagram& send) {
        const auto old = port_of_.find(send.socket);
        if (old == port_of_.end() || !alive(old->second)) {
            port_of_[send.socket] = ++next_port_;
            socket_of_[next_port_] = send.socket;
            address_of_[next_port_] =
                0x0B161701 + static_cast<std::uint32_t>(random_()) % nat_.addresses;
        }
        const std::uint16_t port = port_of_[send.socket];
        used_[port] = now_;
        const Bytes datagram = send.datagram;
        if (!lost()) later([=, this] { serve(port, datagram); });
    }

    void serve(std::uint16_t port, const Bytes& datagram) {
        const auto request = stun::parse(datagram);
        if (!nat_.answers || !request) return;
        stun::Message answer;
        answer.message_class = stun::Class::success;
        answer.transaction = request->transaction;
        const std::uint32_t address = address_of_.at(port);
        answer.xor_mapped_address = Endpoint{IpAddress::v4(address), port};
        std::uint16_t to = port;
        if (request->response_port && nat_.rejects) {
            answer.message_class = stun::Class::error;
            answer.error = stun::ErrorCodeAttribute{420, "no"};
        } else if (request->response_port && nat_.supports) {
            to = *request->response_port;
        }
        const Bytes bytes = stun::encode(answer);
        later([=, this] { enter(to, address, bytes); });
    }

    void enter(std::uint16_t port, std::uint32_t address, const Bytes& datagram) {
        if (lost() || !alive(port) || address_of_.at(port) != address) return;
        used_[port] = now_;
        probe_.on_datagram(socket_of_.at(port), server, datagram, now_);
    }

    Forgetful nat_;
    std::mt19937 random_;
    TimePoint start_{std::chrono::hours(1)};
    TimePoint now_ = start_;
    std::multimap<TimePoint, std::function<void()>> queue_;
    std::map<SocketId, std::uint16_t> port_of_;
    std::map<std::uint16_t, SocketId> socket_of_;
    std::map<std::uint16_t, std::uint32_t> address_of_;
    std::map<std::uint16_t, TimePoint> used_;
    std::uint16_t next_port_ = 20000;
    LifetimeProbe probe_;
};

}  // namespace

TEST_CASE("the lifetime lies between the bounds", "[stun][lifetime]") {
    for (const int truth : {7, 15, 25, 31, 44, 61, 100, 119}) {
        Forgetful nat;
        nat.lifetime = seconds(truth);
        Network network(nat);
        const Lifetime lifetime = network.run();
        INFO("lifetime " << truth << " s");
        REQUIRE(lifetime.alive);
        REQUIRE(lifetime.dead);
        CHECK(*lifetime.alive < seconds(truth));
        CHECK(*lifetime.dead >= seconds(truth));
        CHECK(lifetime.undecided == 0);
        CHECK(network.elapsed() <= nat.limit);
    }
}

TEST_CASE("a second round narrows the bounds where there is time", "[stun][lifetime]") {
    Forgetful nat;
    nat.lifetime = seconds(25);
    nat.limit = seconds(300);
    const Lifetime lifetime = Network(nat).run();
    CHECK(lifetime.rounds == 2);
    CHECK(*lifetime.dead - *lifetime.alive <= seconds(2));
}

TEST_CASE("a mapping that outlives the measurement has no upper bound", "[stun][lifetime]") {
    Forgetful nat;
    nat.lifetime.reset();
    Network network(nat);
    const Lifetime lifetime = network.run();
    CHECK(lifetime.alive == seconds(120));
    CHECK_FALSE(lifetime.dead);
    // As long as the longest step, not as all steps together.
    CHECK(network.elapsed() <= seconds(122));
    CHECK(lifetime.dead_reason == Reason::longer_than_measured);
    nat.limit = seconds(30);
    CHECK(Network(nat).run().alive == seconds(20));
}

TEST_CASE("a measurement that was cut short, or had no time, says nothing of longer waits",
          "[stun][lifetime]") {
    Forgetful nat;
    nat.lifetime.reset();
    const Lifetime cut = Network(nat).run_for(seconds(25));
    CHECK(cut.alive == seconds(20));
    CHECK(cut.dead_reason == Reason::cancelled);
    const Lifetime at_once = Network(nat).run_for(Milliseconds(1));
    CHECK(at_once.alive_reason == Reason::cancelled);
    CHECK(at_once.dead_reason == Reason::cancelled);
    nat.limit = seconds(5);
    Network hurried(nat);
    const Lifetime none = hurried.run();
    CHECK(none.alive_reason == Reason::no_time);
    CHECK(hurried.elapsed() == seconds(0));
    // Alive at first, and everything lost from then on.
    nat.limit = seconds(130);
    nat.deaf_from = seconds(15);
    CHECK(Network(nat).run().dead_reason == Reason::loss);
}

TEST_CASE("servers without RESPONSE-PORT are known at once", "[stun][lifetime]") {
    for (const bool rejects : {false, true}) {
        Forgetful nat;
        nat.supports = false;
        nat.rejects = rejects;
        Network network(nat);
        const Lifetime lifetime = network.run();
        CHECK(lifetime.alive_reason == Reason::server_unsupported);
        CHECK_FALSE(lifetime.alive);
        CHECK_FALSE(lifetime.dead);
        CHECK(network.elapsed() <= seconds(1));
    }
}

TEST_CASE("a silent server ends it soon", "[stun][lifetime]") {
    Forgetful nat;
    nat.answers = false;
    Network network(nat);
    CHECK(network.run().alive_reason == Reason::no_server_answered);
    CHECK(network.elapsed() <= seconds(4));
}

TEST_CASE("loss never puts a bound on the wrong side", "[stun][lifetime]") {
    for (const double loss : {0.1, 0.2, 0.35}) {
        for (unsigned seed = 1; seed <= 100; ++seed) {
            Forgetful nat;
            nat.lifetime = seconds(38);
            nat.loss = loss;
            nat.seed = seed;
            const Lifetime lifetime = Network(nat).run();
            INFO("loss " << loss << " seed " << seed);
            if (lifetime.alive) CHECK(*lifetime.alive < seconds(38));
            if (lifetime.dead) CHECK(*lifetime.dead >= seconds(38));
        }
    }
}

TEST_CASE("a NAT with several public addresses forgets nothing by that", "[stun][lifetime]") {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        Forgetful nat;
        nat.lifetime = seconds(70);
        nat.addresses = 3;
        nat.seed = seed;
        const Lifetime lifetime = Network(nat).run();
        INFO("seed " << seed);
        if (lifetime.alive) CHECK(*lifetime.alive < seconds(70));
        if (lifetime.dead) CHECK(*lifetime.dead >= seconds(70));
    }
}

TEST_CASE("a machine that stood still has waited longer than it meant to", "[stun][lifetime]") {
    for (int from = 1; from <= 40; from += 3) {
        Forgetful nat;
        nat.lifetime = seconds(45);
        nat.limit = seconds(300);
        nat.stall_from = seconds(from);
        nat.stall_for = seconds(55);
        const Lifetime lifetime = Network(nat).run();
        INFO("from " << from << " s");
        if (lifetime.alive) CHECK(*lifetime.alive < seconds(45));
        if (lifetime.dead) CHECK(*lifetime.dead >= seconds(45));
    }
}
