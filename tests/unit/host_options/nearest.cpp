#include <catch2/catch.hpp>

#include "options/options.hpp"
#include "options/shown.hpp"

using namespace p2pdiag;
using options::nearest;

TEST_CASE("a slip of the finger finds its name") {
    const std::vector<std::string> known = {"checks", "skip", "deep", "deadline", "fail_on"};
    CHECK(nearest("cheks", known) == "checks");
    CHECK(nearest("dealdine", known) == "deadline");
    CHECK(nearest("fail-on", known) == "fail_on");
    CHECK(nearest("SKIP", known) == "skip");
    CHECK(nearest("eep", known) == "deep");
}

TEST_CASE("another word finds nothing") {
    const std::vector<std::string> known = {"checks", "skip", "deep"};
    CHECK_FALSE(nearest("port", known));
    CHECK_FALSE(nearest("", known));
    CHECK_FALSE(nearest("x", known));
    CHECK_FALSE(nearest(std::string(100'000, 'a'), known));
    CHECK_FALSE(nearest("deep", {}));
}

TEST_CASE("what is shown cannot harm a terminal and stays short") {
    CHECK(options::shown("plain ü") == "\"plain ü\"");
    CHECK(options::shown("\x1b[2J") == "\"\\u{1b}[2J\"");
    CHECK(options::shown("\xC2\x9B") == "\"\\u{9b}\"");
    CHECK(options::shown("a\xFF") == "\"a\\xff\"");
    CHECK(options::shown("\u202Eevil") == "\"\\u{202e}evil\"");
    CHECK(options::shown(std::string(1000, 'x')) == '"' + std::string(64, 'x') + "…\"");
    CHECK(options::harmless(std::string(1000, 'x')).size() == 1000);
}
