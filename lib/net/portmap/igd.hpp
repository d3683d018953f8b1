// One UPnP Internet Gateway Device: its description, and the actions of its services.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "net/portmap/types.hpp"

namespace p2pdiag::net::portmap {

// What the description at LOCATION says. All texts are printable and bounded.
struct IgdDescription {
    std::string location;
    std::string friendly_name, manufacturer, model_name, model_number, serial_number, udn;
    std::string presentation_url;     // the router's own pages, on the same host; empty where none
    unsigned version = 0;             // of InternetGatewayDevice: 1 or 2; 0 = no IGD at all
    std::optional<Service> mapping;   // WANIPConnection:1, :2 or WANPPPConnection:1
    std::optional<Service> firewall;  // WANIPv6FirewallControl:1
};

// GETs and reads it. Refused: a LOCATION whose host is not `router`, control URLs on another host,
// more than 256 KiB, more than 3 s. Where there are several mapping services, each is asked for its
// status, and the first that is connected is taken; else the best kind. Service types are whole:
// "urn:schemas-upnp-org:service:WANIPConnection:1".
boost::asio::awaitable<Outcome<IgdDescription>> describe_igd(std::string location, IpAddress router,
                                                             int interface, IpAddress local);

struct IgdStatus {
    std::string connection;             // "Connected", …; empty = not told
    std::optional<Seconds> uptime;      // of the WAN connection
    std::string external_text;          // GetExternalIPAddress as it was sent
    std::optional<IpAddress> external;  // nothing when empty or no address
};
// GetStatusInfo and GetExternalIPAddress. An error of one leaves its fields empty; Failure when
// neither was answered.
boost::asio::awaitable<Outcome<IgdStatus>> igd_status(Service service);

struct IgdMapping {
    Transport transport = Transport::udp;
    std::uint16_t external_port = 0;
    std::string remote_host;  // empty = any
    std::optional<IpAddress> internal_address;
    std::uint16_t internal_port = 0;
    bool enabled = true;
    std::string description;  // printable
    Seconds lease{0};         // 0 = permanent
};
// A list that is longer, or takes longer, is shown as far as it came.
inline constexpr unsigned most_listed = 128;
inline constexpr Milliseconds usual_listing{5000};

// GetGenericPortMappingEntry from 0 on until 713/714, at most `most`, and no new one after
// `longest`.
struct IgdMappings {
    std::vector<IgdMapping> entries;
    bool complete = true;  // false when there are more, or the router stopped answering
};
boost::asio::awaitable<Outcome<IgdMappings>> igd_mappings(Service service,
                                                          unsigned most = most_listed,
                                                          Milliseconds longest = usual_listing);

// GetSpecificPortMappingEntry: who has this external port? Problem::not_found when nobody has.
boost::asio::awaitable<Outcome<IgdMapping>> igd_mapping(Service service, Transport transport,
                                                        std::uint16_t external_port);

// AddPortMapping, exactly as asked (external_port must not be 0: some routers take it for "all").
boost::asio::awaitable<Outcome<MapGrant>> igd_add(Service service, MapRequest request);
// AddAnyPortMapping (WANIPConnection:2 alone): the router picks a port when the wanted one is
// taken.
boost::asio::awaitable<Outcome<MapGrant>> igd_add_any(Service service, MapRequest request);
boost::asio::awaitable<Outcome<void>> igd_delete(Service service, Transport transport,
                                                 std::uint16_t external_port);

// WANIPv6FirewallControl:1. Routers open pinholes only for the address that asks: `service.router`
// must be an IPv6 address, so that the call comes from `service.local`.
struct FirewallStatus {
    bool enabled = false;
    bool inbound_allowed = false;  // InboundPinholeAllowed
};
boost::asio::awaitable<Outcome<FirewallStatus>> igd_firewall_status(Service service);
// What is asked for where this lifetime is wanted: at most a day, and never without an end.
Seconds pinhole_lease(Seconds wanted);
// From 1 to 86400 s; 0 and more are made that. For any remote host and port.
boost::asio::awaitable<Outcome<MapGrant>> igd_add_pinhole(Service service, MapRequest request);
boost::asio::awaitable<Outcome<void>> igd_update_pinhole(Service service, std::uint16_t id,
                                                         Seconds lifetime);
boost::asio::awaitable<Outcome<void>> igd_delete_pinhole(Service service, std::uint16_t id);
// CheckPinholeWorking; Problem::not_found when there is no such pinhole (704).
boost::asio::awaitable<Outcome<bool>> igd_pinhole_working(Service service, std::uint16_t id);

}  // namespace p2pdiag::net::portmap
