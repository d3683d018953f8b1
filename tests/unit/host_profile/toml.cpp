#include <catch2/catch.hpp>

#include "folder.hpp"
#include "profile/toml.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;
using profile::parse_toml;

namespace {

std::string message(const std::string& text) {
    const auto parsed = parse_toml(text, "f");
    return parsed.has_value() ? "" : parsed.error().to_string();
}

std::string repeated(std::string_view part, unsigned count) {
    std::string out;
    for (unsigned i = 0; i < count; ++i) out += part;
    return out;
}

}  // namespace

TEST_CASE("every value knows its place") {
    const auto tree = parse_toml("# c\n[a]\n  key = [1, \"zwei\", 2.5, true, 1979-05-27]\n", "f");
    REQUIRE(tree.has_value());
    REQUIRE(tree->entries.size() == 1);
    CHECK(tree->entries[0].key == "a");
    CHECK(tree->entries[0].line == 2);
    const profile::TomlEntry& key = tree->entries[0].value.entries.at(0);
    CHECK(key.line == 3);
    CHECK(key.column == 3);
    REQUIRE(key.value.elements.size() == 5);
    CHECK(key.value.elements[0].scalar == json::value(1));
    CHECK(key.value.elements[1].scalar == json::value("zwei"));
    CHECK(key.value.elements[1].column == 13);
    CHECK(key.value.elements[2].scalar == json::value(2.5));
    CHECK(key.value.elements[3].scalar == json::value(true));
    CHECK(key.value.elements[4].scalar.is_null());
}

TEST_CASE("what is no TOML says where") {
    CHECK_THAT(message("a = 1\nb = = 3\n"), Contains("f:2:") && Contains("not valid TOML"));
    CHECK_THAT(message("a = 1\na = 2\n"), Contains("f:2:"));
    CHECK_THAT(message("a = \"\xff\"\n"), Contains("f:1:"));
    for (const char* text :
         {"[a\n",    "[",       "[[",    "[,]\n",     "[=]\n",      "[[,]]\n", "[ ",
          "[a.",     "[a.,]\n", "a.",    "a.=1",      ",",          "=",       "a",
          "a =",     "a = [",   "a = {", "a = {,}",   "a = {b.=1}", "a = \"",  "a = \"\\",
          "a = '''", "a = 0x",  "a = +", "a = 1979-", "a = \\u",    "\\",      "ü",
          "a = ü",   "a ü",     "[ü]",   "a = 1 ü"}) {
        CAPTURE(text);
        CHECK_THAT(message(text), Contains("f:1:"));
    }
    CHECK(message("\xEF\xBB\xBF"
                  "a = 1\n")
              .empty());
    CHECK(message("a = 1\r\nb = 2\r\n").empty());
    CHECK(message("").empty());
}

TEST_CASE("binary, huge and deeply nested files are refused") {
    CHECK(message(std::string("a = 1\n\0\0", 8)) ==
          "f:2:1: holds a NUL byte; this is no TOML text");
    CHECK(message(std::string("\xff\xfe"
                              "a\0 \0=\0",
                              8)) == "f:1:4: holds a NUL byte; this is no TOML text");
    CHECK_THAT(message("\x7f"
                       "ELF\x02\x01\x01"),
               Contains("f:1:"));
    CHECK(message(std::string((1U << 20) + 1, '#')) ==
          "f: is larger than a profile may be (1 MiB)");
    CHECK_FALSE(message("a = " + repeated("[", 100'000)).empty());
    CHECK_THAT(message("a = " + repeated("[", 11) + repeated("]", 11)),
               Contains("nested too deeply"));
    CHECK_FALSE(message("a = " + repeated("{b = ", 10'000)).empty());
    CHECK_THAT(message(repeated("a.", 200'000) + "a = 1"), Contains("more dots"));
    CHECK_THAT(message('[' + repeated("a.", 100) + "a]\n"), Contains("nested too deeply"));
    CHECK_THAT(message("[" + repeated("a.", 100) + "a]\n" + repeated("b.", 100) + "b = " +
                       repeated("{" + repeated("c.", 1) + "c = ", 12) + "1" + repeated("}", 12)),
               Contains("nested too deeply"));
    CHECK(message("# " + repeated(".", 1000) + "\na = 1\n").empty());
}

TEST_CASE("a password without quotes is not repeated") {
    const std::string text = "[servers.turn]\npassword = hunter2\n";
    CHECK_THAT(message(text), Contains("f:2:") && !Contains("hunter2") && !Contains("hunte"));
    CHECK_THAT(message("Password = \"hunter2\n"), !Contains("hunter2"));
}
