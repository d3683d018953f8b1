#include "net/portmap/igd_description.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "wire/upnp/description.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

// More connections than any router has.
constexpr std::size_t max_candidates = 4;

// Two services of one kind are told apart by asking; this is for each.
constexpr Milliseconds status_limit{1000};

// What the description says, joined with where it came from.
class Judge {
public:
    Judge(const upnp::DeviceDescription& said, const upnp::Url& location, const Router& router)
        : said_(said), base_(location), router_(router) {
        // UPnP 1.0 alone has URLBase. One that leads elsewhere is a router's mistake: its paths
        // are right all the same.
        const auto url_base = upnp::parse_url(said.url_base);
        if (url_base && check_host(*url_base, router.address, "URLBase")) base_ = *url_base;
    }

    // The services of these kinds, the better ones first.
    Outcome<std::vector<Service>> mapping_services() const {
        struct Wanted {
            std::string_view name;
            unsigned at_least;
        };
        static constexpr std::array<Wanted, 3> wanted = {
            {{"WANIPConnection", 2}, {"WANIPConnection", 1}, {"WANPPPConnection", 1}}};
        std::vector<Service> found;
        for (const Wanted& kind : wanted) {
            for (const upnp::ServiceEntry& entry : said_.services) {
                if (!upnp::is_service(entry.type, kind.name, kind.at_least)) continue;
                auto service = to_service(entry);
                if (!service) return service.error();
                const auto same = [&](const Service& other) {
                    return other.control_url == service->control_url &&
                           other.service_type == service->service_type;
                };
                if (std::any_of(found.begin(), found.end(), same)) continue;
                if (found.size() < max_candidates) found.push_back(std::move(*service));
            }
        }
        return found;
    }

    Outcome<std::optional<Service>> firewall_service() const {
        for (const upnp::ServiceEntry& entry : said_.services) {
            if (!upnp::is_service(entry.type, "WANIPv6FirewallControl")) continue;
            auto service = to_service(entry);
            if (!service) return service.error();
            return std::optional(std::move(*service));
        }
        return std::optional<Service>();
    }

    std::string presentation_url() const {
        if (said_.presentation_url.empty()) return {};
        const auto url = upnp::resolve(base_, said_.presentation_url);
        const bool ours = url && check_host(*url, router_.address, "presentationURL");
        return ours ? url->to_string() : std::string();
    }

private:
    Outcome<Service> to_service(const upnp::ServiceEntry& entry) const {
        const auto url = upnp::resolve(base_, entry.control_url);
        if (!url || entry.control_url.empty()) return malformed("a control URL that is none");
        const auto ours = check_host(*url, router_.address, "the control URL");
        if (!ours) return ours.error();
        Service service;
        service.protocol = Protocol::upnp;
        service.router = router_.address;
        service.interface = router_.interface;
        service.local = router_.local;
        service.control_url = url->to_string();
        service.service_type = entry.type;
        service.udn = said_.udn;
        return service;
    }

    const upnp::DeviceDescription& said_;
    upnp::Url base_;
    const Router& router_;
};

asio::awaitable<bool> is_connected(Service service) {
    HttpLimits limits;
    limits.whole = status_limit;
    upnp::Call call;
    call.action = "GetStatusInfo";
    const auto reply = co_await soap_call(service, call, limits);
    if (!reply) co_return false;
    const std::string* const status = reply->find("NewConnectionStatus");
    co_return status != nullptr&&* status == "Connected";
}

// Routers with several WAN connections describe all of them, and one is in use.
asio::awaitable<std::optional<Service>> choose(std::vector<Service> candidates) {
    if (candidates.empty()) co_return std::nullopt;
    if (candidates.size() == 1) co_return candidates.front();
    for (const Service& candidate : candidates) {
        const bool connected = co_await is_connected(candidate);
        if (connected) co_return candidate;
    }
    co_return candidates.front();
}

void take_names(IgdDescription& description, const upnp::DeviceDescription& said) {
    description.friendly_name = said.friendly_name;
    description.manufacturer = said.manufacturer;
    description.model_name = said.model_name;
    description.model_number = said.model_number;
    description.serial_number = said.serial_number;
    description.udn = said.udn;
    description.version = said.igd_version;
}

}  // namespace

Outcome<ReadDescription> read_description(std::string_view xml, const upnp::Url& location,
                                          const Router& router) {
    const auto said = upnp::parse_description(xml);
    if (!said) return malformed(said.error().message());
    const Judge judge(*said, location, router);
    auto mapping_services = judge.mapping_services();
    if (!mapping_services) return mapping_services.error();
    auto firewall = judge.firewall_service();
    if (!firewall) return firewall.error();
    ReadDescription read;
    read.mapping_services = std::move(*mapping_services);
    read.description.location = location.to_string();
    read.description.presentation_url = judge.presentation_url();
    read.description.firewall = std::move(*firewall);
    take_names(read.description, *said);
    return read;
}

asio::awaitable<Outcome<IgdDescription>> describe_igd(std::string location, IpAddress router,
                                                      int interface, IpAddress local) {
    const auto url = upnp::parse_url(location);
    if (!url) co_return malformed("LOCATION: " + url.error().message());
    const auto ours = check_host(*url, router, "LOCATION");
    if (!ours) co_return ours.error();
    const Router where{router, interface, local};
    HttpRequest request;
    request.headers.emplace_back("Accept", "text/xml, application/xml");
    request.end_mark = "</root>";
    const auto response = co_await fetch(where, *url, std::move(request));
    if (!response) co_return response.error();
    if (response->status != 200) co_return failure_of_status(*response);
    auto read = read_description(response->body, *url, where);
    if (!read) co_return read.error();
    read->description.mapping = co_await choose(std::move(read->mapping_services));
    co_return std::move(read->description);
}

}  // namespace p2pdiag::net::portmap
