#include <catch2/catch.hpp>

#include "options/options.hpp"

using namespace p2pdiag;

namespace {

std::string option_problem(const char* text) {
    const auto parsed = options::parse_options(json::parse(text).value());
    return parsed ? "" : parsed.error().why;
}

std::string verb_problem(const char* text) {
    const auto parsed = options::parse_verb(json::parse(text).value());
    return parsed ? "" : parsed.error().why;
}

}  // namespace

TEST_CASE("every member of an option is read") {
    const auto parsed = options::parse_options(json::parse(R"([
        {"name":"keep-alive","type":"duration","min":1,"max":5000,"default":"2s","help":"how often"},
        {"name":"nat","type":"choice","choices":["open","symmetric"],"required":true},
        {"name":"file","type":"path","positional":true,"repeat":true}
    ])")
                                                   .value());
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->size() == 3);
    const options::Option& first = (*parsed)[0];
    CHECK(first.profile_key() == "keep_alive");
    CHECK(first.type == options::Type::duration);
    CHECK(first.min == 1.0);
    CHECK(first.max == 5000.0);
    CHECK(first.default_value == json::value(2000));
    CHECK(first.help == "how often");
    CHECK_FALSE(first.required);
    CHECK((*parsed)[1].choices == std::vector<std::string>{"open", "symmetric"});
    CHECK((*parsed)[1].required);
    CHECK((*parsed)[2].positional);
    CHECK((*parsed)[2].repeat);
}

TEST_CASE("a schema that is not right names the member") {
    CHECK(option_problem("{}") == "options is not an array");
    CHECK(option_problem("[7]") == "options[0] is not an object");
    CHECK(option_problem(R"([{"name":"a","type":"strnig"}])") ==
          "options[0]: type \"strnig\" is not known");
    CHECK(option_problem(R"([{"name":"a"}])") == "options[0]: type is missing");
    CHECK(option_problem(R"([{"name":"A b","type":"string"}])") ==
          "options[0]: name \"A b\" is not [a-z0-9-]+");
    CHECK(option_problem(R"([{"name":"-a","type":"string"}])") ==
          "options[0]: name \"-a\" is not [a-z0-9-]+");
    CHECK(option_problem(R"([{"type":"string"}])") == "options[0]: name \"\" is not [a-z0-9-]+");
    CHECK(option_problem(R"([{"name":5,"type":"string"}])") == "options[0]: name is not a string");
    CHECK(option_problem(R"([{"name":"help","type":"string"}])") ==
          "options[0]: name \"help\" is the host's own");
    CHECK(option_problem(R"([{"name":"a","type":"string","defualt":"x"}])") ==
          "options[0]: unknown member \"defualt\", did you mean \"default\"?");
    CHECK(option_problem(R"([{"name":"a","type":"string"},{"name":"a","type":"path"}])") ==
          "options[1]: name \"a\" is there twice");
    CHECK(option_problem(R"([{"name":"a","type":"string","repeat":1}])") ==
          "options[0]: repeat is not true or false");
    CHECK(option_problem(R"([{"name":"a","type":"integer","min":"1"}])") ==
          "options[0]: min is not a number");
    CHECK(option_problem(R"([{"name":"a","type":"integer","min":5,"max":4}])") ==
          "options[0]: min is above max");
    CHECK(option_problem(R"([{"name":"a","type":"string","max":4}])") ==
          "options[0]: min and max are for integer, number and duration");
    CHECK(option_problem(R"([{"name":"a","type":"choice"}])") ==
          "options[0]: choices must be there for a choice, and only there");
    CHECK(option_problem(R"([{"name":"a","type":"path","choices":["x"]}])") ==
          "options[0]: choices must be there for a choice, and only there");
    CHECK(option_problem(R"([{"name":"a","type":"choice","choices":[1]}])") ==
          "options[0]: choices holds something else than strings");
    CHECK(option_problem(R"([{"name":"a","type":"choice","choices":"x"}])") ==
          "options[0]: choices is not an array");
    CHECK(option_problem(R"([{"name":"a","type":"integer","max":4,"default":5}])") ==
          "options[0]: default 5 is above 4");
    CHECK(option_problem(R"([{"name":"a","type":"string","required":true,"default":"x"}])") ==
          "options[0]: default is never used, since it is required");
    CHECK(option_problem(R"([{"name":"a","type":"path","positional":true,"repeat":true},
                             {"name":"b","type":"path","positional":true}])") ==
          "options[1]: nothing can follow a repeated positional");
}

TEST_CASE("a verb's schema") {
    const auto parsed = options::parse_verb(json::parse(R"({
        "options":[{"name":"dry-run","type":"boolean"}],
        "commands":[{"name":"run","summary":"runs","rest":"arguments of p2pdiag",
                     "options":[{"name":"nat","type":"string"}]},
                    {"name":"shell","summary":"a shell"}],
        "epilog":"end"})")
                                                .value());
    REQUIRE(parsed.has_value());
    CHECK(parsed->top.options.size() == 1);
    CHECK_FALSE(parsed->top.rest);
    REQUIRE(parsed->commands.size() == 2);
    CHECK(parsed->commands[0].name == "run");
    CHECK(parsed->commands[0].rest == "arguments of p2pdiag");
    CHECK(parsed->commands[0].options[0].name == "nat");
    CHECK(parsed->commands[1].summary == "a shell");
    CHECK(parsed->epilog == "end");
    CHECK(verb_problem("{}").empty());
}

TEST_CASE("a verb's schema that is not right names the member") {
    CHECK(verb_problem("[]") == "schema is not an object");
    CHECK(verb_problem(R"({"option":[]})") ==
          "schema: unknown member \"option\", did you mean \"options\"?");
    CHECK(verb_problem(R"({"commands":{}})") == "schema: commands is not an array");
    CHECK(verb_problem(R"({"rest":true})") == "schema: rest is not a string");
    CHECK(verb_problem(R"({"commands":[{"name":"Run"}]})") ==
          "commands[0]: name \"Run\" is not [a-z0-9-]+");
    CHECK(verb_problem(R"({"commands":[{"name":"a"},{"name":"a"}]})") ==
          "commands[1]: name \"a\" is there twice");
    CHECK(verb_problem(R"({"commands":[{"name":"a","options":[{"name":"x"}]}]})") ==
          "commands[0].options[0]: type is missing");
    CHECK(verb_problem(R"({"options":[{"name":"x","type":"path"}],
                           "commands":[{"name":"a","options":[{"name":"x","type":"path"}]}]})") ==
          "commands[0]: option \"x\" is the verb's already");
}
