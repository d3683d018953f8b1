#include "wire/upnp/soap.hpp"

#include <charconv>

#include "wire/upnp/error.hpp"
#include "wire/upnp/xml.hpp"

namespace p2pdiag::upnp {

namespace {

constexpr std::size_t max_values = 64;
constexpr std::size_t max_text = 512;

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '&': result += "&amp;"; break;
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '"': result += "&quot;"; break;
            case '\'': result += "&apos;"; break;
            default: result += c;
        }
    }
    return result;
}

std::vector<Argument> arguments_in(const pugi::xml_node& element) {
    std::vector<Argument> arguments;
    for (const pugi::xml_node node : element.children()) {
        if (node.type() != pugi::node_element) continue;
        if (arguments.size() == max_values) break;
        arguments.push_back({printable(local_name(node), max_text), text_of(node, max_text)});
    }
    return arguments;
}

pugi::xml_node body_of(const pugi::xml_document& document) {
    return child(child(document, "Envelope"), "Body");
}

Fault fault_in(const pugi::xml_node& element) {
    Fault fault;
    const pugi::xml_node error = child(child(element, "detail"), "UPnPError");
    const std::string code = child_text(error, "errorCode");
    std::from_chars(code.data(), code.data() + code.size(), fault.code);
    fault.description = child_text(error, "errorDescription");
    if (fault.description.empty()) fault.description = child_text(element, "faultstring");
    return fault;
}

}  // namespace

std::string Call::soap_action() const { return '"' + service_type + '#' + action + '"'; }

std::string encode(const Call& call) {
    const std::string action = escaped(call.action);
    std::string text =
        "<?xml version=\"1.0\"?>\r\n"
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:" +
        action + " xmlns:u=\"" + escaped(call.service_type) + "\">";
    for (const Argument& argument : call.arguments) {
        const std::string name = escaped(argument.name);
        text += '<' + name + '>' + escaped(argument.value) + "</" + name + '>';
    }
    return text + "</u:" + action + "></s:Body></s:Envelope>\r\n";
}

Result<Call> parse_call(std::string_view xml) {
    pugi::xml_document document;
    read_xml(document, xml);
    const pugi::xml_node element = body_of(document).first_child();
    if (element.type() != pugi::node_element) return ParseError::not_a_call;
    Call call;
    call.action = printable(local_name(element), max_text);
    for (const pugi::xml_attribute attribute : element.attributes()) {
        if (std::string_view(attribute.name()).starts_with("xmlns")) {
            call.service_type = printable(attribute.value(), max_text);
        }
    }
    call.arguments = arguments_in(element);
    return call;
}

const std::string* Reply::find(std::string_view name) const {
    for (const Argument& value : values) {
        if (value.name == name) return &value.value;
    }
    return nullptr;
}

Result<Reply> parse_reply(std::string_view xml, std::string_view action) {
    pugi::xml_document document;
    read_xml(document, xml);
    const pugi::xml_node body = body_of(document);
    Reply reply;
    if (const pugi::xml_node fault = child(body, "Fault")) {
        reply.fault = fault_in(fault);
        return reply;
    }
    const pugi::xml_node response = child(body, std::string(action) + "Response");
    if (!response) return ParseError::not_a_reply;
    reply.values = arguments_in(response);
    return reply;
}

}  // namespace p2pdiag::upnp
