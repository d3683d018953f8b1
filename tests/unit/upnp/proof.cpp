// The proof from outside, over a simulated world with a virtual clock: a server that can or cannot,
// a router that forwards or does not, a NAT, a firewall on this machine, and loss.
#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <random>

#include "packet_proof.hpp"

using namespace p2pdiag;
using namespace p2pdiag::upnp_plugin;
using Place = PacketProof::Place;

namespace {

const Endpoint server = *Endpoint::parse("198.51.100.1:3478");
const Endpoint other = *Endpoint::parse("198.51.100.2:3479");
constexpr std::uint16_t external = 8000;
// What the NAT makes of the control socket; a symmetric one has another port for each destination.
constexpr std::uint16_t control_port = 40001;
constexpr std::uint16_t control_port_at_server = 40002;

struct World {
    bool forwards = true;   // the router does what it says
    Milliseconds after{0};  // what it does before it forwards
    bool pins = false;      // what came before that is never forwarded, nor what follows from there
    bool firewall = false;  // this machine drops what it did not ask for
    bool listens = true;    // a socket is on the port
    bool taps = true;
    bool other_alive = true;
    bool honours_port = true;    // RESPONSE-PORT
    bool honours_change = true;  // CHANGE-REQUEST
    bool answers_420 = false;
    std::optional<Endpoint> forwarded_as;  // the source that the router makes of what it forwards
    bool as_it_is = false;                 // nothing was asked of the router
    double loss = 0;                       // each way
    unsigned seed = 1;
};

struct Packet {
    TimePoint at;
    Place place;
    Endpoint from;
    Bytes bytes;
};

class Simulation {
public:
    explicit Simulation(const World& world) : world_(world), random_(world.seed) {}

    ProofResult run() {
        const ProofConfig config{server,         other,       external,
                                 world_.listens, world_.taps, world_.as_it_is};
        std::uint64_t count = 0;
        const auto transactions = [&count] {
            stun::TransactionId id{};
            ++count;
            for (unsigned i = 0; i < 8; ++i) id[i] = static_cast<std::uint8_t>(count >> (8 * i));
            return id;
        };
        PacketProof proof(config, transactions, now_);
        for (int i = 0; i < 10000 && !proof.done(); ++i) {
            for (const PacketProof::Send& send : proof.take_sends()) deliver(send);
            const TimePoint next = std::min(proof.next_wakeup(), next_packet());
            now_ = std::max(now_, next);
            while (!under_way_.empty() && next_packet() <= now_) {
                const Packet packet = take_packet();
                proof.on_datagram(packet.place, packet.from, packet.bytes, now_);
            }
            proof.on_time(now_);
        }
        REQUIRE(proof.done());
        return proof.result();
    }

    Milliseconds took() const {
        return std::chrono::duration_cast<Milliseconds>(now_ - TimePoint());
    }

private:
    TimePoint next_packet() const {
        TimePoint next = TimePoint::max();
        for (const Packet& packet : under_way_) next = std::min(next, packet.at);
        return next;
    }

    Packet take_packet() {
        const auto first =
            std::min_element(under_way_.begin(), under_way_.end(),
                             [](const Packet& a, const Packet& b) { return a.at < b.at; });
        Packet packet = *first;
        under_way_.erase(first);
        return packet;
    }

    bool lost() { return std::uniform_real_distribution<>(0, 1)(random_) < world_.loss; }

    void arrive(Place place, const Endpoint& from, const Bytes& bytes, Milliseconds after) {
        under_way_.push_back({now_ + after, place, from, bytes});
    }

    void deliver(const PacketProof::Send& send) {
        if (lost()) return;
        const auto request = stun::parse(send.datagram).value();
        if (send.to == other && !world_.other_alive) return;
        stun::Message answer;
        answer.message_class = stun::Class::success;
        answer.transaction = request.transaction;
        answer.xor_mapped_address = Endpoint{*IpAddress::parse("203.0.113.7"), 1};
        if (send.from == Place::control) {
            answer.xor_mapped_address->port =
                send.to == other ? control_port : control_port_at_server;
        }
        const auto home = [&](const Endpoint& from) {
            if (!lost()) arrive(send.from, from, stun::encode(answer), Milliseconds(20));
        };
        if (!request.response_port) return home(send.to);
        if (world_.answers_420) {
            answer.message_class = stun::Class::error;
            answer.error = stun::ErrorCodeAttribute{420, "Unknown Attribute"};
            return home(server);
        }
        if (!world_.honours_port) return home(server);
        const Endpoint from = world_.honours_change ? other : server;
        if (from == other && !world_.other_alive) return;
        if (lost()) return;
        const bool other_port = request.change_request && request.change_request->port;
        const Endpoint sender{from.address, other_port ? from.port : server.port};
        reach(sender, *request.response_port, stun::encode(answer));
    }

    // What comes from outside to a port of the router.
    void reach(const Endpoint& sender, std::uint16_t port, const Bytes& bytes) {
        // The NAT filters by address and port: the control socket has sent to the other address.
        if (port == control_port && sender == other) {
            arrive(Place::control, sender, bytes, Milliseconds(20));
        }
        if (port != external || !world_.forwards) return;
        if (took() < world_.after) {
            pinned_.push_back(sender);
            return;
        }
        const bool pinned = std::find(pinned_.begin(), pinned_.end(), sender) != pinned_.end();
        if (world_.pins && pinned) return;
        const Endpoint from = world_.forwarded_as.value_or(sender);
        if (world_.taps) arrive(Place::tap, from, bytes, Milliseconds(20));
        if (world_.listens && !world_.firewall) {
            arrive(Place::target, from, bytes, Milliseconds(20));
        }
    }

    World world_;
    std::mt19937 random_;
    TimePoint now_{};
    std::vector<Packet> under_way_;
    std::vector<Endpoint> pinned_;
};

ProofResult prove(const World& world) { return Simulation(world).run(); }

}  // namespace

TEST_CASE("a forward that works is proven by one packet") {
    Simulation simulation({});
    const ProofResult result = simulation.run();
    CHECK(result.proof == Proof::arrived);
    CHECK(result.at_socket);
    CHECK(simulation.took() < Milliseconds(200));
    World no_tap;
    no_tap.taps = false;
    CHECK(prove(no_tap).proof == Proof::arrived);
}

TEST_CASE("a forward that does not is told by silence beside controls that are answered") {
    World dead;
    dead.forwards = false;
    Simulation simulation(dead);
    const ProofResult result = simulation.run();
    CHECK(result.proof == Proof::not_arrived);
    CHECK(result.controls_answered >= 5);
    CHECK(simulation.took() >= Milliseconds(3000));
    CHECK(simulation.took() < Milliseconds(3500));
}

TEST_CASE("a router may need a while to do what it says it has done") {
    World late;
    late.after = Milliseconds(GENERATE(500, 1000, 1450));
    late.pins = GENERATE(false, true);
    Simulation simulation(late);
    CHECK(simulation.run().proof == Proof::arrived);
    CHECK(simulation.took() < Milliseconds(1800));
    late.pins = false;
    late.after = Milliseconds(2500);
    CHECK(prove(late).proof == Proof::arrived);
}

TEST_CASE("a router may change the source of what it forwards") {
    World world;
    // Linux does where the same source and internal port are those of an older forward; others put
    // their own address.
    world.forwarded_as =
        GENERATE(Endpoint{other.address, 50000}, *Endpoint::parse("192.168.7.1:9"));
    world.listens = GENERATE(true, false);
    CHECK(prove(world).proof == Proof::arrived);
}

TEST_CASE("F2: at the interface and not at the socket") {
    World firewalled;
    firewalled.firewall = true;
    const ProofResult result = prove(firewalled);
    CHECK(result.proof == Proof::stopped_here);
    CHECK(result.at_interface);
    CHECK_FALSE(result.at_socket);
    // Without the privilege it looks as if the router did not forward.
    firewalled.taps = false;
    CHECK(prove(firewalled).proof == Proof::not_arrived);
}

TEST_CASE("a program has the port: the interface tells") {
    World busy;
    busy.listens = false;
    const ProofResult result = prove(busy);
    CHECK(result.proof == Proof::arrived);
    CHECK(result.at_interface);
    CHECK_FALSE(result.at_socket);
    busy.forwards = false;
    CHECK(prove(busy).proof == Proof::not_arrived);
}

TEST_CASE("a server that cannot is never taken for a router that does not") {
    for (const bool forwards : {true, false}) {
        World world;
        world.forwards = forwards;
        world.answers_420 = true;
        CHECK(prove(world).proof == Proof::server_unsupported);
        world = {};
        world.forwards = forwards;
        world.honours_port = false;
        CHECK(prove(world).proof == Proof::server_unsupported);
        world = {};
        world.forwards = forwards;
        world.honours_change = false;
        CHECK(prove(world).proof == Proof::server_unsupported);
        world = {};
        world.forwards = forwards;
        world.other_alive = false;
        CHECK(prove(world).proof == Proof::server_unsupported);
    }
}

TEST_CASE("loss makes it slower or undecided, never wrong") {
    for (const double loss : {0.1, 0.2, 0.4}) {
        unsigned decided = 0;
        for (unsigned seed = 1; seed <= 300; ++seed) {
            World world;
            world.loss = loss;
            world.seed = seed;
            const Proof works = prove(world).proof;
            CHECK((works == Proof::arrived || works == Proof::undecided ||
                   works == Proof::server_unsupported));
            decided += works == Proof::arrived ? 1 : 0;
            world.forwards = false;
            const Proof dead = prove(world).proof;
            CHECK(dead != Proof::arrived);
            CHECK(dead != Proof::stopped_here);
            world.forwards = true;
            world.firewall = true;
            CHECK(prove(world).proof != Proof::arrived);
        }
        // Of 300.
        if (loss <= 0.2) CHECK(decided >= 298);
    }
}

TEST_CASE("of things as they are silence counts at once") {
    World world;
    world.as_it_is = true;
    CHECK(prove(world).proof == Proof::arrived);
    world.forwards = false;
    Simulation silent(world);
    CHECK(silent.run().proof == Proof::not_arrived);
    CHECK(silent.took() < Milliseconds(1200));
    world.forwards = true;
    world.firewall = true;
    CHECK(prove(world).proof == Proof::stopped_here);
    world = World();
    world.as_it_is = true;
    world.forwards = false;
    world.loss = 0.3;
    for (unsigned seed = 1; seed <= 50; ++seed) {
        world.seed = seed;
        const Proof proof = prove(world).proof;
        CHECK((proof == Proof::not_arrived || proof == Proof::undecided ||
               proof == Proof::server_unsupported));
    }
}

TEST_CASE("what is no answer to us is ignored") {
    const ProofConfig config{server, other, external, true, false};
    PacketProof proof(
        config, [] { return stun::TransactionId{7}; }, TimePoint());
    const auto sends = proof.take_sends();
    REQUIRE(sends.size() == 1);
    CHECK(sends[0].to == other);
    const Bytes garbage(100, 0x41);
    proof.on_datagram(Place::target, other, garbage, TimePoint());
    stun::Message stranger;
    stranger.message_class = stun::Class::success;
    stranger.transaction = {9};
    proof.on_datagram(Place::target, other, stun::encode(stranger), TimePoint());
    // The right transaction from the wrong address.
    stranger.transaction = {7};
    stranger.xor_mapped_address = *Endpoint::parse("203.0.113.7:5");
    proof.on_datagram(Place::control, *Endpoint::parse("192.0.2.1:3479"), stun::encode(stranger),
                      TimePoint());
    CHECK_FALSE(proof.done());
    CHECK(proof.take_sends().empty());
}
