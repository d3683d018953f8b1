// Is it the internet that answers, or a login page before it? One HTTP question to a server whose
// answer is known, and what its Date header says of this machine's clock.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "net/http.hpp"

namespace p2pdiag::network_plugin {

struct PortalQuestion {
    std::string url;   // http; empty = nothing is to be asked
    std::string body;  // that it answers with status 200; empty = it answers 204 without one
};

enum class Portal {
    not_asked,
    bad_url,     // the profile's URL is no http URL
    no_name,     // its name could not be resolved
    no_answer,   // no answer over HTTP; see `detail`
    absent,      // the expected answer came
    present,     // another page came: a redirect, a page of its own, or RFC 6585's status 511
    unexpected,  // something else came: the server may be out of order
    unfinished   // the run ended first
};
std::string_view to_string(Portal portal);  // "not-asked", …

// How far this machine's clock is ahead of a server's.
struct ClockSkew {
    std::chrono::milliseconds ahead{};  // negative = behind
    std::chrono::milliseconds uncertainty{};
};

struct PortalResult {
    Portal portal = Portal::not_asked;
    std::string host;                // as in the URL
    std::optional<Endpoint> server;  // that was asked
    std::optional<unsigned> status;  // of HTTP
    std::string location;            // where a redirect leads
    std::string detail;              // for people; empty where there is nothing to add
    // no_answer, though the connection came about: not a byte came back in more than a second, or
    // before the other side closed it.
    bool mute = false;
    std::optional<ClockSkew> skew;  // only of the expected answer
};

// What an answer means. Pure.
Portal read_answer(const net::HttpResponse& response, const PortalQuestion& question);

// `sent` and `received` by this machine's clock. Date has whole seconds, and lies between the two
// (RFC 9110 section 6.6.1); a cache adds its Age (RFC 9111 section 5.1). Nothing where there is no
// valid Date. Pure.
std::optional<ClockSkew> read_clock(const net::HttpResponse& response,
                                    std::chrono::system_clock::time_point sent,
                                    std::chrono::system_clock::time_point received);

// Takes no longer than until `deadline`.
boost::asio::awaitable<PortalResult> ask_portal(PortalQuestion question, TimePoint deadline);

}  // namespace p2pdiag::network_plugin
