// What a router says in XML, through the functions of the client that judge it: nothing but
// harmless text comes out, and no URL but the router's own.
#include <algorithm>
#include <cstdlib>

#include "net/portmap/igd_description.hpp"

using namespace p2pdiag;
using namespace p2pdiag::net;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_harmless(const std::string& text, std::size_t most) {
    require(text.size() <= most);
    require(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

void require_ours(const portmap::Service& service, const IpAddress& router) {
    const auto url = upnp::parse_url(service.control_url);
    require(url.has_value());
    require(portmap::check_host(*url, router, "URL").has_value());
    upnp::Call call;
    call.service_type = service.service_type;
    call.action = "X";
    // Nothing in the type may end the header or the attribute that it will stand in.
    require(service.service_type.find_first_of("\"'<>&#\r\n ") == std::string::npos);
    const auto back = upnp::parse_call(upnp::encode(call));
    require(back.has_value());
    require(back->service_type == service.service_type);
}

void check_description(std::string_view xml) {
    const portmap::Router router{*IpAddress::parse("192.168.1.1"), 2,
                                 *IpAddress::parse("192.168.1.2")};
    const auto location = upnp::parse_url("http://192.168.1.1:5000/rootDesc.xml");
    const auto read = portmap::read_description(xml, *location, router);
    if (!read) {
        require_harmless(read.error().text, 1000);
        return;
    }
    const portmap::IgdDescription& said = read->description;
    for (const std::string* text : {&said.friendly_name, &said.manufacturer, &said.model_name,
                                    &said.model_number, &said.serial_number, &said.udn}) {
        require_harmless(*text, 128);
    }
    require_harmless(said.presentation_url, 2000);
    require(read->mapping_services.size() <= 4);
    for (const portmap::Service& service : read->mapping_services) {
        require_ours(service, router.address);
    }
    if (said.firewall) require_ours(*said.firewall, router.address);
}

void check_reply(std::string_view xml) {
    for (const unsigned status : {200U, 500U}) {
        const HttpResponse response{status, "reason", "", std::string(xml)};
        const auto reply = portmap::read_reply(response, "GetExternalIPAddress");
        if (!reply) {
            require_harmless(reply.error().text, 1000);
            continue;
        }
        require(reply->values.size() <= 64);
        for (const upnp::Argument& value : reply->values) {
            require_harmless(value.name, 512);
            require_harmless(value.value, 512);
        }
        portmap::number_in<std::uint16_t>(*reply, "NewExternalPort");
        portmap::flag_in(*reply, "NewEnabled");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view xml(reinterpret_cast<const char*>(data), size);
    check_description(xml);
    check_reply(xml);
    return 0;
}
