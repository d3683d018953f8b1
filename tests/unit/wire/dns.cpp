#include "wire/dns/message.hpp"

#include <catch2/catch.hpp>

#include "hex.hpp"

using namespace p2pdiag;
using p2pdiag::testing::hex;

namespace {

// stun.lab, type A, class IN.
const std::string question = "04 73 74 75 6e 03 6c 61 62 00 00 01 00 01";

ErrorCode error_of(ByteView bytes) {
    const auto parsed = dns::parse(bytes);
    return parsed ? ErrorCode() : parsed.error();
}

}  // namespace

TEST_CASE("a query and its answer, with compressed names") {
    const auto query = dns::parse(hex("00 07 01 00 00 01 00 00 00 00 00 00" + question));
    REQUIRE(query.has_value());
    CHECK(query->id == 7);
    CHECK_FALSE(query->response);
    CHECK(query->questions == std::vector<dns::Question>{{"stun.lab", dns::Type::a}});

    const auto answer = dns::parse(hex("00 07 83 83 00 01 00 02 00 00 00 00" + question +
                                       "c0 0c 00 05 00 01 00 00 00 3c 00 04 01 78 c0 11"
                                       "c0 26 00 01 00 01 00 00 00 3c 00 04 0b 16 21 0a"));
    REQUIRE(answer.has_value());
    CHECK(answer->response);
    CHECK(answer->truncated);
    CHECK(answer->code == dns::ResponseCode::name_error);
    REQUIRE(answer->answers.size() == 2);
    CHECK(answer->answers[0].target == "x.lab");
    CHECK(answer->answers[1].name == "x.lab");
    CHECK(answer->answers[1].address == IpAddress::parse("11.22.33.10"));
    CHECK(answer->answers[1].ttl == 60);
    CHECK_FALSE(answer->answers_cut);
}

TEST_CASE("names that lead nowhere are refused") {
    const std::string header = "00 07 01 00 00 01 00 00 00 00 00 00";
    CHECK(error_of(hex(header + "c0 0c 00 01 00 01")) == dns::ParseError::bad_name);  // itself
    CHECK(error_of(hex(header + "01 61 c0 0c 00 01 00 01")) == dns::ParseError::bad_name);
    CHECK(error_of(hex(header + "c0 ff 00 01 00 01")) == dns::ParseError::bad_name);  // forwards
    CHECK(error_of(hex(header + "3f 61")) == dns::ParseError::bad_name);
    CHECK(error_of(hex(header + "80 61 00 00 01 00 01")) == dns::ParseError::bad_name);
    CHECK(error_of(hex(header + "01 61 00 00 01")) == dns::ParseError::bad_name);  // cut
    std::string longest = header;
    for (int i = 0; i < 128; ++i) longest += "01 61";
    CHECK(error_of(hex(longest + "00 00 01 00 01")) == dns::ParseError::bad_name);
    CHECK(error_of(hex("00 07 01 00 00 00 00 00 00 00 00")) == dns::ParseError::too_short);
    CHECK(error_of(hex("00 07 01 00 00 09 00 00 00 00 00 00")) ==
          dns::ParseError::too_many_questions);
}

TEST_CASE("an answer that breaks off keeps what came before") {
    const auto answer = dns::parse(hex("00 07 81 80 00 01 00 02 00 00 00 00" + question +
                                       "c0 0c 00 01 00 01 00 00 00 3c 00 04 0b 16 21 0a"
                                       "c0 0c 00 01 00 01 00 00 00 3c ff ff 0b 16"));
    REQUIRE(answer.has_value());
    CHECK(answer->answers.size() == 1);
    CHECK(answer->answers_cut);
    // The root, and a name with what no terminal may see.
    const auto odd =
        dns::parse(hex("00 07 01 00 00 02 00 00 00 00 00 00 00 00 ff 00 01"
                       "02 1b 7f 00 00 1c 00 01"));
    CHECK(odd->questions ==
          std::vector<dns::Question>{{".", dns::Type::any}, {"\?\?", dns::Type::aaaa}});
}
