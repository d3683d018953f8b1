// Whose packets are these? Whatever in here opens a socket says so, and who runs a check can hear
// it and hand it on to a recording.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/address.hpp"
#include "base/transport.hpp"

namespace p2pdiag::net {

// At least one end is known: of a datagram socket the local one, whose address may be unspecified;
// of a connection that is about to be made the remote one.
struct Flow {
    Transport protocol = Transport::udp;
    std::optional<Endpoint> local;
    std::optional<Endpoint> remote;
    bool echo = false;  // of ICMP instead; the local port is the identifier of its echoes
};

// The members of abi.h's message "flow" that the flow has, without braces:
// "protocol":"udp","local":"0.0.0.0:40000".
std::string to_members(const Flow& flow);

// While it lives, what is opened on this thread is told. The last one that was made hears.
class FlowWatch {
public:
    using OnFlow = std::function<void(const Flow&)>;

    explicit FlowWatch(OnFlow on_flow);
    ~FlowWatch();
    FlowWatch(const FlowWatch&) = delete;
    FlowWatch& operator=(const FlowWatch&) = delete;

private:
    OnFlow on_flow_;
    FlowWatch* before_;
    friend void tell_flow(const Flow& flow);
};

// For who opens a socket.
void tell_flow(const Flow& flow);

// Tells `run`, a p2pdiag::Run, of each for as long as the watch lives. `run` must outlive it.
template <class Run>
FlowWatch watch_flows(Run& run) {
    return FlowWatch([&run](const Flow& flow) { run.flow(to_members(flow)); });
}

}  // namespace p2pdiag::net
