// Inside of lib/net: one question to a router's NAT-PMP or PCP server and what counts as its
// answer, without socket or clock. Tests and fuzzers feed it datagrams as the network would.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "net/portmap/types.hpp"
#include "wire/natpmp/message.hpp"
#include "wire/pcp/message.hpp"

namespace p2pdiag::net::portmap {

struct Question {
    enum class Kind { status, map, unmap };
    Kind kind = Kind::status;
    Service service;     // NAT-PMP or PCP
    MapRequest request;  // of map and unmap
};

class Exchange {
public:
    explicit Exchange(Question question);

    // Where to send, and the only source that counts.
    Endpoint server() const;
    // The same bytes each time it is sent.
    Bytes request() const;

    void on_datagram(const Endpoint& from, ByteView datagram);
    // The router, or a machine in between, says that nobody listens there.
    void on_absent(std::string text);
    // This machine cannot send.
    void on_no_route(std::string text);
    void on_kept_here(std::string text);

    // Nothing more has to be sent or waited for. At once for a question that must not be asked.
    bool done() const { return verdict_.has_value(); }
    // The grant is filled for a map. Once done, or when the time is over: then what did come
    // explains most.
    struct Answer {
        std::uint32_t epoch = 0;
        std::optional<IpAddress> external_address;
        MapGrant grant;
    };
    Outcome<Answer> verdict() const;
    unsigned ignored() const { return ignored_; }

private:
    bool is_pcp() const { return question_.service.protocol == Protocol::pcp; }
    std::optional<Failure> objection() const;
    void fail(Problem problem, int code, std::string text);
    void ignore(std::string complaint);

    void on_natpmp(const natpmp::Response& response);
    void on_pcp(const pcp::Response& response);
    bool is_ours(const pcp::Response& response);
    void finish_map(Answer answer, std::uint16_t external_port, std::uint32_t lifetime);
    bool is_removed(const pcp::Response& response) const;
    bool is_kept_from_us(const pcp::Response& response) const;

    Question question_;
    std::optional<Outcome<Answer>> verdict_;
    std::string complaint_;  // of the last datagram from the router that was no answer
    unsigned ignored_ = 0;
};

}  // namespace p2pdiag::net::portmap
