#include <catch2/catch.hpp>

#include "folder.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;

namespace {

profile::Request with_plugin() {
    options::Option mode;
    mode.name = "read-timeout";
    mode.type = options::Type::duration;
    mode.max = 5000;
    mode.default_value = 700;
    options::Option sockets;
    sockets.name = "sockets";
    sockets.type = options::Type::integer;
    profile::Request request;
    request.plugin_options["stun"] = {mode, sockets};
    return request;
}

std::string many_values(unsigned count) {
    std::string out;
    for (unsigned i = 0; i < count; ++i) out += "1,";
    return out;
}

}  // namespace

TEST_CASE("an unknown key names the nearest one and its place") {
    CHECK(problems_of("[run]\nchekcs = []\n") ==
          "at:2:1: unknown key \"chekcs\" in [run]; did you mean \"checks\"?\n");
    CHECK(problems_of("[run]\n  colour = true\n") ==
          "at:2:3: unknown key \"colour\" in [run]; known are checks, skip, deep, deadline, "
          "fail_on\n");
    CHECK(problems_of("[run]\nsignaling_port = 1\n") ==
          "at:2:1: unknown key \"signaling_port\" in [run]; it belongs in [connection]\n");
    CHECK(problems_of("port = 1\n") ==
          "at:1:1: unknown key \"port\" outside of a section; it belongs in [target]\n");
    CHECK(problems_of("[server]\n") ==
          "at:1:2: unknown section \"server\"; did you mean [servers]?\n");
    CHECK(problems_of("[turn]\n") ==
          "at:1:2: unknown section \"turn\"; did you mean [servers.turn]?\n");
    CHECK(problems_of("[servers.trun]\n") ==
          "at:1:10: unknown key \"trun\" in [servers]; did you mean \"turn\"?\n");
    CHECK(problems_of("[stun]\n", with_plugin()) ==
          "at:1:2: unknown section \"stun\"; a plugin's section is [plugins.stun]\n");
    CHECK(problems_of("[plugins.stun]\nread-timeout = 1\n", with_plugin()) ==
          "at:2:1: unknown key \"read-timeout\" in [plugins.stun]; did you mean "
          "\"read_timeout\"?\n");
}

TEST_CASE("a wrong type or value names its place") {
    CHECK(problems_of("[target]\nport = 70000\n") ==
          "at:2:8: port: 70000 is not a port: 1 to 65535\n");
    CHECK(problems_of("[target]\nport = 0\n") == "at:2:8: port: 0 is not a port: 1 to 65535\n");
    CHECK(problems_of("[target]\nport = \"80\"\n") ==
          "at:2:8: port: must be an integer, not a string\n");
    CHECK(problems_of("[target]\nport = 1979-05-27\n") ==
          "at:2:8: port: must not be a date or time\n");
    CHECK(problems_of("[target]\nport = {}\n") ==
          "at:2:8: port: must be an integer, not a table\n");
    CHECK(problems_of("[run]\nchecks = \"stun.*\"\n") ==
          "at:2:10: checks: must be an array, in square brackets\n");
    CHECK(problems_of("[run]\nchecks = [\"a\",\n  7]\n") ==
          "at:3:3: checks: must be a string, not an integer\n");
    CHECK(problems_of("[run]\nchecks = [[\"a\"]]\n") ==
          "at:2:11: checks: must be a string, not an array\n");
    CHECK(problems_of("[run]\ndeadline = \"soon\"\n") ==
          "at:2:12: deadline: \"soon\" is not a duration such as 250ms, 20s, 2m or 1h\n");
    CHECK(problems_of("[run]\ndeadline = 0\n") ==
          "at:2:12: deadline: \"0\" is not from 1ms to 24h\n");
    CHECK(problems_of("[run]\nfail_on = \"fial\"\n") ==
          "at:2:11: fail_on: \"fial\" is not one of warn, fail, unknown; did you mean fail?\n");
    CHECK(problems_of("[servers]\nstun = [\"a:1\", \"b\"]\n") ==
          "at:2:16: stun: \"b\" has no port; write host:port\n");
    CHECK(problems_of("run = 5\n") == "at:1:1: must be a section: [run]\n");
    CHECK(problems_of("plugins = 5\n") == "at:1:1: must be a section: [plugins]\n");
    CHECK(problems_of("[plugins.stun]\nread_timeout = \"6s\"\n", with_plugin()) ==
          "at:2:16: read_timeout: \"6s\" is above 5s\n");
    std::string many = "[servers]\nstun = [";
    for (int i = 0; i < 17; ++i) many += "\"a:1\",";
    CHECK(problems_of(many + "]\n") == "at:2:8: stun: at most 16 values are taken\n");
}

TEST_CASE("all problems are said at once, in the file's order") {
    CHECK(problems_of("[target]\nport = 0\n[run]\nx1 = 1\ndeep = 1\n[connection]\n"
                      "signaling_port = 99999\n") ==
          "at:2:8: port: 0 is not a port: 1 to 65535\n"
          "at:4:1: unknown key \"x1\" in [run]; known are checks, skip, deep, deadline, fail_on\n"
          "at:5:8: deep: must be true or false, not an integer\n"
          "at:7:18: signaling_port: 99999 is not a port: 1 to 65535\n");
    std::string many = "[run]\n";
    for (int i = 0; i < 80; ++i) many += "zz" + std::to_string(i) + " = 1\n";
    CHECK_THAT(problems_of(many),
               Contains("at:2:1: unknown key \"zz0\"") && Contains("at: and 30 more problems\n"));
    CHECK(problems_of("[run]\nskip = [" + many_values(1025) + "]\n") ==
          "at:2:8: skip: at most 1024 values are taken\n");
}

TEST_CASE("keys that could harm a terminal are shown harmlessly") {
    CHECK(problems_of("[run]\n\"\\u001b[2J\" = 1\n") ==
          "at:2:1: unknown key \"\\u{1b}[2J\" in [run]; known are checks, skip, deep, deadline, "
          "fail_on\n");
    CHECK(problems_of("[run]\nchecks = [\"a\\u0000b\"]\n") ==
          "at:2:11: checks: holds a NUL character\n");
}

TEST_CASE("a password is never in a message") {
    for (const char* text :
         {"[servers.turn]\npassword = 12345678\n", "[servers.turn]\npassword = [\"12345678\"]\n",
          "[servers.turn]\npassword = \"12345678\\u0000\"\n",
          "[servers.turn]\nserver = \"turn:user:12345678@turn.example.org:3478\"\n",
          "[servers]\nstun = [\"user:12345678@stun.example.org\"]\n",
          "[servers.turn]\npassword = \"12345678\"\npassword_file = \"x\"\n",
          "[servers.turn]\npassword = 12345678x\n"}) {
        CAPTURE(text);
        const std::string said = problems_of(text);
        CHECK_FALSE(said.empty());
        CHECK_THAT(said, !Contains("1234"));
    }
}
