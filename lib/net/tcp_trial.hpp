// One TCP connection tried and, where asked for, a line sent through it and an answer waited for.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace p2pdiag::net {

enum class TcpOutcome {
    connected,
    refused,        // a reset, or a port that ICMP calls unreachable
    no_answer,      // silence
    unreachable,    // a router says that it cannot or will not deliver, or no neighbour answers
    no_route,       // this machine has no way there
    not_permitted,  // this machine's own policy forbids it
    local_error     // this machine could not even try; see `error`
};
std::string_view to_string(TcpOutcome outcome);  // with hyphens: "no-answer"

// What came of the line once the connection was there.
enum class TcpTalk {
    none,      // no line was to be sent
    answered,  // see `answer`
    silent,    // nothing in the time given
    closed,    // the other side closed without a word
    reset      // it tore the connection down
};
std::string_view to_string(TcpTalk talk);

struct TcpTrial {
    Endpoint server;
    TimePoint connect_until;
    std::string line;                // empty = the connection is closed as soon as it is there
    Milliseconds answer_patience{};  // from sending the line
};

struct TcpResult {
    Endpoint server;
    TcpOutcome outcome = TcpOutcome::no_answer;
    ErrorCode error;                                // of the system, where there was one
    std::optional<std::chrono::microseconds> took;  // to connect
    TcpTalk talk = TcpTalk::none;
    std::string answer;  // its first line, printable, at most 256 characters
};

// Never throws but operation_aborted, when cancelled.
boost::asio::awaitable<TcpResult> try_tcp(TcpTrial trial);

}  // namespace p2pdiag::net
