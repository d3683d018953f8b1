// Inside of lib/net/portmap: HTTP to a router and nowhere else, and one SOAP action over it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "net/portmap/types.hpp"
#include "wire/upnp/soap.hpp"
#include "wire/upnp/url.hpp"

namespace p2pdiag::net::portmap {

// Where HTTP may go: to this host alone, at any port.
struct Router {
    IpAddress address;
    int interface = 0;
    IpAddress local;
};

// Problem::foreign_url with a text that names both where `url` leads to another host. `what` is
// what the URL is called: "LOCATION".
Outcome<void> check_host(const upnp::Url& url, const IpAddress& router, std::string_view what);

// A whole answer of any status.
boost::asio::awaitable<Outcome<HttpResponse>> fetch(Router router, upnp::Url url,
                                                    HttpRequest request, HttpLimits limits = {});

// For an HTTP status that is no success.
Failure failure_of_status(const HttpResponse& response);
// The error codes of WANIPConnection:1 and :2 and of WANIPv6FirewallControl:1.
Failure failure_of(const upnp::Fault& fault);
Failure malformed(std::string text);

// What a reply means, without any socket.
Outcome<upnp::Reply> read_reply(const HttpResponse& response, std::string_view action);

// What an argument of a reply is as a whole number that fits; nothing otherwise.
template <class Number>
std::optional<Number> number_in(const upnp::Reply& reply, std::string_view name) {
    const std::string* const text = reply.find(name);
    if (text == nullptr) return std::nullopt;
    Number number{};
    const char* const end = text->data() + text->size();
    const auto [stopped, error] = std::from_chars(text->data(), end, number);
    return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

// UPnP Device Architecture 1.1, section 2.5: boolean is 0, 1, false, true, no or yes. Nothing for
// any other text.
std::optional<bool> flag_in(const upnp::Reply& reply, std::string_view name);

Failure missing(std::string_view argument);  // or not of the type that it should have

// Fills in call.service_type.
boost::asio::awaitable<Outcome<upnp::Reply>> soap_call(Service service, upnp::Call call,
                                                       HttpLimits limits = {});

}  // namespace p2pdiag::net::portmap
