#include <catch2/catch.hpp>

#include "wire/ssdp/message.hpp"

using namespace p2pdiag;

namespace {

std::string text_of(const Bytes& bytes) { return std::string(as_text(bytes)); }

Result<ssdp::Announcement> parse(std::string_view text) {
    return ssdp::parse_announcement(as_bytes(text));
}

ErrorCode error_of(std::string_view text) {
    const auto parsed = parse(text);
    return parsed ? ErrorCode() : parsed.error();
}

// As miniupnpd 2.3.1 sends it.
const std::string real_answer =
    "HTTP/1.1 200 OK\r\n"
    "CACHE-CONTROL: max-age=120\r\n"
    "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
    "USN: uuid:5d1c1bb4::urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
    "EXT:\r\n"
    "SERVER: Debian/12 UPnP/1.1 MiniUPnPd/2.3.1\r\n"
    "LOCATION: http://192.168.7.1:5000/rootDesc.xml\r\n"
    "OPT: \"http://schemas.upnp.org/upnp/1/0/\"; ns=01\r\n"
    "01-NLS: 1\r\n"
    "BOOTID.UPNP.ORG: 1\r\n\r\n";

}  // namespace

TEST_CASE("ssdp: a search is written as the standard has it") {
    const Bytes bytes = ssdp::encode(ssdp::Search{"239.255.255.250:1900", "upnp:rootdevice", 1});
    CHECK(text_of(bytes) ==
          "M-SEARCH * HTTP/1.1\r\n"
          "HOST: 239.255.255.250:1900\r\n"
          "MAN: \"ssdp:discover\"\r\n"
          "MX: 1\r\n"
          "ST: upnp:rootdevice\r\n"
          "\r\n");
    const auto back = ssdp::parse_search(bytes);
    REQUIRE(back.has_value());
    CHECK(back->host == "239.255.255.250:1900");
    CHECK(back->target == "upnp:rootdevice");
    CHECK(back->mx == 1);
}

TEST_CASE("ssdp: the answer of a real router") {
    const auto parsed = parse(real_answer);
    REQUIRE(parsed.has_value());
    CHECK(parsed->kind == ssdp::Kind::answer);
    CHECK(parsed->location == "http://192.168.7.1:5000/rootDesc.xml");
    CHECK(parsed->target == "urn:schemas-upnp-org:device:InternetGatewayDevice:1");
    CHECK(parsed->server == "Debian/12 UPnP/1.1 MiniUPnPd/2.3.1");
    CHECK(parsed->max_age == 120);
}

TEST_CASE("ssdp: header names in any case, blanks in any number, lines that end with LF alone") {
    const auto parsed = parse(
        "HTTP/1.0 200 ok\nlocation:\t http://10.0.0.1/d \nSt:x\ncache-Control: "
        "no-cache, Max-Age = 7\n");
    REQUIRE(parsed.has_value());
    CHECK(parsed->location == "http://10.0.0.1/d");
    CHECK(parsed->target == "x");
    CHECK(parsed->max_age == 7);
}

TEST_CASE("ssdp: announcements are told apart, and written as they are read") {
    for (const auto kind :
         {ssdp::Kind::answer, ssdp::Kind::alive, ssdp::Kind::byebye, ssdp::Kind::update}) {
        ssdp::Announcement one;
        one.kind = kind;
        one.target = "upnp:rootdevice";
        one.usn = "uuid:1";
        one.location = "http://10.0.0.1/d";
        one.server = "s";
        one.max_age = 1800;
        const auto back = ssdp::parse_announcement(ssdp::encode(one));
        REQUIRE(back.has_value());
        CHECK(back->kind == kind);
        CHECK(back->target == one.target);
        CHECK(back->usn == one.usn);
        CHECK(back->location == one.location);
        CHECK(back->max_age == one.max_age);
    }
}

TEST_CASE("ssdp: what is no answer is refused, and says why") {
    using Error = ssdp::ParseError;
    CHECK(error_of("") == Error::not_ssdp);
    CHECK(error_of("GET / HTTP/1.1\r\n\r\n") == Error::not_ssdp);
    CHECK(error_of("HTTP/1.1\r\nLOCATION: http://x/\r\n") == Error::not_ssdp);
    CHECK(error_of("HTTP/1.1 404 Not Found\r\nLOCATION: http://x/\r\n\r\n") == Error::not_ok);
    CHECK(error_of("HTTP/1.1 200 OK\r\nST: x\r\n\r\n") == Error::no_location);
    CHECK(error_of("NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n\r\n") == Error::no_search_target);
    CHECK(error_of("NOTIFY * HTTP/1.1\r\nNT: x\r\nNTS: more\r\n\r\n") ==
          Error::unknown_notification);
    CHECK(ssdp::parse_search(as_bytes("M-SEARCH * HTTP/1.1\r\nMX: 1\r\n\r\n")).error() ==
          Error::no_search_target);
    CHECK(ssdp::parse_search(as_bytes(real_answer)).error() == Error::not_ssdp);
    for (const std::string_view location :
         {"http://a b/", "http://a/\x1b[2J", "http://\xc3\xa9/", "http://a/\x7f"}) {
        CHECK(error_of("HTTP/1.1 200 OK\r\nLOCATION: " + std::string(location) + "\r\n\r\n") ==
              Error::bad_location);
    }
    const std::string long_url = "http://a/" + std::string(ssdp::max_value, 'x');
    CHECK(error_of("HTTP/1.1 200 OK\r\nLOCATION: " + long_url + "\r\n\r\n") == Error::bad_location);
}

TEST_CASE("ssdp: nothing that comes from a device reaches a terminal, and no size is unlimited") {
    const auto parsed = parse("HTTP/1.1 200 OK\r\nLOCATION: http://a/\r\nSERVER: \x1b[31m\xff" +
                              std::string(2000, 'x') + "\r\nUSN: a\tb\r\n\r\n");
    REQUIRE(parsed.has_value());
    CHECK(parsed->server.size() == ssdp::max_value);
    CHECK(parsed->server.substr(0, 7) == "?[31m?x");
    CHECK(parsed->usn == "a?b");

    std::string many = "HTTP/1.1 200 OK\r\nLOCATION: http://a/\r\n";
    for (std::size_t i = 1; i < ssdp::max_headers; ++i) many += "X: y\r\n";
    CHECK(parse(many).has_value());
    CHECK(error_of(many + "X: y\r\n") == ssdp::ParseError::too_large);
    CHECK(error_of("HTTP/1.1 200 OK\r\n" + std::string(ssdp::max_datagram, ' ')) ==
          ssdp::ParseError::too_large);
}

TEST_CASE("ssdp: every truncation of an answer is refused, or is the answer without its end") {
    for (std::size_t size = 0; size < real_answer.size(); ++size) {
        const auto parsed = parse(real_answer.substr(0, size));
        if (!parsed) continue;
        CHECK(real_answer.find("LOCATION: " + parsed->location) != std::string::npos);
    }
}

TEST_CASE("ssdp: a value does not become a line of its own") {
    const Bytes bytes = ssdp::encode(ssdp::Search{"h", "x\r\nEVIL: 1", 1});
    CHECK(text_of(bytes).find("\r\nEVIL") == std::string::npos);
}
