#include "wire/upnp/description.hpp"

#include <algorithm>
#include <charconv>

#include "wire/upnp/error.hpp"
#include "wire/upnp/url.hpp"
#include "wire/upnp/xml.hpp"

namespace p2pdiag::upnp {

namespace {

// IGD > WANDevice > WANConnectionDevice is three; a few more for an IGD within another device.
constexpr unsigned max_depth = 6;
constexpr unsigned max_devices = 32;
constexpr std::size_t max_type = 128;

// What follows `…:kind:name:` as a number; 0 when it is something else.
unsigned version_of(std::string_view type, std::string_view kind, std::string_view name) {
    const std::string middle = ':' + std::string(kind) + ':' + std::string(name) + ':';
    const std::size_t at = type.find(middle);
    if (!type.starts_with("urn:") || at == std::string_view::npos) return 0;
    const std::string_view digits = type.substr(at + middle.size());
    unsigned version = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), version);
    const bool whole = error == std::errc{} && end == digits.data() + digits.size();
    return whole ? version : 0;
}

// It will stand in a header and in XML of ours.
bool is_urn(std::string_view type) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == ':' || c == '-' || c == '.' || c == '_';
    };
    return type.starts_with("urn:") && type.size() <= max_type &&
           std::all_of(type.begin(), type.end(), fits);
}

class Reader {
public:
    explicit Reader(DeviceDescription& description) : description_(description) {}

    void read(const pugi::xml_node& device, unsigned depth) {
        if (depth > max_depth || ++devices_ > max_devices) return;
        const std::string type = child_text(device, "deviceType");
        const unsigned version = version_of(type, "device", "InternetGatewayDevice");
        const bool first = devices_ == 1;
        const bool first_igd = version != 0 && description_.igd_version == 0;
        if (first || first_igd) read_names(device, type);
        if (first_igd) description_.igd_version = version;
        for (const pugi::xml_node service : child(device, "serviceList").children()) {
            read_service(service);
        }
        for (const pugi::xml_node embedded : child(device, "deviceList").children()) {
            if (local_name(embedded) == "device") read(embedded, depth + 1);
        }
    }

private:
    void read_names(const pugi::xml_node& device, const std::string& type) {
        description_.device_type = type;
        description_.friendly_name = child_text(device, "friendlyName");
        description_.manufacturer = child_text(device, "manufacturer");
        description_.model_name = child_text(device, "modelName");
        description_.model_number = child_text(device, "modelNumber");
        description_.serial_number = child_text(device, "serialNumber");
        description_.udn = child_text(device, "UDN");
        description_.presentation_url = child_text(device, "presentationURL", max_url);
    }

    void read_service(const pugi::xml_node& service) {
        if (local_name(service) != "service") return;
        if (description_.services.size() == max_services) return;
        ServiceEntry entry;
        // One more than is allowed: what is too long is refused, not cut.
        entry.type = child_text(service, "serviceType", max_type + 1);
        entry.control_url = child_text(service, "controlURL", max_url + 1);
        if (is_urn(entry.type)) description_.services.push_back(std::move(entry));
    }

    DeviceDescription& description_;
    unsigned devices_ = 0;
};

}  // namespace

bool is_service(std::string_view type, std::string_view name, unsigned at_least) {
    return version_of(type, "service", name) >= at_least;
}

Result<DeviceDescription> parse_description(std::string_view xml) {
    pugi::xml_document document;
    read_xml(document, xml);
    const pugi::xml_node root = child(document, "root");
    const pugi::xml_node device = child(root, "device");
    if (!device) return ParseError::not_a_description;
    DeviceDescription description;
    description.url_base = child_text(root, "URLBase", max_url + 1);
    Reader(description).read(device, 1);
    return description;
}

}  // namespace p2pdiag::upnp
