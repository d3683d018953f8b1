#include <catch2/catch.hpp>
#include <map>

#include "folder.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;

namespace {

using Variables = std::map<std::string, std::string>;

profile::Request with(const Folder& folder, const Variables& variables) {
    profile::Request request = request_in(folder);
    request.environment = [variables](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
    return request;
}

}  // namespace

TEST_CASE("the variables of the environment are honoured") {
    const Folder folder;
    const auto loaded = profile::load(with(folder, {{"P2P_STUN_SERVERS", "stun:a.example:1, b:2"},
                                                    {"P2P_TURN_SERVER", "turn:t.example:3"},
                                                    {"P2P_TURN_USERNAME", "me"},
                                                    {"P2P_TURN_PASSWORD", "secret"},
                                                    {"P2P_CONNECTION_TIMEOUT", "1500"},
                                                    {"P2P_KEEP_ALIVE_INTERVAL", "900"},
                                                    {"P2P_SIGNALING_PORT", "81"}}));
    REQUIRE(loaded.has_value());
    const profile::Profile& profile = loaded->profile;
    CHECK(profile.servers.at("stun") == json::value({"a.example:1", "b:2"}));
    CHECK(profile.servers.at("turn").at("server") == json::value("t.example:3"));
    CHECK(profile.servers.at("turn").at("username") == json::value("me"));
    CHECK(profile.servers.at("turn").at("password") == json::value("secret"));
    CHECK(profile.connection.at("timeout_ms") == json::value(1500));
    CHECK(profile.connection.at("keep_alive_interval_ms") == json::value(900));
    CHECK(profile.connection.at("signaling_port") == json::value(81));
    CHECK(profile.sources.size() == 8);
    CHECK(profile.sources[1] == "P2P_STUN_SERVERS");
}

TEST_CASE("an empty variable is not set") {
    const Folder folder;
    const auto loaded =
        profile::load(with(folder, {{"P2P_STUN_SERVERS", ""}, {"P2P_SIGNALING_PORT", ""}}));
    REQUIRE(loaded.has_value());
    CHECK(loaded->profile.servers.at("stun").as_array().size() == 2);
    CHECK(loaded->profile.sources == std::vector<std::string>{"built-in"});
}

TEST_CASE("what is wrong with a variable names it") {
    const Folder folder;
    CHECK(problems(with(folder, {{"P2P_STUN_SERVERS", "a:1,b:70000"},
                                 {"P2P_TURN_SERVER", "t"},
                                 {"P2P_CONNECTION_TIMEOUT", "long"},
                                 {"P2P_SIGNALING_PORT", "0"}})) ==
          "P2P_STUN_SERVERS: \"70000\" is not a port: 1 to 65535\n"
          "P2P_TURN_SERVER: \"t\" has no port; write host:port\n"
          "P2P_CONNECTION_TIMEOUT: \"long\" is not a duration such as 250ms, 20s, 2m or 1h\n"
          "P2P_SIGNALING_PORT: 0 is not a port: 1 to 65535\n");
    CHECK_THAT(problems(with(folder, {{"P2P_TURN_PASSWORD", "hunter2\xff"}})),
               Contains("P2P_TURN_PASSWORD") && !Contains("hunter2"));
    CHECK_THAT(problems(with(folder, {{"P2P_TURN_SERVER", "turn:me:hunter2@t.example:1"}})),
               Contains("P2P_TURN_SERVER") && !Contains("hunter2"));
}
