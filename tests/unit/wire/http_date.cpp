// The examples of RFC 9110 section 5.6.7, and what only looks like a date.
#include "wire/http/date.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;

namespace {

long long seconds(std::string_view text) {
    const auto time = http::parse_date(text);
    return time ? time->time_since_epoch().count() : -1;
}

}  // namespace

TEST_CASE("the three formats of a date are the same time") {
    CHECK(seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
    CHECK(seconds("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
    CHECK(seconds("Sun Nov  6 08:49:37 1994") == 784111777);
    CHECK(seconds("Thu, 26 Nov 2026 06:10:33 GMT") == 1795673433);
    CHECK(seconds("Sunday, 06-Nov-69 08:49:37 GMT") == seconds("Sun, 06 Nov 2069 08:49:37 GMT"));
}

TEST_CASE("leap days and leap seconds exist, other odd times do not") {
    CHECK(seconds("Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800);
    CHECK(seconds("Sat, 31 Dec 2016 23:59:60 GMT") == 1483228800);
    for (const char* text :
         {"Sun, 29 Feb 2026 00:00:00 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
          "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
          "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT", "06 Nov 1994", "",
          "Sun, 06 Nov -994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "1994-11-06T08:49:37Z"}) {
        CAPTURE(text);
        CHECK(seconds(text) == -1);
    }
}
