// Where the user's configuration says the port.
#include "profile/user_config.hpp"

#include <catch2/catch.hpp>

#include "folder.hpp"

using namespace p2pdiag;

namespace {

json::value described(const profile::Request& request) {
    auto loaded = profile::load(request);
    CAPTURE(problems(request));
    REQUIRE(loaded.has_value());
    return loaded->profile.user_config;
}

json::value described(std::string_view config) {
    const Folder folder;
    folder.write("config.toml", config);
    return described(request_in(folder));
}

// Line, byte and length.
json::value place(unsigned line, unsigned byte, unsigned length) {
    return json::object{{"line", line}, {"byte", byte}, {"length", length}};
}

}  // namespace

TEST_CASE("the value of the port is found in whatever form it has") {
    CHECK(described("[target]\nport = 9000\n").at("port") == place(2, 7, 4));
    CHECK(described("# \xC3\xBC\n [ target ]\n\tport=0x2328# \xC3\xBC\n").at("port") ==
          place(3, 6, 6));
    CHECK(described("target.port = 9_000\r\n").at("port") == place(1, 14, 5));
    CHECK(described("target = { port = 9000, peer = \"h:1\" }").at("port") == place(1, 18, 4));
    // The text of a comment or of another section is no port.
    CHECK(described("# [target]\n# port = 1\n[connection]\nsignaling_port = 9000\n")
              .at("port")
              .is_null());
}

TEST_CASE("where it says none, a line can be put into its section") {
    const json::value section = described("[run]\n[target] # mine\npeer = \"h:1\"\n");
    CHECK(section.at("port").is_null());
    CHECK(section.at("section") == json::object{{"line", 2}});
    CHECK(section.at("other_form") == false);
    for (const char* form : {"target.peer = \"h:1\"", "target = { peer = \"h:1\" }"}) {
        CAPTURE(form);
        const json::value other = described(form);
        CHECK(other.at("section").is_null());
        CHECK(other.at("other_form") == true);
    }
    const json::value without = described("[run]\n");
    CHECK(without.at("section").is_null());
    CHECK(without.at("other_form") == false);
    CHECK(without.at("exists") == true);
}

TEST_CASE("who says another port above it is named") {
    const Folder folder;
    profile::Request request = request_in(folder);
    CHECK(described(request).at("exists") == false);
    CHECK(described(request).at("overridden_by").is_null());
    folder.write("data/profiles/default.toml", "[target]\nport = 8000\n");
    CHECK(described(request).at("overridden_by").is_null());
    const std::string lab =
        folder.write("data/profiles/lab.toml", "[target]\nport = 8000\n").string();
    folder.write("data/profiles/deep.toml", "[run]\ndeep = true\n");
    request.profile = "deep";
    CHECK(described(request).at("overridden_by").is_null());
    request.profile = "lab";
    CHECK(described(request).at("overridden_by") == json::value(std::string_view(lab)));
    const std::string file = folder.write("config.toml", "[target]\nport = 9000\n").string();
    CHECK(described(request).at("overridden_by") == json::value(std::string_view(lab)));
    CHECK(described(request).at("file") == json::value(std::string_view(file)));
    request.profile.reset();
    CHECK(described(request).at("overridden_by").is_null());
    request.port = 7000;
    CHECK(described(request).at("overridden_by") == "--port");
    // The user's own profile of that name is above the configuration where it is asked for.
    request.port.reset();
    const std::string own = folder.write("profiles/default.toml", "[target]\nport = 1\n").string();
    CHECK(described(request).at("overridden_by").is_null());
    request.profile = "default";
    CHECK(described(request).at("overridden_by") == json::value(std::string_view(own)));
    request.user_config.reset();
    CHECK(described(request).is_null());
}
