#include <catch2/catch.hpp>

#include "wire/upnp/description.hpp"
#include "wire/upnp/error.hpp"
#include "wire/upnp/soap.hpp"
#include "wire/upnp/url.hpp"

using namespace p2pdiag;
using upnp::ParseError;

namespace {

std::string resolved(std::string_view base, std::string_view reference) {
    const auto url = upnp::resolve(upnp::parse_url(base).value(), reference);
    return url ? url->to_string() : url.error().message();
}

std::string service(std::string_view type, std::string_view control) {
    return "<service><serviceType>" + std::string(type) + "</serviceType><controlURL>" +
           std::string(control) + "</controlURL></service>";
}

std::string described(const std::string& inner) {
    return "<root><device>" + inner + "</device></root>";
}

}  // namespace

TEST_CASE("upnp: URLs") {
    const auto url = upnp::parse_url("HTTP://192.168.1.1:5000/rootDesc.xml?a=1#top");
    REQUIRE(url.has_value());
    CHECK_FALSE(url->secure);
    CHECK(url->host == "192.168.1.1");
    CHECK(url->port == 5000);
    CHECK(url->target == "/rootDesc.xml?a=1");
    CHECK(url->authority() == "192.168.1.1:5000");
    CHECK(upnp::parse_url("http://10.0.0.1")->to_string() == "http://10.0.0.1/");
    CHECK(upnp::parse_url("http://10.0.0.1:80?q")->to_string() == "http://10.0.0.1/?q");
    CHECK(upnp::parse_url("https://10.0.0.1/")->port == 443);
    CHECK(upnp::parse_url("http://router.lan/")->host == "router.lan");
    for (const std::string_view zone :
         {"http://[fe80::1%25eth0]:5000/d", "http://[fe80::1%eth0]:5000/d"}) {
        const auto scoped = upnp::parse_url(zone);
        REQUIRE(scoped.has_value());
        CHECK(scoped->host == "fe80::1");
        CHECK(scoped->authority() == "[fe80::1]:5000");
    }
    CHECK(upnp::parse_url("http://[::1]/")->authority() == "[::1]");
}

TEST_CASE("upnp: what is no URL, or one that would fool somebody, is refused") {
    for (const std::string_view text :
         {"", "/", "http:", "http://", "http:///x", "10.0.0.1", "http://10.0.0.1:0/",
          "http://10.0.0.1:65536/", "http://10.0.0.1:x/", "http://192.168.1.1@10.0.0.1/",
          "http://10.0.0.1\\@192.168.1.1/", "http://a b/", "http://a/\r\nX: y", "http://0x7f.1/",
          "http://[fe80::1/", "http://[10.0.0.1]/"}) {
        INFO(text);
        CHECK(upnp::parse_url(text).error() == ParseError::bad_url);
    }
    CHECK(upnp::parse_url("file:///etc/passwd").error() == ParseError::unsupported_scheme);
    CHECK(upnp::parse_url("http://a/" + std::string(upnp::max_url, 'x')).error() ==
          ParseError::bad_url);
}

TEST_CASE("upnp: references are resolved as RFC 3986 says") {
    const std::string base = "http://10.0.0.1:49152/a/desc.xml?x=/y";
    CHECK(resolved(base, "/ctl") == "http://10.0.0.1:49152/ctl");
    CHECK(resolved(base, "ctl?Q=1") == "http://10.0.0.1:49152/a/ctl?Q=1");
    CHECK(resolved(base, "?q") == "http://10.0.0.1:49152/a/desc.xml?q");
    CHECK(resolved(base, "//10.0.0.2/c") == "http://10.0.0.2/c");
    CHECK(resolved(base, "http://10.0.0.2:1/c") == "http://10.0.0.2:1/c");
    CHECK(resolved(base, "/go?to=http://10.0.0.2/") ==
          "http://10.0.0.1:49152/go?to=http://10.0.0.2/");
    CHECK(resolved("http://10.0.0.1", "ctl") == "http://10.0.0.1/ctl");
    CHECK(resolved(base, "") == base);
    // Routers with such paths exist, and the host stays the same.
    CHECK(resolved(base, "uuid:1/ctl") == "http://10.0.0.1:49152/a/uuid:1/ctl");
    CHECK(resolved(base, "file:///etc") == "neither an http nor an https URL");
    CHECK(resolved(base, "a b") == "not a URL");
}

TEST_CASE("upnp: a description with all that a router may have") {
    const std::string xml =
        "<?xml version=\"1.0\"?><!DOCTYPE root [<!ENTITY x \"y\">]><!-- c -->"
        "<root xmlns=\"urn:schemas-upnp-org:device-1-0\"><URLBase> http://10.0.0.1:80/ </URLBase>"
        "<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType>"
        "<friendlyName>A &amp; B &x; "
        "&#169;</friendlyName><manufacturer><![CDATA[M<M]]></manufacturer>"
        "<modelName>\n N \n</modelName><UDN>uuid:1</UDN><presentationURL>/</presentationURL>"
        "<serviceList>" +
        service("urn:schemas-upnp-org:service:Layer3Forwarding:1", "/l3f") +
        "</serviceList><deviceList><device><deviceType>x</deviceType><friendlyName>inner"
        "</friendlyName><serviceList>" +
        service("urn:schemas-upnp-org:service:WANIPConnection:1", "/ip1?a=1&amp;b=2") +
        service("urn:schemas-upnp-org:service:WANIPConnection:1", "/" + std::string(500, 'b')) +
        service("urn:schemas-upnp-org:service:WANPPPConnection:1", "/ppp") +
        service("urn:schemas-upnp-org:service:WANIPv6FirewallControl:1", "/6") +
        "</serviceList></device></deviceList></device></root>";
    const auto parsed = upnp::parse_description(xml);
    REQUIRE(parsed.has_value());
    CHECK(parsed->igd_version == 2);
    CHECK(parsed->url_base == "http://10.0.0.1:80/");
    CHECK(parsed->friendly_name == "A & B &x; ??");
    CHECK(parsed->manufacturer == "M<M");
    CHECK(parsed->model_name == "N");
    CHECK(parsed->udn == "uuid:1");
    REQUIRE(parsed->services.size() == 5);
    CHECK(parsed->services[1].control_url == "/ip1?a=1&b=2");
    CHECK(parsed->services[2].control_url.size() == 501);
    CHECK(upnp::is_service(parsed->services[3].type, "WANPPPConnection"));
    CHECK_FALSE(upnp::is_service(parsed->services[3].type, "WANIPConnection"));
    CHECK_FALSE(upnp::is_service(parsed->services[1].type, "WANIPConnection", 2));
}

TEST_CASE("upnp: a gateway within another device gives the names") {
    const auto parsed = upnp::parse_description(described(
        "<deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType><friendlyName>box</"
        "friendlyName>"
        "<deviceList><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1"
        "</deviceType><friendlyName>router</friendlyName></device></deviceList>"));
    REQUIRE(parsed.has_value());
    CHECK(parsed->igd_version == 1);
    CHECK(parsed->friendly_name == "router");
}

TEST_CASE("upnp: versions that are none") {
    for (const std::string_view version : {"", "0", "x", "1x", "-1", "99999999999"}) {
        const auto parsed = upnp::parse_description(
            described("<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:" +
                      std::string(version) + "</deviceType>"));
        REQUIRE(parsed.has_value());
        CHECK(parsed->igd_version == 0);
    }
}

TEST_CASE("upnp: service types that would break out of a header are left out") {
    for (const std::string_view type :
         {"", "WANIPConnection:1", "urn:a\"b:service:WANIPConnection:1", "urn:a b", "urn:&lt;x&gt;",
          "urn:x&#13;&#10;Evil: 1"}) {
        const auto parsed = upnp::parse_description(
            described("<serviceList>" + service(type, "/c") + "</serviceList>"));
        REQUIRE(parsed.has_value());
        CHECK(parsed->services.empty());
    }
}

TEST_CASE("upnp: hostile descriptions are bounded") {
    std::string services;
    for (int i = 0; i < 1000; ++i) services += service("urn:x:service:y:1", "/c");
    const auto many =
        upnp::parse_description(described("<serviceList>" + services + "</serviceList>"));
    REQUIRE(many.has_value());
    CHECK(many->services.size() == upnp::max_services);

    std::string deep = "<root>";
    for (int i = 0; i < 10000; ++i) deep += "<device><deviceList>";
    CHECK(upnp::parse_description(deep).has_value());

    std::string wide = "<root><device><deviceList>";
    for (int i = 0; i < 10000; ++i) wide += "<device/>";
    CHECK(upnp::parse_description(wide).has_value());

    for (const std::string_view text :
         {"", "<", "<root>", "<root/>", "<html><body/></html>", "\xff\xfe<\0r", "{}"}) {
        CHECK(upnp::parse_description(text).error() == ParseError::not_a_description);
    }
}

TEST_CASE("upnp: a call is escaped, and read back as it was") {
    upnp::Call call;
    call.service_type = "urn:schemas-upnp-org:service:WANIPConnection:1";
    call.action = "AddPortMapping";
    call.arguments = {{"NewRemoteHost", ""}, {"NewPortMappingDescription", "</x>&\"' ]]>"}};
    CHECK(call.soap_action() ==
          "\"urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping\"");
    const std::string text = upnp::encode(call);
    CHECK(text.find("</x>") == std::string::npos);
    const auto back = upnp::parse_call(text);
    REQUIRE(back.has_value());
    CHECK(back->action == call.action);
    CHECK(back->service_type == call.service_type);
    REQUIRE(back->arguments.size() == 2);
    CHECK(back->arguments[0].value.empty());
    CHECK(back->arguments[1].value == call.arguments[1].value);
}

TEST_CASE("upnp: replies, with any prefix and with none") {
    for (const std::string_view prefix : {"s:", "SOAP-ENV:", ""}) {
        const std::string p(prefix);
        const auto reply = upnp::parse_reply("<" + p + "Envelope><" + p +
                                                 "Body><m:GetXResponse><NewA> 1 "
                                                 "</NewA><NewB/></m:GetXResponse></" +
                                                 p + "Body></" + p + "Envelope>",
                                             "GetX");
        REQUIRE(reply.has_value());
        CHECK_FALSE(reply->fault);
        REQUIRE(reply->find("NewA") != nullptr);
        CHECK(*reply->find("NewA") == "1");
        CHECK(reply->find("NewB")->empty());
        CHECK(reply->find("NewC") == nullptr);
    }
}

TEST_CASE("upnp: faults") {
    const auto reply = upnp::parse_reply(
        "<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</"
        "faultstring>"
        "<detail><u:UPnPError><errorCode>718</errorCode><errorDescription>Con\x1b"
        "flict</errorDescription>"
        "</u:UPnPError></detail></s:Fault></s:Body></s:Envelope>",
        "AddPortMapping");
    REQUIRE(reply.has_value());
    REQUIRE(reply->fault);
    CHECK(reply->fault->code == 718);
    CHECK(reply->fault->description == "Con?flict");

    const auto bare = upnp::parse_reply(
        "<Envelope><Body><Fault><faultstring>no</faultstring></Fault></Body></Envelope>", "X");
    REQUIRE(bare.has_value());
    CHECK(bare->fault->code == 0);
    CHECK(bare->fault->description == "no");
}

TEST_CASE("upnp: an answer to another question is none") {
    for (const std::string_view text :
         {"", "<html/>", "<Envelope/>", "<Envelope><Body/></Envelope>",
          "<Envelope><Body><GetYResponse><NewA>1</NewA></GetYResponse></Body></Envelope>"}) {
        CHECK(upnp::parse_reply(text, "GetX").error() == ParseError::not_a_reply);
    }
    CHECK(upnp::parse_call("<Envelope><Body>text</Body></Envelope>").error() ==
          ParseError::not_a_call);
}
