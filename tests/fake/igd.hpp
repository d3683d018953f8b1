// A UPnP router on loopback, in threads of this process: SSDP, its description, its actions, and a
// table of mappings. It can be told to misbehave.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "wire/upnp/soap.hpp"

namespace p2pdiag::testing {

// What it does wrong with the answer to an HTTP request.
enum class HttpFault {
    none,
    closed,            // nothing listens
    silent,            // accepts, reads, never answers
    closes_at_once,    // accepts, and closes without a word
    closes_within,     // half of the headers
    not_http,          // answers in no protocol
    huge,              // a body of 1 MiB, with its length
    huge_unannounced,  // the same, without its length
    huge_headers,      // header after header
    slow_drip,         // a byte from time to time
    endless_chunks,    // chunks of one byte, without an end
    never_closes,      // a whole body, no length, and the connection stays open
    half_and_open,     // half a body, no length, and the connection stays open
    long_length,       // a length that is more than what follows
    wrong_type,        // Content-Type: image/png
    redirect,          // 302 to options.elsewhere
    not_found          // 404 with a page of HTML
};

enum class SearchFault {
    none,
    mute,
    garbage_first,      // a hundred useless datagrams before the answer
    other_port,         // answers from another port than 1900
    location_elsewhere  // LOCATION leads to options.elsewhere
};

enum class DescriptionFault {
    none,
    television,          // no router at all
    version_two,         // InternetGatewayDevice:2 alone, WANIPConnection:2
    two_connections,     // WANPPPConnection and WANIPConnection; the first is not connected
    control_elsewhere,   // the control URL leads to options.elsewhere
    url_base_elsewhere,  // URLBase does, and the control URL is relative to it
    entity_bomb,         // ten entities of ten entities of …
    deep,                // elements within elements, 40 000 of them
    cut_off,             // the document ends within its services
    long_control_url     // more than the 127 characters that some programs keep
};

struct FakeMapping {
    std::string protocol;  // "UDP", "TCP"
    std::uint16_t external_port = 0;
    std::string internal_address;
    std::uint16_t internal_port = 0;
    std::string description;
    std::uint32_t lease = 0;  // seconds; 0 = permanent
    bool enabled = true;
    bool operator==(const FakeMapping&) const = default;
};

struct FakeIgdOptions {
    HttpFault description_http = HttpFault::none;
    HttpFault action_http = HttpFault::none;
    SearchFault search = SearchFault::none;
    DescriptionFault description = DescriptionFault::none;
    std::optional<Endpoint> elsewhere;
    std::chrono::milliseconds search_delay{0};
    std::chrono::milliseconds action_delay{0};  // before each action
    bool multicast = false;  // answers the search to 239.255.255.250 on loopback as well

    // Action -> UPnP error that it always ends with.
    std::map<std::string, int> errors;
    bool only_permanent = false;              // 725 to any lease but 0
    bool same_port = false;                   // 724 unless both ports are the same
    bool lists_no_lease = false;              // takes a lease, and lists it as permanent
    bool secure = false;                      // 606 to mappings to another host than the one asking
    bool forgets = false;                     // says that it has mapped, and has not
    bool no_renewal = false;                  // 718 also to the host that has the port
    std::optional<std::string> lists_as;      // the description of every mapping that it makes
    std::optional<std::string> lists_client;  // … and the address
    bool switches_off = false;                // lists what it makes with NewEnabled 0
    bool wrong_port = false;                  // maps internal port 1, whichever was asked
    bool pinholes = true;                     // WANIPv6FirewallControl is there
    std::uint32_t longest_lease = 604800;
    std::size_t capacity = 1000;  // 728 when so many are there
    std::vector<FakeMapping> table;
    std::string external_address = "203.0.113.7";
    std::string connection = "Connected";
    // Where to listen; nothing = an address of 127/8 that nobody else has. Over IPv6 it answers no
    // search, unless it is to: ::1 has one port 1900 for everybody.
    std::optional<IpAddress> address;
    bool ipv6_search = false;
};

class FakeIgd {
public:
    // Throws std::runtime_error when there is no place for it.
    explicit FakeIgd(FakeIgdOptions options = {});
    ~FakeIgd();
    FakeIgd(const FakeIgd&) = delete;
    FakeIgd& operator=(const FakeIgd&) = delete;

    IpAddress address() const { return http_.address; }
    Endpoint http() const { return http_; }
    std::string location() const;
    std::string control_url() const;   // of the mapping service
    std::string firewall_url() const;  // of the pinhole service

    std::vector<FakeMapping> table() const;
    std::vector<std::string> actions() const;  // every call, in the order it came
    unsigned http_requests() const { return http_requests_; }
    unsigned searches() const { return searches_; }
    unsigned most_at_once() const { return most_at_once_; }  // requests

private:
    struct Reply {
        int error = 0;
        std::vector<upnp::Argument> values;
    };

    struct Delayed {
        std::chrono::steady_clock::time_point due;
        int fd;
        sockaddr_storage to;
        Bytes bytes;
    };

    bool listen();
    void serve();
    int flush();  // sends what is due; milliseconds until the next one is, or -1
    void on_search(int fd);
    void serve_http(int fd);
    void respond(int fd, HttpFault fault, const std::string& status, const std::string& body);
    void drip(int fd, const std::string& start, const std::string& piece);
    std::string description() const;
    std::string answer(const std::string& request_body, const std::string& client,
                       std::string& status);
    Reply act(const upnp::Call& call);
    Reply add(const upnp::Call& call, bool any_port);
    Reply pinhole(const upnp::Call& call);
    Reply entry(const FakeMapping& mapping, bool whole) const;
    bool stopping(std::chrono::milliseconds wait) const;

    FakeIgdOptions options_;
    Endpoint http_;
    Fd ssdp_, group_, other_port_, listener_;
    Pipe stop_;
    std::deque<Delayed> delayed_;
    mutable std::mutex mutex_;
    std::vector<FakeMapping> table_;
    struct Pinhole {
        unsigned id = 0;
        std::string target;  // protocol, address and port
        std::string lease;
    };
    std::vector<Pinhole> pinholes_;
    std::vector<std::string> actions_;
    std::vector<std::thread> connections_;
    std::atomic<unsigned> http_requests_{0}, searches_{0}, at_once_{0}, most_at_once_{0};
    std::thread thread_;
};

}  // namespace p2pdiag::testing
