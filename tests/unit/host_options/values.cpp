#include <catch2/catch.hpp>
#include <limits>

#include "options/options.hpp"

using namespace p2pdiag;
using options::Option;
using options::Type;

namespace {

Option option(Type type, std::optional<double> min = {}, std::optional<double> max = {}) {
    Option made;
    made.name = "some-thing";
    made.type = type;
    made.min = min;
    made.max = max;
    return made;
}

Option port() {
    Option made = option(Type::integer, 1, 65535);
    made.name = "signaling-port";
    return made;
}

std::string problem(const Option& of, std::string_view text) {
    const auto value = options::from_text(of, text);
    return value ? "" : value.error().why;
}

std::string value_problem(const Option& of, const json::value& given) {
    const auto value = options::from_value(of, given);
    return value ? "" : value.error().why;
}

}  // namespace

TEST_CASE("text becomes the option's type") {
    CHECK(options::from_text(option(Type::string), "").value() == json::value(""));
    CHECK(options::from_text(option(Type::integer), "-12").value() == json::value(-12));
    CHECK(options::from_text(option(Type::number), "2.5").value() == json::value(2.5));
    CHECK(options::from_text(option(Type::boolean), "on").value() == json::value(true));
    CHECK(options::from_text(option(Type::boolean), "0").value() == json::value(false));
    CHECK(options::from_text(option(Type::duration), "2m").value() == json::value(120'000));
    CHECK(options::from_text(option(Type::endpoint), "[::1]:5").value() == json::value("[::1]:5"));
    CHECK(options::from_text(option(Type::path), "a/b").value() == json::value("a/b"));
    CHECK(options::from_text(port(), "65535").value() == json::value(65535));
}

TEST_CASE("text that does not fit says why") {
    CHECK(problem(port(), "70000") == "70000 is not a port: 1 to 65535");
    CHECK(problem(port(), "0") == "0 is not a port: 1 to 65535");
    CHECK(problem(port(), "99999999999999999999") == "\"99999999999999999999\" is not an integer");
    CHECK(problem(option(Type::integer), "") == "\"\" is not an integer");
    CHECK(problem(option(Type::integer), "1 ") == "\"1 \" is not an integer");
    CHECK(problem(option(Type::integer), "+1") == "\"+1\" is not an integer");
    CHECK(problem(option(Type::integer, 1, 9), "10") == "10 is not from 1 to 9");
    CHECK(problem(option(Type::integer, 1), "0") == "0 is below 1");
    CHECK(problem(option(Type::number, {}, 0.5), "0.75") == "0.75 is above 0.5");
    CHECK(problem(option(Type::number), "nan") == "is not a finite number");
    CHECK(problem(option(Type::number), "1e999") == "\"1e999\" is not a number");
    CHECK(problem(option(Type::boolean), "maybe") == "\"maybe\" is not true or false");
    CHECK(problem(option(Type::duration, 1000, 3'600'000), "20ms") ==
          "\"20ms\" is not from 1s to 1h");
    CHECK(problem(option(Type::path), "") == "is an empty path");
    CHECK(problem(option(Type::string), std::string_view("a\0b", 3)) == "holds a NUL character");
    CHECK(problem(option(Type::string), "\xC0\x80") == "is not valid UTF-8");

    Option choice = option(Type::choice);
    choice.choices = {"symmetric", "open"};
    CHECK(problem(choice, "symetric") ==
          "\"symetric\" is not one of symmetric, open; did you mean symmetric?");
    CHECK(problem(choice, "zzz") == "\"zzz\" is not one of symmetric, open");
    CHECK(problem(choice, "open").empty());
}

TEST_CASE("endpoints") {
    for (const char* good : {"example.org:1", "a_b.example.:65535", "1.2.3.4:5", "[2001:db8::1]:80",
                             "localhost:8000", "xn--bcher-kva.example:3478"}) {
        CAPTURE(good);
        CHECK(problem(option(Type::endpoint), good).empty());
    }
    const std::string long_label(64, 'a');
    for (const std::string& bad : {std::string(),
                                   std::string("example.org"),
                                   std::string(":80"),
                                   std::string("example.org:"),
                                   std::string("example.org:0"),
                                   std::string("example.org:70000"),
                                   std::string("a:+1"),
                                   std::string("a:000001"),
                                   std::string("::1:80"),
                                   std::string("[::1]"),
                                   std::string("[::1]x:80"),
                                   std::string("[1.2.3.4]:80"),
                                   std::string("[::1:80"),
                                   std::string("1.2.3.400:80"),
                                   std::string("a..b:80"),
                                   std::string("-a:80"),
                                   std::string("a b:80"),
                                   std::string("a\nb:80"),
                                   std::string("stun:a:80"),
                                   long_label + ":80",
                                   std::string(300, 'a') + ":80"}) {
        CAPTURE(bad);
        CHECK_FALSE(problem(option(Type::endpoint), bad).empty());
    }
    const Option endpoint = option(Type::endpoint);
    CHECK(problem(endpoint, "example.org") == "\"example.org\" has no port; write host:port");
    CHECK(problem(endpoint, "example.org:70000") == "\"70000\" is not a port: 1 to 65535");
    CHECK(problem(endpoint, "1.2.3.400:80") == "\"1.2.3.400\" is not an IPv4 address");
    CHECK(problem(endpoint, "::1:80") ==
          "\"::1:80\" is not host:port; an IPv6 address goes in brackets: [address]:port");
    CHECK(problem(endpoint, "[::1]") == "\"[::1]\" has no port; write [address]:port");
}

TEST_CASE("durations") {
    CHECK(options::parse_duration("250ms").value() == 250);
    CHECK(options::parse_duration("20s").value() == 20'000);
    CHECK(options::parse_duration("2m").value() == 120'000);
    CHECK(options::parse_duration("1h").value() == 3'600'000);
    CHECK(options::parse_duration("1500").value() == 1500);
    CHECK(options::parse_duration("720h").value() == 2'592'000'000);
    for (const char* bad : {"", "s", "-1", "1.5s", "20 s", "20S", "1d", "0x10", "1m30s"}) {
        CAPTURE(bad);
        CHECK_FALSE(options::parse_duration(bad).has_value());
    }
    CHECK(options::parse_duration("721h").error().why == "\"721h\" is longer than 30 days");
    CHECK(options::parse_duration("9223372036854775807h").error().why ==
          "\"9223372036854775807h\" is longer than 30 days");
    CHECK(options::parse_duration("99999999999999999999").error().why ==
          "\"99999999999999999999\" is longer than 30 days");
}

TEST_CASE("durations as text") {
    CHECK(options::duration_text(7'200'000) == "2h");
    CHECK(options::duration_text(90'000) == "90s");
    CHECK(options::duration_text(1500) == "1500ms");
    CHECK(options::duration_text(0) == "0ms");
    for (const std::int64_t value : {1, 999, 60'000, 3'661'000}) {
        CHECK(options::parse_duration(options::duration_text(value)).value() == value);
    }
}

TEST_CASE("values that come typed keep to their type") {
    CHECK(options::from_value(option(Type::duration), 1500).value() == json::value(1500));
    CHECK(options::from_value(option(Type::duration), "2s").value() == json::value(2000));
    CHECK(options::from_value(option(Type::number), 3).value() == json::value(3.0));
    CHECK(value_problem(option(Type::string), 5) == "must be a string, not an integer");
    CHECK(value_problem(option(Type::integer), "5") == "must be an integer, not a string");
    CHECK(value_problem(option(Type::integer), 5.0) ==
          "must be an integer, not a number with decimals");
    CHECK(value_problem(option(Type::integer), std::uint64_t{1} << 63) == "is too large a number");
    CHECK(value_problem(option(Type::boolean), 1) == "must be true or false, not an integer");
    CHECK(value_problem(option(Type::boolean), nullptr) == "must be true or false, not null");
    CHECK(value_problem(option(Type::duration), -1) ==
          "\"-1\" is not a duration such as 250ms, 20s, 2m or 1h");
    CHECK(value_problem(option(Type::duration), 1.5) ==
          "must be a duration such as \"20s\", not a number with decimals");
    CHECK(value_problem(option(Type::number), std::numeric_limits<double>::infinity()) ==
          "is not a finite number");
    CHECK(value_problem(option(Type::path), json::array()) == "must be a string, not an array");
    CHECK(value_problem(option(Type::endpoint), json::object()) ==
          "must be a string host:port, not a table");
    CHECK(value_problem(port(), 70000) == "70000 is not a port: 1 to 65535");
}

TEST_CASE("a repeated option is an array of its type") {
    Option many = option(Type::integer, 1, 3);
    many.repeat = true;
    CHECK(options::from_value(many, json::array{1, 2}).value() == json::value(json::array{1, 2}));
    CHECK(options::from_value(many, json::array()).value() == json::value(json::array()));
    CHECK(value_problem(many, 1) == "must be an array, not an integer");
    CHECK(value_problem(many, json::array{1, 4}) == "element 2: 4 is not from 1 to 3");
    CHECK(value_problem(many, json::array(1025)) == "holds 1025 values; at most 1024 are taken");
}
