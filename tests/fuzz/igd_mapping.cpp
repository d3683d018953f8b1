// A UPnP router that answers each action with the next piece of the input, and the client that
// makes, reads back, renews and removes a mapping with it. However it lies: the client ends, asks a
// bounded number of times, grants nothing that was not asked for, and deletes no other port than
// that of the mapping.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "http_server.hpp"
#include "net/portmap/upnp_mapping.hpp"
#include "wire/upnp/soap.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net::portmap;
using fuzz::require;

namespace {

// After its last piece the router answers nothing any more.
class Router {
public:
    explicit Router(ByteView input) : reader_(input) {}

    std::string reply(const std::string& request) {
        ++requests_;
        const std::size_t head = request.find("\r\n\r\n");
        require(request.starts_with("POST /ctl ") && head != std::string::npos);
        const auto call = upnp::parse_call(request.substr(head + 4));
        require(call.has_value());
        note(*call);
        const unsigned kind = reader_.u8();
        const ByteView piece = reader_.take(reader_.u8());
        if (!reader_.ok()) return {};
        const std::string text(piece.begin(), piece.end());
        switch (kind % 3) {
            case 0: return text;
            case 1:
                return http(200, upnp::encode({call->service_type, call->action + "Response",
                                               values(text)}));
            default: return http(500, fault(text));
        }
    }

    unsigned requests() const { return requests_; }
    const std::vector<std::string>& deleted() const { return deleted_; }
    const std::vector<std::string>& added() const { return added_; }

private:
    void note(const upnp::Call& call) {
        for (const upnp::Argument& argument : call.arguments) {
            if (argument.name != "NewExternalPort") continue;
            if (call.action == "DeletePortMapping") deleted_.push_back(argument.value);
            if (call.action.starts_with("Add")) added_.push_back(argument.value);
        }
    }

    static std::string http(unsigned status, const std::string& body) {
        return "HTTP/1.1 " + std::to_string(status) +
               " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    static std::string fault(const std::string& code) {
        return "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>"
               "<detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>" +
               code + "</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>";
    }

    // "NewInternalPort=8000;NewLeaseDuration=0".
    static std::vector<upnp::Argument> values(const std::string& text) {
        std::vector<upnp::Argument> all;
        std::size_t at = 0;
        while (at < text.size()) {
            const std::size_t end = std::min(text.find(';', at), text.size());
            const std::string one = text.substr(at, end - at);
            const std::size_t equal = std::min(one.find('='), one.size());
            const std::string name = one.substr(0, equal);
            const bool sound = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            });
            if (sound) all.push_back({name, one.substr(std::min(equal + 1, one.size()))});
            at = end + 1;
        }
        return all;
    }

    ByteReader reader_;
    unsigned requests_ = 0;
    std::vector<std::string> deleted_, added_;
};

void require_said(const Failure& failure) {
    require(failure.text.size() <= 1000);
    for (const char c : failure.text) require(c >= ' ' && c <= '~');
}

boost::asio::awaitable<void> use(Service service, MapRequest request, bool* done) {
    const auto made = co_await upnp_add(service, request);
    std::optional<MapGrant> grant;
    if (made) {
        require(made->internal_port == request.internal_port);
        require(made->external_port != 0);
        // At another external port only where any would do.
        require(request.external_port == 0 || made->external_port == request.external_port);
        grant = *made;
        const auto said = co_await upnp_read_back(service, request, *made);
        require(said.in_force != InForce::foreign || !said.owner.empty());
        const auto renewed = co_await upnp_renew(service, request, *made);
        if (renewed) require(renewed->external_port == made->external_port);
    } else {
        require_said(made.error());
    }
    const auto removed = co_await upnp_remove(service, request, grant);
    if (!removed) require_said(removed.error());
    *done = true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static fuzz::HttpServer server;
    if (size == 0) return 0;
    const unsigned flags = data[0];
    Service service;
    service.router = server.next_address();
    service.local = IpAddress::v4(0x7f000001);
    service.control_url = "http://" + Endpoint{service.router, server.port()}.to_string() + "/ctl";
    service.service_type =
        std::string("urn:schemas-upnp-org:service:WANIPConnection:") + (flags % 2 == 0 ? "1" : "2");
    MapRequest request;
    request.internal_port = 8000;
    request.external_port = (flags & 2) != 0 ? 0 : 8000;
    request.lifetime = Seconds((flags & 4) != 0 ? 0 : 600);
    request.lease_only = (flags & 8) != 0;
    request.description = "p2pdiag 0123abcd";

    Router router(ByteView(data + 1, size - 1));
    bool done = false;
    std::thread answering([&] {
        // The last connection is made below, to end it.
        while (server.answer([&](const std::string& text) { return router.reply(text); })) {
        }
    });
    boost::asio::io_context context;
    boost::asio::co_spawn(context, use(service, request, &done), [](std::exception_ptr problem) {
        if (problem) std::rethrow_exception(problem);
    });
    context.run();
    {
        const Fd last(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_storage storage;
        const socklen_t length = net::to_sockaddr({service.router, server.port()}, storage);
        require(::connect(last.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
    }
    answering.join();
    require(done);
    // One for each entry of the longest list that is read, and those of the steps.
    require(router.requests() < 400);
    // What was never asked for is not ours. Without a grant the list is searched for our name.
    const auto& added = router.added();
    for (const std::string& port : router.deleted()) {
        const bool ours = std::find(added.begin(), added.end(), port) != added.end();
        require(ours || port == "8000" || request.external_port == 0);
    }
    return 0;
}
