#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "folder.hpp"
#include "profile/file.hpp"

using namespace p2pdiag;
using Catch::Matchers::Contains;

TEST_CASE("what cannot be read says why") {
    const Folder folder;
    const auto message = [](const std::filesystem::path& path) {
        const auto read = profile::read_file(path, 100);
        return read.has_value() ? "" : read.error().message;
    };
    CHECK(message(folder.path() / "none") == "cannot be read: No such file or directory");
    CHECK(message(folder.path()) == "is a directory, not a file");
    CHECK(message("/dev/zero") == "is not a regular file");
    CHECK(message(folder.write("file", "x") / "below") == "cannot be read: Not a directory");
    CHECK(message(folder.write("large", std::string(101, 'x'))) ==
          "is larger than the 100 bytes it may be");
    CHECK(message(folder.write("full", std::string(100, 'x'))).empty());

    const std::filesystem::path pipe = folder.path() / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(message(pipe) == "is not a regular file");
}

TEST_CASE("a file that others can read is known as such") {
    const Folder folder;
    const std::filesystem::path file = folder.write("file", "text");
    CHECK(profile::read_file(file, 100)->text == "text");
    CHECK_FALSE(profile::read_file(file, 100)->readable_by_others);
    std::filesystem::permissions(file, std::filesystem::perms(0640));
    CHECK(profile::read_file(file, 100)->readable_by_others);
}

TEST_CASE("a profile with a password that others can read is noted") {
    const Folder folder;
    const auto file =
        folder.write("x.toml", "[servers.turn]\nserver = \"t:1\"\npassword = \"hunter2\"\n");
    profile::Request request = request_in(folder);
    request.profile = file.string();
    CHECK(profile::load(request)->notes.empty());

    std::filesystem::permissions(file, std::filesystem::perms(0644));
    const auto loaded = profile::load(request);
    REQUIRE(loaded.has_value());
    REQUIRE(loaded->notes.size() == 1);
    CHECK_THAT(loaded->notes[0], Contains("others can read") && !Contains("hunter2"));
}

TEST_CASE("a password file stands beside the profile that names it") {
    const Folder folder;
    folder.write("secret", "hunter2\nsecond line\n");
    profile::Request request = request_in(folder);
    request.profile =
        folder.write("x.toml", "[servers.turn]\nserver=\"t:1\"\npassword_file=\"secret\"\n")
            .string();
    const auto loaded = profile::load(request);
    REQUIRE(loaded.has_value());
    CHECK(loaded->profile.servers.at("turn") ==
          json::value({{"server", "t:1"}, {"username", nullptr}, {"password", "hunter2"}}));

    folder.write("secret", "\n");
    CHECK_THAT(problems(request),
               Contains("x.toml:3:15: password_file: ") && Contains("holds no password"));
    folder.write("secret", "hunter2\xff");
    CHECK_THAT(problems(request), Contains("something else than text") && !Contains("hunter2"));
    folder.write("secret", std::string(5000, 'x'));
    CHECK_THAT(problems(request), Contains("is larger than"));
    std::filesystem::remove(folder.path() / "secret");
    CHECK_THAT(problems(request), Contains("No such file"));

    // A password from a later layer takes its place, and the file is not looked at.
    request.environment = [](const std::string& name) -> std::optional<std::string> {
        if (name == "P2P_TURN_PASSWORD") return "other";
        return std::nullopt;
    };
    CHECK(profile::load(request)->profile.servers.at("turn").at("password") ==
          json::value("other"));
}
