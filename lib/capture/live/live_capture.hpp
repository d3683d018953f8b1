// Packets as they pass the network interfaces of this machine, by libpcap. Opening needs
// CAP_NET_RAW; everything after it does not.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "capture/packet.hpp"
#include "capture/pcapng_writer.hpp"

namespace p2pdiag::capture {

struct LiveOptions {
    std::uint32_t snap_length = 1600;      // bytes of each packet that are kept, up to max_packet
    std::uint32_t buffer_bytes = 4 << 20;  // of the kernel, for each interface
};

enum class LiveError {
    not_permitted = 1,
    no_such_interface,  // or not one of the kernel's own
    not_up,
    bad_filter,
    gone,  // the interface disappeared
    failed
};
// One sentence, without an interface's name.
std::string_view to_string(LiveError error);

// What went wrong and, in libpcap's words, how.
struct LiveProblem {
    LiveError error = LiveError::failed;
    std::string detail;
};

// One interface, not promiscuous. Packets are seen as soon as they pass (immediate mode), in both
// directions; on a loopback interface once.
class LiveInterface {
public:
    // Captures nothing yet. The name must be that of a link of this machine: "any" and what else
    // libpcap takes for one is refused.
    static boost::system::result<LiveInterface, LiveProblem> open(const std::string& name,
                                                                  const LiveOptions& options);
    ~LiveInterface();
    LiveInterface(LiveInterface&& other) noexcept;
    LiveInterface& operator=(LiveInterface&& other) noexcept;

    // From here on, what the filter (pcap-filter(7)) lets through, on Ethernet also inside VLAN
    // tags; empty = everything.
    boost::system::result<void, LiveProblem> begin(const std::string& filter);

    const Interface& description() const { return description_; }
    int fd() const;  // readable when there are packets. Not the caller's

    // Hands over what is there, at most `most`; `number` becomes the interface of each. False with
    // `problem` set once there will be no more.
    bool receive(std::uint32_t number, int most,
                 const std::function<void(const Packet&)>& on_packet, LiveProblem& problem);

    // What was lost; what the system does not tell is not there.
    Statistics statistics(std::uint32_t number) const;

private:
    struct Handle;
    explicit LiveInterface(std::unique_ptr<Handle> handle);

    std::unique_ptr<Handle> handle_;
    Interface description_;
};

// Whether begin(filter) would let a packet of such a link through. Opens nothing; for tests of
// filters. Nothing where libpcap does not understand it.
std::optional<bool> filter_matches(const std::string& filter, LinkType link_type, ByteView packet);

}  // namespace p2pdiag::capture
