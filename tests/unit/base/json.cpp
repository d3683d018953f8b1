#include "base/json.hpp"

#include <catch2/catch.hpp>

using namespace p2pdiag;

TEST_CASE("only strict JSON is read") {
    CHECK(json::parse(R"({"a":[1,-2.5,"x",null,true]})").has_value());
    for (const char* bad :
         {"", "{", "{a:1}", "[1,]", "[1] 2", "// c\n1", "\"\xff\"", "nan", "01"}) {
        INFO(bad);
        CHECK_FALSE(json::parse(bad).has_value());
    }
}

TEST_CASE("nesting is bounded") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(json::parse(nested(json::max_depth)).has_value());
    CHECK_FALSE(json::parse(nested(json::max_depth + 1)).has_value());
    CHECK_FALSE(json::parse(nested(1'000'000)).has_value());
}

TEST_CASE("members are found only where they are of the type asked for") {
    const json::value document =
        json::parse(R"({"s":"text","i":3,"d":0.5,"b":false,"o":{},"a":[],"n":null})").value();
    const json::object& object = document.get_object();
    CHECK(json::find_string(object, "s") == "text");
    CHECK(json::find_integer(object, "i") == 3);
    CHECK(json::find_number(object, "i") == 3.0);
    CHECK(json::find_number(object, "d") == 0.5);
    CHECK(json::find_bool(object, "b") == false);
    CHECK(json::find_object(object, "o") != nullptr);
    CHECK(json::find_array(object, "a") != nullptr);
    CHECK(json::find(object, "n") == nullptr);
    CHECK(json::find(object, "absent") == nullptr);
    CHECK_FALSE(json::find_string(object, "i"));
    CHECK_FALSE(json::find_integer(object, "d"));
    CHECK_FALSE(json::find_bool(object, "s"));
    CHECK(json::find_object(object, "a") == nullptr);
    CHECK(json::find_array(object, "o") == nullptr);
}

TEST_CASE("what is written is read back, in both forms") {
    const json::value document =
        json::parse(R"({"a":{"b":[],"c":{},"d":[1,"\n"]},"e":null})").value();
    CHECK(json::parse(json::to_text(document)).value() == document);
    CHECK(json::to_text(document).find('\n') == std::string::npos);
    const std::string pretty = json::to_pretty_text(document);
    CHECK(json::parse(pretty).value() == document);
    CHECK(pretty.back() == '\n');
}
