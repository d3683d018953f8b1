#include "net/portmap/soap.hpp"

#include <miniupnpc/upnperrors.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

Failure to_failure(HttpProblem problem) {
    using Kind = HttpProblem::Kind;
    const auto as = [&](Problem meaning) { return Failure{meaning, 0, problem.text, {}}; };
    switch (problem.kind) {
        case Kind::refused: return as(Problem::absent);
        case Kind::no_route: return as(Problem::no_route);
        case Kind::too_large: return as(Problem::too_large);
        case Kind::malformed:
        case Kind::bad_request: return as(Problem::malformed);
        case Kind::no_answer: break;
    }
    return as(Problem::no_answer);
}

Problem problem_of(int upnp_code) {
    switch (upnp_code) {
        case 401:  // Invalid Action
        case 602:  // Optional Action Not Implemented
        case 705:  // ProtocolNotSupported
            return Problem::unsupported;
        case 606:  // Action not authorized
        case 703:  // InboundPinholeNotAllowed
        case 731:  // ReadOnly
            return Problem::refused;
        case 701:  // PinholeSpaceExhausted
        case 728:  // NoPortMapsAvailable
            return Problem::full;
        case 704:  // NoSuchEntry
        case 713:  // SpecifiedArrayIndexInvalid
        case 714:  // NoSuchEntryInArray
        case 730:  // PortMappingNotFound
            return Problem::not_found;
        case 718:  // ConflictInMappingEntry
        case 729:  // ConflictWithOtherMechanisms
            return Problem::conflict;
        case 724: return Problem::same_port_required;
        case 725: return Problem::permanent_only;
        case 726:
        case 727: return Problem::wildcard_required;
        default: return Problem::failed;
    }
}

// The name in the standard where miniupnpc knows one, and what the router adds to it.
std::string text_of(const upnp::Fault& fault) {
    const char* const known = strupnperror(fault.code);
    std::string name = known == nullptr ? "UnknownError" : known;
    if (name == "UnknownError") name.clear();
    const std::string& said = fault.description;
    if (name.empty() || said.empty() || name == said) return name.empty() ? said : name;
    return name + " (" + said + ")";
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

Failure malformed(std::string text) { return {Problem::malformed, 0, std::move(text), {}}; }

Failure missing(std::string_view argument) {
    return malformed("no valid " + std::string(argument) + " in the reply");
}

std::optional<bool> flag_in(const upnp::Reply& reply, std::string_view name) {
    const std::string* const text = reply.find(name);
    if (text == nullptr) return std::nullopt;
    if (*text == "1" || *text == "true" || *text == "yes") return true;
    if (*text == "0" || *text == "false" || *text == "no") return false;
    return std::nullopt;
}

Outcome<void> check_host(const upnp::Url& url, const IpAddress& router, std::string_view what) {
    const auto host = IpAddress::parse(url.host);
    if (host && host->unmapped() == router.unmapped()) return {};
    return Failure{Problem::foreign_url,
                   0,
                   std::string(what) + " " + printable(url.to_string(), 256) +
                       " is on another host than " + router.to_string() + ", which gave it",
                   {}};
}

asio::awaitable<Outcome<HttpResponse>> fetch(Router router, upnp::Url url, HttpRequest request,
                                             HttpLimits limits) {
    if (url.secure) co_return Failure{Problem::unsupported, 0, "https is not spoken here", {}};
    request.server = {router.address, url.port};
    request.interface = router.interface;
    request.local = router.local;
    request.host = url.authority();
    request.target = url.target;
    auto response = co_await http_fetch(std::move(request), limits);
    if (!response) co_return to_failure(response.error());
    co_return std::move(*response);
}

Failure failure_of_status(const HttpResponse& response) {
    const int status = static_cast<int>(response.status);
    std::string text = "HTTP " + std::to_string(status) + " " + response.reason;
    if (status >= 300 && status < 400) text += " (redirects are not followed)";
    Problem problem = Problem::failed;
    if (status == 401 || status == 403) problem = Problem::refused;
    if (status == 404 || status == 405) problem = Problem::unsupported;
    return {problem, status, std::move(text), {}};
}

Failure failure_of(const upnp::Fault& fault) {
    return {problem_of(fault.code), fault.code, text_of(fault), {}};
}

Outcome<upnp::Reply> read_reply(const HttpResponse& response, std::string_view action) {
    // Some routers send a fault with status 200.
    auto reply = upnp::parse_reply(response.body, action);
    if (reply && reply->fault && reply->fault->code != 0) return failure_of(*reply->fault);
    if (response.status != 200) return failure_of_status(response);
    if (reply && reply->fault) return failure_of(*reply->fault);
    if (reply) return std::move(*reply);
    // An action without results may have an answer without content.
    if (is_blank(response.body)) return upnp::Reply{};
    return malformed(reply.error().message());
}

asio::awaitable<Outcome<upnp::Reply>> soap_call(Service service, upnp::Call call,
                                                HttpLimits limits) {
    const auto url = upnp::parse_url(service.control_url);
    if (!url) co_return malformed("control URL: " + url.error().message());
    const auto ours = check_host(*url, service.router, "the control URL");
    if (!ours) co_return ours.error();
    call.service_type = service.service_type;
    HttpRequest request;
    request.post = true;
    request.headers.emplace_back("Content-Type", "text/xml; charset=\"utf-8\"");
    request.headers.emplace_back("SOAPAction", call.soap_action());
    request.body = upnp::encode(call);
    request.end_mark = "Envelope>";
    const Router router{service.router, service.interface, service.from.value_or(service.local)};
    const auto response = co_await fetch(router, *url, std::move(request), limits);
    if (!response) co_return response.error();
    co_return read_reply(*response, call.action);
}

}  // namespace p2pdiag::net::portmap
