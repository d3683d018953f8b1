#include <catch2/catch.hpp>

#include "folder.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;

namespace {

profile::Profile effective(const profile::Request& request) {
    auto loaded = profile::load(request);
    CAPTURE(problems(request));
    REQUIRE(loaded.has_value());
    return loaded->profile;
}

json::value port_of(const profile::Request& request) {
    return effective(request).target.at("port");
}

}  // namespace

TEST_CASE("the built-in layer needs no file") {
    const Folder folder;
    const profile::Profile profile = effective(request_in(folder));
    CHECK(profile.name == "default");
    CHECK(profile.checks.empty());
    CHECK(profile.skip.empty());
    CHECK_FALSE(profile.deep);
    CHECK(profile.deadline_ms == 20'000);
    CHECK(profile.fail_on == "fail");
    CHECK(profile.target == json::object{{"port", 8000}});
    CHECK(profile.servers ==
          json::object{{"stun", {"stun.l.google.com:19302", "stun.cloudflare.com:3478"}},
                       {"turn", nullptr}});
    CHECK(profile.connection == json::object{{"timeout_ms", 30'000},
                                             {"keep_alive_interval_ms", 25'000},
                                             {"signaling_port", 8080}});
    CHECK(profile.sources == std::vector<std::string>{"built-in"});
}

TEST_CASE("the shipped default shows exactly the built-in values") {
    const Folder folder;
    const profile::Profile built_in = effective(request_in(folder));
    profile::Request request = request_in(folder);
    request.data_dir = std::filesystem::path(SHIPPED_PROFILES).parent_path();
    const profile::Profile shipped = effective(request);
    CHECK(shipped.sources.size() == 2);
    CHECK(shipped.target == built_in.target);
    CHECK(shipped.servers == built_in.servers);
    CHECK(shipped.connection == built_in.connection);
    CHECK(shipped.deadline_ms == built_in.deadline_ms);
    CHECK(shipped.deadline_is_built_in);
    CHECK(built_in.deadline_is_built_in);
    CHECK(shipped.fail_on == built_in.fail_on);
    CHECK(shipped.checks == built_in.checks);
}

TEST_CASE("a deadline that somebody wrote down is one that was asked for, also the usual one") {
    const Folder folder;
    const profile::Request request = request_in(folder);
    folder.write("config.toml", "[run]\ndeadline = \"20s\"\n");
    CHECK_FALSE(effective(request).deadline_is_built_in);
}

TEST_CASE("every shipped profile loads and says what it is") {
    const Folder folder;
    profile::Request request = request_in(folder);
    request.data_dir = std::filesystem::path(SHIPPED_PROFILES).parent_path();
    const auto all = profile::list(request);
    CHECK(all.size() >= 2);
    for (const auto& [name, comment] : all) {
        CAPTURE(name);
        CHECK_FALSE(comment.empty());
        request.profile = name;
        CHECK(problems(request).empty());
    }
}

TEST_CASE("each layer beats the one below") {
    const Folder folder;
    profile::Request request = request_in(folder);
    folder.write("data/profiles/default.toml", "[target]\nport = 1\n");
    CHECK(port_of(request) == json::value(1));
    folder.write("config.toml", "[target]\nport = 2\n");
    CHECK(port_of(request) == json::value(2));
    folder.write("data/profiles/other.toml", "[target]\nport = 3\n");
    request.profile = "other";
    CHECK(port_of(request) == json::value(3));
    request.port = 5;
    CHECK(port_of(request) == json::value(5));

    folder.write("data/profiles/other.toml", "[connection]\nsignaling_port = 3\n");
    request.environment = [](const std::string& name) -> std::optional<std::string> {
        if (name == "P2P_SIGNALING_PORT") return "4";
        return std::nullopt;
    };
    const profile::Profile profile = effective(request);
    CHECK(profile.connection.at("signaling_port") == json::value(4));
    CHECK(profile.sources ==
          std::vector<std::string>{"built-in", (folder.path() / "config.toml").string(),
                                   (folder.path() / "data/profiles/other.toml").string(),
                                   "P2P_SIGNALING_PORT", "--port"});
}

TEST_CASE("the default that was asked for beats the user's own configuration") {
    const Folder folder;
    profile::Request request = request_in(folder);
    folder.write("data/profiles/default.toml", "[target]\nport = 1\n");
    folder.write("config.toml", "[target]\nport = 2\n[connection]\nsignaling_port = 2\n");
    request.profile = "default";
    const profile::Profile profile = effective(request);
    CHECK(profile.name == "default");
    CHECK(profile.target.at("port") == json::value(1));
    CHECK(profile.connection.at("signaling_port") == json::value(2));
    CHECK(profile.user_config.at("overridden_by") ==
          json::value((folder.path() / "data/profiles/default.toml").string()));
}

TEST_CASE("a glob of checks that is wrong is told at its place") {
    profile::Request request;
    request.judge_glob = [](const std::string& glob) -> std::optional<profile::WrongGlob> {
        if (glob == "good.*") return std::nullopt;
        return profile::WrongGlob{"unknown check " + glob, glob == "elsewhere.*"};
    };
    CHECK(problems_of("[run]\nchecks = [\"good.*\", \"bad\"]\nskip = [\n  \"worse\",\n]\n",
                      request) ==
          "at:2:21: checks: unknown check bad\nat:4:3: skip: unknown check worse\n");
    const Folder folder;
    request.profile = folder.write("x.toml", "[run]\nskip = [\"elsewhere.*\"]\n").string();
    const auto loaded = profile::load(request);
    REQUIRE(loaded.has_value());
    CHECK(loaded->profile.skip == std::vector<std::string>{"elsewhere.*"});
    CHECK(loaded->notes ==
          std::vector<std::string>{*request.profile + ":2:9: skip: unknown check elsewhere.*"});
}

TEST_CASE("who must go on takes what holds, and is told the rest") {
    const Folder folder;
    profile::Request request = request_in(folder);
    request.lenient = true;
    const std::string file =
        folder.write("config.toml", "[target]\nport = 4000\nprot = 1\n").string();
    const auto loaded = profile::load(request);
    REQUIRE(loaded.has_value());
    CHECK(loaded->profile.target.at("port") == json::value(4000));
    REQUIRE(loaded->notes.size() == 1);
    CHECK(loaded->notes.front().starts_with(file + ":3:1: unknown key \"prot\""));
}

TEST_CASE("a user's profile hides the shipped one of its name") {
    const Folder folder;
    profile::Request request = request_in(folder);
    folder.write("data/profiles/quick.toml", "# shipped\n[target]\nport = 1\n");
    folder.write("profiles/quick.toml", "#   mine\n[target]\nport = 2\n");
    folder.write("profiles/none.toml", "[target]\n");
    folder.write("profiles/odd.toml", "# \x1b[2J\n");
    folder.write("profiles/readme.txt", "# not a profile\n");
    request.profile = "quick";
    CHECK(port_of(request) == json::value(2));
    CHECK(profile::list(request) ==
          std::vector<std::pair<std::string, std::string>>{{"default", "The built-in values"},
                                                           {"none", ""},
                                                           {"odd", "\\u{1b}[2J"},
                                                           {"quick", "mine"}});

    // The user's own default is a profile like any other: above the user's config.
    folder.write("config.toml", "[target]\nport = 3\n");
    folder.write("profiles/default.toml", "[target]\nport = 4\n");
    request.profile = "default";
    CHECK(port_of(request) == json::value(4));
}

TEST_CASE("flags are checked like everything else") {
    const Folder folder;
    profile::Request request = request_in(folder);
    request.port = 70000;
    request.stun = {"a:1", "b"};
    request.fail_on = "never";
    request.deadline_ms = 0;
    CHECK(problems(request) ==
          "--port: 70000 is not a port: 1 to 65535\n"
          "--deadline: \"0\" is not from 1ms to 24h\n"
          "--fail-on: \"never\" is not one of warn, fail, unknown\n"
          "--stun: \"b\" has no port; write host:port\n");

    request = request_in(folder);
    request.stun = {"stun:a:1"};
    request.deep = true;
    request.fail_on = "warn";
    request.deadline_ms = 7;
    const profile::Profile profile = effective(request);
    CHECK(profile.servers.at("stun") == json::value(json::array{"a:1"}));
    CHECK(profile.deep);
    CHECK(profile.fail_on == "warn");
    CHECK(profile.deadline_ms == 7);
}

TEST_CASE("a profile that is not there") {
    const Folder folder;
    profile::Request request = request_in(folder);
    folder.write("data/profiles/quick.toml", "");
    request.profile = "qiuck";
    CHECK(problems(request) ==
          "--profile: unknown profile \"qiuck\"; known are default, quick; did you mean "
          "\"quick\"?\n");
    request.profile = "./none.toml";
    CHECK(problems(request) == "./none.toml: cannot be read: No such file or directory\n");
    request.profile = folder.path().string();
    CHECK(problems(request) == folder.path().string() + ": is a directory, not a file\n");
    request.profile = "";
    CHECK(problems(request) == "--profile: is empty\n");
}

TEST_CASE("problems of several layers come together") {
    const Folder folder;
    profile::Request request = request_in(folder);
    folder.write("config.toml", "[target]\nport = 0\n");
    request.profile = folder.write("x.toml", "[run\n").string();
    CHECK_THAT(problems(request), Contains("config.toml:2:8: port") && Contains("x.toml:1:"));
}

TEST_CASE("sections of plugins") {
    const Folder folder;
    profile::Request request = request_in(folder);
    options::Option sockets;
    sockets.name = "max-sockets";
    sockets.type = options::Type::integer;
    sockets.default_value = 16;
    request.plugin_options = {{"punch", {sockets}}, {"bare", {}}};
    CHECK(effective(request).plugins.at("punch") == json::object{{"max_sockets", 16}});
    CHECK(effective(request).plugins.at("bare").empty());

    folder.write("config.toml", "[plugins.punch]\nmax_sockets = 4\n[plugins.pnuch]\nany = 1\n");
    const auto loaded = profile::load(request);
    REQUIRE(loaded.has_value());
    CHECK(loaded->profile.plugins.at("punch") == json::object{{"max_sockets", 4}});
    CHECK_FALSE(loaded->profile.plugins.contains("pnuch"));
    REQUIRE(loaded->notes.size() == 1);
    CHECK_THAT(loaded->notes[0], Contains("config.toml:3:") &&
                                     Contains("no plugin \"pnuch\" is loaded") &&
                                     Contains("did you mean \"punch\"?"));
    folder.write("config.toml", "[plugins.bare]\nx = 4\n");
    CHECK_THAT(problems(request),
               Contains("unknown key \"x\" in [plugins.bare]; the section has none"));
}

TEST_CASE("TURN credentials without a server are noted") {
    const Folder folder;
    folder.write("config.toml", "[servers.turn]\nusername = \"me\"\n");
    const auto loaded = profile::load(request_in(folder));
    REQUIRE(loaded.has_value());
    CHECK(loaded->profile.servers.at("turn").is_null());
    REQUIRE(loaded->notes.size() == 1);
    CHECK_THAT(loaded->notes[0], Contains("no TURN server"));
}

TEST_CASE("a TURN password file without a server is noted with its place, and not read") {
    const Folder folder;
    const std::string file =
        folder.write("config.toml", "[servers.turn]\npassword_file = \"/nowhere\"\n").string();
    auto request = request_in(folder);
    const auto loaded = profile::load(request);
    REQUIRE(loaded.has_value());
    CHECK(loaded->profile.servers.at("turn").is_null());
    REQUIRE(loaded->notes.size() == 1);
    CHECK(loaded->notes[0] ==
          file + ":2:17: password_file: no TURN server is configured; the file is not read");
    // With a server, wherever it comes from, the file has to be there.
    request.environment = [](const std::string& name) {
        return name == "P2P_TURN_SERVER" ? std::optional<std::string>("turn.example.org:3478")
                                         : std::nullopt;
    };
    CHECK_THAT(problems(request), Contains("config.toml:2:17: password_file: /nowhere"));
}
