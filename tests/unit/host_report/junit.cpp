#include "report/junit.hpp"

#include <catch2/catch.hpp>

#include "base/utf8.hpp"
#include "samples.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;

TEST_CASE("each status has its JUnit outcome") {
    const std::string xml = report::junit(report::all_statuses(), {});
    CHECK_THAT(xml,
               Contains("<testsuites name=\"p2pdiag\" tests=\"10\" failures=\"1\" errors=\"4\" "
                        "skipped=\"3\" time=\"1.234\">"));
    CHECK_THAT(xml, Contains("<testsuite name=\"stun\" tests=\"2\" failures=\"1\" errors=\"0\" "
                             "skipped=\"1\" time=\"0.112\" timestamp=\"2023-11-14T22:13:20\">"));
    CHECK_THAT(xml, Contains("<testcase classname=\"network\" name=\"network.interfaces\""));
    CHECK_THAT(xml, Contains("type=\"nat.udp-blocked\""));
    CHECK_THAT(xml, Contains("<skipped message=\"unknown: needs an answer of a STUN server\"/>"));
    CHECK_THAT(xml, Contains("<error message=\"no result after 10 s\" type=\"timed_out\"/>"));
    CHECK_THAT(xml, Contains("<error message=\"plugin /opt/broken.so is not used: it has no entry "
                             "symbol\" type=\"host.plugin-rejected\"/>"));
}

TEST_CASE("XML holds no character that XML may not hold") {
    std::string_view rest;
    const std::string xml = report::junit(report::hostile(), {});
    for (rest = xml; !rest.empty();) {
        const Utf8Char next = decode_utf8(rest);
        CHECK(next.valid);
        CHECK((next.code == '\n' || next.code >= 0x20));
        CHECK((next.code != 0xFFFE && next.code != 0xFFFF));
        rest.remove_prefix(next.size);
    }
    CHECK_THAT(xml, !Contains("<script>"));
}
