// One HTTP/1.1 request to a device that nobody vouches for. Bounded in time and size; goes only
// where the caller says, resolves nothing, follows no redirect, keeps no connection.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"

namespace p2pdiag::net {

struct HttpRequest {
    Endpoint server;
    int interface = 0;  // index of the link towards a link-local server
    // The connection leaves from here. Not used for a server of the other family.
    std::optional<IpAddress> local;
    bool post = false;                                         // else GET
    std::string host;                                          // the Host header
    std::string target = "/";                                  // path and query
    std::vector<std::pair<std::string, std::string>> headers;  // besides Host, User-Agent, length
    std::string body;
    // A server that tells no length ends its body by closing, and some never close. Where the body
    // ends with this (blanks aside) it is whole. Empty: wait for the end.
    std::string end_mark;
};

struct HttpLimits {
    Milliseconds whole{3000};  // from connecting to the last byte
    std::size_t body = 256 * 1024;
    std::size_t headers = 16 * 1024;
};

struct HttpResponse {
    unsigned status = 0;
    std::string reason, server;  // printable, at most 128 characters
    std::string body;            // as it came; short where the server closed too early
    // Header fields as they came, made printable: Date and Age at most 128 characters, Location
    // 512. Empty where absent.
    std::string date{}, age{}, location{};
};

struct HttpProblem {
    enum class Kind {
        refused,    // nothing listens there
        no_route,   // this machine cannot send there
        no_answer,  // silence, or no whole answer in time, or closed before one
        too_large,
        malformed,    // not HTTP
        bad_request,  // what was asked has characters that would break out of it; nothing was sent
    };
    Kind kind = Kind::no_answer;
    std::string text;   // for people
    bool mute = false;  // the connection came about, and not a byte came back on it
};

boost::asio::awaitable<boost::system::result<HttpResponse, HttpProblem>> http_fetch(
    HttpRequest request, HttpLimits limits = {});

}  // namespace p2pdiag::net
