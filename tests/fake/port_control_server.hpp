// A NAT-PMP and PCP server on loopback, in a thread of this process, that keeps mappings as a
// router does and can be told to misbehave.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "wire/natpmp/message.hpp"
#include "wire/pcp/message.hpp"

namespace p2pdiag::testing {

enum class PortControlFault {
    none,
    silent,          // reads, and never answers
    refused,         // nothing listens there
    wrong_source,    // answers from another port
    foreign_source,  // answers from another address
    wrong_nonce,     // PCP: the nonce of the answer is another one
    garbled_port,    // the internal port of the answer is cut to eight bits, as some routers do
    wrong_opcode,    // answers another question
    garbage,         // answers, but in no protocol
    oversize,        // the answer has more octets than its protocol allows
    truncated,       // … and less
    flood,           // a hundred useless datagrams before each answer
    no_port,         // success, for external port 0
    no_lifetime,     // success, for 0 seconds
    keeps            // answers to a removal that the mapping goes on
};

struct PortControlOptions {
    PortControlFault fault = PortControlFault::none;
    Family family = Family::ipv4;
    bool natpmp = true;          // without it, NAT-PMP is answered by PCP's UNSUPP_VERSION
    bool pcp = true;             // without it, PCP is answered by NAT-PMP's version 0 and result 1
    bool announce = true;        // PCP: without it, UNSUPP_OPCODE
    bool prefer_failure = true;  // PCP: without it, UNSUPP_OPTION
    // Every request gets this result; `error_lifetime` comes with that of PCP, in seconds.
    natpmp::ResultCode natpmp_result = natpmp::ResultCode::success;
    pcp::ResultCode pcp_result = pcp::ResultCode::success;
    std::uint32_t error_lifetime = 30;
    IpAddress external_address = IpAddress::v4(0xCB007105);  // 203.0.113.5
    std::uint32_t epoch = 1000;
    std::uint32_t shortest_lifetime = 0;  // seconds: what is asked below is raised to it
    std::uint32_t longest_lifetime = 86400;
    std::uint16_t lowest_port = 1024;  // external ports below are mapped to others
    std::uint16_t highest_port = 65535;
    std::vector<std::uint16_t> taken;  // external ports that belong to somebody else
    // Where to listen; nothing = an address of 127/8 that nobody else has, or ::1.
    std::optional<IpAddress> address;
    unsigned lose_first = 0;             // that many requests are not answered
    std::chrono::milliseconds delay{0};  // before each answer
};

class PortControlServer {
public:
    // Listens on port 5351, which is where every client asks. Throws std::runtime_error when there
    // is no such place.
    explicit PortControlServer(PortControlOptions options = {});
    ~PortControlServer();
    PortControlServer(const PortControlServer&) = delete;
    PortControlServer& operator=(const PortControlServer&) = delete;

    const IpAddress& address() const { return address_; }
    unsigned requests() const { return requests_; }

    struct Mapping {
        std::uint8_t protocol = 0;  // 6 or 17
        std::uint16_t internal_port = 0;
        std::uint16_t external_port = 0;
        std::uint32_t lifetime = 0;
        pcp::Nonce nonce{};
    };
    std::vector<Mapping> mappings() const;
    // All mappings are lost and the epoch starts from 0, as after a power cut.
    void restart();
    // Another outside address from now on, and nothing else says so: the epoch goes on (against RFC
    // 6887 section 8.5).
    void readdress(IpAddress external);
    // From now on.
    void misbehave(PortControlFault fault);

private:
    void listen();
    void serve();
    void on_request(const Endpoint& from, ByteView request);
    std::optional<Bytes> answer(const Endpoint& from, ByteView request);
    Bytes natpmp_answer(const natpmp::Request& request);
    Bytes pcp_answer(const Endpoint& from, const pcp::Request& request);
    bool remove(const pcp::MapData& wanted, std::optional<pcp::Nonce> nonce);
    std::optional<Mapping> make(const Mapping& wanted, bool exact);
    bool is_free(const Mapping& wanted) const;
    void send(const Endpoint& to, const Bytes& bytes);

    mutable std::mutex mutex_;  // of options_ and mappings_
    PortControlOptions options_;
    std::vector<Mapping> mappings_;
    IpAddress address_;
    std::array<Fd, 3> sockets_;  // the right one, of another port, of another address
    Pipe stop_;
    std::atomic<unsigned> requests_{0};
    std::thread thread_;
};

}  // namespace p2pdiag::testing
