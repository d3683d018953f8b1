// A UPnP device description (UPnP Device Architecture 1.1, section 2.3): what stands in the XML,
// not yet judged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace p2pdiag::upnp {

// Of one <service>. Only services whose type is a plain URN are kept.
struct ServiceEntry {
    std::string type;         // "urn:schemas-upnp-org:service:WANIPConnection:1"
    std::string control_url;  // as it stands there: relative or absolute
};

struct DeviceDescription {
    std::string url_base;  // of UPnP 1.0; empty where there is none
    // Of the Internet Gateway Device, or of the root device where there is none. Printable, at most
    // 128 characters each.
    std::string device_type;
    std::string friendly_name, manufacturer, model_name, model_number, serial_number, udn;
    std::string presentation_url;  // as it stands there
    unsigned igd_version = 0;      // 0 = no Internet Gateway Device in it
    // Of all devices, in the order of the document, at most max_services.
    std::vector<ServiceEntry> services;
};

inline constexpr std::size_t max_services = 64;

// Whether `type` is urn:…:service:NAME:VERSION, with any domain and any version from `at_least` on.
bool is_service(std::string_view type, std::string_view name, unsigned at_least = 1);

Result<DeviceDescription> parse_description(std::string_view xml);

}  // namespace p2pdiag::upnp
