#include "report/text.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "base/utf8.hpp"

using namespace p2pdiag;
using report::columns;
using report::shortened;
using report::single_line;
using report::wrapped;

TEST_CASE("UTF-8 is decoded, and what is none is one byte long") {
    CHECK(decode_utf8("").size == 0);
    CHECK(decode_utf8("a").code == 'a');
    CHECK(decode_utf8("\xC3\xA4").code == 0xE4);
    CHECK(decode_utf8("\xE2\x82\xAC").code == 0x20AC);
    CHECK(decode_utf8("\xF0\x9F\x98\x80").code == 0x1F600);
    for (const char* bad : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x82",
                            "\xF4\x90\x80\x80", "\xF8\x88\x80\x80", "\xFF", "\xE2\x82x"}) {
        CAPTURE(bad);
        CHECK_FALSE(decode_utf8(bad).valid);
        CHECK(decode_utf8(bad).size == 1);
    }
    CHECK(to_valid_utf8("a\xFF"
                        "b") ==
          "a\xEF\xBF\xBD"
          "b");
}

TEST_CASE("text becomes one harmless line") {
    CHECK(single_line("a\r\n\tb", true) == "a   b");
    CHECK(single_line("a\x1b[31mb\x07", true) == "a\uFFFD[31mb\uFFFD");
    CHECK(single_line("grün \u202Ex", true) == "grün \uFFFDx");
    CHECK(single_line("grün \u202Ex\xff", false) == "gr?n ?x?");
}

TEST_CASE("columns of wide and combining characters") {
    CHECK(columns("abc") == 3);
    CHECK(columns("漢字") == 4);
    CHECK(columns("e\u0301") == 1);
    CHECK(report::padded("漢", 4) == "漢  ");
    CHECK(report::padded("abcde", 4) == "abcde");
}

TEST_CASE("lines are broken at spaces where there are any") {
    CHECK(wrapped("", 10) == std::vector<std::string>{""});
    CHECK(wrapped("one two three", 7) == std::vector<std::string>{"one two", "three"});
    CHECK(wrapped("one two three", 13) == std::vector<std::string>{"one two three"});
    CHECK(wrapped("abcdefghij klm", 4) == std::vector<std::string>{"abcd", "efgh", "ij", "klm"});
    CHECK(wrapped("漢字漢字", 3) == std::vector<std::string>{"漢", "字", "漢", "字"});
    CHECK(wrapped("漢字", 1) == std::vector<std::string>{"漢", "字"});
    CHECK(wrapped("a  b", 1) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("what is too long for a line is cut off, and looks it") {
    CHECK(shortened("just fits", 9, "…") == "just fits");
    CHECK(shortened("does not fit", 9, "…") == "does not…");
    CHECK(shortened("does not fit", 9, "...") == "does n...");
    CHECK(shortened("漢字漢字", 6, "…") == "漢字…");
}

TEST_CASE("any text ends up harmless, within the width and with all its words") {
    CHECK(rc::check([](const std::string& text) {
        const auto width = *rc::gen::inRange<std::size_t>(2, 90);
        const std::string line = single_line(text, true);
        RC_ASSERT(is_utf8(line));
        std::string squeezed;
        for (const std::string& part : wrapped(line, width)) {
            RC_ASSERT(columns(part) <= width);
            squeezed += part;
        }
        std::string wanted = line;
        std::erase(squeezed, ' ');
        std::erase(wanted, ' ');
        RC_ASSERT(squeezed == wanted);
    }));
}
